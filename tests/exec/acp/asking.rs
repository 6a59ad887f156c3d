//! Permissions and questions of a real process.

use serde_json::json;
use sexton::domain::policy::Permissions;
use sexton::domain::provider::Choice;
use sexton::domain::run::machine::ErrorCode;
use sexton::domain::run::{ErrorClass, Need};
use sexton::exec::acp::End;

use super::stage::Stage;

/// What the agent was told about its permissions.
fn outcomes(stage: &Stage) -> Vec<String> {
    let received = stage.received();
    let told = received.iter().filter_map(|message| message["result"]["outcome"].as_object());
    told.map(|outcome| {
        outcome.get("optionId").unwrap_or(&outcome["outcome"]).as_str().unwrap_or("?").to_owned()
    })
    .collect()
}

#[tokio::test]
async fn what_a_person_allows_is_allowed_once() {
    let mut stage = Stage::new(json!({}));
    let turn = stage.turn("[permission:rm a][say:removed]");
    let mut play = stage.begin(turn).await;
    let need = play.needs(1).await;
    let Need::Permission { title, options, tool, .. } = &need else { panic!("{need:?}") };
    assert_eq!((title.as_str(), options.len(), tool.is_some()), ("rm a", 4, true));
    play.choose(&need, "allow_once");
    let played = play.until_its_end().await;
    assert_eq!(played.verdict.end, End::Finished { text: Some("removed".to_owned()) });
    assert_eq!((played.told.handed_over, outcomes(&stage)), (vec![1], vec!["allow_once".to_owned()]));
}

#[tokio::test]
async fn what_a_person_rejects_is_told_when_the_agent_gives_up_and_no_failure_when_it_does_not() {
    for (prompt, gives_up) in [("[permission:rm a][say:on]", true), ("[try:rm a][say:I did without]", false)]
    {
        let mut stage = Stage::new(json!({}));
        let turn = stage.turn(prompt);
        let mut play = stage.begin(turn).await;
        let need = play.needs(1).await;
        play.choose(&need, "reject_once");
        let played = play.until_its_end().await;
        match gives_up {
            true => {
                let End::Failed { code, class, message } = played.verdict.end else {
                    panic!("{:?}", played.verdict.end)
                };
                assert_eq!((code, class), (ErrorCode::ExecutionFailed, ErrorClass::Permission));
                assert!(message.contains("rm a"), "{message}");
            }
            false => assert_eq!(played.verdict.end, End::Finished { text: Some("I did without".to_owned()) }),
        }
        assert_eq!(outcomes(&stage), ["reject_once"]);
    }
}

#[tokio::test]
async fn where_nobody_is_asked_no_is_said_by_kind_and_never_for_good() {
    for (options, told) in [
        (json!(["allow_always", "reject_always", "allow_once", "reject_once"]), "reject_once"),
        (json!(["allow_always", "reject_always", "allow_once"]), "cancelled"),
    ] {
        let mut stage =
            Stage::new(json!({"prompt": [{"permission": {"title": "rm a", "options": options}}]}));
        let mut turn = stage.turn("");
        turn.permissions = Permissions::Deny;
        let played = stage.carry_out(turn).await;
        let End::Failed { code, class, .. } = played.verdict.end else { panic!("{:?}", played.verdict.end) };
        assert_eq!((code, class), (ErrorCode::NeedsUserInput, ErrorClass::Permission));
        assert_eq!((outcomes(&stage), played.told.needs.len()), (vec![told.to_owned()], 0));
    }
}

#[tokio::test]
async fn an_agent_that_finds_another_way_after_a_no_has_done_its_work() {
    let mut stage = Stage::new(json!({}));
    let mut turn = stage.turn("[try:rm a][tool:mv a b][say:moved]");
    turn.permissions = Permissions::Deny;
    let played = stage.carry_out(turn).await;
    assert_eq!(played.verdict.end, End::Finished { text: Some("moved".to_owned()) });
}

#[tokio::test]
async fn a_request_that_is_withdrawn_needs_nobody() {
    let withdrawn = json!({"permission": {"withdraw": true}});
    let mut stage = Stage::new(json!({"prompt": [withdrawn, {"say": "never mind"}]}));
    let turn = stage.turn("");
    let played = stage.carry_out(turn).await;
    assert_eq!(played.verdict.end, End::Finished { text: Some("never mind".to_owned()) });
    assert_eq!((played.told.needs.len(), played.told.withdrawn), (1, 1));
    assert!(stage.received().iter().any(|message| message["error"]["code"] == -32800));
}

#[tokio::test]
async fn a_form_is_filled_in_by_a_person_or_declined() {
    let mut stage = Stage::new(json!({}));
    let turn = stage.turn("[ask:Which one?]");
    let mut play = stage.begin(turn).await;
    let need = play.needs(1).await;
    let Need::Question { prompt, options, .. } = &need else { panic!("{need:?}") };
    assert_eq!((prompt.as_str(), options.len()), ("Which one?", 2));
    play.answer(&need, Choice::Text { text: "that".to_owned() });
    let played = play.until_its_end().await;
    let accepted = json!({"action": "accept", "content": {"which": "that"}}).to_string();
    assert_eq!(played.verdict.end, End::Finished { text: Some(accepted) });

    let mut turn = stage.turn("[ask]");
    turn.permissions = Permissions::Deny;
    let played = stage.carry_out(turn).await;
    let declined = json!({"action": "decline"}).to_string();
    assert_eq!(played.verdict.end, End::Finished { text: Some(declined) });
}
