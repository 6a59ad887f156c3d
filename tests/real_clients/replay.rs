//! What clients send is understood, byte for byte, whether or not they are installed.
//!
//! Among it: slashes that are escaped, no params in three ways, identities that are integers from 0 or UUIDs, a
//! second header, `initialize` with everything that a language client can do, and notifications to a language server.

use serde_json::Value;

use crate::sent::{Frame, IDENTITIES, file, identities, names, placeholder};
use crate::support::wire::Framing;
use crate::support::{Place, kind};

/// What becomes of the requests of the conversation: `ok`, or the kind of a refusal.
const ANSWERED: [(&str, &str); 10] = [
    ("initialize", "ok"),
    ("events/subscribe", "ok"),
    ("automation/create", "ok"),
    ("automation/run", "ok"),
    ("output/subscribe", "ok"),
    ("automation/create", "ok"),
    ("automation/run", "ok"),
    ("run/cancel", "ok"),
    ("automation/create", "invalid_automation"),
    ("shutdown", "ok"),
];

/// Says again what a client has sent. These parts of it are why: they have to be in there.
fn replay(name: &str, own: &[&str]) {
    let kept = std::fs::read_to_string(file(name)).unwrap();
    for part in own {
        assert!(kept.contains(part), "{name} does not send {part:?}");
    }
    let place = Place::new();
    // One of them names no project, and means where it has started the sidecar.
    let spawn = place.sidecar().framing(Framing::Headers).working_directory(&place.project());
    let mut client = spawn.spawn();
    let (mut answered, mut told, mut subscription) = (Vec::new(), String::new(), String::new());
    for frame in Frame::all(&kept) {
        let frame = frame.with(filled_in(&frame.body, &place, &told));
        client.expect_answers(&frame.body);
        client.raw(frame.bytes().as_bytes());
        let message: Value = serde_json::from_str(&frame.body).unwrap();
        if let Some(id) = message.get("id") {
            let answer = client.answer(&id.to_string());
            told += &format!("{answer:?}");
            if message["method"] == "events/subscribe" {
                subscription = answer.clone().unwrap().as_str().unwrap().to_owned();
            }
            let became = answer.map_or_else(|error| kind(&error).to_owned(), |_| "ok".to_owned());
            answered.push((message["method"].as_str().unwrap().to_owned(), became));
        }
    }
    let expected = ANSWERED.map(|(method, became)| (method.to_owned(), became.to_owned()));
    assert_eq!(answered, expected, "{name}");
    assert_eq!(client.exit_code(), Some(0), "{name}");
    assert_eq!(client.unclaimed(), Vec::<String>::new(), "{name}");
    assert!(!client.events(&subscription).is_empty(), "{name} has subscribed");
}

/// The body as it has to be here: with this place, and with the identities that this sidecar has told of.
fn filled_in(body: &str, place: &Place, told: &str) -> String {
    let mut body = body.to_owned();
    for (name, text) in names(place, std::process::id()) {
        body = body.replace(name, &text);
    }
    for kind in IDENTITIES {
        for (index, identity) in identities(told, kind).iter().enumerate() {
            body = body.replace(&placeholder(kind, index), identity);
        }
    }
    assert!(!body.contains('«'), "nothing is known for a part of {body}");
    body
}

#[test]
fn what_vscode_jsonrpc_sends() {
    let trace_first =
        r#"{"jsonrpc":"2.0","method":"$/setTrace","params":{"value":"verbose"}}Content-Length: "#;
    replay("vscode_jsonrpc", &[trace_first, r#""id":0,"method":"initialize""#, r#""method":"shutdown"}"#]);
}

#[test]
fn what_neovims_language_client_sends() {
    let capabilities = r#""parameterInformation":{"labelOffsetSupport":true}"#;
    let settings = r#""method":"workspace\/didChangeConfiguration""#;
    replay("neovim_start_client", &[capabilities, settings, r#""uri":"file:\/\/«project%20\/»""#]);
}

#[test]
fn what_neovims_rpc_sends() {
    replay("neovim_rpc", &[r#""method":"automation\/create""#, r#""params":[]"#]);
}

#[test]
fn what_emacs_sends() {
    replay("emacs", &[r#""method":"shutdown","params":null}"#, r#""method":"exit","params":null}"#]);
}

#[test]
fn what_pygls_sends() {
    let header = "\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n";
    replay("pygls", &[header, "window/workDoneProgress/cancel", r"\ud83d\udd14"]);
}
