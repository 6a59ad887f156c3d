//! How a turn ends, and how it is ended.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::super::played::{options, play};
use super::super::{CANCEL_GRACE, End};
use crate::domain::run::ErrorClass;
use crate::domain::run::machine::ErrorCode;

#[tokio::test(start_paused = true)]
async fn a_cancel_is_said_and_its_answer_waited_for() {
    // Whatever the answer is: it was decided before.
    let answers = [
        json!({"result": {"stopReason": "cancelled"}}),
        json!({"result": {"stopReason": "end_turn"}}),
        json!({"error": {"code": -32800, "message": "cancelled"}}),
        json!({"error": {"code": -32603, "message": "aborted"}}),
    ];
    for mut answer in answers {
        let verdict = play(
            |_| {},
            async |agent| {
                agent.begin().await;
                agent.speak("half").await;
                agent.wish_to_end();
                assert_eq!(agent.called("session/cancel").await, json!({"sessionId": "s"}));
                agent.speak(" more").await;
                answer["id"] = json!(3);
                agent.say(answer).await;
                agent.hears_the_end().await;
            },
        )
        .await;
        assert_eq!((verdict.end, verdict.tail.as_str()), (End::Cancelled, "half more"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_ignores_a_cancel_is_waited_for_no_longer_than_agreed() {
    let mut waited = Duration::ZERO;
    let verdict = play(
        |_| {},
        async |agent| {
            agent.begin().await;
            agent.wish_to_end();
            agent.called("session/cancel").await;
            let begun = Instant::now();
            agent.speak("I go on").await;
            agent.hears_the_end().await;
            waited = begun.elapsed();
        },
    )
    .await;
    assert_eq!(verdict.end, End::Cancelled);
    assert!(waited >= CANCEL_GRACE && waited < CANCEL_GRACE + Duration::from_secs(1), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_cancel_is_said_once_and_answers_whoever_still_asks() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.begin().await;
            agent.ask_permission("first", &["allow_once", "reject_once"]).await;
            agent.blocked().await;
            agent
                .ask(
                    "form",
                    "elicitation/create",
                    json!({"mode": "form", "sessionId": "s", "message": "Go on?"}),
                )
                .await;
            agent.wish_to_end();
            agent.called("session/cancel").await;
            let cancelled = json!({"outcome": {"outcome": "cancelled"}});
            assert_eq!(agent.is_answered("first").await, cancelled);
            assert_eq!(agent.is_answered("form").await, json!({"action": "cancel"}));
            agent.wish_to_end();
            let late = json!({"toolCall": {}, "options": options(&["reject_once"])});
            agent.ask("late", "session/request_permission", late).await;
            assert_eq!(agent.is_answered("late").await, cancelled);
            agent.answer(json!({"stopReason": "cancelled"})).await;
            agent.hears_the_end().await;
        },
    )
    .await;
    assert_eq!(verdict.end, End::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_goes_when_it_is_cancelled_has_been_cancelled() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.begin().await;
            agent.wish_to_end();
            agent.called("session/cancel").await;
            agent.go();
        },
    )
    .await;
    assert_eq!(verdict.end, End::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_nobody_drives_any_more_is_cancelled() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.begin().await;
            agent.leave_alone();
            agent.called("session/cancel").await;
            agent.answer(json!({"stopReason": "cancelled"})).await;
            agent.hears_the_end().await;
        },
    )
    .await;
    assert_eq!(verdict.end, End::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_says_and_does_nothing_has_failed() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.begin().await;
            agent.end_turn().await;
        },
    )
    .await;
    let End::Failed { code, class, .. } = verdict.end else { panic!("{:?}", verdict.end) };
    assert_eq!((code, class), (ErrorCode::ExecutionFailed, ErrorClass::Agent));
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_model_is_told_with_whose_fault_it_is() {
    for (message, expected) in [
        ("Rate limit exceeded", ErrorClass::Quota),
        ("401 Unauthorized", ErrorClass::Auth),
        ("503 Service Unavailable", ErrorClass::Transient),
        ("it broke", ErrorClass::Agent),
    ] {
        let verdict = play(
            |_| {},
            async |agent| {
                agent.begin().await;
                agent.speak("I try").await;
                agent.refuse(-32603, message).await;
            },
        )
        .await;
        let End::Failed { code, class, message: told } = verdict.end else { panic!("{:?}", verdict.end) };
        assert_eq!((code, class), (ErrorCode::ExecutionFailed, expected));
        assert!(told.contains(message), "{told}");
    }
}
