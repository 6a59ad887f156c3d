//! How a turn is ended, and what is left of the agent then.

use serde_json::json;
use sexton::exec::Ended;
use sexton::exec::acp::{CANCEL_GRACE, End};

use super::stage::{Farewell, Stage};
use crate::support::{clock, eventually, is_alive};

#[tokio::test]
async fn a_cancel_is_answered_in_every_way_there_is() {
    for on_cancel in
        [json!("answer"), json!("error"), json!("finish"), json!({"late": 300}), json!({"exit": 0})]
    {
        let mut stage = Stage::new(
            json!({"prompt": [{"say": "half"}, {"tool": {"title": "make"}}, {"hang": on_cancel}]}),
        );
        let turn = stage.turn("");
        let mut play = stage.begin(turn).await;
        play.stepped().await;
        play.end();
        let played = play.until_its_end().await;
        assert_eq!(played.verdict.end, End::Cancelled, "{on_cancel}");
        assert_eq!((played.farewell, played.verdict.tail.as_str()), (Farewell::ByItself, "half"));
        assert_eq!(stage.methods().last().map(String::as_str), Some("session/cancel"));
    }
}

#[tokio::test]
async fn a_cancel_is_heard_while_the_agent_streams_and_before_its_first_word() {
    for (prompt, has_output) in [("[tool:begin][stream:and on ]", true), ("[tool:begin][hang]", false)] {
        let mut stage = Stage::new(json!({}));
        let turn = stage.turn(prompt);
        let mut play = stage.begin(turn).await;
        play.stepped().await;
        if has_output {
            let output = stage.place.file("output.log");
            eventually("output", || std::fs::metadata(&output).ok().filter(|file| file.len() > 20)).await;
        }
        play.end();
        let played = play.until_its_end().await;
        assert_eq!(played.verdict.end, End::Cancelled);
        assert_eq!(played.verdict.output.bytes > 0, has_output);
    }
}

#[tokio::test]
async fn an_agent_that_ignores_its_cancel_is_given_up_in_time() {
    let mut stage = Stage::new(json!({}));
    let turn = stage.turn("[tool:begin][deaf]");
    let mut play = stage.begin(turn).await;
    play.stepped().await;
    play.end();
    let begun = clock();
    let played = play.until_its_end().await;
    assert!(begun.elapsed() >= CANCEL_GRACE);
    assert_eq!((played.verdict.end, played.farewell), (End::Cancelled, Farewell::Killed));
}

#[tokio::test]
async fn a_cancel_with_a_pending_permission_answers_that_as_well() {
    let mut stage = Stage::new(json!({}));
    let turn = stage.turn("[permission]");
    let mut play = stage.begin(turn).await;
    play.needs(1).await;
    play.end();
    let played = play.until_its_end().await;
    assert_eq!((played.verdict.end, played.told.handed_over), (End::Cancelled, vec![]));
    let outcome = json!({"outcome": {"outcome": "cancelled"}});
    assert!(stage.received().iter().any(|message| message["result"] == outcome), "{:?}", stage.received());
}

#[tokio::test]
async fn a_turn_that_is_ended_before_its_prompt_has_none() {
    let mut stage = Stage::new(json!({"calls": {"session/new": "hang"}}));
    let turn = stage.turn("");
    let mut play = stage.begin(turn).await;
    eventually("a call", || stage.methods().contains(&"session/new".to_owned()).then_some(())).await;
    play.end();
    let played = play.until_its_end().await;
    assert_eq!((played.verdict.end, played.farewell), (End::Cancelled, Farewell::ByItself));
    assert_eq!(stage.methods(), ["initialize", "session/new"]);
}

#[tokio::test]
async fn an_agent_that_dies_at_work_is_lost_with_what_it_had_said() {
    for prompt in ["[say:half][tool:make][exit:3]", "[say:half][tool:make][signal:9]"] {
        let mut stage = Stage::new(json!({}));
        let turn = stage.turn(prompt);
        let played = stage.carry_out(turn).await;
        assert_eq!((played.verdict.end, played.verdict.tail.as_str()), (End::Lost, "half"));
        assert_eq!(played.told.steps.len(), 1);
    }
}

#[tokio::test]
async fn what_an_agent_leaves_behind_ends_with_it() {
    let mut stage = Stage::new(json!({}));
    let turn = stage.turn("[spawn][say:done]");
    let mut play = stage.begin(turn).await;
    play.started().await;
    let grandchild =
        eventually("a grandchild", || stage.place.lines("grandchild").first()?.parse().ok()).await;
    let played = play.until_its_end().await;
    assert_eq!(played.verdict.end, End::Finished { text: Some("done".to_owned()) });
    let Ended::Exited { swept, .. } = played.ended else { panic!("{:?}", played.ended) };
    assert_eq!((swept, is_alive(grandchild)), (1, false));
}

#[tokio::test]
async fn an_agent_that_does_not_mind_the_end_of_its_input_is_killed() {
    let mut stage = Stage::new(json!({"at_end_of_input": "stay"}));
    let turn = stage.turn("[say:done]");
    let played = stage.carry_out(turn).await;
    assert_eq!(played.verdict.end, End::Finished { text: Some("done".to_owned()) });
    assert_eq!(played.farewell, Farewell::Killed);
}
