//! A client as an editor is one: it spawns the sidecar, asks, waits for answers, and listens.

mod mortal;

use std::collections::{HashMap, VecDeque};
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, park_timeout};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::contract::{self, Asked};
use super::wire::{Framing, Heard, listen};
use super::{DEADLINE, clock, eventually, kind};

/// Messages that were heard and not looked at: more than any test is sent, so that the sidecar never waits for
/// a test that is busy writing.
const UNHEARD: usize = 1 << 16;

/// What a test has done to its sidecar.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Alive,
    /// It may end by itself at any moment, also in the midst of writing.
    Mortal,
    /// It was killed, so what it was writing may have been cut off.
    Killed,
    /// It has ended and was waited for.
    Waited,
}

/// A sidecar and the pipes to it. When it goes, so does the sidecar.
pub(crate) struct Client {
    process: Child,
    framing: Framing,
    input: Option<ChildStdin>,
    output: Option<ChildStdout>,
    heard: Receiver<Heard>,
    said: Arc<Mutex<Vec<u8>>>,
    options: Value,
    /// The answer to `initialize`.
    pub(crate) opened: Value,
    last_id: u64,
    answers: HashMap<String, VecDeque<Value>>,
    asked: HashMap<String, VecDeque<Asked>>,
    notifications: Vec<Value>,
    batches: VecDeque<Vec<Value>>,
    /// The longest message so far, in bytes.
    pub(crate) longest: usize,
    ended: bool,
    fate: Fate,
    name: String,
    /// What lines of its log may tell that are errors.
    expected_errors: Vec<&'static str>,
    /// Kinds of events that only a later version knows.
    later_kinds: Vec<&'static str>,
    /// Which of the events are held against the contract, by their places.
    share: Share,
}

/// One of so many parts.
#[derive(Clone, Copy)]
struct Share {
    number: usize,
    of: usize,
}

impl Client {
    /// A sidecar that this command becomes, and nobody who listens yet.
    pub(super) fn spawn(
        command: &mut Command,
        framing: Framing,
        options: Map<String, Value>,
        name: String,
    ) -> Client {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("the sidecar can be spawned");
        let (input, output) = (process.stdin.take(), process.stdout.take());
        let mut errors = process.stderr.take().expect("a pipe for stderr");
        let said = Arc::new(Mutex::new(Vec::new()));
        let log = said.clone();
        let collect = move || {
            let mut part = [0; 4096];
            while let Ok(count @ 1..) = errors.read(&mut part) {
                log.lock().expect("the log").extend_from_slice(&part[..count]);
            }
        };
        Builder::new().name("stderr".to_owned()).spawn(collect).expect("a thread");
        let (_, nothing) = sync_channel(1);
        Client {
            process,
            framing,
            input,
            output,
            heard: nothing,
            said,
            options: Value::Object(options),
            opened: Value::Null,
            last_id: 0,
            answers: HashMap::new(),
            asked: HashMap::new(),
            notifications: Vec::new(),
            batches: VecDeque::new(),
            longest: 0,
            ended: false,
            fate: Fate::Alive,
            name,
            expected_errors: Vec::new(),
            later_kinds: Vec::new(),
            share: Share { number: 0, of: 1 },
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Begins to read.
    pub(crate) fn listen(&mut self) {
        let output = self.output.take().expect("a client begins to read once");
        let (sender, heard) = sync_channel(UNHEARD);
        let framing = self.framing;
        let read = move || listen(output, framing, &sender);
        Builder::new().name("stdout".to_owned()).spawn(read).expect("a thread");
        self.heard = heard;
    }

    /// Gives away what the sidecar writes to, instead of listening.
    pub(crate) fn give_output(&mut self) -> ChildStdout {
        self.ended = true;
        self.output.take().expect("nobody listens yet")
    }

    /// What `initialize` is sent with.
    pub(crate) fn initialize_params(&self) -> Value {
        json!({"processId": std::process::id(), "clientInfo": {"name": "test"}, "capabilities": {},
            "initializationOptions": self.options})
    }

    /// A process that the sidecar is told it works for, instead of this one.
    pub(crate) fn initialize_for(&mut self, process: Value) {
        let mut params = self.initialize_params();
        params["processId"] = process;
        self.opened = self.get("initialize", params);
    }

    pub(crate) fn initialize(&mut self) {
        self.opened = self.get("initialize", self.initialize_params());
    }

    /// Sends bytes as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("the input is open");
        input.write_all(bytes).and_then(|()| input.flush()).expect("the sidecar reads");
    }

    /// Sends the same bytes over and over until the sidecar takes in no more, as far as anybody can tell.
    pub(crate) fn raw_until_full(&mut self, bytes: &[u8]) {
        /// Longer than a sidecar that reads pauses.
        const FULL: Duration = Duration::from_secs(1);
        let input = self.input.as_mut().expect("the input is open");
        rustix::io::ioctl_fionbio(&*input, true).expect("a pipe can be asked not to wait");
        let (mut rest, mut taken_at) = (bytes, clock());
        while taken_at.elapsed() < FULL {
            match input.write(rest) {
                Ok(count) => (rest, taken_at) = (&rest[count..], clock()),
                Err(error) => {
                    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "{error}");
                    park_timeout(Duration::from_millis(1));
                }
            }
            if rest.is_empty() {
                rest = bytes;
            }
        }
    }

    /// Sends one message in the framing of this client.
    pub(crate) fn message(&mut self, message: &str) {
        self.expect_answers(message);
        self.raw(self.framing.frame(message).as_bytes());
    }

    /// Has answers held against the requests in this message, which is sent as bytes.
    pub(crate) fn expect_answers(&mut self, message: &str) {
        for (id, asked) in contract::requests(message) {
            self.asked.entry(id).or_default().push_back(asked);
        }
    }

    /// Sends a request and gives its id.
    pub(crate) fn send(&mut self, method: &str, params: Value) -> String {
        self.last_id += 1;
        let id = self.last_id;
        self.message(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string());
        id.to_string()
    }

    /// Sends a request whose parameters are this text, which may be no JSON value, and gives its id.
    pub(crate) fn send_text(&mut self, method: &str, params: &str) -> String {
        self.last_id += 1;
        let id = self.last_id;
        self.message(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#));
        id.to_string()
    }

    pub(crate) fn notify(&mut self, method: &str) {
        self.message(&json!({"jsonrpc": "2.0", "method": method}).to_string());
    }

    /// Waits for the answer to the request with this id, written as it was sent.
    pub(crate) fn answer(&mut self, id: &str) -> Result<Value, Value> {
        let mut answer = self.wait(&format!("the answer to {id}"), |client| {
            client.answers.get_mut(id).and_then(VecDeque::pop_front)
        });
        match answer.get_mut("error") {
            Some(error) => Err(error.take()),
            None => Ok(answer["result"].take()),
        }
    }

    /// Waits for the answer to a batch, and gives its entries in the order of these ids.
    pub(crate) fn batch(&mut self, ids: &[Value]) -> Vec<Value> {
        let mut answers = self.wait("the answer to a batch", |client| client.batches.pop_front());
        let mut sorted = Vec::new();
        for id in ids {
            let place = answers.iter().position(|answer| answer["id"] == *id);
            sorted.push(answers.remove(place.unwrap_or_else(|| panic!("no answer to {id} in {answers:?}"))));
        }
        assert_eq!(answers, Vec::<Value>::new(), "answers to nothing");
        sorted
    }

    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        let id = self.send(method, params);
        self.answer(&id)
    }

    /// Asks for something that must be granted.
    pub(crate) fn get(&mut self, method: &str, params: Value) -> Value {
        self.ask(method, params).unwrap_or_else(|error| panic!("{method} was refused: {error}"))
    }

    /// Asks for something that must be refused.
    pub(crate) fn refusal(&mut self, method: &str, params: Value) -> Value {
        match self.ask(method, params) {
            Err(error) => {
                assert!(!kind(&error).is_empty(), "a refusal without a kind: {error}");
                error
            }
            Ok(result) => panic!("{method} was not refused: {result}"),
        }
    }

    /// Creates an automation and gives its id.
    pub(crate) fn create(&mut self, draft: Value) -> Value {
        self.get("automation/create", draft)["id"].clone()
    }

    /// Asks for a run and gives its id.
    pub(crate) fn run(&mut self, automation: &Value) -> Value {
        self.get("automation/run", json!({"id": automation}))["id"].clone()
    }

    /// Follows the events, and gives the subscription.
    pub(crate) fn subscribe(&mut self, params: Value) -> String {
        self.get("events/subscribe", params).as_str().expect("a string id").to_owned()
    }

    /// The events of one subscription so far, in the order in which they came.
    pub(crate) fn events(&self, subscription: &str) -> Vec<Value> {
        let of = |message: &&Value| message["params"]["subscription"] == subscription;
        self.notifications.iter().filter(of).map(|message| message["params"]["result"].clone()).collect()
    }

    /// Takes the events of one subscription that have come and were not taken before: who is told for long keeps nothing.
    pub(crate) fn take_events(&mut self, subscription: &str) -> Vec<Value> {
        let of = |message: &mut Value| message["params"]["subscription"] == subscription;
        self.notifications.extract_if(.., of).map(|mut message| message["params"]["result"].take()).collect()
    }

    /// Forgets what came unasked so far: who listens for long keeps nothing.
    pub(crate) fn forget_news(&mut self) {
        self.take_in();
        self.notifications.clear();
    }

    /// What came unasked so far, of any subscription.
    pub(super) fn notifications(&self) -> impl Iterator<Item = &Value> {
        self.notifications.iter()
    }

    /// Waits for an event of any subscription, which may have come already.
    pub(crate) fn wait_for_event(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.wait(what, Client::news(wanted))
    }

    /// Looks each time at the events that it has not looked at before.
    fn news(wanted: impl Fn(&Value) -> bool) -> impl FnMut(&mut Client) -> Option<Value> {
        let mut seen = 0;
        move |client| {
            let new = &client.notifications[seen..];
            seen += new.len();
            new.iter().map(|message| &message["params"]["result"]).find(|event| wanted(event)).cloned()
        }
    }

    /// Waits until a run is in this state, as an event tells it.
    pub(crate) fn wait_for_run(&mut self, run: &Value, state: &str) -> Value {
        let is = |event: &Value| event["run"]["id"] == *run && event["run"]["state"] == state;
        self.wait_for_event(&format!("{run} {state}"), is)["run"].clone()
    }

    /// Waits until something follows from what was heard.
    pub(crate) fn wait<T>(&mut self, what: &str, mut look: impl FnMut(&mut Client) -> Option<T>) -> T {
        let give_up_at = clock() + DEADLINE;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(!self.ended, "{what}: the sidecar ended before; it said {}", self.stderr());
            self.hear(give_up_at, what);
        }
    }

    /// Takes in what has been heard already.
    pub(crate) fn take_in(&mut self) {
        while !self.ended
            && let Ok(heard) = self.heard.try_recv()
        {
            self.take(heard);
        }
    }

    /// Listens for a while, whether or not anything comes.
    pub(crate) fn listen_for(&mut self, span: Duration) {
        if let Ok(heard) = self.heard.recv_timeout(span) {
            self.take(heard);
        }
    }

    fn hear(&mut self, give_up_at: Instant, what: &str) {
        match self.heard.recv_timeout(give_up_at.saturating_duration_since(clock())) {
            Ok(heard) => self.take(heard),
            Err(RecvTimeoutError::Timeout) => {
                let last = self.notifications.last();
                panic!("{what}: not within {DEADLINE:?}; the last news was {last:?}; {}", self.stderr())
            }
            Err(RecvTimeoutError::Disconnected) => panic!("{what}: nobody reads stdout"),
        }
    }

    fn take(&mut self, heard: Heard) {
        match heard {
            Heard::Message { id, message, bytes } => {
                self.longest = self.longest.max(bytes);
                match id {
                    Some(id) => {
                        self.check_answer(&id, &message);
                        self.answers.entry(id).or_default().push_back(message);
                    }
                    None => {
                        // Another version's events are passed on as they are; no schema of ours tells of them.
                        let kind = &message["params"]["result"]["kind"];
                        let seq = message["params"]["result"]["seq"].as_u64();
                        let seq = seq.and_then(|seq| usize::try_from(seq).ok()).unwrap_or(self.share.number);
                        let ours = seq % self.share.of == self.share.number;
                        if ours && !self.later_kinds.iter().any(|later| kind == later) {
                            contract::check_notification(&message);
                        }
                        self.notifications.push(message);
                    }
                }
            }
            Heard::Batch { answers, bytes } => {
                self.longest = self.longest.max(bytes);
                for answer in &answers {
                    self.check_answer(&answer["id"].to_string(), answer);
                }
                self.batches.push_back(answers);
            }
            Heard::Noise(noise) => panic!("stdout carried what is no protocol: {noise}"),
            Heard::End { rest } => {
                let whole = rest.is_empty() || matches!(self.fate, Fate::Mortal | Fate::Killed);
                assert!(whole, "stdout ended inside a message: {:?}", String::from_utf8_lossy(&rest));
                self.ended = true;
            }
        }
    }

    /// Holds an answer against the contract. Where two requests had one id, the refusal is the second one's.
    fn check_answer(&mut self, id: &str, answer: &Value) {
        let asked = self.asked.entry(id.to_owned()).or_default();
        let refused = answer["error"]["code"] == -32600;
        let asked = if refused { asked.pop_back() } else { asked.pop_front() };
        contract::check_answer(asked.as_ref(), answer);
    }

    /// The answers that nobody has asked for, by id: after all others were waited for, there must be none.
    pub(crate) fn unclaimed(&mut self) -> Vec<String> {
        self.take_in();
        let left = self.answers.iter().filter(|(_, answers)| !answers.is_empty());
        let batches = self.batches.iter().map(|answers| format!("a batch: {answers:?}"));
        left.map(|(id, answers)| format!("{id}: {answers:?}")).chain(batches).collect()
    }

    pub(crate) fn close_input(&mut self) {
        self.input = None;
    }

    /// Waits for the process to end, and gives its exit code; none if a signal killed it.
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        if self.output.is_none() {
            self.wait("the end of stdout", |client| client.ended.then_some(()));
        }
        let status = eventually("the end of the process", || self.process.try_wait().expect("our own child"));
        self.fate = Fate::Waited;
        status.code()
    }

    /// Says goodbye as an editor does.
    pub(crate) fn finish(mut self) {
        assert_eq!(self.get("shutdown", json!({})), Value::Null);
        self.notify("exit");
        assert_eq!(self.exit_code(), Some(0), "{}", self.stderr());
        assert_eq!(self.unclaimed(), Vec::<String>::new(), "answers to nothing");
    }

    /// Kills the sidecar so that it can do nothing about it, and waits until it has gone.
    pub(crate) fn kill(mut self) {
        self.fate = Fate::Killed;
        self.process.kill().expect("our own child");
        self.process.wait().expect("our own child");
    }

    /// A test that provokes an error says which, and no other error may be in the log.
    pub(crate) fn expect_error(&mut self, part: &'static str) {
        self.expected_errors.push(part);
    }

    /// Where many windows are told the same, each holds a share of the events against the contract: that takes a while.
    pub(crate) fn check_share(&mut self, number: usize, of: usize) {
        self.share = Share { number: number % of, of };
    }

    /// A test that writes events as a later version would says of which kind.
    pub(crate) fn expect_kind(&mut self, kind: &'static str) {
        self.later_kinds.push(kind);
    }

    /// What the sidecar has written to its log.
    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.said.lock().expect("the log")).into_owned()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if matches!(self.fate, Fate::Alive | Fate::Mortal) {
            self.fate = Fate::Killed;
            // It may have ended by itself meanwhile.
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
        if std::thread::panicking() {
            eprintln!("{}: the sidecar said:\n{}", self.name, self.stderr());
            return;
        }
        // Everything that was ever written is looked at, also by tests that did not wait for it.
        while self.output.is_none() && !self.ended {
            self.hear(clock() + DEADLINE, "the end of stdout");
        }
        // A slow machine may lead to warnings; nothing that a test does may lead to an error.
        let log = self.stderr();
        let expected = |line: &str| self.expected_errors.iter().any(|part| line.contains(part));
        let failed = log.lines().any(|line| line.contains("ERROR") && !expected(line));
        assert!(!log.contains("panicked") && !failed, "the sidecar failed: {log}");
    }
}
