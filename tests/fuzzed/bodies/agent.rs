//! What an agent says, in any order and broken in any way, while people answer, wish that it ends, or go.
//!
//! The first line of the input chooses what the agent is asked for, a letter for each circumstance. Each other line is
//! something that it writes, with `$id` for the call that it was sent last; a line that ends with a backslash is not
//! ended. A line that begins with `!` is something that happens instead:
//!
//! | line | what happens |
//! |---|---|
//! | `!answer OPTION`, `!text WORDS` | a person answers what they were asked last |
//! | `!end` | the turn is to end |
//! | `!leave` | whoever drives the agent has gone |
//! | `!wait SECONDS` | time passes |
//! | `!deaf` | the agent reads nothing any more |
//! | `!times NUMBER` | the next line is written so many times |

use std::collections::HashMap;
use std::future::pending;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use sexton::domain::policy::{Money, Permissions};
use sexton::domain::provider::Choice;
use sexton::domain::run::Need;
use sexton::domain::secrets::Secrets;
use sexton::exec::TAIL_BYTES;
use sexton::exec::acp::{self, Answer, End, Report, SessionChoice, ToolServer, Turn, Verdict, Wishes};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, duplex};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::contract;

/// What the agent was given and nobody is told.
const SECRET: &str = "hush-hush-17";

/// How long an agent is listened to before it has nothing to say, in virtual time.
const MOMENT: Duration = Duration::from_millis(2);

/// Longer than anything may take when the agent has gone, in virtual time.
const DEADLINE: Duration = Duration::from_secs(600);

/// The longest message of an agent that is kept, and the longest sentence about what has failed.
const TEXT_BYTES: usize = 64 * 1024 + 16;
const SENTENCE_BYTES: usize = 16 * 1024;

/// How much an agent writes at most: what is asked here is what it does, not whether there is room.
const WRITTEN_MAX: usize = 4 * 1024 * 1024;

pub(crate) fn check(input: &[u8]) {
    let mut lines = input.split(|byte| *byte == b'\n');
    let circumstances = lines.next().unwrap_or_default();
    let script: Vec<&[u8]> = lines.collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(play(circumstances, &script));
}

/// The other side of a conversation.
struct Played {
    hears: Option<Lines<BufReader<DuplexStream>>>,
    says: DuplexStream,
    written: usize,
    /// The line that is being written.
    line: Vec<u8>,
    /// The last call that came.
    call: Value,
    last_call: i64,
    /// How often each request of the agent has not been answered.
    asked: HashMap<String, usize>,
    wishes: Option<watch::Sender<Wishes>>,
    answers: i64,
    told: Arc<Mutex<Told>>,
}

/// What was reported.
#[derive(Default)]
struct Told {
    started: bool,
    /// What a person is asked, and whether that goes on.
    need: Option<Need>,
    is_blocked: bool,
    handed_over: Vec<i64>,
}

async fn play(circumstances: &[u8], script: &[&[u8]]) {
    let has = |letter: u8| circumstances.contains(&letter);
    let (hears, stdin) = duplex(if has(b'b') { 64 } else { 64 * 1024 });
    let (stdout, says) = duplex(if has(b'b') { 7 } else { 64 * 1024 });
    let (wishes, wished) = watch::channel(Wishes::default());
    let (sender, reports) = mpsc::channel(1);
    let told = Arc::new(Mutex::new(Told::default()));
    let mut played = Played {
        hears: Some(BufReader::new(hears).lines()),
        says,
        written: 0,
        line: Vec::new(),
        call: Value::Null,
        last_call: 0,
        asked: HashMap::new(),
        wishes: Some(wishes),
        answers: 0,
        told: told.clone(),
    };
    let plays = async {
        played.play(script).await;
        let Played { hears, says, wishes, .. } = played;
        drop(says);
        // It may still be told something, and nobody wishes anything more.
        (hears, wishes)
    };
    let secrets = Secrets::of([SECRET], []);
    if has(b'p') {
        let limit = Duration::from_secs(30);
        let asked = acp::ask(stdout, stdin, "/work", has(b'v').then_some("large"), limit, secrets);
        let (models, _rest) = tokio::join!(in_time(asked), plays);
        match models {
            Ok(models) => assert!(!models.is_empty() && models.len() <= 1000, "{} models", models.len()),
            Err(failure) => assert_sentence(&failure.message),
        }
        return;
    }
    let turn = turn(&has, secrets);
    let limit = turn.output_limit;
    let drops = has(b'x');
    let driven = acp::drive(stdout, stdin, turn, wished, sender);
    let (verdict, _rest, ()) = tokio::join!(in_time(driven), plays, take(reports, drops, &told));
    check_verdict(&verdict, limit);
    let told = told.lock().expect("nobody panics with it");
    // Of a run that is asked to end nobody is asked anything, which need not be said.
    let is_to_end = script.iter().any(|line| line.starts_with(b"!end") || line.starts_with(b"!leave"));
    assert!(is_to_end || !told.is_blocked, "a person is still asked though the turn is over");
    let finished = matches!(verdict.end, End::Finished { .. });
    assert!(told.started || !finished, "it is done and never began");
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    timeout(DEADLINE, future).await.expect("an end, when the agent has gone")
}

fn turn(has: &impl Fn(u8) -> bool, secrets: Secrets) -> Turn {
    let tools = ToolServer {
        name: "sexton",
        command: "/usr/bin/sexton".to_owned(),
        args: vec!["mcp".to_owned()],
        env: Vec::new(),
    };
    let session = match (has(b'l'), has(b'n')) {
        (true, _) => SessionChoice::Last("s".to_owned()),
        (false, true) => SessionChoice::Named("s".to_owned()),
        (false, false) => SessionChoice::New,
    };
    let model = match (has(b'm'), has(b'w')) {
        (true, _) => "large",
        (false, true) => acp::DEFAULT_MODEL,
        (false, false) => "small",
    };
    Turn {
        directory: "/work".to_owned(),
        session,
        tools: has(b't').then_some(tools),
        model: model.to_owned(),
        variant: has(b'v').then(|| "high".to_owned()),
        prompt: "Do it.".to_owned(),
        prompt_if_new: has(b'f').then(|| "Do all of it.".to_owned()),
        permissions: if has(b'd') { Permissions::Deny } else { Permissions::Ask },
        call_limit: Duration::from_secs(30),
        output: output(),
        output_limit: if has(b'o') { 100 } else { 1024 * 1024 },
        spent_before: has(b'c').then(|| Money { amount: 0.5, currency: "USD".to_owned() }),
        secrets,
    }
}

/// Where the output of this process's agents is written, one after the other.
fn output() -> PathBuf {
    thread_local! {
        static PLACE: tempfile::TempDir = tempfile::tempdir().expect("a directory");
    }
    PLACE.with(|place| place.path().join("output.log"))
}

/// Takes what is reported, and holds it against what a window may report that carries prompts out itself.
async fn take(mut reports: mpsc::Receiver<Report>, drops: bool, told: &Mutex<Told>) {
    while let Some(report) = reports.recv().await {
        let mut told = told.lock().expect("nobody panics with it");
        let same = match report {
            Report::Started { session_id, continuity: _, written } => {
                assert!(!told.started, "it starts twice");
                told.started = true;
                if !drops {
                    // The agent may have gone.
                    let _ = written.send(());
                }
                json!({"type": "started", "sessionID": session_id})
            }
            Report::Step { title } => json!({"type": "step", "title": title}),
            Report::Cost(Money { amount, currency }) => {
                json!({"type": "cost", "amount": amount, "currency": currency})
            }
            Report::Blocked(need) => {
                assert!(!told.is_blocked, "a person is asked for two things at once");
                told.is_blocked = true;
                told.need = Some(need.clone());
                assert_nothing_is_told_in(&need);
                json!({"type": "blocked", "blocker": need})
            }
            Report::Unblocked => {
                assert!(told.is_blocked, "nobody was asked");
                told.is_blocked = false;
                json!({"type": "unblocked"})
            }
            Report::HandedOver { answer } => {
                assert!(!told.handed_over.contains(&answer), "{answer} is handed over twice");
                told.handed_over.push(answer);
                // Only the answer to what is asked ends that; to which one it was is known by the next report.
                told.is_blocked = false;
                continue;
            }
        };
        assert!(told.started, "{same} before its start");
        contract::assert_is("RunReportParams", &json!({"runID": "run_1", "report": same}));
        if same["type"] == "step" {
            assert_hidden(&same.to_string());
        }
    }
}

/// What people read of a question. What answers name stays as it is.
fn assert_nothing_is_told_in(need: &Need) {
    match need {
        Need::Permission { title, options, .. } => {
            assert_hidden(title);
            options.iter().for_each(|option| assert_hidden(&option.label));
        }
        Need::Question { prompt, options, .. } => {
            assert_hidden(prompt);
            options.iter().for_each(|option| assert_hidden(&option.label));
        }
    }
}

fn assert_hidden(text: &str) {
    assert!(!text.contains(SECRET), "this is told: {text:.300}");
}

fn assert_sentence(text: &str) {
    assert!(!text.is_empty() && text.len() < SENTENCE_BYTES, "{} bytes: {text:.300}", text.len());
    assert_hidden(text);
}

fn check_verdict(verdict: &Verdict, limit: u64) {
    let Verdict { end, output, tail, files } = verdict;
    assert!(output.bytes <= limit, "{output:?}");
    // Parts of a secret at either end are told by a sign.
    assert!(tail.len() <= TAIL_BYTES + 2 * '…'.len_utf8(), "{} bytes", tail.len());
    assert_hidden(tail);
    for file in files {
        assert!(
            !file.is_empty() && !file.starts_with('/') && !file.split('/').any(|part| part == ".."),
            "{file:?}"
        );
    }
    match end {
        End::Finished { text } => {
            if let Some(text) = text {
                assert!(text.len() <= TEXT_BYTES, "{} bytes", text.len());
                assert_hidden(text);
            }
        }
        End::Failed { code: _, message, class: _ } => assert_sentence(message),
        End::Cancelled | End::Lost => {}
    }
}

impl Played {
    async fn play(&mut self, script: &[&[u8]]) {
        let mut times = 1;
        self.hear().await;
        for line in script {
            let directive = std::str::from_utf8(line).ok().and_then(|line| line.strip_prefix('!'));
            let Some(directive) = directive else {
                for _ in 0..std::mem::replace(&mut times, 1) {
                    self.write(line).await;
                }
                self.hear().await;
                continue;
            };
            let (word, rest) = directive.split_once(' ').unwrap_or((directive, ""));
            match word {
                "answer" => self.answer(Choice::Option { option_id: rest.to_owned() }),
                "text" => self.answer(Choice::Text { text: rest.to_owned() }),
                "end" => {
                    if let Some(wishes) = &self.wishes {
                        wishes.send_modify(|wishes| wishes.end = true);
                    }
                }
                "leave" => self.wishes = None,
                "wait" => {
                    let seconds = rest.parse::<u64>().unwrap_or(1).min(100);
                    let _ = timeout(Duration::from_secs(seconds), pending::<()>()).await;
                }
                "deaf" => self.hears = None,
                "times" => times = rest.parse().unwrap_or(1).min(3000),
                _ => {}
            }
            self.hear().await;
        }
    }

    fn answer(&mut self, choice: Choice) {
        let need = self.told.lock().expect("nobody panics with it").need.clone();
        let (Some(wishes), Some(need)) = (&self.wishes, need) else { return };
        self.answers += 1;
        let answer = Answer { number: self.answers, asked: need.asked(), choice };
        wishes.send_modify(|wishes| wishes.answers.push(answer));
    }

    async fn write(&mut self, line: &[u8]) {
        let (line, end) = match line.strip_suffix(b"\\") {
            Some(line) => (line, ""),
            None => (line, "\n"),
        };
        let line = match std::str::from_utf8(line) {
            Ok(text) => text.replace("$id", &self.call.to_string()).into_bytes(),
            Err(_) => line.to_vec(),
        };
        self.written += line.len();
        if self.written > WRITTEN_MAX {
            return;
        }
        self.line.extend_from_slice(&line);
        if let Some(id) = asks(&self.line).filter(|_| !end.is_empty()) {
            *self.asked.entry(id).or_default() += 1;
        }
        if !end.is_empty() {
            self.line.clear();
        }
        let line = [&line, end.as_bytes()].concat();
        // Whoever does not read is not waited for, though a part may have been written.
        let _ = timeout(Duration::from_millis(500), self.says.write_all(&line)).await;
    }

    /// Listens for a moment, until nothing more comes.
    async fn hear(&mut self) {
        let Some(hears) = &mut self.hears else {
            let _ = timeout(MOMENT, pending::<()>()).await;
            return;
        };
        while let Ok(heard) = timeout(MOMENT, hears.next_line()).await {
            let Some(line) = heard.expect("it is UTF-8") else {
                self.hears = None;
                return;
            };
            let message: Value = serde_json::from_str(&line).expect("it is JSON");
            assert_eq!(message["jsonrpc"], "2.0", "{message}");
            match (message.get("method"), message.get("id")) {
                (Some(_), Some(id)) => {
                    let number = id.as_i64().expect("a number");
                    assert!(number > self.last_call, "{message}");
                    self.last_call = number;
                    self.call = id.clone();
                }
                (Some(_), None) => {}
                (None, id) => {
                    assert!(message.get("result").is_some() != message.get("error").is_some(), "{message}");
                    let open = id.and_then(|id| self.asked.get_mut(&id.to_string()));
                    let open = open.unwrap_or_else(|| panic!("nobody asked: {message}"));
                    *open = open.checked_sub(1).unwrap_or_else(|| panic!("answered twice: {message}"));
                }
            }
        }
    }
}

/// The identity of a request, as others hold it, if that is what the line is.
fn asks(line: &[u8]) -> Option<String> {
    let message: Value = serde_json::from_slice(line).ok()?;
    message.get("method")?;
    Some(message.get("id")?.to_string())
}
