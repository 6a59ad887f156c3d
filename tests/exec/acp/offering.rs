//! What a real process says it offers.

use serde_json::{Value, json};
use sexton::domain::run::ErrorClass;

use super::stage::Stage;

async fn offered(models: Value) -> Vec<(String, Vec<String>)> {
    let mut stage = Stage::new(json!({"models": models}));
    let offered = stage.ask(Some("large")).await.expect("an offer");
    assert!(!stage.methods().contains(&"session/prompt".to_owned()));
    assert_eq!(
        std::fs::read_dir(stage.place.file("sessions")).expect("sessions").count(),
        0,
        "nothing is left"
    );
    offered.into_iter().map(|model| (model.id, model.variants)).collect()
}

#[tokio::test]
async fn models_are_offered_with_their_variants_and_no_session_is_left() {
    let list = json!([{"id": "small"}, {"id": "other"}, {"id": "large", "variants": ["low", "high"]}]);
    let all = |variants: &[&str]| {
        let variants: Vec<String> = variants.iter().map(|&variant| variant.to_owned()).collect();
        vec![("small".to_owned(), vec![]), ("other".to_owned(), vec![]), ("large".to_owned(), variants)]
    };
    for form in ["options", "grouped"] {
        assert_eq!(offered(json!({"form": form, "list": list})).await, all(&["low", "high"]), "{form}");
    }
    assert_eq!(offered(json!({"form": "older", "list": list})).await, all(&[]));
    assert_eq!(offered(json!({"form": "none"})).await, [("default".to_owned(), vec![])]);
}

#[tokio::test]
async fn an_agent_that_cannot_be_asked_says_why() {
    let login = json!({"error": {"code": -32000, "message": "Authentication required"}});
    for (script, class, words) in [
        (json!({"calls": {"session/new": login}}), ErrorClass::Auth, "login"),
        (json!({"version": 2}), ErrorClass::Config, "version 2"),
        (
            json!({"noise": ["it is broken"], "calls": {"initialize": {"exit": 1}}}),
            ErrorClass::Agent,
            "it is broken",
        ),
    ] {
        let failure = Stage::new(script).ask(None).await.expect_err("no offer");
        assert_eq!(failure.class, class);
        assert!(failure.message.contains(words), "{}", failure.message);
    }
}
