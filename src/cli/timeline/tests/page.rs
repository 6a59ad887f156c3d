//! What a browser is given.

use std::collections::BTreeSet;

use super::super::page::{ROWS, page};
use super::*;

const HOSTILE: &str = "</script><script>alert(\"1\")</script><img src=x onerror='alert(2)'> & שלום";

fn hostile() -> Timeline {
    let mut known = noon();
    known.automations = vec![automation("a", HOSTILE, None)];
    known.runs =
        vec![run("a", "09:00", (Some("09:00"), Some("09:30")), Stage::Failed { why: HOSTILE.to_owned() })];
    Timeline::of(known)
}

/// The tags of a page in their order, without what is inside of styles and scripts.
fn tags(page: &str) -> Vec<&str> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        let tag = &rest[start + 1..];
        let end = tag.find('>').expect("a tag ends");
        let tag = &tag[..end];
        tags.push(tag);
        rest = &rest[start + 1 + end + 1..];
        for raw in ["style", "script"] {
            if tag == raw {
                rest = &rest[rest.find(&format!("</{raw}>")).expect("it ends")..];
            }
        }
    }
    tags
}

fn name(tag: &str) -> &str {
    tag.trim_start_matches('/').split([' ', '\n']).next().unwrap_or_default()
}

#[test]
fn every_element_is_closed_in_its_order() {
    for timeline in [rich(), hostile(), Timeline::of(noon())] {
        let page = page(&timeline, HOSTILE);
        assert!(page.starts_with("<!doctype html>\n"));
        let mut open = Vec::new();
        for tag in tags(&page) {
            match name(tag) {
                "!doctype" | "meta" | "input" => {}
                closed if tag.starts_with('/') => assert_eq!(open.pop(), Some(closed)),
                opened => open.push(opened),
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }
}

#[test]
fn what_others_wrote_is_text() {
    let page = page(&hostile(), HOSTILE);
    let known: BTreeSet<&str> = [
        "!doctype", "html", "head", "meta", "title", "style", "body", "header", "h1", "bdi", "p", "span",
        "dl", "div", "dt", "dd", "label", "input", "button", "ul", "li", "i", "b", "main", "small",
        "details", "summary", "table", "thead", "tbody", "tr", "th", "td", "code", "script",
    ]
    .into();
    for tag in tags(&page) {
        assert!(known.contains(name(tag)), "<{tag}>");
        assert!(!tag.contains("onerror") || tag.contains("onerror=&#39;"), "<{tag}>");
    }
    assert_eq!(tags(&page).iter().filter(|tag| name(tag) == "script").count(), 2, "its own");
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;alert(&quot;1&quot;)"), "it is there all the same");
}

#[test]
fn nothing_is_loaded_from_anywhere() {
    let page = page(&rich(), "meadow");
    for word in ["http:", "https:", "src=", "href=", "url(", "@import", "<link", "<iframe", "import("] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-"));
}

/// The script runs only if the digest beside it is its own.
#[test]
#[cfg(target_os = "linux")]
fn the_script_is_the_one_that_may_run() {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use base64::Engine;
    let page = page(&rich(), "meadow");
    let script = page.split_once("<script>").unwrap().1.split_once("</script>").unwrap().0;
    let mut command = Command::new("sha256sum");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("sha256sum");
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let told = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let digits: Vec<u8> = told.split_whitespace().next().unwrap().bytes().collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let digest: Vec<u8> = digits.chunks(2).map(pair).collect();
    let expected = format!("'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(digest));
    assert!(page.contains(&expected), "write {expected} as SCRIPT_DIGEST");
}

#[test]
fn a_bar_says_what_it_stands_for() {
    let page = page(&rich(), "meadow");
    for told in [
        "title=\"failed&#10;Mon 6 Jan 02:00 – 02:40 (40 min)&#10;exit code 1&#10;run_atm_tests_",
        "title=\"missed 6 times&#10;Mon 6 Jan 05:00 – 07:30&#10;nobody was there to start it in time",
        "title=\"waits for you&#10;Mon 6 Jan 11:30 – 12:00 (30 min)&#10;due 11:00&#10;May I push?",
        "title=\"The machine slept&#10;Mon 6 Jan 04:45 – 07:35\"",
        "aria-label=\"Poll the inbox: ran 10, missed 6, will run 1, will run late 1. Arrow keys step through it.\"",
    ] {
        assert!(page.contains(told), "{told}");
    }
}

#[test]
fn ten_thousand_runs_are_a_small_page() {
    let mut known = noon();
    known.from = at("2024-12-30");
    let begin = known.from;
    known.runs = (0..10_000)
        .map(|number| {
            let from = begin.plus_ms(number * MINUTE);
            let stage = match number % 7 {
                0 => Stage::Failed { why: "exit code 1".to_owned() },
                _ => Stage::Succeeded { note: None },
            };
            let automation = format!("atm_{}", number % 40);
            KnownRun {
                id: format!("run_{number}"),
                due: Some(from),
                triggered_at: from,
                started_at: Some(from),
                completed_at: Some(from.plus_ms(20_000)),
                ..run(&automation, "09:00", (None, None), stage)
            }
        })
        .collect();
    let timeline = Timeline::of(known);
    let page = page(&timeline, "meadow");
    let bars = page.matches("<i class=").count();
    assert!(bars < 7000, "{bars} bars, their legend and their table");
    assert!(page.len() < 1_500_000, "{} bytes", page.len());
    assert!(page.contains(">8571</dd>") && page.contains(">1429</dd>"), "all are counted");
}

#[test]
fn more_rows_than_anybody_scrolls_through_are_counted() {
    let mut known = noon();
    known.runs = (0..ROWS + 5).map(|number| ran(&format!("atm_{number}"), "09:00", "09:30")).collect();
    let page = page(&Timeline::of(known), "meadow");
    assert_eq!(page.matches("class=\"row\"").count(), ROWS);
    assert!(page.contains("5 more automations have something in this time and are not shown."));
}
