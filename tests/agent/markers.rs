//! What a scripted agent is to do, written into a prompt: `[say:Hello]`, `[hang]` and so on, done in their order. Where
//! anything needs a value and has none, it has a default.

use crate::script::{CallError, OnCancel, Permission, Step, Tool, Use, WhenRefused};

/// The steps that a prompt asks for.
pub(crate) fn steps(prompt: &str) -> Vec<Step> {
    let parts = prompt.split('[').skip(1).filter_map(|rest| rest.split_once(']'));
    parts.filter_map(|(marker, _)| step(marker)).collect()
}

fn step(marker: &str) -> Option<Step> {
    let (name, value) = marker.split_once(':').map_or((marker, None), |(name, value)| (name, Some(value)));
    let text = |default: &str| value.unwrap_or(default).to_owned();
    let number = |default: i64| value.and_then(|value| value.parse().ok()).unwrap_or(default);
    let tool = |status: &str| {
        let input = serde_json::json!({"command": text("true")});
        Step::Tool(Tool { title: text("true"), kind: None, input, path: None, status: status.to_owned() })
    };
    Some(match name {
        "say" => Step::Say(text("done")),
        "stream" => Step::Repeat(Box::new(Step::Say(text("and on ")))),
        "tool" => tool("completed"),
        "failing-tool" => tool("failed"),
        "running-tool" => tool("in_progress"),
        "edit" => Step::Tool(Tool {
            title: format!("Edit {}", text("file")),
            kind: Some("edit".to_owned()),
            input: serde_json::json!({"path": text("file")}),
            path: Some(text("file")),
            status: "completed".to_owned(),
        }),
        "write" => Step::Write(text("written")),
        "permission" => Step::Permission(Permission { title: text("rm -rf build"), ..Permission::default() }),
        "try" => Step::Permission(Permission {
            title: text("rm -rf build"),
            refused: WhenRefused::GoOn,
            ..Permission::default()
        }),
        "ask" => Step::Elicit(crate::script::Elicit {
            message: text("Which one?"),
            fields: serde_json::value::RawValue::from_string(
                r#"{"which":{"type":"string","enum":["this","that"]}}"#.to_owned(),
            )
            .unwrap(),
            required: vec!["which".to_owned()],
        }),
        "cost" => Step::Cost(value.and_then(|value| value.parse().ok()).unwrap_or(0.01)),
        "recall" => Step::Recall,
        "tools" => Step::Tools,
        "manage" => Step::Use(Use {
            tool: "automate_manage".to_owned(),
            arguments: serde_json::json!({"action": text("list")}),
        }),
        "spawn" => Step::Spawn,
        "hang" => Step::Hang(OnCancel::Answer),
        "deaf" => Step::Hang(OnCancel::Ignore),
        "exit" => Step::Exit(u8::try_from(number(1)).unwrap_or(1)),
        "signal" => Step::Signal(i32::try_from(number(9)).unwrap_or(9)),
        "stop" => Step::Stop(text("end_turn")),
        "error" => Step::Error(CallError { code: -32603, message: text("Internal error"), data: None }),
        _ => return None,
    })
}
