//! `sexton timeline`: what ran, and what will run.

use serde_json::{Value, json};

use crate::support::Place;
use crate::support::client::Client;
use crate::support::drafts::{once, shell};
use crate::support::wall_ms;
use crate::typing::{Seen, answer, complaint, seen, sexton_at};

fn timeline(place: &Place, args: &[&str]) -> String {
    answer(sexton_at(place, &["timeline"]).args(args))
}

/// Something that was due and has ended, one way or the other.
fn has_run(client: &mut Client, title: &str, script: &str) -> Value {
    let id = client.create(once(title, wall_ms() + 100, shell(script)));
    client.wait_for_event("it has ended", |event| {
        event["run"]["automationID"] == id && event["run"]["completedAt"].is_i64()
    });
    id
}

fn hourly(client: &mut Client, title: &str) -> Value {
    let rhythm = json!({"kind": "cron", "expression": "0 * * * *"});
    client.create(json!({"title": title, "kind": "recurring", "rhythm": rhythm, "timezone": "Europe/Berlin", "task": shell("true")}))
}

#[test]
fn what_ran_and_what_will_run_is_drawn() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    has_run(&mut client, "Backup", "exit 3");
    let gone = has_run(&mut client, "Gone", "true");
    client.get("automation/delete", json!({"id": gone}));
    hourly(&mut client, "Poll\u{1b}[31m");
    let text = timeline(&place, &["--width", "90"]);
    assert!(text.lines().all(|line| line.chars().count() <= 90), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
    for told in [
        "✗ 1 failed",
        "▆ 1 ran",
        "░ 12 will run",
        "now ",
        "Backup failed at ",
        "exit code 3",
        "sexton why 'Backup' '",
        "deleted",
    ] {
        assert!(text.contains(told), "{told} in {text}");
    }
    let rows: Vec<&str> = ["Poll [31m", "Backup", "Gone"]
        .into_iter()
        .filter(|title| text.contains(&format!("\n{title} ")))
        .collect();
    assert_eq!(rows.len(), 3, "{text}");
    // The command that it tells of answers.
    let command = text.lines().find_map(|line| line.trim().strip_prefix("sexton why 'Backup' '")).unwrap();
    let why = answer(&mut sexton_at(&place, &["why", "Backup", command.trim_end_matches('\'')]));
    assert!(why.starts_with("“Backup” ran at "), "{why}");
    let only = timeline(
        &place,
        &["gone", "poll", "--past", "1h", "--next", "2h"]
            .map(|word| if word == "gone" { gone.as_str().unwrap() } else { word }),
    );
    assert!(only.contains("░ 2 will run") && only.contains("Gone") && !only.contains("Backup"), "{only}");
    let ascii = answer(sexton_at(&place, &["timeline"]).env("LC_ALL", "C"));
    assert!(ascii.is_ascii() && ascii.contains("X 1 failed"), "{ascii}");
    client.finish();
}

#[test]
fn a_page_is_written_as_a_whole() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    has_run(&mut client, "<img src=x onerror=alert(1)>", "exit 3");
    let file = place.file("timeline.html");
    std::fs::write(&file, "of yesterday").unwrap();
    assert_eq!(timeline(&place, &["--html", "timeline.html"]), format!("{}\n", file.display()));
    let page = std::fs::read_to_string(&file).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"), "{page}");
    assert!(page.contains("<title>Timeline of project</title>"), "{page}");
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;") && !page.contains("<img"), "{page}");
    let names: Vec<_> =
        std::fs::read_dir(place.project()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["timeline.html"], "nothing is left beside it");
    assert!(timeline(&place, &["--html", "-"]).starts_with("<!doctype html>"));
    let Seen { code, out, err } = seen(&mut sexton_at(&place, &["timeline", "--html", "no/such/place.html"]));
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    assert!(
        err.starts_with("sexton: no/such/place.html cannot be written: No such file or directory"),
        "{err}"
    );
    client.finish();
}

#[test]
fn programs_are_answered_with_the_objects_of_the_protocol() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let id = has_run(&mut client, "Backup", "exit 3");
    let next = hourly(&mut client, "Poll");
    let told: Value = serde_json::from_str(&timeline(&place, &["--json", "--next", "3h"])).unwrap();
    assert_eq!(told["runs"], client.get("run/list", json!({}))["items"]);
    let ids: Vec<&Value> =
        told["automations"].as_array().unwrap().iter().map(|automation| &automation["id"]).collect();
    assert_eq!(ids, [&next, &id]);
    assert_eq!(told["simulation"]["fires"].as_array().map(Vec::len), Some(3), "{told}");
    assert_eq!((&told["runsSince"], &told["suspended"]), (&json!(null), &json!([])));
    // Of a time that is over nothing is foretold.
    let told: Value = serde_json::from_str(&timeline(&place, &["--json", "--to", "yesterday"])).unwrap();
    assert_eq!((&told["simulation"], &told["runs"]), (&json!(null), &json!([])));
    client.finish();
}

#[test]
fn what_cannot_be_used_is_told_and_what_nobody_has_opened_is_not_made() {
    let place = Place::new();
    let refused = |args: &[&str]| complaint(sexton_at(&place, &["timeline"]).args(args));
    assert!(refused(&[]).starts_with("sexton: no window has opened this project yet"));
    assert!(!place.state().exists(), "nothing was made");
    let client = place.open();
    insta::assert_snapshot!(refused(&["Easter"]), @"sexton: no automation is called “Easter”: this project has none");
    insta::assert_snapshot!(refused(&["--past", "soon"]), @r#"sexton: --past: "soon" is no span of time; write one such as `30s`, `90m`, `1h30m`, `7d` or `2w`"#);
    insta::assert_snapshot!(refused(&["--from", "2040-01-02", "--to", "2040-01-01"]), @"sexton: --to: 2040-01-01 00:00 does not come after the beginning, 2040-01-02 00:00");
    assert!(refused(&["--width", "39"]).contains("39 is not in 40..=250"));
    assert!(refused(&["--html", "-", "--json"]).contains("cannot be used with"));
    client.finish();
}

#[test]
fn what_is_foretold_waits_for_a_window_if_none_is_open() {
    let place = Place::new();
    let mut client = place.open();
    hourly(&mut client, "Poll");
    assert!(!timeline(&place, &[]).contains("No window is open"));
    client.finish();
    let told = timeline(&place, &[]);
    assert!(told.contains("No window is open: nothing of what is to come runs until one is."), "{told}");
}

#[test]
#[cfg(unix)]
fn a_page_goes_where_its_name_leads_and_is_read_by_whoever_read_it_before() {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
    let place = Place::new();
    let client = place.open();
    let mode = |file: &std::path::Path| std::fs::metadata(file).unwrap().permissions().mode() & 0o7777;
    let page = |file: &std::path::Path| std::fs::read_to_string(file).unwrap().starts_with("<!doctype html>");

    let private = place.file("private.html");
    std::fs::write(&private, "of yesterday").unwrap();
    std::fs::set_permissions(&private, std::fs::Permissions::from_mode(0o600)).unwrap();
    let link = place.file("link.html");
    symlink("private.html", &link).unwrap();
    timeline(&place, &["--html", "link.html"]);
    assert!(page(&private) && mode(&private) == 0o600);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());

    let (ahead, new) = (place.file("ahead.html"), place.file("new.html"));
    symlink("new.html", &ahead).unwrap();
    timeline(&place, &["--html", "ahead.html"]);
    assert!(page(&new) && std::fs::symlink_metadata(&ahead).unwrap().is_symlink());

    let pipe = place.file("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let read = {
        let pipe = pipe.clone();
        move || std::fs::read_to_string(pipe).unwrap()
    };
    let reader = std::thread::Builder::new().name("reader".to_owned()).spawn(read).unwrap();
    assert_eq!(timeline(&place, &["--html", "pipe"]), "");
    assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());
    assert!(reader.join().unwrap().ends_with("</html>\n"));
    client.finish();
}
