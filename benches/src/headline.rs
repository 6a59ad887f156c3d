//! The figures that the repository's README quotes: rows of the table in benches/README.md, as they are there.
//!
//! `cargo figures --write` writes them, and a test of the repository's documents holds both pages against each other.

/// What stands around the table.
pub(crate) const TABLE: [&str; 2] =
    ["<!-- figures: written by `cargo figures --write` -->\n", "<!-- end of figures -->\n"];

/// What stands around the rows that are quoted.
pub(crate) const QUOTED: [&str; 2] =
    ["<!-- headline: from benches/README.md, by `cargo figures --write` -->\n", "<!-- end of headline -->\n"];

/// The rows, by how what was measured begins and by who is beside it.
const ROWS: [(&str, &str); 13] = [
    ("spawn to `initialize` answered", "`vscode-jsonrpc`"),
    ("`automation/get`, 64 in flight", "`lsp-server`"),
    ("`automation/get`, 64 in flight", "`vscode-jsonrpc`"),
    ("durable creates, 64 in flight", ""),
    ("next fire, ", "`cron` (Rust)"),
    ("next fire, ", "`croner` (npm)"),
    ("1,000 timers at once: lateness", "`tokio-cron-scheduler` (Rust)"),
    ("1,000 timers at once: lateness", "`croner` (npm)"),
    ("1,000 timers at once: lateness", "APScheduler in SQLite"),
    ("the owner of 16 windows is killed: the next owner, beside a lease", ""),
    ("among 10,000,000 runs, a tick that fires one slot, decided", ""),
    ("among 10,000,000 runs, a page of runs: at a cursor anywhere", ""),
    ("memory with 100,000 automations: one window, opened", ""),
];

/// What stands between two marks, and what is before and after them.
pub(crate) fn between<'a>(page: &'a str, marks: [&str; 2]) -> Option<[&'a str; 3]> {
    let [begin, end] = marks;
    let begins_at = page.find(begin)? + begin.len();
    let ends_at = begins_at + page[begins_at..].find(end)?;
    Some([&page[..begins_at], &page[begins_at..ends_at], &page[ends_at..]])
}

/// What is quoted of a table: when and on what it was measured, and its rows without the goals. A row that was not
/// measured, because its peer was missing, is left out.
pub(crate) fn headline(table: &str) -> String {
    let conditions = table.lines().take_while(|line| !line.starts_with('|'));
    let said: Vec<&str> = conditions.filter_map(|line| line.strip_prefix("- ")).collect();
    let mut text =
        format!("\n{}\n\n| what | sexton | beside it | ratio |\n|---|---|---|---|\n", said.join(" "));
    for (what, peer) in ROWS {
        let found = table.lines().find_map(|line| {
            let [own, ours, theirs, ratio, ..] = cells(line)?;
            (own.starts_with(what) && theirs.starts_with(peer))
                .then(|| [own, ours, theirs, ratio].join(" | "))
        });
        if let Some(row) = found {
            text.push_str(&format!("| {row} |\n"));
        }
    }
    text + "\n"
}

/// The cells of a row of the table.
fn cells(line: &str) -> Option<[&str; 6]> {
    let inner = line.strip_prefix("| ")?.strip_suffix(" |")?;
    let cells: Vec<&str> = inner.split(" | ").collect();
    cells.try_into().ok()
}
