//! `sexton edit`: by flags, from a file, and in the user's own editor.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::{Place, program};
use crate::typing::{Seen, answer, complaint, masked, seen, sexton_at};

fn make(client: &mut Client) -> Value {
    let task = json!({"kind": "command", "program": "make", "args": ["all"], "env": {"A": "1", "B": "2"}, "stdin": "in"});
    client.create(json!({
        "title": "Build", "kind": "recurring", "rhythm": {"kind": "cron", "expression": "0 9 29 2 */7"},
        "timezone": "Europe/Berlin", "task": task, "stop": {"kind": "count", "count": 3}, "policy": {"queueMs": 5000},
    }))
}

fn edit(place: &Place, args: &[&str]) -> String {
    masked(place, &answer(sexton_at(place, &["edit", "build"]).args(args)))
}

fn get(client: &mut Client, id: &Value) -> Value {
    client.get("automation/get", json!({"id": id}))
}

#[test]
fn only_what_is_said_changes() {
    let place = Place::new();
    let mut client = place.open();
    let id = make(&mut client);
    let before = get(&mut client, &id);
    insta::assert_snapshot!(edit(&place, &["--limit", "2h", "--title", "BUILD"]), @r"
    Changed “BUILD”, atm_1
      Sundays that fall on the 29th of February (in leap years) at 09:00, Europe/Berlin, until 3 runs have succeeded or failed
      Next 2032-02-29 09:00
      Note: The day of the month and the day of the week must both match, because one of the two fields begins with `*`; to fire on either, write that field without `*`, such as `1-31/2` for `*/2`.
    ");
    let after = get(&mut client, &id);
    assert_eq!((&after["title"], &after["policy"]["wallMs"]), (&json!("BUILD"), &json!(7_200_000)));
    for kept in ["rhythm", "stop", "timezone", "task", "where", "access"] {
        assert_eq!(after[kept], before[kept], "{kept}");
    }
    assert_eq!((&after["policy"]["queueMs"], &after["revision"]), (&json!(5000), &json!(2)));
    insta::assert_snapshot!(edit(&place, &["--limit", "2h"]), @"Nothing changed: “BUILD” is like that already");
    assert_eq!(get(&mut client, &id)["revision"], 2);

    edit(&place, &["--until", "never", "--no-env", "A", "--env", "C", "--no-stdin", "--", "ninja"]);
    let after = get(&mut client, &id);
    let task =
        json!({"kind": "command", "program": "ninja", "args": [], "env": {"B": "2", "C": {"from": "C"}}});
    assert_eq!((&after["stop"], &after["task"]), (&json!({"kind": "never"}), &task));
    edit(&place, &["--notify", "look", "--every", "1h"]);
    let after = get(&mut client, &id);
    assert_eq!(after["task"], json!({"kind": "notify", "text": "look"}));
    assert_eq!(after["rhythm"], json!({"kind": "interval", "everyMs": 3_600_000}));
    // Times are those of its own clocks.
    edit(&place, &["--until", "2095-01-01 00:00"]);
    assert_eq!(get(&mut client, &id)["stop"]["at"], 3_944_674_800_000i64);

    std::fs::write(place.file("patch"), r#"{"title": "Other", "policy": {"queueMs": 7, "wallMs": null}}"#)
        .unwrap();
    let told =
        answer(&mut sexton_at(&place, &["edit", "build", "--from", "patch", "--queue", "9s", "--json"]));
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["title"], &told["policy"]["queueMs"]), (&json!("Other"), &json!(9000)));
    assert_eq!(told["policy"]["wallMs"], 3_600_000);
    client.finish();
}

#[test]
fn what_cannot_be_changed_is_told_of_the_flags() {
    let place = Place::new();
    let mut client = place.open();
    let id = make(&mut client);
    let refused = |args: &[&str]| complaint(sexton_at(&place, &["edit", "Build"]).args(args));
    insta::assert_snapshot!(refused(&[]), @"sexton: say what is to be changed, such as --cron '0 9 * * *' or --title NAME, or --from FILE; on a terminal an editor is opened if nothing is said");
    insta::assert_snapshot!(refused(&["--at", "2096-01-01 09:00", "--every", "1h"]).lines().next().unwrap(), @"error: the argument '--at <TIME>' cannot be used with '--every <SPAN>'");
    insta::assert_snapshot!(refused(&["--at", "2096-01-01 09:00", "--title", " "]), @r"
    sexton: the title is empty
    sexton: --at 2096-01-01 09:00: delete this automation and create one of the other kind
    ");
    insta::assert_snapshot!(refused(&["--anchor", "2025-01-01", "--model", "a/b"]), @r"
    sexton: --anchor 2025-01-01: it goes with --every
    sexton: --model a/b: it means nothing here
    ");
    let soon = json!({"kind": "command", "program": "true"});
    client.create(json!({"title": "Once", "kind": "oneshot", "fireAt": 3_976_214_400_000i64, "task": soon}));
    insta::assert_snapshot!(complaint(&mut sexton_at(&place, &["edit", "Once", "--count", "abc"])), @"sexton: --count abc: it goes with --cron or --every");
    insta::assert_snapshot!(complaint(&mut sexton_at(&place, &["add", "x", "--anchor", "2025-01-01", "--at", "2096-01-01 09:00", "--", "true"])), @"sexton: --anchor 2025-01-01: it goes with --every");
    insta::assert_snapshot!(complaint(&mut sexton_at(&place, &["add", "x", "--anchor", "2025-01-01", "--", "true"])), @r"
    sexton: say when: --cron EXPR, --every SPAN, --at TIME or --in SPAN
    sexton: --anchor 2025-01-01: it goes with --every
    ");
    insta::assert_snapshot!(complaint(&mut sexton_at(&place, &["add", "", "--every", "1h", "--", "true"])), @"sexton: the title is empty");
    insta::assert_snapshot!(complaint(&mut sexton_at(&place, &["edit", "Nothing", "--title", "x"])), @"sexton: no automation is called “Nothing”; there are “Once”, “Build”");
    assert_eq!(get(&mut client, &id)["revision"], 1);
    client.finish();
}

/// Edits with this script as the editor, which is given the file as `$1`, in a terminal that types `answers`.
fn in_editor(place: &Place, editor: &str, answers: &str) -> Seen {
    let script = place.file("editor");
    let lines = format!("#!/bin/sh\necho >> \"{}\"\n{editor}\n", place.file("edits").display());
    program::write(&script, &lines);
    let line = format!("'{}' edit Build 2>&1", env!("CARGO_BIN_EXE_sexton"));
    // It gives whoever it starts a terminal, and types there what comes in.
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    terminal.env("SEXTON_STATE_DIR", place.state()).env("XDG_CONFIG_HOME", place.configuration());
    terminal
        .env("VISUAL", format!("'{}'", script.display()))
        .env("TMPDIR", place.project())
        .env("TERM", "dumb")
        .env_remove("SEXTON_RUN_ID");
    let input = place.file("answers");
    std::fs::write(&input, answers).expect("files can be made here");
    terminal
        .current_dir(place.project())
        .stdin(Stdio::from(std::fs::File::open(input).expect("files can be made here")));
    let seen = seen(&mut terminal);
    Seen { out: masked(place, &seen.out.replace('\r', "")), ..seen }
}

fn drafts_left(place: &Place) -> Vec<String> {
    let names = std::fs::read_dir(place.project())
        .expect("files can be made here")
        .map(|entry| entry.expect("files can be made here").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("sexton-")).collect()
}

#[test]
fn without_a_flag_the_users_editor_is_opened() {
    let place = Place::new();
    let mut client = place.open();
    let id = make(&mut client);
    let seen = in_editor(&place, "true", "");
    assert_eq!((seen.code, seen.out.as_str()), (Some(0), "Nothing changed: “Build” is like that already\n"));
    let seen = in_editor(&place, "sed -i 's/\"Build\"/\"Built\"/; s/5000/6000/' \"$1\"", "");
    insta::assert_snapshot!(seen.out, @r"
    Changed “Built”, atm_1
      Sundays that fall on the 29th of February (in leap years) at 09:00, Europe/Berlin, until 3 runs have succeeded or failed
      Next 2032-02-29 09:00
      Note: The day of the month and the day of the week must both match, because one of the two fields begins with `*`; to fire on either, write that field without `*`, such as `1-31/2` for `*/2`.
    ");
    assert_eq!(seen.code, Some(0));
    let after = get(&mut client, &id);
    assert_eq!((&after["title"], &after["policy"]["queueMs"]), (&json!("Built"), &json!(6000)));
    assert_eq!(drafts_left(&place), [""; 0], "nothing is left behind");
    client.finish();
}

#[test]
fn what_is_wrong_stands_above_what_was_written_when_it_is_edited_again() {
    let place = Place::new();
    let mut client = place.open();
    let id = make(&mut client);
    // The first time it makes a mistake, and the second time it keeps what it is shown and repairs it.
    let editor = r#"case $(wc -l < edits) in
        1) sed -i 's/0 9 29 2/60 9 29 2/' "$1" ;;
        2) sed -i 's/^}$/]/' "$1" ;;
        *) cp "$1" shown; sed -i 's/60 9 29 2/30 9 29 2/; s/^]$/}/' "$1" ;;
    esac"#;
    let seen = in_editor(&place, editor, "y\n\n");
    assert_eq!(seen.code, Some(0), "{}", seen.out);
    assert!(seen.out.contains("sexton: rhythm.expression: `60` is out of range"), "{}", seen.out);
    let shown = std::fs::read_to_string(place.file("shown")).unwrap();
    let above: Vec<&str> = shown.lines().take_while(|line| line.starts_with('#')).collect();
    assert_eq!(above.len(), 3, "{shown}");
    assert!(shown.find("\"title\"") < shown.find("\"rhythm\""), "as the contract lists them: {shown}");
    assert!(above[2].starts_with("# Not yet: it is not JSON: "), "{shown}");
    assert!(shown.contains("60 9 29 2"), "what was written is still there: {shown}");
    assert_eq!(get(&mut client, &id)["rhythm"]["expression"], "30 9 29 2 */7");

    let seen = in_editor(&place, r#"echo '{' > "$1""#, "n\n");
    assert_eq!(seen.code, Some(1));
    assert!(seen.out.contains("nothing was changed; what you wrote is kept in "), "{}", seen.out);
    let [kept] = drafts_left(&place).try_into().expect("one is kept");
    assert_eq!(std::fs::read_to_string(place.file(&kept)).unwrap(), "{\n");
    client.finish();
}

#[test]
fn what_somebody_else_has_changed_meanwhile_is_told_and_nothing_is_lost() {
    let place = Place::new();
    let mut client = place.open();
    let id = make(&mut client);
    let sexton = env!("CARGO_BIN_EXE_sexton");
    let editor =
        format!("'{sexton}' edit Build --queue 8s --title Ours; sed -i 's/\"Build\"/\"Mine\"/' \"$1\"");
    let seen = in_editor(&place, &editor, "");
    assert_eq!(seen.code, Some(1), "{}", seen.out);
    let told = "“Ours” was changed meanwhile: policy.queueMs, title; what you wrote is kept in ";
    assert!(seen.out.contains(told), "{}", seen.out);
    let [kept] = drafts_left(&place).try_into().expect("one is kept");
    assert!(std::fs::read_to_string(place.file(&kept)).unwrap().contains("Mine"));
    assert_eq!(get(&mut client, &id)["title"], "Ours");

    client.get("automation/update", json!({"id": id, "patch": {"title": "Build"}}));
    let there_and_back = format!("'{sexton}' pause Build; '{sexton}' resume Build");
    let seen = in_editor(&place, &format!("{there_and_back}; sed -i 's/\"Build\"/\"Mine\"/' \"$1\""), "");
    assert!(
        seen.out.contains("“Build” was changed meanwhile and changed back; what you wrote"),
        "{}",
        seen.out
    );
    client.get("automation/update", json!({"id": id, "patch": {"title": "Ours"}}));

    let seen = in_editor(&place, "exit 3", "");
    assert_eq!(seen.code, Some(2), "it is called otherwise now: {}", seen.out);
    client.get("automation/update", json!({"id": id, "patch": {"title": "Build"}}));
    let seen = in_editor(&place, "exit 3", "");
    assert_eq!(seen.code, Some(1));
    assert!(seen.out.contains("and nothing was changed; what you wrote is kept in "), "{}", seen.out);
    client.finish();
}
