//! Agents at work, and what disturbs others.

use serde_json::json;
use sexton::domain::run::ErrorClass;
use sexton::domain::run::machine::ErrorCode;
use sexton::exec::acp::End;

use super::stage::Stage;
use crate::support::eventually;

fn finished(text: &str) -> End {
    End::Finished { text: Some(text.to_owned()) }
}

#[tokio::test]
async fn steps_costs_files_and_output_are_told() {
    let mut stage = Stage::new(json!({}));
    let turn = stage.turn(
        "[say:I begin.][tool:make][tool:make][cost:0.25][edit:src/a.rs][write:src.txt][say:I am done.]",
    );
    let played = stage.carry_out(turn).await;
    assert_eq!(played.verdict.end, finished("I am done."));
    assert_eq!(played.verdict.tail, "I begin.\nI am done.");
    assert_eq!(played.verdict.files.into_iter().collect::<Vec<_>>(), ["src/a.rs"]);
    assert_eq!(played.told.costs, [0.25]);
    let steps = played.told.steps;
    assert_eq!((steps.len(), &steps[0]), (3, &steps[1]));
    assert!(steps[2].starts_with("Edit src/a.rs #"), "{steps:?}");
    assert_eq!(stage.place.lines("src.txt"), ["scripted-agent"]);
}

#[tokio::test]
async fn whatever_an_agent_sends_is_a_sign_of_life() {
    for sign in [json!({"think": "hm"}), json!({"noise": "compiling"}), json!({"cost": 0.0})] {
        let mut stage = Stage::new(json!({"prompt": [{"say": "a"}, {"repeat": sign}]}));
        let turn = stage.turn("");
        let output = turn.output.clone();
        let mut play = stage.begin(turn).await;
        play.started().await;
        let looked_at = || sexton::exec::spool::last_write(&output);
        eventually("what it said", || looked_at().filter(|(_, bytes)| *bytes == 1)).await;
        let file = std::fs::File::options().append(true).open(&output).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
        let (_, bytes) = eventually("a mark", || looked_at().filter(|(at, _)| *at > 0)).await;
        assert_eq!(bytes, 1, "{sign}");
        play.end();
        play.until_its_end().await;
    }
}

#[tokio::test]
async fn noise_second_answers_and_unknown_messages_disturb_nothing() {
    let mut stage = Stage::new(json!({
        "noise": ["npm warn", "{\"half", "\u{1b}[2J"],
        "calls": {"initialize": "twice", "session/new": {"noise": "[]"}},
        "prompt": [{"noise": "thinking…"}, {"think": "hm"}, {"say": "well"}, {"stop_twice": "end_turn"}],
    }));
    let turn = stage.turn("");
    let played = stage.carry_out(turn).await;
    assert_eq!(played.verdict.end, finished("well"));
    assert_eq!(played.verdict.tail, "well");
}

#[tokio::test]
async fn an_agent_that_floods_and_reads_nothing_is_seen_through() {
    let mut stage = Stage::new(json!({"prompt": [{"flood": 20_000}, {"say": "done"}]}));
    let turn = stage.turn("");
    let played = stage.carry_out(turn).await;
    assert_eq!(played.verdict.end, finished("done"));
}

#[tokio::test]
async fn a_message_of_megabytes_is_kept_up_to_the_limit() {
    let mut stage = Stage::new(json!({"prompt": [{"huge": 3_000_000}]}));
    let turn = stage.turn("");
    let played = stage.carry_out(turn).await;
    let output = played.verdict.output;
    assert_eq!((output.bytes, output.truncated), (1024 * 1024, true));
    let End::Finished { text: Some(text) } = played.verdict.end else { panic!("{:?}", played.verdict.end) };
    assert_eq!(text.len(), 64 * 1024);
}

#[tokio::test]
async fn the_end_of_a_turn_is_no_success_by_itself() {
    for (prompt, code, class, words) in [
        (
            json!([{"stop": "end_turn"}]),
            ErrorCode::ExecutionFailed,
            ErrorClass::Agent,
            "without saying or doing",
        ),
        (
            json!([{"tool": {"title": "make", "status": "failed"}}]),
            ErrorCode::ExecutionFailed,
            ErrorClass::Agent,
            "make",
        ),
        (
            json!([{"say": "no"}, {"stop": "refusal"}]),
            ErrorCode::ExecutionFailed,
            ErrorClass::Agent,
            "refused",
        ),
        (
            json!([{"say": "a"}, {"stop": "max_tokens"}]),
            ErrorCode::ExecutionFailed,
            ErrorClass::Agent,
            "context",
        ),
        (json!([{"say": "a"}, {"stop": "tired"}]), ErrorCode::ExecutionFailed, ErrorClass::Agent, "tired"),
        (
            json!([{"error": {"message": "429 Too Many Requests"}}]),
            ErrorCode::ExecutionFailed,
            ErrorClass::Quota,
            "429",
        ),
        (
            json!([{"error": {"code": -32000, "message": "Please log in"}}]),
            ErrorCode::ExecutionFailed,
            ErrorClass::Auth,
            "log in",
        ),
    ] {
        let mut stage = Stage::new(json!({"prompt": prompt}));
        let turn = stage.turn("");
        let played = stage.carry_out(turn).await;
        let End::Failed { code: found, class: of, message } = played.verdict.end else {
            panic!("{:?}", played.verdict.end)
        };
        assert_eq!((found, of), (code, class), "{message}");
        assert!(message.contains(words), "{message}");
    }
}
