//! `sexton simulate`: what will become of scheduled times.

use serde_json::{Value, json};

use crate::support::Place;
use crate::support::client::Client;
use crate::support::drafts::shell;
use crate::typing::{answer, complaint, sexton_at};

/// New Year's Day of 2040 in Berlin, a Sunday.
const THAT_DAY: [&str; 4] = ["--from", "2040-01-01", "--to", "2040-01-01 23:59"];

/// An automation that is due on New Year's Day.
fn make(client: &mut Client, title: &str, expression: &str, policy: Value) -> Value {
    let rhythm = json!({"kind": "cron", "expression": expression});
    client.create(json!({
        "title": title, "kind": "recurring", "rhythm": rhythm, "timezone": "Europe/Berlin", "task": shell("true"),
        "policy": policy,
    }))
}

fn simulate(place: &Place, args: &[&str]) -> String {
    answer(sexton_at(place, &["simulate"]).args(args).args(THAT_DAY))
}

#[test]
fn what_is_foretold_is_a_table_and_what_is_other_than_planned() {
    let place = Place::new();
    let mut client = place.open();
    make(&mut client, "Backup", "0,30 9-10 1 1 *", json!({}));
    make(&mut client, "Poll\u{1b}[31m", "*/20 9-10 1 1 *", json!({"ifBusy": "skip"}));
    let resting = make(&mut client, "Resting", "0 9 1 1 *", json!({}));
    client.get("automation/pause", json!({"id": resting}));
    make(&mut client, "Easter", "0 9 1 4 *", json!({}));
    client.finish();
    insta::assert_snapshot!(simulate(&place, &[]), @r"
    From Sunday 2040-01-01 00:00 to Sunday 2040-01-01 23:59, Europe/Berlin

               times  run  busy
    Backup         4    4     -
    Poll [31m      6    4     2
    all           10    8     2

    Other than planned
    Poll [31m, busy: its directory is in use
        2040-01-01 09:00, 2040-01-01 10:00
    ");
    insta::assert_snapshot!(simulate(&place, &["--assume-run", "50m", "backup"]), @r"
    From Sunday 2040-01-01 00:00 to Sunday 2040-01-01 23:59, Europe/Berlin

            times  run  overlapped
    Backup      4    2           2

    Other than planned
    Backup, overlapped: the run before it is still at work
        2040-01-01 09:30, 2040-01-01 10:30
    ");
    insta::assert_snapshot!(simulate(&place, &["RESTING", "Easter"]), @r"
    From Sunday 2040-01-01 00:00 to Sunday 2040-01-01 23:59, Europe/Berlin

    “Resting” is paused.
    “Easter” is not due in that time.
    ");
    let mut window = place.open();
    let status = window.get("scheduler/status", json!({}));
    assert_eq!(status["instances"].as_array().map(Vec::len), Some(1), "whoever asked has left: {status}");
    window.finish();
}

#[test]
fn programs_are_answered_as_the_protocol_says() {
    let place = Place::new();
    let mut client = place.open();
    let id = make(&mut client, "Backup", "0 9 1 1 *", json!({}));
    client.finish();
    let told: Value = serde_json::from_str(&simulate(&place, &["--json", id.as_str().unwrap()])).unwrap();
    let at = 2_209_017_600_000i64;
    let expected = json!({
        "fires": [{"id": id, "at": at, "outcome": "ran", "startedAt": at}],
        "truncated": false,
        "simulatedThrough": 2_209_071_540_000i64,
        "totals": {"outcomes": {"ran": 1}, "automations": [{"id": id, "outcomes": {"ran": 1}}]},
    });
    assert_eq!(told, expected);
}

#[test]
fn what_cannot_be_used_is_told_and_what_nobody_has_opened_is_not_made() {
    let place = Place::new();
    let refused = |args: &[&str]| complaint(sexton_at(&place, &["simulate"]).args(args));
    let unopened = refused(&[]);
    assert!(
        unopened.starts_with("sexton: no window has opened this project yet: there is nothing at "),
        "{unopened}"
    );
    assert!(!place.state().exists(), "nothing was made");
    insta::assert_snapshot!(refused(&["--project", "/nowhere"]), @"sexton: --project /nowhere: No such file or directory (os error 2); name an existing directory that you may read");
    let mut client = place.open();
    insta::assert_snapshot!(refused(&["Backup"]), @"sexton: no automation is called “Backup”: this project has none");
    let ids = [(); 2].map(|()| make(&mut client, "Twice", "0 9 1 1 *", json!({})));
    let id = ids.each_ref().map(|id| id.as_str().unwrap());
    let several = refused(&["twice"]);
    assert_eq!(
        several,
        format!("sexton: 2 automations are called “twice”; name one by its id: {}, {}\n", id[1], id[0])
    );
    insta::assert_snapshot!(refused(&["Backup"]), @"sexton: no automation is called “Backup”; there are “Twice”, “Twice”");
    insta::assert_snapshot!(refused(&["atm_none"]), @"sexton: there is no automation atm_none in this project; list them to see what there is");
    insta::assert_snapshot!(refused(&["--for", "soon"]), @r#"sexton: --for: "soon" is no span of time; write one such as `30s`, `90m`, `1h30m`, `7d` or `2w`"#);
    insta::assert_snapshot!(refused(&["--for", "400d"]), @r#"sexton: --for: "400d" is longer than 365 days"#);
    insta::assert_snapshot!(refused(&["--assume-run", "1y"]), @r#"sexton: --assume-run: "1y" is no span of time; write one such as `30s`, `90m`, `1h30m`, `7d` or `2w`"#);
    insta::assert_snapshot!(refused(&["--from", "2040-01-02", "--to", "2040-01-01"]), @"sexton: --to: 2040-01-01 00:00 comes before the beginning, 2040-01-02 00:00");
    client.finish();
}
