//! What a scripted agent does with a prompt.

use std::process::{Command, Stdio};

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::agent::{Agent, answer, refuse, stay};
use crate::inbox::{Over, Received, in_ms, write_line};
use crate::markers;
use crate::script::{CallError, Elicit, OnCancel, Permission, Step, Tool, Use, WhenRefused};
use crate::server::Server;

/// Whether a turn goes on after a step.
enum After {
    GoOn,
    /// The prompt is answered with this reason.
    Stop(String),
    /// The prompt has been answered, or never is.
    Over,
}

/// What comes of waiting for an answer.
enum Waited {
    Answer(Value),
    Cancelled,
}

impl Agent {
    pub(crate) fn prompt(&mut self, id: &Value, session: &str, text: &str) -> Result<(), Over> {
        self.sessions.change(session, |session| session.prompts.push(text.to_owned()));
        let mut steps = markers::steps(text);
        if steps.is_empty() {
            steps.clone_from(&self.script.prompt);
        }
        if steps.is_empty() {
            steps.push(Step::Say("done".to_owned()));
        }
        for (number, step) in steps.iter().enumerate() {
            match self.step(id, session, &format!("call-{number}"), step)? {
                After::GoOn => {}
                After::Stop(reason) => return answer(id, &json!({"stopReason": reason})),
                After::Over => return Ok(()),
            }
        }
        answer(id, &json!({"stopReason": "end_turn"}))
    }

    fn step(&mut self, id: &Value, session: &str, call: &str, step: &Step) -> Result<After, Over> {
        match step {
            Step::Say(text) => self.say(session, "agent_message_chunk", text)?,
            Step::Think(text) => self.say(session, "agent_thought_chunk", text)?,
            Step::Repeat(step) => return self.repeat(id, session, call, step),
            Step::Tool(tool) => self.tool(session, call, tool)?,
            Step::Permission(permission) => return self.permission(session, call, permission),
            Step::Permissions(all) => return self.permissions(session, call, all),
            Step::Elicit(elicit) => return self.elicit(session, elicit),
            Step::Cost(amount) => {
                let cost = self.sessions.change(session, |session| session.cost += amount).cost;
                let cost = json!({"amount": cost, "currency": "USD"});
                let usage = json!({"sessionUpdate": "usage_update", "used": 1, "size": 2, "cost": cost});
                self.update(session, &usage)?;
            }
            Step::Write(path) => std::fs::write(path, "scripted-agent\n").expect("a file in the directory"),
            Step::Recall => {
                let prompts = self.sessions.change(session, |_| {}).prompts;
                self.say(session, "agent_message_chunk", &json!(prompts).to_string())?;
            }
            Step::Use(Use { tool, arguments }) => {
                let said = self.server().call(tool, arguments);
                self.say(session, "agent_message_chunk", &said)?;
            }
            Step::Tools => {
                let tools = self.server().tools().join(" ");
                self.say(session, "agent_message_chunk", &tools)?;
            }
            Step::Noise(line) => write_line(line)?,
            Step::Flood(lines) => self.flood(session, *lines)?,
            Step::Huge(bytes) => self.say(session, "agent_message_chunk", &"x".repeat(*bytes))?,
            Step::Spawn => spawn_stubborn(),
            Step::Hang(on_cancel) => {
                self.until_cancelled()?;
                return cancelled(id, *on_cancel);
            }
            Step::Exit(code) => return Err(Over::Exit(*code)),
            Step::Signal(signal) => return Err(Over::Signal(*signal)),
            Step::Stop(reason) => return Ok(After::Stop(reason.clone())),
            Step::StopTwice(reason) => {
                answer(id, &json!({"stopReason": reason}))?;
                return Ok(After::Stop("refusal".to_owned()));
            }
            Step::Error(error) => {
                refuse(id, error)?;
                return Ok(After::Over);
            }
        }
        Ok(After::GoOn)
    }

    /// The server of tools that it was given, started when it is first used.
    fn server(&mut self) -> &mut Server {
        let told = &self.given[0];
        self.server.get_or_insert_with(|| Server::start(told))
    }

    fn say(&self, session: &str, update: &str, text: &str) -> Result<(), Over> {
        let content = json!({"type": "text", "text": text});
        self.update(session, &json!({"sessionUpdate": update, "content": content}))
    }

    fn repeat(&mut self, id: &Value, session: &str, call: &str, step: &Step) -> Result<After, Over> {
        loop {
            match self.step(id, session, call, step)? {
                After::GoOn => {}
                over @ (After::Stop(_) | After::Over) => return Ok(over),
            }
            match self.inbox.receive(Some(in_ms(5))) {
                Received::Message(message) if message["method"] == "session/cancel" => {
                    return Ok(After::Stop("cancelled".to_owned()));
                }
                Received::Message(_) | Received::TimedOut => {}
                Received::End => return Err(self.end_of_input()),
            }
        }
    }

    /// First it is told without its input, as some do.
    fn tool(&self, session: &str, call: &str, tool: &Tool) -> Result<(), Over> {
        let kind = tool.kind.as_deref().unwrap_or("other");
        let begun = json!({"sessionUpdate": "tool_call", "toolCallId": call, "title": tool.title, "kind": kind,
            "status": "pending", "rawInput": {}});
        self.update(session, &begun)?;
        let mut ended = json!({"sessionUpdate": "tool_call_update", "toolCallId": call, "status": tool.status,
            "rawInput": tool.input});
        if let Some(path) = &tool.path {
            ended["content"] = json!([{"type": "diff", "path": path, "oldText": null, "newText": ""}]);
            ended["locations"] = json!([{"path": path}]);
        }
        self.update(session, &ended)
    }

    fn permissions(&mut self, session: &str, call: &str, all: &[Permission]) -> Result<After, Over> {
        let calls: Vec<String> = (0..all.len()).map(|number| format!("{call}-{number}")).collect();
        let mut requests = Vec::new();
        for (call, asked) in calls.iter().zip(all) {
            requests.push(self.ask_for(session, call, asked)?);
        }
        for ((call, asked), request) in calls.iter().zip(all).zip(requests) {
            match self.is_permitted(session, call, asked, &request)? {
                After::GoOn => {}
                over @ (After::Stop(_) | After::Over) => return Ok(over),
            }
        }
        Ok(After::GoOn)
    }

    /// Sends a request for a permission. Answers its id.
    fn ask_for(&mut self, session: &str, call: &str, asked: &Permission) -> Result<Value, Over> {
        let options: Vec<Value> =
            asked.options.iter().map(|kind| json!({"optionId": kind, "name": kind, "kind": kind})).collect();
        let input = json!({"command": asked.title});
        let tool = json!({"toolCallId": call, "title": asked.title, "kind": "execute", "status": "pending", "rawInput": input});
        let params = json!({"sessionId": session, "toolCall": tool, "options": options});
        self.request("session/request_permission", &params)
    }

    fn permission(&mut self, session: &str, call: &str, asked: &Permission) -> Result<After, Over> {
        let request = self.ask_for(session, call, asked)?;
        if asked.withdraw {
            let params = json!({"requestId": request});
            crate::inbox::send(&json!({"jsonrpc": "2.0", "method": "$/cancel_request", "params": params}))?;
            self.wait_for(&request)?;
            return Ok(After::GoOn);
        }
        self.is_permitted(session, call, asked, &request)
    }

    /// Waits for the answer, and goes by it.
    fn is_permitted(
        &mut self,
        session: &str,
        call: &str,
        asked: &Permission,
        request: &Value,
    ) -> Result<After, Over> {
        let outcome = match self.wait_for(request)? {
            Waited::Answer(message) => message["result"]["outcome"].clone(),
            Waited::Cancelled => return Ok(After::Stop("cancelled".to_owned())),
        };
        let is_allowed = outcome["optionId"].as_str().is_some_and(|id| id.starts_with("allow"));
        let status = if is_allowed { "completed" } else { "failed" };
        let ended = json!({"sessionUpdate": "tool_call_update", "toolCallId": call, "status": status});
        self.update(session, &ended)?;
        Ok(match (is_allowed, asked.refused) {
            (false, WhenRefused::Stop) => After::Stop("end_turn".to_owned()),
            (true, WhenRefused::Stop | WhenRefused::GoOn) | (false, WhenRefused::GoOn) => After::GoOn,
        })
    }

    /// Writes the fields as they stand in the script: their order counts.
    fn elicit(&mut self, session: &str, asked: &Elicit) -> Result<After, Over> {
        let request = json!("form");
        let fields: &RawValue = &asked.fields;
        write_line(&format!(
            r#"{{"jsonrpc":"2.0","id":{request},"method":"elicitation/create","params":{{"mode":"form","sessionId":{},"message":{},"requestedSchema":{{"type":"object","properties":{fields},"required":{}}}}}}}"#,
            json!(session),
            json!(asked.message),
            json!(asked.required),
        ))?;
        match self.wait_for(&request)? {
            Waited::Answer(message) => {
                self.say(session, "agent_message_chunk", &message["result"].to_string())?;
                Ok(After::GoOn)
            }
            Waited::Cancelled => Ok(After::Stop("cancelled".to_owned())),
        }
    }

    /// The answer to a request. A turn that is cancelled meanwhile has its requests answered first.
    fn wait_for(&mut self, request: &Value) -> Result<Waited, Over> {
        let mut is_cancelled = false;
        loop {
            let message = self.next()?;
            if message["method"] == "session/cancel" {
                is_cancelled = true;
            } else if message["id"] == *request {
                return Ok(if is_cancelled { Waited::Cancelled } else { Waited::Answer(message) });
            }
        }
    }

    fn until_cancelled(&mut self) -> Result<(), Over> {
        while self.next()?["method"] != "session/cancel" {}
        Ok(())
    }

    fn flood(&mut self, session: &str, lines: u64) -> Result<(), Over> {
        for number in 0..lines {
            write_line("flooding")?;
            self.update(session, &json!({"sessionUpdate": "plan", "entries": [number]}))?;
            self.request("_scripted/flood", &json!({"number": number}))?;
        }
        Ok(())
    }
}

fn cancelled(id: &Value, on_cancel: OnCancel) -> Result<After, Over> {
    match on_cancel {
        OnCancel::Answer => Ok(After::Stop("cancelled".to_owned())),
        OnCancel::Finish => Ok(After::Stop("end_turn".to_owned())),
        OnCancel::Error => {
            refuse(id, &CallError { code: -32800, message: "Request cancelled".to_owned(), data: None })?;
            Ok(After::Over)
        }
        OnCancel::Late(span) => {
            std::thread::park_timeout(std::time::Duration::from_millis(span));
            Ok(After::Stop("cancelled".to_owned()))
        }
        OnCancel::Ignore => stay(),
        OnCancel::Exit(code) => Err(Over::Exit(code)),
    }
}

/// It holds the agent's stdout, so that its end alone is not the end of that.
#[expect(clippy::zombie_processes, reason = "it is to outlive the agent")]
fn spawn_stubborn() {
    let script = "trap '' TERM HUP INT; echo $$ > grandchild; exec sleep 600";
    let mut command = Command::new("setsid");
    command.args(["sh", "-c", script]).stdin(Stdio::null());
    command.spawn().expect("a shell");
}
