//! Documents with mistakes: each is found, and named.

use serde_json::{Value, json};

use crate::blocks::{Block, blocks, hidden};
use crate::documents::Document;
use crate::example::{Example, Wish, example};
use crate::matching::{self, Names};
use crate::reader::Reader;
use crate::{
    configuration, conversation, excerpt, hosts, links, params, repository, shell, transcript, units,
};

fn document(text: &str) -> Document {
    Document { name: "docs/page.md".to_owned(), text: text.to_owned() }
}

fn only(text: &str) -> Block {
    let mut all = blocks(&document(text));
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// The fault of a check, which has to say this.
fn fault(came: Result<(), String>, part: &str) {
    let fault = came.expect_err("there is a mistake in it");
    assert!(fault.contains(part), "{part:?} is not in: {fault}");
}

#[test]
fn blocks_are_found_wherever_they_stand() {
    let text = "\
Some prose with ``` in it.
<!-- as: config.json -->

```json
{}
```
1. In a list:

   ~~~~sh
   echo one
     ~~~
   echo two
   ~~~~
<!-- shown: it is long -->
Something between.
```text
";
    let all = blocks(&document(text));
    let seen: Vec<_> =
        all.iter().map(|one| (one.line, &*one.language, one.comment.as_deref(), &*one.content)).collect();
    assert_eq!(
        seen,
        [
            (4, "json", Some("as: config.json"), "{}\n"),
            (9, "sh", None, "echo one\n  ~~~\necho two\n"),
            (16, "text", None, ""),
        ]
    );
}

#[test]
fn what_nobody_runs_is_told() {
    let unknown = [
        "```\necho\n```",
        "```python\nprint()\n```",
        "```json\n{}\n```",
        "<!-- as: automation/invent -->\n```json\n{}\n```",
        "<!-- as: config.json -->\n```sh\n{}\n```",
        "<!-- shown: no time -->\n```sh\nfalse\n```",
        "<!-- from: -->\n```sh\nfalse\n```",
        "<!-- a remark -->\n```sh\ntrue\n```",
        "<!-- as: unit -->\n```ini\n```",
        "```text\n$ sexton list\n```",
        "```text\n  sexton list\n```",
        "```text\nSome words.\ndocker run sexton\n```",
        "<!-- shown: no time -->\n```text\nsexton list\n```",
    ];
    for text in unknown {
        assert!(example(&only(text)).is_err(), "{text}");
    }
    let drafted = only("<!-- as: automation/create draft -->\n```json\n{}\n```");
    let method = "automation/create".to_owned();
    assert_eq!(example(&drafted), Ok(Example::Params { method, wish: Wish::Drafted }));
}

#[test]
fn commands_outside_of_fences_are_told() {
    let mistakes = [
        ("> ```sh\n> true\n> ```", "in a quotation"),
        ("> Try\n>\n> sexton list", "without a fence"),
        ("Try\n\n    sexton list", "without a fence"),
        ("Try\n\n\tenv A=1 sexton list", "without a fence"),
        ("1. Try\n\n        cargo run", "without a fence"),
        ("<pre>sexton list</pre>", "in HTML"),
    ];
    for (text, part) in mistakes {
        fault(hidden(&document(text)), part);
    }
    let text =
        "> A sexton keeps time.\n\n1. A list\n\n    of what sexton does\n\n```sh\n    sexton list\n```";
    hidden(&document(text)).unwrap();
}

#[test]
fn a_script_that_fails_is_told() {
    shell::check(&only("```sh\nsexton add Look --in 1h -- true\n```")).unwrap();
    fault(shell::check(&only("```sh\nsexton pause Nothing\necho done\n```")), "ended with Some(");
    fault(shell::check(&only("```sh\necho \"$NOBODY_SET_THIS\"\n```")), "NOBODY_SET_THIS");
    fault(shell::check(&only("```sh\ncargo run --quiet -- pause Nothing\n```")), "ended with Some(");
}

#[test]
fn what_is_played_looks_at_what_it_is_told() {
    let mistakes = [
        "cargo test --test nothing_like_this",
        "cargo test --test sim no_test_like_this",
        "SEXTON_NOBODY_READS_THIS=1 cargo test",
        "cargo build --profile fast",
        "cargo install --path clients",
        "cargo install sexton --locked",
        "cargo install --locked",
        "cargo build --target x86_64-unknown-linux-musl",
        "cargo figures --fast",
        "cargo figures --only speed",
        "npm ci --fast",
        "npm install sextons",
        "npm run invent",
        "node npm/pack.mjs --invent",
        "node --test npm/nothing",
        "claude mcp add sexton -- sexton mpc",
        "claude mcp add sexton sexton mcp",
        "systemctl --user enable --now sextant@project.service",
        "journalctl --user --unit sextant",
        "journalctl --user --unit sexton@project --fast",
        "claude mcp add sexton -- true",
        "pip install nothing-that-is-needed",
        "pip install sexton",
        "pip install mypy==0.1",
        "python3 -m unittest discover -s clients -t clients",
        "cd clients && python3 -m mypy",
        "cd clients/python && python3 -m mypy --fast",
        "./.ci/run fast",
    ];
    let reader = Reader::new();
    let likeness = repository::likeness(&reader);
    let code = |line: &str| shell::run(&reader, &likeness, "-eu", line).unwrap().code;
    assert_eq!(code("cargo test --test sim a_random_world"), Some(0));
    for mistake in mistakes {
        assert_ne!(code(mistake), Some(0), "{mistake} passes");
    }
}

#[test]
fn a_transcript_that_differs_is_told() {
    let said = "```console\n$ x=one\n$ echo $x \\\n  two; echo >&2 three\none t…\nthree\n$ printf 'a\\nb\\nc'\n…\nc\n```";
    transcript::check(&only(said)).unwrap();
    let lied = "```console\n$ echo one\ntwo\n```";
    fault(transcript::check(&only(lied)), "line 2: `echo one` was to print\ntwo\nbut it printed\none");
    fault(transcript::check(&only("```console\n$ echo one\n$ true\n```")), "was to print");
    fault(transcript::check(&only("```console\n$ true\n…\nmore\n```")), "was to print");
    fault(transcript::check(&only("```console\n$ exit\n$ true\n```")), "the shell ended in `exit`");
    fault(transcript::check(&only("```console\necho one\n```")), "begins with");
}

const OPENED: &str = r#"--> {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}
<-- {"id": 1, "result": {"instanceID": "ins_…", "capabilities": {"tasks": ["command", "…"]}}}
"#;

#[test]
fn a_conversation_that_goes_otherwise_is_told() {
    let conversation = |rest: &str| conversation::check(&only(&format!("```jsonrpc\n{OPENED}{rest}\n```")));
    conversation(
        r#"--- Names that are found can be used.
--> {"jsonrpc": "2.0", "id": 2, "method": "automation/create", "params": {
      "title": "Look", "kind": "oneshot", "fireAt": 4000000000000,
      "task": {"kind": "notify", "text": "Look"}}}
<-- {"id": 2, "result": {"id": "atm_…", "revision": 1}}
--> {"jsonrpc": "2.0", "id": 3, "method": "automation/get", "params": {"id": "atm_…"}}
<-- {"id": 3, "result": {"title": "Look"}}
--> this is no JSON
<-- {"id": null, "error": {"code": -32700}}"#,
    )
    .unwrap();
    let list = r#"--> {"jsonrpc": "2.0", "id": 2, "method": "automation/list"}"#;
    let ended = r#"--> {"jsonrpc": "2.0", "id": 3, "method": "shutdown"}
<-- {"id": 3, "result": null}
--> {"jsonrpc": "2.0", "method": "exit"}"#;
    // It ends, so that nobody has to wait for what does not come.
    fault(
        conversation(&format!("{list}\n{ended}\n{}", r#"<-- {"id": 2, "result": {"items": ["…", 1]}}"#)),
        "waited for",
    );
    fault(conversation(r#"<-- {"id": 1,"#), "no JSON");
    fault(conversation::check(&only("```jsonrpc\n--> {}\n```")), "nothing is answered");
    let bad_names = "```jsonrpc\n--> {\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"exit\"}\n--> {\"jsonrpc\": \"2.0\", \"method\": \"exit\"}\n<-- {\"id\": \"1\", \"result\": {}}\n```";
    fault(conversation::check(&only(bad_names)), "there came only");
    fault(conversation(r#"<-- {"id": 1}"#), "has a `result` or an `error`");
    let refused = r#"--> {"jsonrpc": "2.0", "id": 2, "method": "automation/get", "params": {"id": "atm_…"}}"#;
    fault(conversation(refused), "refused, and that is not shown");
    fault(conversation(r#"--> this is no JSON"#), "refused, and that is not shown");
}

#[test]
fn one_name_for_two_ids_is_told() {
    let expected = |expected: &Value| {
        let came = json!([{"id": "atm_01"}, {"id": "atm_02", "run": "run_01"}, {"id": "atm_01"}]);
        matching::value(expected, &came, &mut Names::new())
    };
    assert!(expected(&json!([{"id": "atm_…"}, {"id": "atm_other…", "run": "run_…"}, {"id": "atm_…"}])));
    for mistake in [
        json!([{"id": "atm_…"}, {"id": "atm_…"}, {}]),
        json!([{"id": "atm_…"}, {}, {"id": "atm_other…"}]),
        json!([{}, {"run": "atm_…"}, {}]),
    ] {
        assert!(!expected(&mistake), "{mistake}");
    }
}

#[test]
fn params_that_are_not_granted_are_told() {
    let create = |content: &str, wish| {
        params::check(&only(&format!("```json\n{content}\n```")), "automation/create", wish)
    };
    let task =
        r#""task": {"kind": "prompt", "prompt": "Look", "model": {"providerID": "a", "modelID": "b/c"}}"#;
    create(
        &format!(r#"{{"title": "Look", "kind": "oneshot", "fireAt": 4000000000000, {task}}}"#),
        Wish::Done,
    )
    .unwrap();
    let past = format!(r#"{{"title": "Look", "kind": "oneshot", "fireAt": 1000, {task}}}"#);
    fault(create(&past, Wish::Drafted), "fireAt_must_be_future");
    fault(create(&past.replace("title", "titel"), Wish::Done), "no AutomationCreateParams");
}

#[test]
fn a_configuration_that_is_not_taken_up_is_told() {
    let configure = |content: &str| configuration::check(&only(&format!("```json\n{content}\n```")));
    configure(r#"{"providers": {"a": {"command": ["agent"]}}}"#).unwrap();
    fault(configure(r#"{"providers": {"a": {"command": "agent"}}}"#), "/providers/a/command");
}

#[test]
fn a_host_that_finds_no_tools_is_told() {
    let host = |language: &str, content: &str| hosts::check(&only(&format!("```{language}\n{content}\n```")));
    host("toml", "[mcp_servers.sexton]\ncommand = \"sexton\"\nargs = [\"mcp\"]").unwrap();
    let toml = |lines: &str| host("toml", &format!("[mcp_servers.sexton]\ncommand = \"sexton\"\n{lines}"));
    fault(host("toml", "[mcp_servers.sexton]\nargs = [\"mcp\"]"), "missing field `command`");
    fault(host("toml", "[mcp.sexton]\ncommand = \"sexton\"\nargs = [\"mcp\"]"), "instead of");
    fault(toml("args = [\"mcp\"]\nenviron = []"), "unknown field `environ`");
    fault(toml("args = [\"mcp\"]\nenv_vars = [\"SEXTON_DIR\"]"), "does not read");
    fault(toml("args = [\"mcp\"]\nargs = []"), "twice");
    fault(toml("args = [mcp]"), "args: ");
    host("json", r#"{"mcpServers": {"sexton": {"command": "sexton", "args": ["mcp"]}}}"#).unwrap();
    let mistakes = [
        (
            r#"{"mcp": {"sexton": {"type": "local", "command": ["sexton", "list"], "enabled": true}}}"#,
            "offers no tools",
        ),
        (
            r#"{"mcp": {"sexton": {"type": "local", "command": ["sexton", "mcp"], "enabled": false}}}"#,
            "is not started",
        ),
        (
            r#"{"servers": {"sexton": {"type": "http", "command": "sexton", "args": ["mcp"]}}}"#,
            "is not started",
        ),
        (r#"{"mcpServers": {"sexton": {"command": "sextant", "args": ["mcp"]}}}"#, "not sexton"),
        (r#"{"mcpServers": {"sexton": {"command": "sexton", "arg": ["mcp"]}}}"#, "unknown field `arg`"),
        (r#"{"mcpServers": {"bell": {"command": "sexton", "args": ["mcp"]}}}"#, "called sexton"),
        (r#"{"mcp_servers": {"sexton": {"command": "sexton", "args": ["mcp"]}}}"#, "no host reads that"),
    ];
    for (content, part) in mistakes {
        fault(host("json", content), part);
    }
}

#[test]
fn a_unit_that_does_not_serve_is_told() {
    let unit = |line: &str| {
        let block = only(&format!("```ini\n[Service]\n{line}\n```"));
        units::check(&block, "sexton.service")
    };
    unit("ExecStart=/usr/bin/sexton serve --headless --project %h/project").unwrap();
    fault(unit("ExecStart=/usr/bin/sexton serve --headles --project %h/project"), "see `sexton --help`");
    fault(unit("ExecStart=/usr/bin/sextant"), "not sexton");
    fault(unit("Exec=/usr/bin/sexton"), "no ExecStart");
}

#[test]
fn a_stale_excerpt_is_told() {
    let block = only("```rust\n/// The fault of a check, which has to say this.\n```");
    excerpt::check(&block, "tests/docs/mistakes.rs").unwrap();
    let indented = only("```rust\nconst LINES: usize = 500;\n\nfn root() -> PathBuf {\n```");
    excerpt::check(&indented, "tests/tidy.rs").unwrap();
    let stale = only("```rust\nconst LINES: usize = 499;\n\nfn root() -> PathBuf {\n```");
    fault(excerpt::check(&stale, "tests/tidy.rs"), "has no such lines");
    fault(excerpt::check(&stale, "tests/nothing.rs"), "tests/nothing.rs: ");
    excerpt::check_test(&stale, "tests/docs/mistakes.rs").unwrap();
    fault(excerpt::check(&block, "docs/page.md"), "is a document");
    let runner = |document: &str, path| {
        let text = "```sh\n```".to_owned();
        let block = blocks(&Document { name: document.to_owned(), text }).remove(0);
        excerpt::check_test(&block, path)
    };
    runner("clients/neovim/README.md", "clients/neovim/tests/readme_test.lua").unwrap();
    fault(runner("docs/page.md", "tests/tidy.rs"), "does not name docs/page.md");
    fault(runner("README.md", "clients/neovim/tests/readme_test.lua"), "does not name README.md");
    fault(runner("docs/page.md", "docs/guarantees.md"), "is no test");
    fault(runner("README.md", "src/main.rs"), "is no test");
}

#[test]
fn links_that_lead_nowhere_are_told() {
    let there = Document {
        name: "README.md".to_owned(),
        text: "# A `page` (of sexton)\n## Twice\n## Twice\n<a id=\"here\"></a>\n```sh\n# no heading\n```\n"
            .to_owned(),
    };
    let headings = links::headings(&[there]);
    let link = |text: &str| links::check(&document(text), &headings);
    let good = [
        "[a](../README.md#a-page-of-sexton), [b](../README.md#twice-1), [c](../README.md#here), [d](../Cargo.toml)",
        "[elsewhere](https://example.com/nothing), `[shown](nowhere)`, [name]: ../src",
    ];
    good.into_iter().for_each(|text| link(text).unwrap());
    fault(link("Some\n\n[`a`](nothing.md)"), "line 3: nothing.md: there is no such file");
    fault(
        link("[a](../README.md#no-heading)"),
        "no such heading; it has a-page-of-sexton, twice, twice-1, here",
    );
    fault(link("[a](../../elsewhere)"), "leads out of the repository");
    fault(link("[a]: nothing"), "no such file");
    fault(link("<img src=\"nothing.png\">"), "no such file");
}
