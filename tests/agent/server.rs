//! The server of tools that a scripted agent is given: started as strict agents do it, with nothing in its environment but
//! what was said.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A server that was started. It hears of the agent's end by the end of its input, and nobody waits for it.
pub(crate) struct Server {
    _process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    calls: u64,
}

impl Server {
    /// Starts the server and greets it.
    pub(crate) fn start(told: &Value) -> Server {
        let texts = |name: &str| told[name].as_array().expect("a list").iter();
        let mut command = Command::new(told["command"].as_str().expect("a program"));
        command.args(texts("args").map(|argument| argument.as_str().expect("an argument"))).env_clear();
        for variable in texts("env") {
            command.env(
                variable["name"].as_str().expect("a name"),
                variable["value"].as_str().expect("a value"),
            );
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("a server of tools");
        let (input, output) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let mut server = Server { _process: process, input, output, calls: 0 };
        let itself = json!({"name": "scripted", "version": "1"});
        server.ask(
            "initialize",
            &json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": itself}),
        );
        server.write(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        server
    }

    /// The names of its tools.
    pub(crate) fn tools(&mut self) -> Vec<String> {
        let listed = self.ask("tools/list", &json!({}));
        let tools = listed["tools"].as_array().expect("tools").iter();
        tools.map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect()
    }

    /// What a tool answers.
    pub(crate) fn call(&mut self, tool: &str, arguments: &Value) -> String {
        let result = self.ask("tools/call", &json!({"name": tool, "arguments": arguments}));
        result["content"][0]["text"].as_str().expect("a text").to_owned()
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.calls += 1;
        let id = self.calls;
        self.write(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).expect("a line") > 0, "the server has ended");
            let message: Value = serde_json::from_str(&line).expect("JSON");
            if message["id"] == id {
                return message["result"].clone();
            }
        }
    }

    fn write(&mut self, message: &Value) {
        self.input.write_all(format!("{message}\n").as_bytes()).expect("a server that reads");
    }
}
