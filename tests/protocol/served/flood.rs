//! Reports as fast as they go.

use serde_json::json;

use crate::support::app::prompted;
use crate::support::{Place, clock, resident_kb};

/// Reports in all.
const REPORTS: usize = 10_000;

/// Reports that are not answered yet: fewer than a sidecar lets wait.
const UNANSWERED: usize = 2000;

/// How much larger the process may be afterwards, in kilobytes: what an allocator keeps of the messages in between.
const GROWTH_KB: u64 = 24 * 1024;

#[test]
fn ten_thousand_reports_are_answered_in_order_and_told_now_and_then() {
    let place = Place::new();
    let mut client = place.open();
    client.serve();
    let automation = client.create(prompted(json!({"stepCap": 1_000_000})));
    let run = client.at_work(&automation);
    let events = client.subscribe(json!({}));
    let before = resident_kb(client.pid());
    let began_at = clock();
    let mut expected = String::new();
    let mut unanswered = std::collections::VecDeque::new();
    for number in 0..REPORTS {
        let report = match number % 3 {
            0 => json!({"type": "step", "title": format!("step {number}")}),
            1 => json!({"type": "cost", "amount": number, "currency": "EUR"}),
            _ => {
                expected.push_str(&format!("{number}\n"));
                json!({"type": "output", "data": format!("{number}\n")})
            }
        };
        unanswered.push_back(client.send("run/report", json!({"runID": run, "report": report})));
        if unanswered.len() == UNANSWERED {
            let first = unanswered.pop_front().expect("one that waits");
            assert_eq!(client.answer(&first), Ok(json!({})));
        }
    }
    for id in unanswered {
        assert_eq!(client.answer(&id), Ok(json!({})));
    }
    let (seconds, after) = (began_at.elapsed().as_secs(), resident_kb(client.pid()));
    let seen = client.look_at(&run);
    assert_eq!(seen["steps"], json!(REPORTS.div_ceil(3)));
    assert_eq!(seen["cost"]["amount"].as_f64(), Some(9997.0), "the newest counts");
    let mut written = String::new();
    loop {
        let part = client.get("run/output", json!({"id": run, "offset": written.len()}));
        written.push_str(part["data"].as_str().expect("a text"));
        if part["data"] == "" {
            break;
        }
    }
    assert!(written == expected, "the output is not in order");
    assert!(after < before + GROWTH_KB, "{before} kB before and {after} kB after");
    client.report(&run, json!({"type": "finished"}));
    client.wait_for_run(&run, "succeeded");
    let told = client.events(&events).len();
    let most = usize::try_from(seconds).expect("a few") + 8;
    assert!(told <= most, "{told} events in {seconds} s");
    client.finish();
}
