//! Bytes: what may stand around messages, and what ends a conversation.

use serde_json::json;

use crate::support::client::Client;
use crate::support::wire::{BOTH, Framing};
use crate::support::{Place, kind};

const LIST: &str = r#"{"jsonrpc":"2.0","id":"list","method":"automation/list"}"#;

fn assert_lists(client: &mut Client) {
    assert_eq!(client.answer(r#""list""#).expect("a page")["items"], json!([]));
}

#[test]
fn blank_lines_and_byte_order_marks_are_skipped() {
    let place = Place::new();
    let mut client = place.sidecar().spawn();
    client.raw(b"\xEF\xBB\xBF\r\n\n  \n\t");
    client.initialize();
    client.raw(format!("\n\r\n   {LIST}   \r\n\n\n").as_bytes());
    assert_lists(&mut client);
    client.finish();
    let mut client = place.sidecar().framing(Framing::Headers).spawn();
    client.raw(b"\xEF\xBB\xBF\n");
    client.initialize();
    client.raw(b"\r\n\r\n");
    client.message(LIST);
    assert_lists(&mut client);
    client.finish();
}

#[test]
fn headers_are_read_in_any_case_with_others_beside_them_and_bare_feeds() {
    let place = Place::new();
    let mut client = place.sidecar().framing(Framing::Headers).open();
    let length = LIST.len();
    for header in [
        format!("content-length: {length}\r\n\r\n"),
        format!("CONTENT-LENGTH:{length}\n\n"),
        format!(
            "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: {length}\r\n\r\n"
        ),
        format!("Content-Length: {length}\r\nX-Else: 1\r\n\r\n"),
    ] {
        client.raw(format!("{header}{LIST}").as_bytes());
        assert_lists(&mut client);
    }
    client.finish();
}

#[test]
fn a_message_may_come_in_pieces() {
    for framing in BOTH {
        let place = Place::new();
        let mut client = place.sidecar().framing(framing).open();
        for byte in framing.frame(LIST).as_bytes() {
            client.raw(&[*byte]);
        }
        assert_lists(&mut client);
        client.finish();
    }
}

#[test]
fn a_header_block_that_cannot_be_read_ends_the_conversation() {
    for header in ["Content-Length: many\r\n\r\n", "Content-Type: x\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"] {
        let place = Place::new();
        let mut client = place.sidecar().framing(Framing::Headers).open();
        client.raw(header.as_bytes());
        let error = client.answer("null").unwrap_err();
        assert_eq!((&error["code"], kind(&error)), (&json!(-32700), "parse_error"), "{header:?}");
        assert_eq!(client.exit_code(), Some(1), "{header:?}");
    }
}

#[test]
fn a_last_line_needs_no_feed() {
    let place = Place::new();
    let mut client = place.open();
    client.raw(LIST.as_bytes());
    client.close_input();
    assert_lists(&mut client);
    assert_eq!(client.exit_code(), Some(0));
}

#[test]
fn an_input_that_ends_inside_a_message_is_not_a_good_end() {
    let half = &LIST[..20];
    for (framing, rest) in [
        (Framing::Lines, half.to_owned()),
        (Framing::Headers, format!("Content-Length: 500\r\n\r\n{half}")),
        (Framing::Headers, "Content-Length: 50".to_owned()),
    ] {
        let place = Place::new();
        let mut client = place.sidecar().framing(framing).open();
        // What was read before is answered all the same.
        client.message(LIST);
        client.raw(rest.as_bytes());
        client.close_input();
        assert_lists(&mut client);
        assert_eq!(client.exit_code(), Some(1), "{rest:?}");
    }
}

#[test]
fn the_first_byte_decides_the_framing_also_of_what_is_refused() {
    let place = Place::new();
    let mut client = place.sidecar().framing(Framing::Lines).spawn();
    client.raw(b"}\n");
    assert_eq!(client.answer("null").unwrap_err()["code"], -32700);
    client.initialize();
    client.finish();
}
