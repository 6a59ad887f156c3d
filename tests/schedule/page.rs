//! The table of docs/schedules.md: each of its schedules says the words that stand beside it.

use serde_json::Value;
use sexton::domain::automation::When;
use sexton::domain::schedule::rhythm::{Rhythm, Stop};
use sexton::domain::time::Timestamp;

use super::support::{cron, zone};

/// The schedules of the table, as JSON, with their words.
fn rows(page: &str) -> Vec<(String, String)> {
    let table = page.lines().skip_while(|line| !line.starts_with("| I want |")).skip(2);
    let row = |line: &str| {
        let (_, rest) = line.split_once(" | `").expect("a schedule in code");
        let (rhythm, words) = rest.split_once("` | ").expect("words beside it");
        (rhythm.to_owned(), words.trim_end_matches(" |").to_owned())
    };
    table.take_while(|line| line.starts_with('|')).map(row).collect()
}

fn rhythm(json: &str) -> Rhythm {
    let fields: Value = serde_json::from_str(json).unwrap();
    match fields["kind"].as_str().unwrap() {
        "cron" => Rhythm::Cron(cron(fields["expression"].as_str().unwrap())),
        "interval" => Rhythm::Interval {
            every_ms: fields["everyMs"].as_i64().unwrap(),
            anchor_at: fields["anchorAt"].as_i64().map(Timestamp::from_millis),
        },
        other => panic!("{other} is no kind of rhythm"),
    }
}

#[test]
fn each_schedule_of_the_page_says_the_words_beside_it() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schedules.md")).unwrap();
    let berlin = zone("Europe/Berlin");
    let rows = rows(&page);
    assert!(rows.len() >= 8, "the table was not found: {rows:?}");
    for (json, words) in rows {
        let told = When::Recurring { rhythm: rhythm(&json), stop: Stop::Never }.in_words(&berlin);
        assert_eq!(told.strip_suffix(", Europe/Berlin").unwrap_or(&told), words, "{json}");
    }
}
