//! Words of others that want to steer a terminal, or to pass for something else.

use serde_json::{Value, json};

use crate::support::Place;
use crate::support::drafts::{dormant, shell};
use crate::typing::{seen, sexton_at};

/// Clears the screen, sets its title, writes into the clipboard, begins a link, goes up a line; the same with the one-byte
/// forms; and turns the direction of writing.
const STEERS: &str = "\u{1b}[2J\u{1b}]0;pwned\u{7}\u{1b}]52;c;cm0\u{7}\u{1b}]8;;http://x\u{1b}\\\u{1b}[1A\u{9b}2J\u{9d}0;x\u{9c}\u{7f}\r\u{8}\u{202e}gpj.exe\u{2066}\u{200f}";

/// Characters that a terminal obeys, or that turn what follows.
fn steers(letter: char) -> bool {
    letter != '\n' && letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn shows_harmlessly(place: &Place, args: &[&str]) -> String {
    let shown = seen(&mut sexton_at(place, args));
    for text in [&shown.out, &shown.err] {
        let found = text.find(steers).map(|at| text[at..].chars().take(20).collect::<String>());
        assert_eq!(found, None, "{args:?} shows what steers a terminal");
    }
    assert!(shown.code.is_some(), "{args:?}");
    format!("{}{}", shown.out, shown.err)
}

#[test]
fn no_command_shows_words_of_others_so_that_they_steer_a_terminal() {
    let place = Place::new();
    let mut window = place.open();
    window.subscribe(json!({}));
    let title = |name: &str| format!("{name}{STEERS}");
    let create = |window: &mut crate::support::client::Client, draft: Value| {
        window.create(draft).as_str().unwrap().to_owned()
    };
    let task = json!({"kind": "command", "program": "sh", "args": ["-c", format!("printf %s '{STEERS}'; exit 3")],
        "env": {format!("NAME{STEERS}"): "value"}});
    let fails = create(&mut window, dormant(&title("fails"), task));
    let run = window.run(&json!(fails));
    window.wait_for_run(&run, "failed");
    let missing = json!({"kind": "command", "program": format!("/nowhere/{STEERS}")});
    let absent = create(&mut window, dormant(&title("absent"), missing));
    let not_started = window.run(&json!(absent));
    window.wait_for_run(&not_started, "failed");
    let reminder =
        create(&mut window, dormant(&title("reminder"), json!({"kind": "notify", "text": title("text")})));
    window.get("automation/pause", json!({"id": reminder, "note": title("note")}));
    let deleted = create(&mut window, dormant(&title("deleted"), shell("true")));
    window.get("automation/delete", json!({"id": deleted}));
    let run = run.as_str().unwrap();
    for args in [
        vec!["status"],
        vec!["list"],
        vec!["show", &fails],
        vec!["show", &absent],
        vec!["show", &reminder],
        vec!["show", run],
        vec!["show", not_started.as_str().unwrap()],
        vec!["runs"],
        vec!["runs", &fails],
        vec!["why", &fails],
        vec!["why", &deleted],
        vec!["simulate"],
        vec!["timeline"],
        vec!["timeline", "--html", "-"],
        vec!["export", &fails],
        vec!["doctor", "--audit"],
        vec!["cancel", run],
        vec!["answer", run, "yes"],
        vec!["resume", &reminder],
        vec!["pause", &fails],
        vec!["edit", &fails, "--cron", "0 9 * * *"],
        vec!["run", &absent],
        vec!["run", "--wait", &absent],
        vec!["show", "no such"],
        vec!["rm", "--yes", &reminder],
    ] {
        let text = shows_harmlessly(&place, &args);
        assert!(!text.is_empty(), "{args:?}");
        if !["rm", "edit", "pause", "cancel", "answer", "run"].contains(&args[0]) {
            shows_harmlessly(&place, &[&args[..], &["--json"]].concat());
        }
    }
    // A document of somebody else's, with such names in all places.
    let record = json!({"title": title("imported"), "kind": "recurring", title("field"): 1, "rhythm": {"kind": title("kind")},
        "task": {"kind": "command", "program": "true", "env": {format!("A={STEERS}"): "x"}}});
    let document = json!({"sexton": 1, "automations": [record, title("no record")]}).to_string();
    std::fs::write(place.file("document.json"), document).unwrap();
    std::fs::write(place.file("no document.json"), format!("{{{STEERS}")).unwrap();
    for args in [["import", "document.json"], ["import", "no document.json"], ["import", "--dry-run"]] {
        shows_harmlessly(
            &place,
            &[&args[..], &["document.json"][..usize::from(args[1] == "--dry-run")]].concat(),
        );
    }
    // What a program has written is given as it was written, as `cat` does; docs/security.md says so.
    assert!(seen(&mut sexton_at(&place, &["log", run])).out.contains(STEERS));
    window.finish();
}

#[test]
fn a_log_of_everything_tells_no_value_of_an_environment() {
    const SECRET: &str = "hunter2-correct-horse";
    let place = Place::new();
    for filter in ["trace", "jsonrpsee-client=trace,jsonrpsee-core=trace,rmcp=trace", "debug"] {
        let token = format!("TOKEN={SECRET}");
        let title = format!("with a secret, {filter}");
        let add = ["add", &title, "--cron", "0 9 * * *", "--env", &token, "--json", "--", "true"];
        for args in
            [&add[..], &["show", &title], &["list", "--json"], &["export", &title], &["doctor", "--json"]]
        {
            let shown = seen(sexton_at(&place, args).env("SEXTON_LOG", filter));
            assert_eq!(shown.code, Some(0), "{args:?}: {}", shown.err);
            assert!(!shown.err.contains(SECRET), "{args:?} with {filter}: {}", shown.err);
            // Only who asks for the automation as it is stored is shown what is in it.
            let is_whole = args.contains(&"--json") && args[0] != "doctor";
            assert_eq!(shown.out.contains(SECRET), is_whole, "{args:?}: {}", shown.out);
        }
    }
}
