//! Permissions and questions.

use serde_json::{Value, json};

use super::super::bounds::NEEDS;
use super::super::played::{Played, options, play};
use super::super::{End, Report, Turn};
use crate::domain::policy::Permissions;
use crate::domain::provider::Choice;
use crate::domain::run::machine::ErrorCode;
use crate::domain::run::{ErrorClass, Need};

fn selected(id: &str) -> Value {
    json!({"outcome": {"outcome": "selected", "optionId": id}})
}

fn deny(turn: &mut Turn) {
    turn.permissions = Permissions::Deny;
}

fn failure(end: &End) -> (ErrorCode, ErrorClass, &str) {
    let End::Failed { code, class, message } = end else { panic!("instead of a failure: {end:?}") };
    (*code, *class, message)
}

async fn finish(agent: &mut Played) {
    agent.speak("done").await;
    agent.end_turn().await;
    agent.hears_the_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_person_is_asked_for_one_thing_after_the_other() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.begin().await;
            for id in ["a", "b"] {
                agent.ask_permission(id, &["allow_always", "allow_once", "reject_once"]).await;
            }
            let first = agent.blocked().await;
            match &first {
                Need::Permission { title, options, tool, .. } => {
                    assert_eq!((title.as_str(), options.len(), tool.is_some()), ("rm a", 3, true));
                }
                other @ Need::Question { .. } => panic!("{other:?}"),
            }
            agent.nothing_is_reported().await;
            agent.choose(4, &first, "allow_once");
            assert_eq!(agent.is_answered("a").await, selected("allow_once"));
            assert_eq!(agent.handed_over().await, 4);
            let second = agent.blocked().await;
            assert_ne!(second.asked(), first.asked());
            // The first answer is still among the wishes, and not taken again.
            agent.choose(5, &second, "reject_once");
            assert_eq!(agent.is_answered("b").await, selected("reject_once"));
            assert_eq!(agent.handed_over().await, 5);
            finish(agent).await;
        },
    )
    .await;
    assert_eq!(verdict.end, End::Finished { text: Some("done".to_owned()) });
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_for_the_next_thing_when_the_turn_is_to_end() {
    play(
        |_| {},
        async |agent| {
            agent.begin().await;
            for id in ["a", "b"] {
                agent.ask_permission(id, &["allow_once", "reject_once"]).await;
            }
            let need = agent.blocked().await;
            agent.choose_and_wish_to_end(1, &need, "reject_once");
            assert_eq!(agent.is_answered("a").await, selected("reject_once"));
            agent.called("session/cancel").await;
            assert_eq!(agent.is_answered("b").await["outcome"]["outcome"], "cancelled");
            assert_eq!(agent.handed_over().await, 1);
            agent.nothing_is_reported().await;
            agent.answer(json!({"stopReason": "cancelled"})).await;
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_with_the_end_is_said_before_it() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.begin().await;
            agent.ask_permission("a", &["allow_once", "reject_once"]).await;
            let need = agent.blocked().await;
            // Nobody has answered in time: no, and then the end.
            agent.choose_and_wish_to_end(1, &need, "reject_once");
            assert_eq!(agent.is_answered("a").await, selected("reject_once"));
            agent.called("session/cancel").await;
            assert_eq!(agent.handed_over().await, 1);
            agent.answer(json!({"stopReason": "cancelled"})).await;
        },
    )
    .await;
    assert_eq!(verdict.end, End::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn what_the_agent_withdraws_needs_nobody_any_more() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.begin().await;
            for id in ["a", "b", "c"] {
                agent.ask_permission(id, &["allow_once"]).await;
            }
            let first = agent.blocked().await;
            for id in ["b", "a", "never"] {
                agent.say(json!({"method": "$/cancel_request", "params": {"requestId": id}})).await;
            }
            for id in ["b", "a"] {
                assert_eq!(agent.is_answered(id).await["code"], -32800);
            }
            assert!(matches!(agent.report().await, Report::Unblocked));
            let last = agent.blocked().await;
            assert!(matches!(&last, Need::Permission { title, .. } if title == "rm c"));
            // It comes too late, and is done with.
            agent.choose(1, &first, "allow_once");
            assert_eq!(agent.handed_over().await, 1);
            agent.speak("done").await;
            agent.end_turn().await;
            assert!(matches!(agent.report().await, Report::Unblocked));
        },
    )
    .await;
    assert_eq!(verdict.end, End::Finished { text: Some("done".to_owned()) });
}

#[tokio::test(start_paused = true)]
async fn where_nobody_is_asked_no_is_said_by_kind_and_the_run_needs_somebody() {
    for (kinds, expected) in [
        (&["allow_always", "reject_always", "reject_once", "allow_once"][..], selected("reject_once")),
        (&["allow_always", "reject_always"][..], json!({"outcome": {"outcome": "cancelled"}})),
    ] {
        let verdict = play(deny, async |agent| {
            agent.begin().await;
            agent.ask_permission("a", kinds).await;
            assert_eq!(agent.is_answered("a").await, expected);
            agent.speak("I may not.").await;
            agent.end_turn().await;
        })
        .await;
        let (code, class, message) = failure(&verdict.end);
        assert_eq!((code, class), (ErrorCode::NeedsUserInput, ErrorClass::Permission));
        assert!(message.contains("rm a"), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_finds_another_way_after_a_no_has_done_its_work() {
    let verdict = play(deny, async |agent| {
        agent.begin().await;
        agent.ask_permission("a", &["reject_once"]).await;
        agent.is_answered("a").await;
        agent.tool("another way", "completed").await;
        finish(agent).await;
    })
    .await;
    assert_eq!(verdict.end, End::Finished { text: Some("done".to_owned()) });
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_ends_without_a_word_after_the_no_of_a_person_says_so() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.begin().await;
            agent.speak("I want to.").await;
            agent.ask_permission("a", &["allow_once", "reject_once"]).await;
            let need = agent.blocked().await;
            agent.choose(1, &need, "reject_once");
            agent.is_answered("a").await;
            agent.end_turn().await;
        },
    )
    .await;
    let (code, class, message) = failure(&verdict.end);
    assert_eq!((code, class), (ErrorCode::ExecutionFailed, ErrorClass::Permission));
    assert!(message.contains("told no (rm a)"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_requests_for_permission_is_refused_beyond_a_bound() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.begin().await;
            for number in 0..=NEEDS {
                agent.ask_permission(&number.to_string(), &["reject_once"]).await;
            }
            assert_eq!(agent.is_answered(&NEEDS.to_string()).await, selected("reject_once"));
            agent.blocked().await;
            agent.nothing_is_reported().await;
            finish(agent).await;
        },
    )
    .await;
    assert_eq!(verdict.end, End::Finished { text: Some("done".to_owned()) });
}

#[tokio::test(start_paused = true)]
async fn a_permission_that_offers_no_answer_is_put_to_nobody() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.begin().await;
            agent.ask_permission("a", &["perhaps"]).await;
            assert_eq!(agent.is_answered("a").await, json!({"outcome": {"outcome": "cancelled"}}));
            agent.end_turn().await;
        },
    )
    .await;
    let (code, class, _) = failure(&verdict.end);
    assert_eq!((code, class), (ErrorCode::ExecutionFailed, ErrorClass::Agent));
}

#[tokio::test(start_paused = true)]
async fn before_its_prompt_an_agent_gets_nobody_to_answer() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.called("initialize").await;
            let params = json!({"toolCall": {}, "options": options(&["allow_once"])});
            agent.ask("a", "session/request_permission", params).await;
            assert_eq!(agent.is_answered("a").await, json!({"outcome": {"outcome": "cancelled"}}));
            agent.ask("b", "elicitation/create", json!({"mode": "form", "message": "Which account?"})).await;
            assert_eq!(agent.is_answered("b").await, json!({"action": "cancel"}));
            agent.go();
        },
    )
    .await;
    assert_eq!(verdict.end, End::Lost);
}

/// A form with these fields, as it is written: their order counts.
async fn ask_form(agent: &mut Played, properties: &str, required: &[&str]) {
    let required = json!(required);
    let line = format!(
        r#"{{"id":"form","method":"elicitation/create","params":{{"mode":"form","sessionId":"s","message":"Set it up.",
        "requestedSchema":{{"type":"object","properties":{properties},"required":{required}}}}}}}"#
    );
    agent.write(&format!("{}\n", line.replace('\n', ""))).await;
}

async fn question(agent: &mut Played) -> (Need, String, Vec<String>) {
    match agent.blocked().await {
        Need::Question { call_id, prompt, options } => {
            let ids = options.iter().map(|option| option.id.clone()).collect();
            (Need::Question { call_id, prompt: prompt.clone(), options }, prompt, ids)
        }
        other @ Need::Permission { .. } => panic!("instead of a question: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_fields_of_a_form_are_asked_one_after_the_other_as_they_stand() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.begin().await;
            let properties = r#"{
                "zone":{"type":"string","title":"Zone","oneOf":[{"const":"eu","title":"Europe"},{"const":"us","title":"America"}]},
                "name":{"type":"string","description":"What it is called"},
                "count":{"type":"integer"},
                "dry":{"type":"boolean"},
                "tags":{"type":"array","items":{"type":"string","enum":["x","y","z"]}},
                "note":{"type":"string"}}"#;
            ask_form(agent, properties, &["zone", "name", "count", "dry"]).await;
            let text = |text: &str| Choice::Text { text: text.to_owned() };
            let option = |id: &str| Choice::Option { option_id: id.to_owned() };
            // What is asked, what may be chosen, and what is answered; wrong answers are asked for again.
            let asked: [(&str, &[&str], Choice); 8] = [
                ("Set it up.\nZone", &["eu", "us"], text("mars")),
                ("\"mars\" is none of: eu, us.\nSet it up.\nZone", &["eu", "us"], text("Europe")),
                ("Set it up.\nWhat it is called", &[], text("Tom")),
                ("Set it up.\ncount", &[], text("many")),
                ("The answer has to be a whole number.\nSet it up.\ncount", &[], text(" 3 ")),
                ("Set it up.\ndry", &["true", "false"], option("false")),
                ("Set it up.\ntags\nAny of these, with commas between them: x, y, z", &[], text("z, x")),
                ("Set it up.\nnote", &[], text("")),
            ];
            for (number, (prompt, options, choice)) in (1..).zip(asked) {
                let (need, asked, offered) = question(agent).await;
                assert_eq!((asked.as_str(), offered), (prompt, options.iter().map(|&id| id.to_owned()).collect()));
                agent.respond(number, &need, choice);
                if number == 8 {
                    let content = json!({"zone": "eu", "name": "Tom", "count": 3, "dry": false, "tags": ["z", "x"]});
                    assert_eq!(agent.is_answered("form").await, json!({"action": "accept", "content": content}));
                }
                assert_eq!(agent.handed_over().await, number);
            }
            finish(agent).await;
        },
    )
    .await;
    assert_eq!(verdict.end, End::Finished { text: Some("done".to_owned()) });
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_put_to_a_person_is_refused_to_the_agent() {
    let verdict = play(
        |_| {},
        async |agent| {
            agent.begin().await;
            let url =
                json!({"mode": "url", "sessionId": "s", "url": "https://example.org", "message": "Log in"});
            agent.ask("form", "elicitation/create", url).await;
            assert_eq!(agent.is_answered("form").await["code"], -32602);
            for properties in [r#"{"a":{"type":"object"}}"#, r#"{"a":{"type":"array"}}"#, "7"] {
                ask_form(agent, properties, &[]).await;
                assert_eq!(agent.is_answered("form").await["code"], -32602, "{properties}");
            }
            agent.nothing_is_reported().await;
            finish(agent).await;
        },
    )
    .await;
    assert_eq!(verdict.end, End::Finished { text: Some("done".to_owned()) });
}

#[tokio::test(start_paused = true)]
async fn where_nobody_is_asked_a_form_is_declined() {
    for (goes_on, ends_well) in [("", false), ("I took the first.", true)] {
        let verdict = play(deny, async |agent| {
            agent.begin().await;
            ask_form(agent, r#"{"a":{"type":"string"}}"#, &["a"]).await;
            assert_eq!(agent.is_answered("form").await, json!({"action": "decline"}));
            if !goes_on.is_empty() {
                agent.speak(goes_on).await;
            }
            agent.end_turn().await;
        })
        .await;
        match ends_well {
            true => assert!(matches!(verdict.end, End::Finished { .. }), "{:?}", verdict.end),
            false => assert_eq!(failure(&verdict.end).0, ErrorCode::NeedsUserInput),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_form_without_fields_asks_whether_to_go_on() {
    for (choice, expected) in
        [("yes", json!({"action": "accept", "content": {}})), ("no", json!({"action": "decline"}))]
    {
        play(
            |_| {},
            async |agent| {
                agent.begin().await;
                ask_form(agent, "{}", &[]).await;
                let (need, _, offered) = question(agent).await;
                assert_eq!(offered, ["yes", "no"]);
                agent.choose(1, &need, choice);
                assert_eq!(agent.is_answered("form").await, expected);
                agent.handed_over().await;
                finish(agent).await;
            },
        )
        .await;
    }
}
