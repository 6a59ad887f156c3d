//! What a block is, and so what is done with it.
//!
//! | block | comment above it | what is done |
//! |---|---|---|
//! | `sh` | | run by `sh -eu` in a fresh project |
//! | `sh` | `in: PATH` | run in a likeness of the repository, after the others of its document |
//! | `console` | | its commands are run, and what they print is compared |
//! | `jsonrpc` | | said to a fresh sidecar, whose answers are compared |
//! | `json` | `as: METHOD`, `as: METHOD draft` | sent as params, with `dryRun` as a draft |
//! | `json` | `as: type NAME` | holds by that type of the schema |
//! | `json` | `as: config.json` | the user's configuration, which a sidecar takes up |
//! | `json`, `toml` | `as: mcp host` | the command in it is started, and offers its tools |
//! | `ini` | `as: systemd unit NAME` | verified, and what it starts serves |
//! | any | `from: PATH` | stands in that file |
//! | any | `run by: PATH` | that file is a test which names the document |
//! | `text` | | shown; a command in it needs `shown: WHY` |

use crate::blocks::Block;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Example {
    Script,
    ScriptIn(String),
    Transcript,
    Conversation,
    Params {
        method: String,
        wish: Wish,
    },
    /// A value of a type of the contract's.
    Value(String),
    Configuration,
    McpHost,
    /// A unit of systemd's, with its name.
    Unit(String),
    From(String),
    RunBy(String),
    Shown,
}

impl Example {
    pub(crate) fn params(self) -> Option<(String, Wish)> {
        if let Example::Params { method, wish } = self { Some((method, wish)) } else { None }
    }

    pub(crate) fn type_name(self) -> Option<String> {
        if let Example::Value(name) = self { Some(name) } else { None }
    }

    pub(crate) fn unit(self) -> Option<String> {
        if let Example::Unit(name) = self { Some(name) } else { None }
    }

    /// The file that an excerpt is from.
    pub(crate) fn origin(self) -> Option<String> {
        if let Example::From(path) = self { Some(path) } else { None }
    }

    /// The test that runs it.
    pub(crate) fn runner(self) -> Option<String> {
        if let Example::RunBy(path) = self { Some(path) } else { None }
    }
}

/// What becomes of params that are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Done,
    /// Only `dryRun`.
    Drafted,
}

/// A comment that says what a block is.
enum Directive<'a> {
    As(&'a str),
    From(&'a str),
    RunBy(&'a str),
    In(&'a str),
    Shown,
}

impl<'a> Directive<'a> {
    fn read(comment: &'a str) -> Result<Directive<'a>, String> {
        let (word, rest) = comment.split_once(':').unwrap_or((comment, ""));
        let rest = rest.trim();
        match word {
            _ if rest.is_empty() => Err(format!("the comment above says nothing of it: {comment:?}")),
            "as" => Ok(Directive::As(rest)),
            "from" => Ok(Directive::From(rest)),
            "run by" => Ok(Directive::RunBy(rest)),
            "in" => Ok(Directive::In(rest)),
            "shown" if rest.split_whitespace().count() < WORDS_OF_A_REASON => {
                Err(format!("why it cannot be run is said in a sentence: {comment:?}"))
            }
            "shown" => Ok(Directive::Shown),
            _ => Err(format!("the comment above says nothing of it: {comment:?}")),
        }
    }
}

/// Fewer than these do not say why.
const WORDS_OF_A_REASON: usize = 4;

/// With what the lines begin that somebody is to type.
const TYPED: [&str; 12] =
    ["$", "sexton", "cargo", "docker", "npm", "npx", "node", "pip", "python3", "claude", "systemctl", "git"];

/// Whether a line is a command.
pub(crate) fn is_typed(line: &str) -> bool {
    line.trim_start().split_once(' ').is_some_and(|(word, _)| TYPED.contains(&word))
}

/// What this block is, or why nobody knows.
pub(crate) fn example(block: &Block) -> Result<Example, String> {
    let directive = block.comment.as_deref().map(Directive::read).transpose()?;
    let typed = block.content.lines().any(is_typed);
    match (block.language.as_str(), directive) {
        (_, Some(Directive::From(path))) => Ok(Example::From(path.to_owned())),
        (_, Some(Directive::RunBy(path))) => Ok(Example::RunBy(path.to_owned())),
        ("sh", None) => Ok(Example::Script),
        ("sh", Some(Directive::In(path))) => Ok(Example::ScriptIn(path.to_owned())),
        ("console", None) => Ok(Example::Transcript),
        ("jsonrpc", None) => Ok(Example::Conversation),
        ("json", Some(Directive::As("config.json"))) => Ok(Example::Configuration),
        ("json" | "toml", Some(Directive::As("mcp host"))) => Ok(Example::McpHost),
        ("json", Some(Directive::As(words))) => match words.strip_prefix("type ") {
            Some(name) => Ok(Example::Value(name.to_owned())),
            None => params(words),
        },
        ("ini", Some(Directive::As(words))) => match words.strip_prefix("systemd unit ") {
            Some(name) => Ok(Example::Unit(name.to_owned())),
            None => Err(format!("`as: {words}` is not `as: systemd unit NAME`")),
        },
        ("text", None) if !typed => Ok(Example::Shown),
        ("text", Some(Directive::Shown)) => Ok(Example::Shown),
        ("text", None) => Err("what is typed is `sh` or `console`, or says why it cannot be run".to_owned()),
        (language, comment) => {
            let with = if comment.is_some() { "with this comment" } else { "without a comment" };
            Err(format!("nobody runs a block of `{language}` {with}; tests/docs/example.rs has what is run"))
        }
    }
}

fn params(words: &str) -> Result<Example, String> {
    let (method, wish) = match words.strip_suffix(" draft") {
        Some(method) => (method, Wish::Drafted),
        None => (words, Wish::Done),
    };
    let known = sexton::rpc::schema::methods().iter().any(|one| one.name == method);
    match known {
        true => Ok(Example::Params { method: method.to_owned(), wish }),
        false => Err(format!("`as: {words}`: there is no method {method:?}")),
    }
}
