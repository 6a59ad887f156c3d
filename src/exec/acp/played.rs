//! An agent that is played by a test, over pipes in memory and in virtual time.

use std::future::Future;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::lines::{Line, Lines};
use super::{Answer, AskFailure, Report, SessionChoice, Turn, Verdict, Wishes, probe, turn};
use crate::domain::policy::{Money, Permissions};
use crate::domain::provider::{Choice, OfferedModel};
use crate::domain::run::{Continuity, Need};
use crate::domain::secrets::Secrets;

/// Longer than anything here may take, in virtual time.
const DEADLINE: Duration = Duration::from_secs(600);

/// The limit of each call.
pub(super) const CALL_LIMIT: Duration = Duration::from_secs(60);

pub(super) struct Played {
    said: Lines<DuplexStream>,
    /// None once it has gone.
    says: Option<DuplexStream>,
    reports: mpsc::Receiver<Report>,
    /// None once nobody drives any more.
    wishes: Option<watch::Sender<Wishes>>,
    /// The last call that came.
    call: Value,
    /// Which session it speaks of.
    pub(super) session: &'static str,
}

/// Plays one turn. The plot ends with the agent's end.
pub(super) async fn play(change: impl FnOnce(&mut Turn), plot: impl AsyncFnOnce(&mut Played)) -> Verdict {
    let place = tempfile::tempdir().unwrap();
    let mut turn = Turn {
        directory: "/work/project".to_owned(),
        session: SessionChoice::New,
        tools: None,
        model: "small".to_owned(),
        variant: None,
        prompt: "Do it.".to_owned(),
        prompt_if_new: None,
        permissions: Permissions::Ask,
        call_limit: CALL_LIMIT,
        output: place.path().join("output.log"),
        output_limit: 1024 * 1024,
        spent_before: None,
        secrets: Secrets::default(),
    };
    change(&mut turn);
    let output = turn.output.clone();
    let (mut played, Driven { said, stdout, reports, wishes }) = stage();
    let driven = turn::carry_out(stdout, said, turn, wishes, reports);
    let plays = async {
        plot(&mut played).await;
        // What nobody takes any more keeps nobody waiting.
        played.reports.close();
        played
    };
    let (mut verdict, _played) = tokio::join!(in_time("the verdict", driven), in_time("the plot", plays));
    // Its whole output is what tests look at.
    verdict.tail = std::fs::read_to_string(&output).unwrap_or_default();
    verdict
}

/// Plays an agent that is asked what it offers.
pub(super) async fn play_probe(
    first: Option<&str>,
    plot: impl AsyncFnOnce(&mut Played),
) -> Result<Vec<OfferedModel>, AskFailure> {
    let (mut played, Driven { said, stdout, .. }) = stage();
    let asked = probe::ask(stdout, said, "/work/project", first, CALL_LIMIT, Secrets::default());
    let plays = async {
        plot(&mut played).await;
        played
    };
    let (told, _played) = tokio::join!(in_time("what it offers", asked), in_time("the plot", plays));
    told
}

/// The other ends, of whoever drives the agent.
struct Driven {
    said: DuplexStream,
    stdout: DuplexStream,
    reports: mpsc::Sender<Report>,
    wishes: watch::Receiver<Wishes>,
}

fn stage() -> (Played, Driven) {
    let (said, stdin) = duplex(64 * 1024);
    let (stdout, says) = duplex(64 * 1024);
    // As small as it can be, so that what waits for its turn is seen to.
    let (sender, reports) = mpsc::channel(1);
    let (wishes, wished) = watch::channel(Wishes::default());
    let played = Played {
        said: Lines::of(stdin),
        says: Some(says),
        reports,
        wishes: Some(wishes),
        call: Value::Null,
        session: "s",
    };
    (played, Driven { said, stdout, reports: sender, wishes: wished })
}

pub(super) async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("{what} did not come"))
}

/// An option of models.
pub(super) fn models(current: &str) -> Value {
    json!({"id": "model", "name": "Model", "category": "model", "type": "select", "currentValue": current,
        "options": [{"value": "small", "name": "Small"}, {"value": "large", "name": "Large"}]})
}

/// An option of variants.
pub(super) fn variants(current: &str) -> Value {
    json!({"id": "effort", "name": "Effort", "category": "thought_level", "type": "select", "currentValue": current,
        "options": [{"value": "low", "name": "Low"}, {"value": "high", "name": "High"}]})
}

/// An option of a permission for each kind.
pub(super) fn options(kinds: &[&str]) -> Value {
    kinds.iter().map(|kind| json!({"optionId": kind, "name": kind, "kind": kind})).collect()
}

impl Played {
    /// The next message, whatever it is.
    pub(super) async fn hear(&mut self) -> Value {
        match in_time("a message", self.said.next()).await.unwrap() {
            Some(Line::Whole(line)) => serde_json::from_slice(&line).unwrap(),
            other @ (Some(Line::TooLong) | None) => panic!("instead of a message: {other:?}"),
        }
    }

    /// Its stdin is closed, and nothing more is said.
    pub(super) async fn hears_the_end(&mut self) {
        let heard = in_time("the end", self.said.next()).await.unwrap();
        assert_eq!(heard, None);
    }

    /// The next message has to call this. Answers with its parameters.
    pub(super) async fn called(&mut self, method: &str) -> Value {
        let message = self.hear().await;
        assert_eq!(message["method"], method, "{message}");
        if message.get("id").is_some() {
            self.call = message["id"].clone();
        }
        message["params"].clone()
    }

    /// What it is answered to a request of its own.
    pub(super) async fn is_answered(&mut self, id: &str) -> Value {
        let message = self.hear().await;
        assert_eq!(message["id"], id, "{message}");
        message.get("result").unwrap_or(&message["error"]).clone()
    }

    pub(super) async fn write(&mut self, text: &str) {
        in_time("room", self.says.as_mut().expect("it is there").write_all(text.as_bytes())).await.unwrap();
    }

    pub(super) async fn say(&mut self, message: Value) {
        self.write(&format!("{message}\n")).await;
    }

    /// Answers the last call.
    pub(super) async fn answer(&mut self, result: Value) {
        self.say(json!({"jsonrpc": "2.0", "id": self.call, "result": result})).await;
    }

    pub(super) async fn refuse(&mut self, code: i64, message: &str) {
        let error = json!({"code": code, "message": message});
        self.say(json!({"jsonrpc": "2.0", "id": self.call, "error": error})).await;
    }

    pub(super) async fn update(&mut self, update: Value) {
        let params = json!({"sessionId": self.session, "update": update});
        self.say(json!({"jsonrpc": "2.0", "method": "session/update", "params": params})).await;
    }

    pub(super) async fn speak(&mut self, text: &str) {
        let content = json!({"type": "text", "text": text});
        self.update(json!({"sessionUpdate": "agent_message_chunk", "content": content})).await;
    }

    /// Tells of a step. Whether there was room for that, which may be for a part of it only.
    pub(super) async fn tool_is_taken(&mut self, id: &str) -> bool {
        timeout(Duration::from_secs(1), self.tool(id, "completed")).await.is_ok()
    }

    pub(super) async fn tool(&mut self, id: &str, status: &str) {
        let update =
            json!({"sessionUpdate": "tool_call", "toolCallId": id, "title": "Run it", "status": status});
        self.update(update).await;
    }

    pub(super) async fn ask(&mut self, id: &str, method: &str, params: Value) {
        self.say(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await;
    }

    /// Asks for a permission.
    pub(super) async fn ask_permission(&mut self, id: &str, kinds: &[&str]) {
        let call = json!({"toolCallId": format!("of {id}"), "title": format!("rm {id}")});
        let params = json!({"sessionId": "s", "toolCall": call, "options": options(kinds)});
        self.ask(id, "session/request_permission", params).await;
    }

    /// Answers `initialize`.
    pub(super) async fn initialized(&mut self, capabilities: Value) {
        self.called("initialize").await;
        self.answer(json!({"protocolVersion": 1, "agentCapabilities": capabilities, "authMethods": []}))
            .await;
    }

    /// Everything up to the prompt, with a new session.
    pub(super) async fn begin(&mut self) {
        self.initialized(json!({})).await;
        self.called("session/new").await;
        self.answer(json!({"sessionId": "s", "configOptions": [models("small")]})).await;
        self.prompted().await;
    }

    /// The start is written down, and the prompt comes.
    pub(super) async fn prompted(&mut self) -> Value {
        let (_, _, written) = self.started().await;
        written.send(()).unwrap();
        self.called("session/prompt").await
    }

    /// Ends the turn.
    pub(super) async fn end_turn(&mut self) {
        self.answer(json!({"stopReason": "end_turn"})).await;
    }

    /// Its process goes.
    pub(super) fn go(&mut self) {
        self.says = None;
    }

    pub(super) async fn report(&mut self) -> Report {
        in_time("a report", self.reports.recv()).await.expect("a report")
    }

    pub(super) async fn blocked(&mut self) -> Need {
        let report = self.report().await;
        let Report::Blocked(need) = report else { panic!("instead of a blocker: {report:?}") };
        need
    }

    pub(super) async fn started(&mut self) -> (String, Continuity, oneshot::Sender<()>) {
        let report = self.report().await;
        let Report::Started { session_id, continuity, written } = report else {
            panic!("instead of a start: {report:?}")
        };
        (session_id, continuity, written)
    }

    pub(super) async fn stepped(&mut self) -> String {
        let report = self.report().await;
        let Report::Step { title } = report else { panic!("instead of a step: {report:?}") };
        title
    }

    pub(super) async fn spent(&mut self) -> Money {
        let report = self.report().await;
        let Report::Cost(money) = report else { panic!("instead of a cost: {report:?}") };
        money
    }

    pub(super) async fn handed_over(&mut self) -> i64 {
        let report = self.report().await;
        let Report::HandedOver { answer } = report else {
            panic!("instead of an answer that was taken: {report:?}")
        };
        answer
    }

    pub(super) fn wish_to_end(&mut self) {
        self.wish(|wishes| wishes.end = true);
    }

    /// Whoever drives goes.
    pub(super) fn leave_alone(&mut self) {
        self.wishes = None;
    }

    pub(super) fn choose(&mut self, number: i64, need: &Need, option: &str) {
        self.respond(number, need, Choice::Option { option_id: option.to_owned() });
    }

    /// Both at once.
    pub(super) fn choose_and_wish_to_end(&mut self, number: i64, need: &Need, option: &str) {
        let answer =
            Answer { number, asked: need.asked(), choice: Choice::Option { option_id: option.to_owned() } };
        self.wish(|wishes| {
            wishes.answers.push(answer);
            wishes.end = true;
        });
    }

    pub(super) fn respond(&mut self, number: i64, need: &Need, choice: Choice) {
        let answer = Answer { number, asked: need.asked(), choice };
        self.wish(|wishes| wishes.answers.push(answer));
    }

    fn wish(&mut self, change: impl FnOnce(&mut Wishes)) {
        self.wishes.as_ref().expect("somebody drives").send_modify(change);
    }

    /// Whether nothing is reported, as long as virtual time goes.
    pub(super) async fn nothing_is_reported(&mut self) {
        let report = timeout(Duration::from_secs(1), self.reports.recv()).await;
        assert!(report.is_err(), "{report:?}");
    }
}
