//! Agents that do not come to their prompt.

use serde_json::{Value, json};
use sexton::domain::run::machine::ErrorCode;
use sexton::domain::run::{Continuity, ErrorClass};
use sexton::exec::Exit;
use sexton::exec::acp::{End, SessionChoice};

use super::stage::{Farewell, Stage};

async fn not_started(script: Value) -> (ErrorClass, String) {
    let mut stage = Stage::new(script);
    let turn = stage.turn("[say:done]");
    let played = stage.carry_out(turn).await;
    assert_eq!(played.told.started, None);
    let End::Failed { code: ErrorCode::StartFailed, class, message } = played.verdict.end else {
        panic!("instead of a failed start: {:?}", played.verdict.end)
    };
    (class, message)
}

#[tokio::test]
async fn a_good_agent_is_asked_for_nothing_it_need_not_do() {
    let mut stage = Stage::new(json!({}));
    let turn = stage.turn("[say:hello]");
    let played = stage.carry_out(turn).await;
    assert_eq!(played.verdict.end, End::Finished { text: Some("hello".to_owned()) });
    assert_eq!(played.farewell, Farewell::ByItself);
    assert_eq!(stage.methods(), ["initialize", "session/new", "session/prompt"]);
    assert_eq!(stage.received()[0]["started"]["cwd"], json!(stage.place.path()));
}

#[tokio::test]
async fn another_version_is_a_matter_of_configuration() {
    let (class, message) = not_started(json!({"version": 2})).await;
    assert_eq!(class, ErrorClass::Config);
    assert!(message.contains("version 2") && message.contains("version 1"), "{message}");
}

#[tokio::test]
async fn a_missing_login_says_what_to_do() {
    let error = json!({"error": {"code": -32000, "message": "Authentication required"}});
    let methods = json!([{"id": "browser", "name": "Browser", "description": "opens one"}]);
    let (class, message) =
        not_started(json!({"calls": {"session/new": error}, "auth_methods": methods})).await;
    assert_eq!(class, ErrorClass::Auth);
    assert!(message.contains("Browser (opens one)"), "{message}");
}

#[tokio::test]
async fn a_model_that_has_vanished_is_named_with_those_that_are_there() {
    for form in ["options", "grouped", "older"] {
        let (class, message) =
            not_started(json!({"models": {"form": form, "list": [{"id": "large"}, {"id": "huge"}]}})).await;
        assert_eq!(class, ErrorClass::Config);
        assert!(message.contains("\"small\"; it offers: large, huge"), "{message}");
    }
}

#[tokio::test]
async fn an_agent_that_hangs_in_a_call_is_given_up() {
    for method in ["initialize", "session/new", "session/set_config_option"] {
        let mut stage = Stage::new(json!({"calls": {method: "hang"}}));
        let mut turn = stage.turn("");
        turn.model = "large".to_owned();
        turn.call_limit = std::time::Duration::from_millis(500);
        let played = stage.carry_out(turn).await;
        let End::Failed { message, .. } = played.verdict.end else { panic!("{:?}", played.verdict.end) };
        assert!(message.contains(&format!("`{method}`")), "{message}");
    }
}

#[tokio::test]
async fn an_agent_that_dies_in_a_call_is_lost_and_its_end_is_known() {
    for (act, exit) in [(json!({"exit": 3}), Exit::Code(3)), (json!({"signal": 9}), Exit::Signal(9))] {
        for method in ["initialize", "session/new", "session/set_config_option", "session/prompt"] {
            let mut stage = Stage::new(json!({"calls": {method: act}}));
            let mut turn = stage.turn("");
            turn.model = "large".to_owned();
            let played = stage.carry_out(turn).await;
            assert_eq!(played.verdict.end, End::Lost, "{method}");
            let sexton::exec::Ended::Exited { exit: found, .. } = played.ended else {
                panic!("{:?}", played.ended)
            };
            assert_eq!(found, exit, "{method}");
        }
    }
}

#[tokio::test]
async fn models_and_variants_are_chosen_in_every_form() {
    let list = json!([{"id": "small"}, {"id": "other"}, {"id": "large", "variants": ["low", "high"]}]);
    for (form, variant, method) in [
        ("options", Some("high"), "session/set_config_option"),
        ("grouped", Some("high"), "session/set_config_option"),
        ("older", None, "session/set_model"),
    ] {
        let mut stage = Stage::new(json!({"models": {"form": form, "list": list}}));
        let mut turn = stage.turn("");
        (turn.model, turn.variant) = ("large".to_owned(), variant.map(str::to_owned));
        let played = stage.carry_out(turn).await;
        assert_eq!(played.verdict.end, End::Finished { text: Some("done".to_owned()) });
        let sets = 1 + usize::from(variant.is_some());
        assert_eq!(stage.methods()[2..2 + sets], vec![method; sets]);
    }
}

#[tokio::test]
async fn a_choice_that_is_not_taken_is_no_choice() {
    let mut stage = Stage::new(json!({"models": {"stubborn": true}}));
    let mut turn = stage.turn("");
    turn.model = "large".to_owned();
    let played = stage.carry_out(turn).await;
    let End::Failed { class: ErrorClass::Config, message, .. } = played.verdict.end else {
        panic!("{:?}", played.verdict.end)
    };
    assert!(message.contains("stays with \"small\""), "{message}");
}

#[tokio::test]
async fn a_session_is_continued_by_another_process_as_the_agent_can() {
    for (lacks, continuity) in [
        (json!([]), Continuity::Resumed),
        (json!(["resume"]), Continuity::Loaded),
        (json!(["resume", "load"]), Continuity::New),
    ] {
        let mut stage = Stage::new(json!({"lacks": lacks}));
        let turn = stage.turn("[cost:1] [say:first]");
        let first = stage.carry_out(turn).await;
        let (session, _) = first.told.started.expect("a session");
        let mut turn = stage.turn("[cost:0.5] [recall]");
        turn.session = SessionChoice::Last(session.clone());
        turn.spent_before = Some(sexton::domain::policy::Money { amount: 1.0, currency: "USD".to_owned() });
        let second = stage.carry_out(turn).await;
        let (taken_up, found) = second.told.started.expect("a session");
        assert_eq!((found, taken_up == session), (continuity, continuity != Continuity::New));
        let prompts: &[&str] = match continuity {
            Continuity::New => &["[cost:0.5] [recall]"],
            Continuity::Resumed | Continuity::Loaded => &["[cost:1] [say:first]", "[cost:0.5] [recall]"],
        };
        // What a load tells again is neither output nor cost.
        let text = json!(prompts).to_string();
        assert_eq!(std::fs::read_to_string(stage.place.file("output.log")).unwrap(), text);
        assert_eq!(second.verdict.end, End::Finished { text: Some(text) });
        assert_eq!((first.told.costs, second.told.costs), (vec![1.0], vec![0.5]));
    }
}

#[tokio::test]
async fn a_session_that_is_gone_is_begun_anew_unless_it_was_named() {
    let mut stage = Stage::new(json!({}));
    let mut turn = stage.turn("");
    turn.session = SessionChoice::Last("gone".to_owned());
    let last = stage.carry_out(turn).await;
    assert!(matches!(last.told.started, Some((_, Continuity::New))), "{:?}", last.told);
    let mut turn = stage.turn("");
    turn.session = SessionChoice::Named("gone".to_owned());
    let named = stage.carry_out(turn).await;
    let End::Failed { code: ErrorCode::StartFailed, class: ErrorClass::Config, message } = named.verdict.end
    else {
        panic!("{:?}", named.verdict.end)
    };
    assert!(message.contains("\"gone\""), "{message}");
    assert_eq!(stage.methods().iter().filter(|method| *method == "session/new").count(), 1);
}

#[tokio::test]
async fn what_an_agent_asks_before_its_prompt_nobody_answers() {
    let mut stage = Stage::new(json!({"calls": {"session/new": "ask_first"}}));
    let turn = stage.turn("");
    let played = stage.carry_out(turn).await;
    assert_eq!(played.verdict.end, End::Finished { text: Some("done".to_owned()) });
    assert!(stage.received().iter().any(|message| message["result"]["outcome"]["outcome"] == "cancelled"));
}
