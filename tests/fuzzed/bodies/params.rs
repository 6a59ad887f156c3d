//! What a client asks of a project that is open: any method, with the parameters of its examples changed in some places.
//! A real sidecar answers, on a ledger of its own; its guards cannot be started, so that nothing is ever carried out but
//! what the client carries out itself.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, PipeWriter, Write, pipe};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use sexton::domain::diagnosis::Outcome;
use sexton::domain::sent::Sent;
use sexton::engine::audit::{self, Presence};
use sexton::exec::GuardProgram;
use sexton::ledger::Examination;
use sexton::rpc::transport::{Conversation, read_from, write_to};
use sexton::rpc::{initialize, schema, service};
use sexton::sidecar::SidecarHost;
use sexton::sidecar::config::Environment;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::made_up::{Choices, Written, quoted};
use super::{contract, wire};

/// The most requests of one input.
const REQUESTS: usize = 12;

/// How long an answer is waited for before the next request is sent: some wait for runs.
const MOMENT: Duration = Duration::from_millis(50);

/// Longer than anything may take on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// A method, with what it may be asked.
struct Method {
    name: String,
    /// Names of its parameters, and of what is in them.
    names: Vec<String>,
    examples: Vec<Value>,
}

struct Known {
    methods: Vec<Method>,
    /// All values in the examples of all methods.
    values: Vec<Value>,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let document = schema::openrpc();
    let described = document["methods"].as_array().expect("methods");
    let methods: Vec<Method> = described.iter().map(|method| Method::of(&document, method)).collect();
    let mut values = Vec::new();
    methods.iter().flat_map(|method| &method.examples).for_each(|example| add_values(example, &mut values));
    Known { methods, values }
});

impl Method {
    fn of(document: &Value, method: &Value) -> Method {
        let params = method["params"].as_array().expect("params");
        let mut names = BTreeSet::new();
        for param in params {
            names.insert(param["name"].as_str().expect("a name").to_owned());
            add_names(document, &param["schema"], &mut names, 6);
        }
        let members = |example: &Value| -> Value {
            let params = example["params"].as_array().expect("params").iter();
            params.map(|it| (it["name"].as_str().expect("a name").to_owned(), it["value"].clone())).collect()
        };
        let examples = method["examples"].as_array().expect("examples").iter().map(members).collect();
        let name = method["name"].as_str().expect("a name").to_owned();
        Method { name, names: names.into_iter().collect(), examples }
    }
}

/// All names of members that a schema knows.
fn add_names(document: &Value, schema: &Value, names: &mut BTreeSet<String>, depth: usize) {
    if depth == 0 {
        return;
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let found = document.pointer(reference.trim_start_matches('#')).expect("a type");
        return add_names(document, found, names, depth - 1);
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        names.insert(name.clone());
        add_names(document, inner, names, depth - 1);
    }
    for list in ["anyOf", "oneOf", "allOf"] {
        let inner = schema[list].as_array().into_iter().flatten();
        inner.for_each(|inner| add_names(document, inner, names, depth - 1));
    }
    add_names(document, &schema["items"], names, depth - 1);
}

fn add_values(value: &Value, values: &mut Vec<Value>) {
    if !values.contains(value) {
        values.push(value.clone());
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| add_values(item, values)),
        Value::Object(members) => members.values().for_each(|member| add_values(member, values)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

pub(crate) fn check(input: &[u8]) {
    let mut choices = Choices::of(input);
    let place = tempfile::tempdir().expect("a directory");
    let root = place.path().canonicalize().expect("it is there");
    std::fs::create_dir(root.join("project")).expect("a directory");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let state = runtime.block_on(async {
        timeout(DEADLINE, converse(&root, &mut choices)).await.expect("it comes to an end")
    });
    // What it has left to itself ends with it.
    drop(runtime);
    check_ledger(&state);
}

/// Everything that the ledger says agrees with everything else.
fn check_ledger(state: &Path) {
    let examination = Examination::begin(state).expect("a sound ledger").expect("a ledger");
    let checks = audit::audit(&examination.view(), |_| Presence::Dead).expect("it can be read");
    for check in checks {
        assert!(check.outcome == Outcome::Ok, "{check:#?}");
    }
}

async fn converse(root: &Path, choices: &mut Choices<'_>) -> PathBuf {
    let conversation = Conversation::new(1 << 24);
    let (stdin, input) = pipe().expect("a pipe");
    let ears = Ears::default();
    let inbox = read_from(stdin, conversation.clone()).expect("a thread");
    let (output, mut written) = write_to(ears.clone(), conversation.clone()).expect("a thread");
    let served = service::serve(host(root), conversation, inbox, output, std::future::pending());
    let mut client =
        Client { input: Some(input), ears, asked: Vec::new(), answered: 0, live: Live::default() };
    let asks = async {
        let options = json!({"projectDirectory": root.join("project"), "limits": {"minIntervalMs": 10}});
        let opened = client.get("initialize", &json!({"initializationOptions": options}).to_string()).await;
        let mut steps = 0;
        while !choices.is_over() && steps < REQUESTS {
            client.step(choices).await;
            steps += 1;
        }
        client.finish().await;
        PathBuf::from(opened["stateDirectory"].as_str().expect("a path"))
    };
    let (_farewell, state) = tokio::join!(served, asks);
    written.done().await;
    client.hear();
    let unanswered: Vec<&String> = client.asked.iter().map(|(id, _, _)| id).collect();
    assert!(unanswered.is_empty(), "{unanswered:?} were not answered");
    state
}

fn host(root: &Path) -> SidecarHost {
    let variable = |name: &str, path: &str| (OsString::from(name), root.join(path).into_os_string());
    let variables = [variable("HOME", "home"), variable("SEXTON_STATE_DIR", "state")];
    let guard = GuardProgram::at(root.join("no guard"));
    SidecarHost::new(Environment::of(variables), root.to_owned(), guard).expect("no failpoints are chosen")
}

/// Where the conversation's messages go.
#[derive(Clone, Default)]
struct Ears {
    lines: Arc<Mutex<Vec<u8>>>,
    more: Arc<Notify>,
}

impl Write for Ears {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lines.lock().expect("nobody panics with it").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.more.notify_one();
        Ok(())
    }
}

/// What there is that can be named.
#[derive(Default)]
struct Live {
    automations: BTreeSet<String>,
    automation: Option<String>,
    run: Option<String>,
    subscription: Option<String>,
}

struct Client {
    input: Option<PipeWriter>,
    ears: Ears,
    /// What was not answered yet: its id, what the contract says of it, and whether it was only tried.
    asked: Vec<(String, contract::Asked, Trial)>,
    answered: usize,
    live: Live,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Trial {
    /// Only to see what would happen.
    Dry,
    Real,
}

impl Client {
    /// The next thing that the input has the client do.
    async fn step(&mut self, choices: &mut Choices<'_>) {
        match choices.byte() {
            0..=229 => {
                let (method, params) = self.request(choices);
                self.ask(&method, &params);
                self.listen(MOMENT).await;
            }
            230..=239 => {
                // Sent together, and not waited for.
                for _ in 0..choices.below(5) {
                    let (method, params) = self.request(choices);
                    self.ask(&method, &params);
                }
            }
            240..=247 => {
                let id = choices.pick(&self.asked).map_or("1".to_owned(), |(id, _, _)| id.clone());
                self.say(&format!(
                    r#"{{"jsonrpc":"2.0","method":"$/cancelRequest","params":{{"id":{id}}}}}"#
                ));
            }
            248..=255 => {
                let entries: Vec<_> = (0..choices.below(5)).map(|_| self.request(choices)).collect();
                let entries = entries.iter().map(|(method, params)| self.written(method, params));
                let entries: Vec<String> = entries.collect();
                if !entries.is_empty() {
                    self.say(&format!("[{}]", entries.join(",")));
                    self.asked_for(&entries);
                    self.listen(MOMENT).await;
                }
            }
        }
    }

    /// A method and its parameters. What names something names what there is.
    fn request(&self, choices: &mut Choices<'_>) -> (String, String) {
        let method = choices.pick(&KNOWN.methods).expect("methods");
        let example = choices.pick(&method.examples).cloned().unwrap_or(json!({}));
        let mut params = Written::from(&example);
        for _ in 0..choices.below(4) {
            params.mutate(choices, &method.names, &KNOWN.values);
        }
        let mut text = params.text();
        let live = &self.live;
        for (name, there) in
            [("atm_1", &live.automation), ("run_1", &live.run), ("sub_1", &live.subscription)]
        {
            if let Some(there) = there {
                text = text.replace(&quoted(name), &quoted(there));
            }
        }
        // Where something is opened is looked at and not done: that may be anywhere.
        if method.name == "initialize" {
            check_initialize(&text);
        }
        (method.name.clone(), text)
    }

    fn written(&mut self, method: &str, params: &str) -> String {
        self.answered += 1;
        format!(r#"{{"jsonrpc":"2.0","id":{},"method":"{method}","params":{params}}}"#, self.answered)
    }

    fn ask(&mut self, method: &str, params: &str) -> String {
        let message = self.written(method, params);
        self.say(&message);
        self.asked_for(std::slice::from_ref(&message));
        self.answered.to_string()
    }

    fn asked_for(&mut self, messages: &[String]) {
        for message in messages {
            let dry = message.contains(r#""dryRun":true"#);
            let trial = if dry { Trial::Dry } else { Trial::Real };
            let asked = contract::requests(message).into_iter();
            let before = self.asked.len();
            self.asked.extend(asked.map(|(id, asked)| (id, asked, trial)));
            // What is JSON with half a character in it cannot be held against the contract here.
            if self.asked.len() == before {
                let bare = format!(r#"{{"id":{},"method":"","params":[]}}"#, id_of(message));
                let bare = contract::requests(&bare);
                self.asked.extend(bare.into_iter().map(|(id, asked)| (id, asked, trial)));
            }
        }
    }

    fn say(&mut self, message: &str) {
        if let Some(input) = &mut self.input {
            // A conversation that has ended hears nothing more.
            let _ = writeln!(input, "{message}");
        }
    }

    async fn get(&mut self, method: &str, params: &str) -> Value {
        let id = self.ask(method, params);
        loop {
            let answers = self.hear();
            if let Some((_, answer)) = answers.into_iter().find(|(other, _)| *other == id) {
                return answer["result"].clone();
            }
            self.ears.more.notified().await;
        }
    }

    /// Listens until everything is answered, or for as long.
    async fn listen(&mut self, moment: Duration) {
        let all = async {
            loop {
                self.hear();
                if self.asked.is_empty() {
                    return;
                }
                self.ears.more.notified().await;
            }
        };
        let _ = timeout(moment, all).await;
    }

    /// Takes in everything that was said, and holds it against the contract.
    fn hear(&mut self) -> Vec<(String, Value)> {
        let mut said = self.ears.lines.lock().expect("nobody panics with it");
        let whole = said.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let bytes: Vec<u8> = said.drain(..whole).collect();
        drop(said);
        let (sender, heard) = std::sync::mpsc::sync_channel(bytes.len() + 1);
        wire::listen(&bytes[..], wire::Framing::Lines, &sender);
        let mut answers = Vec::new();
        for heard in heard.try_iter() {
            match heard {
                wire::Heard::Message { id: Some(id), message, .. } => answers.push((id, message)),
                wire::Heard::Message { id: None, message, .. } => {
                    contract::check_notification(&message);
                    let run = &message["params"]["result"]["run"]["id"];
                    self.live.run = run.as_str().map(str::to_owned).or(self.live.run.take());
                }
                wire::Heard::Batch { answers: all, .. } => {
                    answers.extend(all.into_iter().map(|answer| (answer["id"].to_string(), answer)));
                }
                wire::Heard::Noise(noise) => panic!("{noise}"),
                wire::Heard::End { rest } => assert_eq!(rest, b""),
            }
        }
        for (id, answer) in &answers {
            let place = self.asked.iter().position(|(asked, _, _)| asked == id);
            let (_, asked, trial) =
                self.asked.remove(place.unwrap_or_else(|| panic!("nobody asked for {answer}")));
            contract::check_answer(Some(&asked), answer);
            check_refusal(&answer["error"]);
            self.live.learn(&answer["result"], trial);
        }
        answers
    }

    /// Looks whether what there is is what was made, and leaves in good order.
    async fn finish(&mut self) {
        self.listen(MOMENT).await;
        let listed = self.get("automation/list", r#"{"limit":500}"#).await;
        if let Some(items) = listed["items"].as_array() {
            let listed = items.iter().map(|item| item["id"].as_str().expect("an id").to_owned());
            let unanswered = !self.asked.is_empty();
            let listed: BTreeSet<String> = listed.collect();
            assert!(unanswered || listed == self.live.automations, "{listed:?} {:?}", self.live.automations);
        }
        self.ask("shutdown", "{}");
        self.say(r#"{"jsonrpc":"2.0","method":"exit"}"#);
        self.input = None;
    }
}

/// The id of a message of ours.
fn id_of(message: &str) -> String {
    let rest = message.split_once(r#""id":"#).expect("an id").1;
    rest.split(',').next().expect("an id").to_owned()
}

impl Live {
    fn learn(&mut self, result: &Value, trial: Trial) {
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        if let Some(subscription) = text(result).filter(|text| text.starts_with("sub_")) {
            self.subscription = Some(subscription);
        }
        let Some(id) = text(&result["id"]) else { return };
        if result["deleted"] == true {
            self.automations.remove(&id);
        } else if id.starts_with("atm_") && trial == Trial::Real {
            self.automations.insert(id.clone());
            self.automation = Some(id);
        } else if id.starts_with("run_") {
            self.run = Some(id);
        }
    }
}

/// A refusal of parameters says which, and what to do. Nothing fails by itself.
fn check_refusal(error: &Value) {
    assert!(error["data"]["kind"] != "internal", "{error}");
    if let Some(-32602 | -32010) = error["code"].as_i64() {
        for fault in error["data"]["details"].as_array().into_iter().flatten() {
            let hint = fault["hint"].as_str().unwrap_or_default();
            assert!(fault["field"].is_string() && hint.len() < 8192, "{fault}");
        }
    }
}

fn check_initialize(params: &str) {
    let Ok(sent) = serde_json::from_str::<Value>(params).map(|value| Sent::from(&value)) else { return };
    let Some(object) = sent.as_object() else { return };
    if let Err(faults) = initialize::read(object) {
        assert!(!faults.is_empty(), "{params} is refused without a fault");
    }
}
