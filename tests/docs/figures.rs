//! What README.md quotes of the figures is what stands in their table.
//!
//! `cargo figures --write` measures and writes both; `SEXTON_WRITE_DOCS=1 cargo test --test docs figures` quotes anew what
//! was measured before.

#[path = "../../benches/src/headline.rs"]
mod headline;

use crate::documents::root;
use headline::{QUOTED, TABLE, between, headline};

/// Fewer rows than these are no headline.
const LEAST: usize = 5;

#[test]
fn the_readme_quotes_the_figures_as_they_were_measured() {
    let readme = root().join("README.md");
    let page = std::fs::read_to_string(&readme).unwrap();
    let figures = std::fs::read_to_string(root().join("benches/README.md")).unwrap();
    let [_, table, _] = between(&figures, TABLE).expect("benches/README.md has a table");
    let [before, quoted, after] = between(&page, QUOTED).expect("README.md quotes it");
    let fresh = headline(table);
    #[expect(clippy::disallowed_methods, reason = "who runs the test says whether it is to write")]
    let writes = std::env::var_os("SEXTON_WRITE_DOCS").is_some();
    if writes {
        return std::fs::write(&readme, format!("{before}{fresh}{after}")).unwrap();
    }
    assert_eq!(quoted, fresh, "SEXTON_WRITE_DOCS=1 cargo test --test docs figures");
    let rows = quoted.lines().filter(|line| line.starts_with("| ")).count();
    assert!(rows > LEAST, "README.md quotes {rows} lines of a table");
}
