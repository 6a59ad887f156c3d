//! From the first call to the prompt.

use serde_json::{Value, json};

use super::super::played::{Played, models, play, variants};
use super::super::{End, SessionChoice, Turn, Verdict};
use crate::domain::run::machine::ErrorCode;
use crate::domain::run::{Continuity, ErrorClass};

/// Why a turn did not start.
fn not_started(verdict: &Verdict) -> (ErrorClass, &str) {
    let End::Failed { code: ErrorCode::StartFailed, class, message } = &verdict.end else {
        panic!("instead of a failed start: {:?}", verdict.end)
    };
    (*class, message)
}

fn is_finished(verdict: &Verdict) {
    assert!(matches!(verdict.end, End::Finished { .. }), "{:?}", verdict.end);
}

async fn finish(agent: &mut Played) {
    agent.speak("done").await;
    agent.end_turn().await;
    agent.hears_the_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_turn_says_what_it_has_to_and_no_more() {
    let mut said = Vec::new();
    let verdict = play(
        |_| {},
        async |agent| {
            said.push(agent.called("initialize").await);
            agent.answer(json!({"protocolVersion": 1, "agentCapabilities": {}})).await;
            said.push(agent.called("session/new").await);
            agent.answer(json!({"sessionId": "s", "configOptions": [models("large")]})).await;
            said.push(agent.called("session/set_config_option").await);
            agent.answer(json!({"configOptions": [models("small")]})).await;
            said.push(agent.prompted().await);
            finish(agent).await;
        },
    )
    .await;
    assert_eq!(verdict.end, End::Finished { text: Some("done".to_owned()) });
    assert_eq!((verdict.tail.as_str(), verdict.output.bytes), ("done", 4));
    assert_eq!(
        said[1..],
        [
            json!({"cwd": "/work/project", "mcpServers": []}),
            json!({"sessionId": "s", "configId": "model", "value": "small"}),
            json!({"sessionId": "s", "prompt": [{"type": "text", "text": "Do it."}]}),
        ]
    );
    let capabilities = &said[0]["clientCapabilities"];
    assert_eq!(said[0]["protocolVersion"], 1);
    assert_eq!(capabilities["terminal"], false);
    assert_eq!(capabilities["fs"], json!({"readTextFile": false, "writeTextFile": false}));
    assert_eq!(capabilities["elicitation"], json!({"form": {}}));
}

#[tokio::test(start_paused = true)]
async fn another_version_of_the_protocol_is_a_matter_of_configuration() {
    for version in [json!(2), json!("1"), Value::Null] {
        let verdict = play(
            |_| {},
            async |agent| {
                agent.called("initialize").await;
                agent.answer(json!({"protocolVersion": version})).await;
                agent.hears_the_end().await;
            },
        )
        .await;
        let (class, message) = not_started(&verdict);
        assert_eq!(class, ErrorClass::Config);
        assert!(message.contains(&version.to_string()) && message.contains("version 1"), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_answered_in_time_is_named() {
    let calls = ["initialize", "session/new", "session/set_config_option"];
    for (place, hangs) in calls.iter().enumerate() {
        let verdict = play(
            |turn| turn.model = "large".to_owned(),
            async |agent| {
                agent.write("warming up\n").await;
                for method in &calls[..place] {
                    agent.called(method).await;
                    agent
                        .answer(json!({"protocolVersion": 1, "sessionId": "s", "configOptions": [models("small")]}))
                        .await;
                }
                agent.called(hangs).await;
                agent.hears_the_end().await;
            },
        )
        .await;
        let (class, message) = not_started(&verdict);
        assert_eq!(class, ErrorClass::Transient);
        assert!(message.contains(&format!("`{hangs}` within 60 s")), "{message}");
        assert!(message.ends_with("it printed: warming up"), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_wants_a_login_says_how() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.called("initialize").await;
            let methods =
                json!([{"id": "x", "name": "Browser", "description": "opens one"}, {"id": "key"}, 7]);
            agent.answer(json!({"protocolVersion": 1, "authMethods": methods})).await;
            agent.called("session/new").await;
            agent.refuse(-32000, "Authentication required").await;
            agent.hears_the_end().await;
        },
    )
    .await;
    let (class, message) = not_started(&verdict);
    assert_eq!(class, ErrorClass::Auth);
    assert!(message.contains("in a terminal"), "{message}");
    assert!(message.ends_with("Browser (opens one); key"), "{message}");
}

/// Continues the session `old` of an agent with these capabilities; it refuses the methods that it is told to.
async fn continued(
    choice: fn(String) -> SessionChoice,
    capabilities: Value,
    calls: Calls,
) -> (Verdict, Option<(String, Continuity)>) {
    let mut started = None;
    let verdict = play(
        |turn| turn.session = choice("old".to_owned()),
        async |agent| {
            agent.initialized(capabilities).await;
            for (method, takes) in calls {
                let params = agent.called(method).await;
                assert_eq!(params.get("sessionId").is_some(), *method != "session/new", "{params}");
                match takes {
                    true => agent.answer(json!({"sessionId": "s", "configOptions": [models("small")]})).await,
                    false => agent.refuse(-32002, "no such session").await,
                }
            }
            if calls.last().is_some_and(|(_, takes)| *takes) {
                let (session_id, continuity, written) = agent.started().await;
                agent.session = if continuity == Continuity::New { "s" } else { "old" };
                started = Some((session_id, continuity));
                written.send(()).unwrap();
                agent.called("session/prompt").await;
                finish(agent).await;
            } else {
                agent.hears_the_end().await;
            }
        },
    )
    .await;
    (verdict, started)
}

/// Methods that an agent is called with, and whether it takes them.
type Calls = &'static [(&'static str, bool)];

fn both() -> Value {
    json!({"loadSession": true, "sessionCapabilities": {"resume": {}}})
}

#[tokio::test(start_paused = true)]
async fn the_last_session_is_resumed_or_loaded_or_a_new_one_is_begun() {
    let none = json!({"loadSession": false, "sessionCapabilities": {"resume": null}});
    let cases: [(Value, Calls, Continuity); 5] = [
        (both(), &[("session/resume", true)], Continuity::Resumed),
        (both(), &[("session/resume", false), ("session/load", true)], Continuity::Loaded),
        (json!({"loadSession": true}), &[("session/load", true)], Continuity::Loaded),
        (
            both(),
            &[("session/resume", false), ("session/load", false), ("session/new", true)],
            Continuity::New,
        ),
        (none, &[("session/new", true)], Continuity::New),
    ];
    for (capabilities, calls, continuity) in cases {
        let (verdict, started) = continued(SessionChoice::Last, capabilities, calls).await;
        let session = if continuity == Continuity::New { "s" } else { "old" };
        assert_eq!(started, Some((session.to_owned(), continuity)));
        is_finished(&verdict);
    }
}

#[tokio::test(start_paused = true)]
async fn a_named_session_is_taken_up_or_nothing_is() {
    let (verdict, started) =
        continued(SessionChoice::Named, both(), &[("session/resume", false), ("session/load", true)]).await;
    assert_eq!(started, Some(("old".to_owned(), Continuity::Loaded)));
    is_finished(&verdict);
    let refused: [(Value, Calls); 2] =
        [(both(), &[("session/resume", false), ("session/load", false)]), (json!({}), &[])];
    for (capabilities, calls) in refused {
        let (verdict, _) = continued(SessionChoice::Named, capabilities, calls).await;
        let (class, message) = not_started(&verdict);
        assert_eq!(class, ErrorClass::Config);
        assert!(message.contains("\"old\""), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_passes_says_nothing_about_a_named_session() {
    for (message, expected) in
        [("503 Service Unavailable", ErrorClass::Transient), ("Please log in", ErrorClass::Auth)]
    {
        let verdict = play(
            |turn| turn.session = SessionChoice::Named("old".to_owned()),
            async |agent| {
                agent.initialized(json!({"loadSession": true})).await;
                agent.called("session/load").await;
                agent.refuse(-32603, message).await;
                agent.hears_the_end().await;
            },
        )
        .await;
        assert_eq!(not_started(&verdict).0, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_history_that_is_told_again_is_neither_output_nor_steps_nor_cost() {
    let verdict = play(
        |turn| turn.session = SessionChoice::Last("s".to_owned()),
        async |agent| {
            agent.initialized(json!({"loadSession": true})).await;
            agent.called("session/load").await;
            agent.speak("what was said before").await;
            agent.tool("old", "completed").await;
            let cost = |amount: f64| json!({"sessionUpdate": "usage_update", "cost": {"amount": amount, "currency": "USD"}});
            agent.update(cost(2.0)).await;
            agent.answer(json!({"configOptions": [models("small")]})).await;
            agent.prompted().await;
            agent.update(cost(2.5)).await;
            assert_eq!(agent.spent().await.amount, 0.5);
            finish(agent).await;
        },
    )
    .await;
    assert_eq!(verdict.tail, "done");
}

#[tokio::test(start_paused = true)]
async fn what_is_chosen_already_is_not_chosen_again() {
    let change = |turn: &mut Turn| turn.variant = Some("low".to_owned());
    let verdict = play(change, async |agent| {
        agent.initialized(json!({})).await;
        agent.called("session/new").await;
        agent.answer(json!({"sessionId": "s", "configOptions": [models("small"), variants("low")]})).await;
        agent.prompted().await;
        finish(agent).await;
    });
    is_finished(&verdict.await);
}

#[tokio::test(start_paused = true)]
async fn a_variant_is_looked_for_after_the_model_was_chosen() {
    let change = |turn: &mut Turn| (turn.model, turn.variant) = ("large".to_owned(), Some("high".to_owned()));
    let verdict = play(change, async |agent| {
        agent.initialized(json!({})).await;
        agent.called("session/new").await;
        agent.answer(json!({"sessionId": "s", "configOptions": [models("small")]})).await;
        agent.called("session/set_config_option").await;
        agent.answer(json!({"configOptions": [models("large"), variants("low")]})).await;
        assert_eq!(agent.called("session/set_config_option").await["configId"], "effort");
        agent.answer(json!({"configOptions": [models("large"), variants("high")]})).await;
        agent.prompted().await;
        finish(agent).await;
    });
    is_finished(&verdict.await);
}

#[tokio::test(start_paused = true)]
async fn the_older_form_of_models_will_do() {
    let change = |turn: &mut Turn| turn.model = "pro".to_owned();
    let verdict = play(change, async |agent| {
        agent.initialized(json!({})).await;
        agent.called("session/new").await;
        let available = json!([{"modelId": "flash"}, {"modelId": "pro"}]);
        let models = json!({"availableModels": available, "currentModelId": "flash"});
        agent.answer(json!({"sessionId": "s", "models": models})).await;
        assert_eq!(agent.called("session/set_model").await, json!({"sessionId": "s", "modelId": "pro"}));
        agent.answer(json!({})).await;
        agent.prompted().await;
        finish(agent).await;
    });
    is_finished(&verdict.await);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_offered_or_not_taken_is_a_matter_of_configuration() {
    let all = || json!([models("small"), variants("low")]);
    // The model, the variant, what is offered, and what is answered if something is set.
    let cases = [
        ("gone", None, all(), None, "\"gone\"; it offers: small, large"),
        ("small", Some("deep"), all(), None, "\"deep\" of the model \"small\"; it offers: low, high"),
        ("small", Some("high"), json!([models("small")]), None, "no variants of the model \"small\""),
        ("large", None, all(), Some(all()), "did not take the model \"large\", and stays with \"small\""),
        ("small", Some("high"), all(), Some(all()), "did not take the variant \"high\""),
        ("small", None, json!([]), None, "name the model \"default\""),
    ];
    for (model, variant, offered, answered, expected) in cases {
        let change =
            |turn: &mut Turn| (turn.model, turn.variant) = (model.to_owned(), variant.map(str::to_owned));
        let verdict = play(change, async |agent| {
            agent.initialized(json!({})).await;
            agent.called("session/new").await;
            agent.answer(json!({"sessionId": "s", "configOptions": offered})).await;
            if let Some(answered) = answered {
                agent.called("session/set_config_option").await;
                agent.answer(json!({"configOptions": answered})).await;
            }
            agent.hears_the_end().await;
        })
        .await;
        let (class, message) = not_started(&verdict);
        assert_eq!(class, ErrorClass::Config);
        assert!(message.contains(expected), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_lets_nobody_choose_has_its_default() {
    let verdict = play(
        |turn| turn.model = "default".to_owned(),
        async |agent| {
            agent.initialized(json!({})).await;
            agent.called("session/new").await;
            agent.answer(json!({"sessionId": "s"})).await;
            agent.prompted().await;
            finish(agent).await;
        },
    );
    is_finished(&verdict.await);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_prompted_before_the_start_was_written_down() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.initialized(json!({})).await;
            agent.called("session/new").await;
            agent.answer(json!({"sessionId": "s", "configOptions": [models("small")]})).await;
            // It could not be, or is not wanted any more.
            drop(agent.started().await);
            agent.hears_the_end().await;
        },
    )
    .await;
    assert_eq!(verdict.end, End::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn a_turn_can_be_ended_in_every_state_before_its_prompt() {
    let calls = ["initialize", "session/new", "session/set_config_option"];
    for place in 0..=calls.len() {
        let verdict = play(
            |turn| turn.model = "large".to_owned(),
            async |agent| {
                let offered = |current| json!({"protocolVersion": 1, "sessionId": "s", "configOptions": [models(current)]});
                for method in &calls[..place] {
                    agent.called(method).await;
                    let current = if *method == "session/set_config_option" { "large" } else { "small" };
                    agent.answer(offered(current)).await;
                }
                match calls.get(place) {
                    Some(method) => drop(agent.called(method).await),
                    None => drop(agent.report().await),
                }
                agent.wish_to_end();
                agent.hears_the_end().await;
            },
        )
        .await;
        assert_eq!(verdict.end, End::Cancelled);
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_may_go_in_every_state() {
    let calls = ["initialize", "session/new", "session/set_config_option", "session/prompt"];
    for place in 0..calls.len() {
        let verdict = play(
            |turn| turn.model = "large".to_owned(),
            async |agent| {
                for method in &calls[..place] {
                    agent.called(method).await;
                    let current = if *method == "session/set_config_option" { "large" } else { "small" };
                    agent
                        .answer(json!({"protocolVersion": 1, "sessionId": "s", "configOptions": [models(current)]}))
                        .await;
                }
                match calls[place] {
                    "session/prompt" => drop(agent.prompted().await),
                    method => drop(agent.called(method).await),
                }
                agent.go();
            },
        )
        .await;
        assert_eq!(verdict.end, End::Lost, "{}", calls[place]);
    }
}
