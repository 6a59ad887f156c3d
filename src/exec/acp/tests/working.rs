//! What is told and kept while the agent works.

use serde_json::json;

use super::super::End;
use super::super::bounds::{REPLIES_BYTES, REPORTS};
use super::super::played::{options, play};
use crate::domain::policy::Money;

fn text(verdict: &super::super::Verdict) -> Option<&str> {
    let End::Finished { text } = &verdict.end else { panic!("instead of success: {:?}", verdict.end) };
    text.as_deref()
}

#[tokio::test(start_paused = true)]
async fn the_output_is_all_it_said_and_the_text_its_last_message() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.begin().await;
            agent.speak("I look ").await;
            agent.speak("first.").await;
            agent.update(json!({"sessionUpdate": "agent_thought_chunk", "content": {"type": "text", "text": "hm"}})).await;
            agent.tool("1", "completed").await;
            agent.stepped().await;
            agent.speak("All is ").await;
            agent.update(json!({"sessionUpdate": "agent_message_chunk", "content": {"type": "image", "data": ""}})).await;
            agent.speak("well.").await;
            agent.end_turn().await;
        },
    )
    .await;
    assert_eq!(text(&verdict), Some("All is well."));
    assert_eq!(verdict.tail, "I look first.\nAll is well.");
}

#[tokio::test(start_paused = true)]
async fn output_is_cut_at_its_limit_and_the_rest_of_the_turn_goes_on() {
    let verdict = play(
        |turn| turn.output_limit = 4,
        async |agent| {
            agent.begin().await;
            agent.speak("123456").await;
            agent.end_turn().await;
        },
    )
    .await;
    assert_eq!((verdict.tail.as_str(), verdict.output.truncated), ("1234", true));
    assert_eq!(text(&verdict), Some("123456"));
}

#[tokio::test(start_paused = true)]
async fn an_output_that_cannot_be_made_is_a_failed_start() {
    let verdict =
        play(|turn| turn.output = "/dev/null/output.log".into(), async |agent| agent.hears_the_end().await)
            .await;
    let End::Failed { message, .. } = verdict.end else { panic!("{:?}", verdict.end) };
    assert!(message.contains("/dev/null/output.log"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn each_call_of_a_tool_is_one_step_and_its_files_are_named() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.begin().await;
            let call = |status: &str| {
                json!({"sessionUpdate": "tool_call_update", "toolCallId": "1", "title": "Edit a", "kind": "edit",
                    "rawInput": {"path": "a"}, "content": [{"type": "diff", "path": "src/a"}], "status": status})
            };
            for status in ["in_progress", "in_progress", "completed", "completed"] {
                agent.update(call(status)).await;
            }
            let title = agent.stepped().await;
            assert!(title.starts_with("Edit a #"), "{title}");
            agent.end_turn().await;
            agent.hears_the_end().await;
        },
    )
    .await;
    assert_eq!(text(&verdict), None);
    assert_eq!(verdict.files.into_iter().collect::<Vec<_>>(), ["src/a"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_needs_a_permission_is_a_step_before_it_is_asked_for() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.begin().await;
            let call = json!({"toolCallId": "1", "title": "rm a", "rawInput": {"command": "rm a"}});
            let params = json!({"sessionId": "s", "toolCall": call, "options": options(&["allow_once"])});
            agent.ask("p", "session/request_permission", params).await;
            agent.stepped().await;
            let need = agent.blocked().await;
            agent.choose(1, &need, "allow_once");
            agent.is_answered("p").await;
            assert_eq!(agent.handed_over().await, 1);
            agent.speak("done").await;
            agent.end_turn().await;
        },
    )
    .await;
    assert_eq!(text(&verdict), Some("done"));
}

#[tokio::test(start_paused = true)]
async fn what_the_session_had_cost_before_is_not_of_the_run() {
    let dollars = |amount: f64| Money { amount, currency: "USD".to_owned() };
    let verdict = play(
        |turn| turn.spent_before = Some(dollars(5.0)),
        async |agent| {
            agent.begin().await;
            // The session is a new one.
            agent
                .update(json!({"sessionUpdate": "usage_update", "cost": {"amount": 5.5, "currency": "USD"}}))
                .await;
            assert_eq!(agent.spent().await, dollars(5.5));
            agent.speak("done").await;
            agent.end_turn().await;
        },
    )
    .await;
    assert_eq!(text(&verdict), Some("done"));
}

#[tokio::test(start_paused = true)]
async fn what_other_sessions_do_is_their_own() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.begin().await;
            agent.session = "a part of it";
            agent.speak("inner").await;
            agent.tool("inner", "completed").await;
            agent.session = "s";
            agent.speak("outer").await;
            agent.end_turn().await;
        },
    )
    .await;
    assert_eq!(verdict.tail, "outer");
}

#[tokio::test(start_paused = true)]
async fn noise_and_what_is_unknown_disturb_nothing() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.write("npm warn deprecated\n\n{\"half\n[]\n\u{1b}[0m\n").await;
            agent.begin().await;
            agent.write("{\"jsonrpc\":\"2.0\",\"id\":77,\"result\":{\"stopReason\":\"end_turn\"}}\n").await;
            agent.update(json!({"sessionUpdate": "from_the_future", "plan": [1]})).await;
            agent.update(json!(17)).await;
            agent.say(json!({"method": "_vendor/notice", "params": null})).await;
            agent.ask("x", "_vendor/ask", json!({})).await;
            assert_eq!(agent.is_answered("x").await["code"], -32601);
            agent.ask("y", "fs/read_text_file", json!({"path": "/etc/passwd"})).await;
            assert_eq!(agent.is_answered("y").await["code"], -32601);
            agent.speak("done").await;
            agent.end_turn().await;
        },
    )
    .await;
    assert_eq!(text(&verdict), Some("done"));
}

#[tokio::test(start_paused = true)]
async fn a_second_answer_changes_nothing() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.called("initialize").await;
            agent.answer(json!({"protocolVersion": 1})).await;
            agent.answer(json!({"protocolVersion": 9})).await;
            agent.called("session/new").await;
            agent.say(json!({"id": 1, "error": {"code": 1, "message": "again"}})).await;
            agent
                .answer(json!({"sessionId": "s", "configOptions": [super::super::played::models("small")]}))
                .await;
            agent.prompted().await;
            agent.say(json!({"id": 2, "result": {"stopReason": "refusal"}})).await;
            agent.speak("done").await;
            agent.end_turn().await;
            agent.end_turn().await;
        },
    )
    .await;
    assert_eq!(text(&verdict), Some("done"));
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_requests_by_an_agent_that_reads_nothing_is_survived() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.begin().await;
            let request = format!("{}\n", json!({"id": "x".repeat(200), "method": "_flood", "params": {}}));
            for _ in 0..3 * REPLIES_BYTES / request.len() {
                agent.write(&request).await;
            }
            agent.speak("done").await;
            agent.end_turn().await;
        },
    )
    .await;
    assert_eq!(text(&verdict), Some("done"));
}

#[tokio::test(start_paused = true)]
async fn reports_that_nobody_takes_hold_the_agent_up_and_not_the_cancel() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.begin().await;
            let mut written = 0;
            while agent.tool_is_taken(&written.to_string()).await {
                written += 1;
                assert!(written < 100 * REPORTS, "everything is read, whether or not it is taken");
            }
            assert!(written > REPORTS, "{written}");
            agent.wish_to_end();
            agent.called("session/cancel").await;
            agent.hears_the_end().await;
        },
    )
    .await;
    assert_eq!(verdict.end, End::Cancelled);
}
