//! What a real project cannot be timed for: panics, and cancels that come at a certain moment.

mod fake;

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::*;
use fake::Talk;

/// More messages than any test here is sent.
const ALL: usize = 1 << 14;

const EMPTY_PAGE: &str = r#"{"items":[],"nextCursor":null,"seq":0}"#;

fn deleted(id: usize, automation: &str) -> String {
    format!(r#"{id} {{"deleted":true,"id":"{automation}","revision":2,"stoppedRuns":[]}}"#)
}

#[tokio::test]
async fn a_panic_is_answered_its_id_is_free_and_what_it_said_stays_in_the_log() {
    let mut talk = Talk::open(ALL).await;
    for (method, params) in
        [("automation/list", r#"{"query":"panics"}"#), ("events/subscribe", r#"{"automationID":"panics"}"#)]
    {
        talk.asks(1, method, params);
        let answer = talk.hears().await;
        assert!(answer.starts_with(r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"#), "{answer}");
        assert!(answer.ends_with(r#""data":{"kind":"internal"}}}"#), "{answer}");
        assert!(!answer.contains("secret"), "{answer}");
        talk.asks(1, "automation/list", "{}");
        assert_eq!(talk.hears_shortly().await, format!("1 {EMPTY_PAGE}"));
    }
    let panics = r#"{"jsonrpc":"2.0","id":2,"method":"automation/list","params":{"query":"panics"}}"#;
    let lists = r#"{"jsonrpc":"2.0","id":3,"method":"automation/list"}"#;
    talk.says(&format!("[{panics},{lists}]"));
    assert_eq!(talk.hears_shortly().await, format!("[2 -32603, 3 {EMPTY_PAGE}]"));
    assert_eq!(talk.script.open_feeds.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_serving_ends_when_its_end_is_written_down_and_is_opened_only_if_it_is_wanted() {
    let mut talk = Talk::open(ALL).await;
    let offer = r#"{"id":"editor","models":[{"id":"large"}]}"#;
    talk.asks(1, "provider/serve", offer);
    let opened = talk.hears_shortly().await;
    let (_, subscription) = opened.split_once(' ').unwrap();
    assert!(subscription.starts_with("\"sub_"), "{opened}");
    talk.asks(2, "provider/unserve", &format!(r#"{{"subscription":{subscription}}}"#));
    assert_eq!(talk.arrives().await, "an unserve");
    assert_eq!(talk.script.open_feeds.load(Ordering::SeqCst), 1, "it is not written down yet");
    talk.lets_through(1);
    assert_eq!(talk.hears_shortly().await, "2 true");
    talk.feeds_have_ended().await;
    // The place of a subscription is taken before anything is written.
    for id in 0..crate::rpc::api::SUBSCRIPTIONS as usize {
        talk.asks(id, "provider/serve", offer);
        talk.hears_shortly().await;
    }
    talk.asks(100, "provider/serve", offer);
    assert_eq!(talk.hears_shortly().await, "100 -32018");
    assert_eq!(talk.script.open_feeds.load(Ordering::SeqCst), crate::rpc::api::SUBSCRIPTIONS as usize);
}

#[tokio::test]
async fn a_look_can_be_cancelled_and_its_id_is_free() {
    let mut talk = Talk::open(ALL).await;
    talk.asks(1, "automation/list", r#"{"query":"waits"}"#);
    assert_eq!(talk.arrives().await, "a look");
    talk.cancels("1");
    assert_eq!(talk.hears_shortly().await, "1 -32800");
    talk.asks(1, "automation/list", "{}");
    assert_eq!(talk.hears_shortly().await, format!("1 {EMPTY_PAGE}"));
    // It has been answered: there is nothing to cancel.
    talk.cancels("1");
    talk.is_understood().await;
}

#[tokio::test]
async fn a_change_that_is_cancelled_before_its_commit_does_not_happen() {
    let mut talk = Talk::open(ALL).await;
    talk.asks(1, "automation/delete", r#"{"id":"waits for the writer"}"#);
    assert_eq!(talk.arrives().await, "the writer");
    talk.cancels("1");
    assert_eq!(talk.hears_shortly().await, "1 -32800", "before the writer has come to it");
    talk.lets_through(1);
    // The next change comes after it.
    talk.asks(2, "automation/delete", r#"{"id":"other"}"#);
    assert_eq!(talk.hears_shortly().await, deleted(2, "other"));
    assert_eq!(talk.script.committed.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_cancel_after_the_commit_does_not_hide_the_change() {
    let mut talk = Talk::open(ALL).await;
    talk.asks(1, "automation/delete", r#"{"id":"waits for its runs"}"#);
    assert_eq!(talk.arrives().await, "its runs");
    talk.cancels("1");
    talk.is_understood().await;
    assert_eq!(talk.script.committed.load(Ordering::SeqCst), 1);
    talk.lets_through(1);
    assert_eq!(talk.hears_shortly().await, deleted(1, "waits for its runs"));
}

#[tokio::test]
async fn whatever_moment_a_cancel_comes_at_the_answer_is_true() {
    let mut talk = Talk::open(ALL).await;
    let mut cancelled = 0;
    for id in 1..=500 {
        talk.asks(id, "automation/delete", r#"{"id":"racing"}"#);
        // The reader has a thread of its own, so that the cancel comes now early and now late.
        for _ in 0..id % 5 {
            tokio::task::yield_now().await;
        }
        talk.cancels(&id.to_string());
        match talk.hears_shortly().await {
            answer if answer == format!("{id} -32800") => cancelled += 1,
            answer => assert_eq!(answer, deleted(id, "racing")),
        }
    }
    talk.is_understood().await;
    assert_eq!(talk.script.committed.load(Ordering::SeqCst), 500 - cancelled, "{cancelled} were cancelled");
}

#[tokio::test]
async fn what_waits_is_cancelled_too_and_a_cancel_is_seen_when_as_many_wait_as_may() {
    let mut talk = Talk::open(ALL).await;
    for id in 1..=256 {
        talk.asks(id, "automation/delete", r#"{"id":"waits for the writer"}"#);
    }
    for _ in 1..=256 {
        assert_eq!(talk.arrives().await, "the writer");
    }
    for id in 257..=256 + 4096 {
        talk.asks(id, "automation/list", "{}");
    }
    talk.asks(5000, "automation/list", "{}");
    assert_eq!(talk.hears_shortly().await, "5000 -32018");
    for id in [4352, 257, 3000] {
        talk.cancels(&id.to_string());
        assert_eq!(talk.hears_shortly().await, format!("{id} -32800"));
    }
    // There are three places now.
    for id in 6001..=6003 {
        talk.asks(id, "automation/list", "{}");
    }
    talk.asks(6004, "automation/list", "{}");
    assert_eq!(talk.hears_shortly().await, "6004 -32018");
    talk.lets_through(256);
    for _ in 0..256 + 4096 {
        let answer = talk.hears_shortly().await;
        assert!(!answer.contains("-32"), "{answer}");
    }
    talk.is_understood().await;
}

#[tokio::test]
async fn who_only_waits_for_runs_leaves_room_for_others_and_too_many_of_them_change_nothing() {
    let mut talk = Talk::open(ALL).await;
    for id in 1..=512 {
        talk.asks(id, "automation/delete", r#"{"id":"waits for its runs"}"#);
    }
    for _ in 1..=512 {
        assert_eq!(talk.arrives().await, "its runs");
    }
    talk.asks(513, "automation/list", "{}");
    assert_eq!(talk.hears_shortly().await, format!("513 {EMPTY_PAGE}"));
    talk.asks(514, "automation/delete", r#"{"id":"waits for its runs"}"#);
    assert_eq!(talk.hears_shortly().await, "514 -32018");
    assert_eq!(talk.script.committed.load(Ordering::SeqCst), 512, "what is refused is not done");
    talk.asks(515, "automation/delete", r#"{"id":"other"}"#);
    assert_eq!(talk.hears_shortly().await, deleted(515, "other"), "it has nothing to wait for");
    talk.cancels("1");
    talk.is_understood().await;
    talk.lets_through(512);
    for _ in 1..=512 {
        let answer = talk.hears_shortly().await;
        assert!(answer.contains("waits for its runs"), "{answer}");
    }
    talk.asks(516, "automation/delete", r#"{"id":"waits for its runs"}"#);
    assert_eq!(talk.arrives().await, "its runs", "there is room again");
    // As many run as may, and no more: those that rested have not left seats behind.
    for id in 1..=256 {
        talk.asks(id, "automation/delete", r#"{"id":"waits for the writer"}"#);
    }
    for _ in 1..=256 {
        assert_eq!(talk.arrives().await, "the writer");
    }
    talk.asks(517, "automation/list", "{}");
    talk.is_understood().await;
    talk.lets_through(257);
    for _ in 0..258 {
        let answer = talk.hears_shortly().await;
        assert!(!answer.contains("-32"), "{answer}");
    }
}

#[tokio::test]
async fn what_was_never_begun_is_refused_by_a_shutdown_and_does_not_happen() {
    let mut talk = Talk::open(ALL).await;
    for id in 1..=256 {
        talk.asks(id, "automation/delete", r#"{"id":"waits for the writer"}"#);
    }
    for _ in 1..=256 {
        assert_eq!(talk.arrives().await, "the writer");
    }
    talk.asks(257, "automation/delete", r#"{"id":"other"}"#);
    talk.asks(258, "shutdown", "{}");
    let mut told = [talk.hears_shortly().await, talk.hears_shortly().await];
    told.sort();
    assert_eq!(told, ["257 -32600", "258 null"]);
    talk.lets_through(256);
    for _ in 1..=256 {
        assert!(!talk.hears_shortly().await.contains("-32"), "what had begun is answered as it comes out");
    }
    assert_eq!(talk.script.committed.load(Ordering::SeqCst), 256);
}

#[tokio::test]
async fn a_cancel_names_its_request_exactly_or_nothing_happens() {
    let mut talk = Talk::open(ALL).await;
    talk.asks(7, "automation/list", r#"{"query":"waits"}"#);
    talk.says(r#"{"jsonrpc":"2.0","id":"7","method":"automation/list","params":{"query":"waits"}}"#);
    talk.arrives().await;
    talk.arrives().await;
    for no_such in ["8", "-7", "7.0", "null", "[7]", r#""07""#] {
        talk.cancels(no_such);
    }
    talk.says(r#"{"jsonrpc":"2.0","method":"$/cancelRequest"}"#);
    talk.says(r#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":[7]}"#);
    talk.is_understood().await;
    talk.cancels(r#""7""#);
    assert_eq!(talk.hears_shortly().await, r#""7" -32800"#);
    talk.cancels("7");
    assert_eq!(talk.hears_shortly().await, "7 -32800");
}

#[tokio::test]
async fn a_subscription_that_is_cancelled_while_it_is_opened_is_not_open() {
    let mut talk = Talk::open(ALL).await;
    // More than may be open at once, so that none of them was left behind.
    for id in 1..=100 {
        talk.asks(id, "events/subscribe", r#"{"automationID":"waits"}"#);
        assert_eq!(talk.arrives().await, "a subscription");
        talk.cancels(&id.to_string());
        assert_eq!(talk.hears_shortly().await, format!("{id} -32800"));
    }
    assert_eq!(talk.script.open_feeds.load(Ordering::SeqCst), 0);
    // Whatever moment the cancel comes at: what was answered is open, and nothing else is.
    for id in 101..=400 {
        talk.asks(id, "events/subscribe", "{}");
        for _ in 0..id % 10 {
            tokio::task::yield_now().await;
        }
        talk.cancels(&id.to_string());
        let answer = talk.hears_shortly().await;
        talk.is_understood().await;
        let is_open = answer != format!("{id} -32800");
        assert_eq!(talk.script.open_feeds.load(Ordering::SeqCst), usize::from(is_open), "{answer}");
        if let (true, Some((_, subscription))) = (is_open, answer.split_once(' ')) {
            talk.asks(0, "events/unsubscribe", &format!(r#"{{"subscription":{subscription}}}"#));
            assert_eq!(talk.hears_shortly().await, "0 true");
            talk.is_understood().await;
        }
    }
}

#[tokio::test]
async fn an_entry_of_a_batch_is_cancelled_alone() {
    let mut talk = Talk::open(ALL).await;
    let waits = |id| {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"automation/list","params":{{"query":"waits"}}}}"#)
    };
    talk.says(&format!("[{},{}]", waits(1), waits(2)));
    talk.arrives().await;
    talk.arrives().await;
    talk.cancels("2");
    talk.is_understood().await;
    talk.lets_through(1);
    assert_eq!(talk.hears_shortly().await, format!("[2 -32800, 1 {EMPTY_PAGE}]"));
}

#[tokio::test]
async fn few_long_looks_are_made_at_once_and_nothing_else_waits_for_them() {
    let mut talk = Talk::open(ALL).await;
    for id in 1..=100 {
        talk.asks(id, "automation/list", r#"{"query":"waits"}"#);
    }
    talk.asks(101, "automation/delete", r#"{"id":"waits for its runs"}"#);
    talk.asks(102, "automation/delete", r#"{"id":"other"}"#);
    assert_eq!(talk.hears_shortly().await, deleted(102, "other"));
    talk.is_understood().await;
    assert_eq!(talk.arrived(), 4 + 1, "looks that are made, and the change that waits for its runs");
    talk.lets_through(101);
    let mut heard = std::collections::HashSet::new();
    for _ in 1..=101 {
        heard.insert(talk.hears_shortly().await);
    }
    assert_eq!(heard.len(), 101);
}

#[tokio::test]
async fn the_end_of_the_input_is_seen_though_the_client_never_reads() {
    /// More than is taken in from a client that does not read, and less than that and what a pipe holds.
    const FLOOD: usize = 7400;
    // It has heard the answer to `initialize`, and takes one more.
    let mut talk = Talk::open(1).await;
    for id in 1..=FLOOD {
        talk.asks(id, "automation/list", "{}");
    }
    let began = tokio::time::Instant::now();
    assert_eq!(talk.hangs_up().await, Farewell::Orderly);
    let took = began.elapsed();
    println!("it took {took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
}
