//! The reference in `docs/protocol.md`: everything below a mark there is written from what `schema/openrpc.json` says.
//!
//! `SEXTON_WRITE_DOCS=1 cargo test --test docs reference` writes it anew.

mod cells;
mod methods;
mod news;
mod pretty;
mod types;

use serde_json::Value;

use crate::documents::root;

const PAGE: &str = "docs/protocol.md";

/// What is above it is written by hand.
const MARK: &str =
    "<!-- reference: `SEXTON_WRITE_DOCS=1 cargo test --test docs reference` writes what follows -->\n";

/// The document that is told of, and how its parts are found.
struct Contract {
    document: Value,
}

impl Contract {
    fn published() -> Contract {
        Contract { document: sexton::rpc::schema::openrpc() }
    }

    fn methods(&self) -> &[Value] {
        self.document["methods"].as_array().unwrap()
    }

    /// A type by its name or by a reference to it.
    fn named(&self, reference: &str) -> &Value {
        let name = reference.rsplit('/').next().unwrap();
        let found = self.document["components"]["schemas"].get(name);
        found.unwrap_or_else(|| panic!("there is no type {name}"))
    }
}

/// The text of a member, or nothing.
fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// The whole reference.
fn reference() -> String {
    let contract = Contract::published();
    [
        methods::contents(&contract),
        methods::all(&contract),
        news::notifications(&contract),
        news::errors(&contract),
        news::limits(&contract),
        types::all(&contract),
    ]
    .concat()
}

#[test]
fn the_reference_is_fresh() {
    let page = root().join(PAGE);
    let found = std::fs::read_to_string(&page).unwrap();
    let (head, written) = found.split_once(MARK).unwrap_or_else(|| panic!("{PAGE} has no mark:\n{MARK}"));
    let fresh = format!("\n{}\n", reference().trim());
    #[expect(clippy::disallowed_methods, reason = "who runs the test says whether it is to write")]
    let writes = std::env::var_os("SEXTON_WRITE_DOCS").is_some();
    if writes {
        return std::fs::write(&page, format!("{head}{MARK}{fresh}")).unwrap();
    }
    // Comparing before asserting keeps a failure shorter than the page.
    let same = written == fresh;
    assert!(same, "{PAGE} is not what this build says: SEXTON_WRITE_DOCS=1 cargo test --test docs reference");
}
