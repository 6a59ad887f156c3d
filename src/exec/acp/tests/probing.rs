//! What an agent offers.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::AskFailure;
use super::super::played::{CALL_LIMIT, models, play_probe, variants};
use crate::domain::provider::OfferedModel;
use crate::domain::run::ErrorClass;

fn lines(offered: &[OfferedModel]) -> Vec<String> {
    offered
        .iter()
        .map(|model| format!("{} {:?} {}", model.id, model.name, model.variants.join("/")))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn each_model_is_asked_for_its_variants_the_wanted_one_first() {
    let offered = play_probe(Some("large"), async |agent| {
        agent.initialized(json!({"sessionCapabilities": {"close": {}, "delete": {}}})).await;
        assert_eq!(agent.called("session/new").await["cwd"], "/work/project");
        agent.answer(json!({"sessionId": "s", "configOptions": [models("small")]})).await;
        for (model, options) in
            [("large", json!([models("large"), variants("low")])), ("small", json!([models("small")]))]
        {
            assert_eq!(agent.called("session/set_config_option").await["value"], model);
            agent.answer(json!({"configOptions": options})).await;
        }
        for method in ["session/close", "session/delete"] {
            assert_eq!(agent.called(method).await, json!({"sessionId": "s"}));
            agent.answer(json!({})).await;
        }
        agent.hears_the_end().await;
    })
    .await;
    assert_eq!(lines(&offered.unwrap()), ["small \"Small\" ", "large \"Large\" low/high"]);
}

#[tokio::test(start_paused = true)]
async fn models_whose_variants_take_too_long_are_offered_without_them() {
    for answers in [true, false] {
        let offered = play_probe(None, async |agent| {
            agent.initialized(json!({})).await;
            agent.called("session/new").await;
            agent
                .answer(json!({"sessionId": "s", "configOptions": [models("small"), variants("low")]}))
                .await;
            agent.called("session/set_config_option").await;
            if answers {
                agent.refuse(-32602, "not this one").await;
            }
            agent.hears_the_end().await;
        })
        .await;
        assert_eq!(lines(&offered.unwrap()), ["small \"Small\" low/high", "large \"Large\" "]);
    }
}

#[tokio::test(start_paused = true)]
async fn other_forms_of_an_offer_are_understood() {
    let older = json!({"availableModels": [{"modelId": "pro", "name": "Pro"}], "currentModelId": "pro"});
    for (answer, expected) in [
        (json!({"sessionId": "s", "models": older}), "pro \"Pro\" "),
        (json!({"sessionId": "s"}), "default \"what the agent uses\" "),
        (
            json!({"sessionId": "s", "configOptions": [variants("low")]}),
            "default \"what the agent uses\" low/high",
        ),
    ] {
        let offered = play_probe(None, async |agent| {
            agent.initialized(json!({})).await;
            agent.called("session/new").await;
            agent.answer(answer).await;
            agent.hears_the_end().await;
        })
        .await;
        assert_eq!(lines(&offered.unwrap()), [expected]);
    }
}

/// What is said of an agent that answers `session/new` like this, or not at all.
async fn failure(answer: Option<Value>) -> AskFailure {
    let told = play_probe(None, async |agent| {
        agent.initialized(json!({})).await;
        agent.called("session/new").await;
        match answer {
            Some(mut answer) => {
                answer["id"] = json!(2);
                agent.say(answer).await;
            }
            None => agent.go(),
        }
        agent.hears_the_end().await;
    });
    told.await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_does_not_say_is_told_why() {
    let login = failure(Some(json!({"error": {"code": -32000, "message": "Authentication required"}}))).await;
    assert_eq!(login.class, ErrorClass::Auth);
    let odd = failure(Some(json!({"result": {}}))).await;
    assert_eq!(odd.class, ErrorClass::Agent);
    let gone = failure(None).await;
    assert!(gone.message.contains("ended before it had answered"), "{}", gone.message);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_hangs_is_given_up() {
    let begun = tokio::time::Instant::now();
    let told = play_probe(None, async |agent| {
        agent.called("initialize").await;
        agent.hears_the_end().await;
    })
    .await;
    assert!(told.unwrap_err().message.contains("`initialize` within 60 s"));
    assert!(begun.elapsed() < CALL_LIMIT + Duration::from_secs(1));
}
