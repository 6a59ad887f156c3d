//! A server and the pipes to it, as an editor has them.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::broken;
use crate::framing::{Cutter, frame};

/// A server that was spawned. It is killed when nobody has it any more.
pub(crate) struct Client {
    process: Child,
    input: ChildStdin,
    output: Cutter<ChildStdout>,
    last_id: u64,
    news: Vec<Value>,
}

impl Client {
    pub(crate) fn spawn(command: &mut Command) -> io::Result<Client> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(broken("a server was started without pipes"));
        };
        Ok(Client { process, input, output: Cutter::new(output), last_id: 0, news: Vec::new() })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Kills it, as nothing but a crash does. Nobody waits here until it has gone.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.process.kill()
    }

    /// What becomes readable when the server has written.
    pub(crate) fn output(&self) -> impl AsFd + '_ {
        self.output.source().as_fd()
    }

    /// The next id that no request has had.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Writes messages that were framed before.
    pub(crate) fn write(&mut self, framed: &[u8]) -> io::Result<()> {
        self.input.write_all(framed)
    }

    /// Reads once and cuts: calls `each` for every whole message. Waits if there is nothing to read.
    pub(crate) fn read_once(&mut self, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        self.output.fill()?;
        while let Some(message) = self.output.cut()? {
            each(message);
        }
        Ok(())
    }

    /// Asks for something that must be granted. News that come meanwhile are kept.
    pub(crate) fn ask(&mut self, method: &str, params: &Value) -> io::Result<Value> {
        let id = self.next_id();
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string();
        let mut framed = Vec::new();
        frame(&request, &mut framed);
        self.write(&framed)?;
        loop {
            self.output.fill()?;
            let mut answer = None;
            while let Some(message) = self.output.cut()? {
                let message: Value = serde_json::from_slice(message)?;
                match message["id"] == id {
                    true => answer = Some(message),
                    false => self.news.push(message),
                }
            }
            match answer {
                Some(mut answer) if answer.get("error").is_none() => return Ok(answer["result"].take()),
                Some(answer) => return Err(broken(format!("{method} was refused: {answer}"))),
                None => {}
            }
        }
    }

    /// The news that came while something was asked for.
    pub(crate) fn take_news(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.news)
    }

    /// The next news. Waits if there is none.
    pub(crate) fn next_news(&mut self) -> io::Result<Value> {
        while self.news.is_empty() {
            self.output.fill()?;
            while let Some(message) = self.output.cut()? {
                self.news.push(serde_json::from_slice(message)?);
            }
        }
        Ok(self.news.remove(0))
    }

    pub(crate) fn notify(&mut self, method: &str, params: &Value) -> io::Result<()> {
        let mut framed = Vec::new();
        frame(&json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string(), &mut framed);
        self.write(&framed)
    }

    /// Says goodbye as an editor does.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.ask("shutdown", &json!({}))?;
        self.notify("exit", &json!({}))?;
        match self.process.wait()? {
            status if status.success() => Ok(()),
            status => Err(broken(format!("a server ended with {status}"))),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // One that has said goodbye has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
