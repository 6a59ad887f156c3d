//! What a scripted agent answers to each call.

use serde_json::{Value, json};

use crate::inbox::{Inbox, Over, Received, send, write_line};
use crate::models::Chosen;
use crate::script::{Act, AtEnd, CallError, ModelsForm, Script};
use crate::server::Server;
use crate::sessions::Sessions;

pub(crate) struct Agent {
    pub(crate) script: Script,
    pub(crate) inbox: Inbox,
    pub(crate) sessions: Sessions,
    /// The servers of tools that the session has which was opened last.
    pub(crate) given: Value,
    pub(crate) server: Option<Server>,
    chosen: Chosen,
    /// Requests of its own.
    requests: u64,
}

impl Agent {
    pub(crate) fn new(script: Script) -> Agent {
        let inbox = Inbox::open(script.log.as_deref());
        let sessions = Sessions::of(script.sessions.clone());
        let chosen = script.models.first();
        Agent { script, inbox, sessions, given: Value::Null, server: None, chosen, requests: 0 }
    }

    /// Serves until its input ends, or it has a reason of its own.
    pub(crate) fn serve(mut self) -> Over {
        match self.serve_all() {
            Ok(()) => Over::Exit(0),
            Err(over) => over,
        }
    }

    fn serve_all(&mut self) -> Result<(), Over> {
        for line in &self.script.noise {
            write_line(line)?;
        }
        loop {
            let message = self.next()?;
            // What has no method is an answer to a request that is not waited for any more.
            let Some(method) = message["method"].as_str().map(str::to_owned) else { continue };
            if message.get("id").is_some() {
                self.call(&message["id"], &method, &message["params"])?;
            }
        }
    }

    /// The next message.
    pub(crate) fn next(&mut self) -> Result<Value, Over> {
        match self.inbox.receive(None) {
            Received::Message(message) => Ok(message),
            Received::TimedOut | Received::End => Err(self.end_of_input()),
        }
    }

    pub(crate) fn end_of_input(&self) -> Over {
        match self.script.at_end_of_input {
            AtEnd::Exit => Over::Exit(0),
            AtEnd::Stay => stay(),
        }
    }

    fn call(&mut self, id: &Value, method: &str, params: &Value) -> Result<(), Over> {
        match self.script.calls.get(method).cloned() {
            Some(Act::Hang) => Ok(()),
            Some(Act::Exit(code)) => Err(Over::Exit(code)),
            Some(Act::Signal(signal)) => Err(Over::Signal(signal)),
            Some(Act::Error(error)) => refuse(id, &error),
            Some(Act::With(result)) => answer(id, &result),
            Some(Act::Twice) => {
                self.answer_well(id, method, params)?;
                answer(id, &json!({"protocolVersion": 9, "sessionId": "another", "stopReason": "refusal"}))
            }
            Some(Act::Noise(line)) => {
                write_line(&line)?;
                self.answer_well(id, method, params)
            }
            Some(Act::AskFirst) => {
                let options = json!([{"optionId": "yes", "name": "Yes", "kind": "allow_once"}]);
                self.request("session/request_permission", &json!({"toolCall": {}, "options": options}))?;
                self.answer_well(id, method, params)
            }
            Some(Act::RefuseTools(message)) if params["mcpServers"].get(0).is_some() => {
                refuse_with(id, -32603, &message)
            }
            Some(Act::RefuseTools(_)) | None => self.answer_well(id, method, params),
        }
    }

    fn answer_well(&mut self, id: &Value, method: &str, params: &Value) -> Result<(), Over> {
        let session = params["sessionId"].as_str().unwrap_or_default().to_owned();
        if let Some(given) = params.get("mcpServers") {
            self.given = given.clone();
        }
        match method {
            "initialize" => answer(id, &self.introduction()),
            "session/new" => {
                let session = self.sessions.begin(params["cwd"].as_str().unwrap_or_default());
                let mut told = self.script.models.of_session(&self.chosen);
                told["sessionId"] = json!(session);
                answer(id, &told)?;
                let update = json!({"sessionUpdate": "available_commands_update", "availableCommands": []});
                self.update(&session, &update)
            }
            "session/resume" | "session/load" => match self.sessions.take_up(&session) {
                None => refuse_with(id, -32002, &format!("Resource not found: {session}")),
                Some(known) => {
                    if method == "session/load" {
                        for prompt in &known.prompts {
                            let content = json!({"type": "text", "text": prompt});
                            for update in ["user_message_chunk", "agent_message_chunk"] {
                                self.update(&session, &json!({"sessionUpdate": update, "content": content}))?;
                            }
                        }
                        let cost = json!({"amount": known.cost, "currency": "USD"});
                        let usage =
                            json!({"sessionUpdate": "usage_update", "used": 1, "size": 2, "cost": cost});
                        self.update(&session, &usage)?;
                    }
                    answer(id, &self.script.models.of_session(&self.chosen))
                }
            },
            "session/close" => answer(id, &json!({})),
            "session/delete" => {
                self.sessions.delete(&session);
                answer(id, &json!({}))
            }
            _ if !self.sessions.is_open(&session) => refuse_with(
                id,
                -32602,
                &format!("no session {session} is open, or no method {method} is known"),
            ),
            "session/set_config_option" => {
                self.choose(id, params["configId"].as_str(), params["value"].as_str())
            }
            "session/set_model" if self.script.models.form == ModelsForm::Older => {
                self.choose(id, Some("model"), params["modelId"].as_str())
            }
            "session/prompt" => {
                let text = params["prompt"][0]["text"].as_str().unwrap_or_default().to_owned();
                self.prompt(id, &session, &text)
            }
            other => refuse_with(id, -32601, &format!("Method not found: {other}")),
        }
    }

    fn introduction(&self) -> Value {
        let has = |name: &str| !self.script.lacks.iter().any(|lacks| lacks == name);
        let mut of_sessions = serde_json::Map::new();
        for name in ["resume", "close", "delete"] {
            if has(name) {
                of_sessions.insert(name.to_owned(), json!({}));
            }
        }
        json!({
            "protocolVersion": self.script.version.clone().unwrap_or(json!(1)),
            "agentCapabilities": {"loadSession": has("load"), "sessionCapabilities": of_sessions},
            "authMethods": self.script.auth_methods,
            "agentInfo": {"name": "scripted", "version": "1"},
        })
    }

    fn choose(&mut self, id: &Value, option: Option<&str>, value: Option<&str>) -> Result<(), Over> {
        let (option, value) = (option.unwrap_or_default(), value.unwrap_or_default());
        match self.script.models.set(&mut self.chosen, option, value) {
            Ok(()) => answer(id, &self.script.models.of_session(&self.chosen)),
            Err(why) => refuse_with(id, -32602, &why),
        }
    }

    pub(crate) fn update(&self, session: &str, update: &Value) -> Result<(), Over> {
        let params = json!({"sessionId": session, "update": update});
        send(&json!({"jsonrpc": "2.0", "method": "session/update", "params": params}))
    }

    /// Sends a request of its own. Answers its id.
    pub(crate) fn request(&mut self, method: &str, params: &Value) -> Result<Value, Over> {
        self.requests += 1;
        let id = json!(format!("request-{}", self.requests));
        send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))?;
        Ok(id)
    }
}

pub(crate) fn stay() -> ! {
    loop {
        std::thread::park();
    }
}

pub(crate) fn answer(id: &Value, result: &Value) -> Result<(), Over> {
    send(&json!({"jsonrpc": "2.0", "id": id, "result": result}))
}

pub(crate) fn refuse(id: &Value, error: &CallError) -> Result<(), Over> {
    let mut told = json!({"code": error.code, "message": error.message});
    if let Some(data) = &error.data {
        told["data"] = data.clone();
    }
    send(&json!({"jsonrpc": "2.0", "id": id, "error": told}))
}

fn refuse_with(id: &Value, code: i64, message: &str) -> Result<(), Over> {
    refuse(id, &CallError { code, message: message.to_owned(), data: None })
}
