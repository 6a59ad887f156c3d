//! The part of the audit that looks at what people are told.

use serde_json::Value;
use sexton::domain::one_line::one_line;
use sexton::ledger::StoredEvent;

/// The payload of an event without its sentence, which is there exactly if the event is important, and fit to be shown.
pub(super) fn without_sentence(event: &StoredEvent) -> String {
    let payload: Value = serde_json::from_str(&event.payload).unwrap();
    let text = payload["text"].as_str();
    assert_eq!(text.is_some(), event.important, "what is said of {payload}");
    let Some(text) = text else { return event.payload.clone() };
    assert!(!text.is_empty() && text.len() < 4000 && !text.contains(char::is_control), "{text:?}");
    let title = payload["run"]["automationTitle"].as_str().or(payload["automation"]["title"].as_str());
    let is_reminder = payload["run"]["task"]["kind"] == "notify";
    if let Some(title) = title.filter(|_| !is_reminder) {
        assert!(text.starts_with(&format!("“{}”", one_line(title, 160))), "{text:?} names no {title:?}");
    }
    let member = format!(",\"text\":{}}}", serde_json::to_string(text).unwrap());
    format!("{}}}", event.payload.strip_suffix(&member).expect("the sentence comes last"))
}
