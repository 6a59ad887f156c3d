//! Configurations of hosts of the Model Context Protocol: the command in them is started, and offers its tools.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::mpsc::sync_channel;
use std::thread::Builder;

use serde_json::{Value, json};

use crate::blocks::Block;
use crate::reader::Reader;
use crate::support::DEADLINE;

/// Starts the command, and shakes hands.
pub(crate) fn check(block: &Block) -> Result<(), String> {
    let words = match block.language.as_str() {
        "toml" => from_toml(&block.content)?,
        _ => {
            let host: Value =
                serde_json::from_str(&block.content).map_err(|error| format!("no JSON: {error}"))?;
            from_json(&host).ok_or("no server in it has a `command`")?
        }
    };
    let (program, args) = words.split_first().ok_or("the command is empty")?;
    if program != "sexton" {
        return Err(format!("it starts {program:?}, not sexton"));
    }
    let reader = Reader::new();
    let project = reader.project();
    let args = args.iter().map(|word| word.replace("${workspaceFolder}", project.to_str().unwrap()));
    let mut command = reader.command(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut server = command.spawn().unwrap();
    let mut input = server.stdin.take().unwrap();
    let output = BufReader::new(server.stdout.take().unwrap());
    for message in [
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18",
            "capabilities": {}, "clientInfo": {"name": "docs", "version": "1"}}}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"}),
    ] {
        // One that has ended already offers nothing, which is told below.
        let _ = writeln!(input, "{message}");
    }
    // As many as are asked for.
    let (sender, answers) = sync_channel(2);
    let read = move || {
        for line in output.lines().map_while(Result::ok) {
            let _ = sender.try_send(line);
        }
    };
    Builder::new().name("stdout".to_owned()).spawn(read).unwrap();
    let mut offered = false;
    while let Ok(line) = answers.recv_timeout(DEADLINE) {
        let answer: Value = serde_json::from_str(&line).unwrap_or_default();
        if answer["id"] == 2 {
            offered = answer["result"]["tools"].as_array().is_some_and(|tools| !tools.is_empty());
            break;
        }
    }
    drop(input);
    if !offered {
        let _ = server.kill();
    }
    let _ = server.wait();
    if offered { Ok(()) } else { Err(format!("{words:?} offers no tools")) }
}

/// The words of the first command: hosts have it as a list, or as a program and `args`.
fn from_json(value: &Value) -> Option<Vec<String>> {
    let words = |value: &Value| value.as_array().map(|all| all.iter().filter_map(text).collect::<Vec<_>>());
    match (value.get("command"), value) {
        (Some(Value::String(program)), _) => {
            let args = value.get("args").and_then(words).unwrap_or_default();
            Some([vec![program.clone()], args].concat())
        }
        (Some(list), _) => words(list),
        (None, Value::Object(members)) => members.values().find_map(from_json),
        (None, _) => None,
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// The same, of the lines `command = "…"` and `args = […]`, whose values are written as in JSON.
fn from_toml(content: &str) -> Result<Vec<String>, String> {
    let value = |name: &str| {
        let line = content.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == name).then_some(value)
        });
        line.map(serde_json::from_str::<Value>).transpose().map_err(|error| format!("{name}: {error}"))
    };
    let server = json!({"command": value("command")?.ok_or("no `command`")?, "args": value("args")?});
    from_json(&server).ok_or_else(|| "no `command`".to_owned())
}
