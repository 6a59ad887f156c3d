//! Clients that others have written go through a whole conversation with the real binary: the libraries on which
//! editors build their language clients. Each has a script beside this file, which says what it saw.
//!
//! What they send is kept in `sent`, and said again by `replay`, also where they are not installed.
//! `SEXTON_RECORD=1 cargo test --test real_clients` writes it anew.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod editor;
mod replay;
mod sent;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each of the tests that share this uses a part of it")]
mod support;

use serde_json::{Value, json};

use editor::Editor;

/// What every client sees, step by step. `opened` is what it is told of the answer to `initialize`.
fn seen(opened: Value) -> Vec<Value> {
    vec![
        opened,
        json!({"step": "subscribed"}),
        // Not only ASCII, so that a length in characters is not taken for one in bytes.
        json!({"step": "created", "title": "Läuten 🔔"}),
        json!({"step": "ran", "states": ["scheduled", "running", "succeeded"]}),
        json!({"step": "read", "output": "hello\n"}),
        json!({"step": "cancelled", "stopping": "cancelled", "state": "stopped", "reason": "cancelled"}),
        json!({"step": "refused", "code": -32010, "kind": "invalid_automation", "field": "title"}),
        json!({"step": "ended", "code": 0}),
    ]
}

/// A client that is told all of the answer to `initialize`.
fn opened() -> Value {
    json!({"step": "opened", "server": "sexton", "protocol": 1})
}

#[test]
fn vscode_jsonrpc() {
    const HOW: &str = "Node 20.9 or later, and `npm ci` in clients/typescript";
    let library = editor::at("clients/typescript/node_modules/vscode-jsonrpc");
    if !library.is_dir() || !editor::runs("node", &["--version"]) {
        return support::missing::missing("vscode-jsonrpc", HOW);
    }
    let mut editor = Editor::new("node", "vscode_jsonrpc");
    editor.script("vscode_jsonrpc.mjs").project_as_argument();
    assert_eq!(editor.converse(), seen(opened()));
}

#[test]
fn neovims_language_client() {
    neovim("start_client", "neovim_start_client");
}

#[test]
fn neovims_rpc() {
    neovim("rpc", "neovim_rpc");
}

fn neovim(client: &str, name: &str) {
    if !editor::runs("nvim", &["--version"]) {
        return support::missing::missing("Neovim", "Debian package neovim");
    }
    let mut editor = Editor::new("nvim", name);
    editor.arguments(&["--headless", "-u", "NONE", "-i", "NONE", "-n", "-S"]).script("neovim.lua");
    editor.environment("CLIENT", client);
    assert_eq!(editor.converse(), seen(opened()));
}

#[test]
fn emacs_jsonrpc() {
    if !editor::runs("emacs", &["--version"]) {
        return support::missing::missing("Emacs", "Debian package emacs-nox");
    }
    let mut editor = Editor::new("emacs", "emacs");
    editor.arguments(&["--batch", "-Q", "-l"]).script("emacs.el");
    assert_eq!(editor.converse(), seen(opened()));
}

#[test]
fn pygls() {
    const HOW: &str = "Python 3, and `pip install --target target/python pygls`";
    if !editor::runs("python3", &["-c", "import pygls"]) {
        return support::missing::missing("pygls", HOW);
    }
    let mut editor = Editor::new("python3", "pygls");
    editor.script("pygls_client.py").project_as_argument();
    // It knows the answer of a language server, and leaves out what else is in it.
    assert_eq!(editor.converse(), seen(json!({"step": "opened", "server": "sexton"})));
}
