//! Configurations of hosts of the Model Context Protocol: the command in them is started, and offers its tools.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::mpsc::sync_channel;
use std::thread::Builder;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::blocks::Block;
use crate::reader::Reader;
use crate::support::DEADLINE;

/// Starts the command, and shakes hands.
pub(crate) fn check(block: &Block) -> Result<(), String> {
    let words = match block.language.as_str() {
        "toml" => from_toml(&block.content)?,
        _ => from_json(&block.content)?,
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

/// A file of opencode's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opencode {
    mcp: HashMap<String, OpencodeServer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpencodeServer {
    #[serde(rename = "type")]
    kind: String,
    command: Vec<String>,
    enabled: bool,
}

/// A file of an editor of the family of VS Code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    servers: HashMap<String, CodeServer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeServer {
    #[serde(rename = "type")]
    kind: String,
    command: String,
    args: Vec<String>,
}

/// A file of most other hosts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Other {
    mcp_servers: HashMap<String, Server>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    command: String,
    args: Vec<String>,
}

/// The words of the command in one of the files that are known.
fn from_json(content: &str) -> Result<Vec<String>, String> {
    let host: Value = serde_json::from_str(content).map_err(|error| format!("no JSON: {error}"))?;
    let is = |key| host.get(key).is_some();
    if is("mcp") {
        let server = sexton(read::<Opencode>(&host)?.mcp)?;
        match (server.kind.as_str(), server.enabled) {
            ("local", true) => Ok(server.command),
            (kind, enabled) => Err(format!("a server of type {kind:?}, enabled {enabled}, is not started")),
        }
    } else if is("servers") {
        let server = sexton(read::<Code>(&host)?.servers)?;
        match server.kind.as_str() {
            "stdio" => Ok(words(server.command, server.args)),
            kind => Err(format!("a server of type {kind:?} is not started")),
        }
    } else {
        let server = sexton(read::<Other>(&host)?.mcp_servers)?;
        Ok(words(server.command, server.args))
    }
}

fn read<T: DeserializeOwned>(host: &Value) -> Result<T, String> {
    T::deserialize(host).map_err(|error| format!("no host reads that: {error}"))
}

/// The only server, by the name that all documents call it.
fn sexton<T>(mut servers: HashMap<String, T>) -> Result<T, String> {
    let server = servers.remove("sexton").ok_or("no server in it is called sexton")?;
    if servers.is_empty() { Ok(server) } else { Err("it has other servers, too".to_owned()) }
}

fn words(program: String, args: Vec<String>) -> Vec<String> {
    [vec![program], args].concat()
}

/// The table of a file of Codex's. Its values are lists and texts on one line, which are written as in JSON.
fn from_toml(content: &str) -> Result<Vec<String>, String> {
    let mut lines = content.lines().filter(|line| !line.trim().is_empty());
    let table = lines.next().unwrap_or_default();
    if table != "[mcp_servers.sexton]" {
        return Err(format!("it begins with {table:?} instead of [mcp_servers.sexton]"));
    }
    let mut members = serde_json::Map::new();
    for line in lines {
        let (key, value) = line.split_once('=').ok_or_else(|| format!("no key and value: {line}"))?;
        let key = key.trim();
        let value = serde_json::from_str(value).map_err(|error| format!("{key}: {error}"))?;
        if members.insert(key.to_owned(), value).is_some() {
            return Err(format!("{key} stands there twice"));
        }
    }
    let server: CodexServer = read(&Value::Object(members))?;
    // None of them is set by the document, but each is one that the server reads.
    match server.env_vars.iter().find(|name| !READ.contains(&name.as_str())) {
        None => Ok(words(server.command, server.args)),
        Some(name) => Err(format!("it hands on {name}, which the server does not read")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodexServer {
    command: String,
    args: Vec<String>,
    #[serde(default)]
    env_vars: Vec<String>,
}

/// The variables by which a server finds out where it is.
const READ: [&str; 4] = ["SEXTON_RUN_ID", "SEXTON_STATE_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME"];
