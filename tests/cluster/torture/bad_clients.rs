//! Clients that behave badly. Each has a window of its own in the project, which harms nobody and ends when its input does.

use serde_json::{Value, json};

use super::life::{Life, sidecar};
use crate::support::client::Client;
use crate::support::wire::Framing;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Bytes that are nothing.
    Garbage,
    /// A message that does not end, and then the input does.
    HalfAMessage,
    /// A message that is said to be longer than anything.
    HugeLength,
    /// It asks for much and reads nothing.
    NeverReads,
    /// More requests than may wait.
    Flood,
    /// Parameters that nothing can be made of.
    InvalidParams,
    /// More in one message than one may hold, and as much as that.
    Batches,
    /// Lists in lists in lists, and more values than are read.
    Nesting,
    /// It asks for changes, and its input ends before they are answered.
    LeavesInTheMidst,
    /// It does not begin as one begins, and begins twice.
    BeginsWrongly,
}

pub(super) const KINDS: [Kind; 10] = [
    Kind::Garbage,
    Kind::HalfAMessage,
    Kind::HugeLength,
    Kind::NeverReads,
    Kind::Flood,
    Kind::InvalidParams,
    Kind::Batches,
    Kind::Nesting,
    Kind::LeavesInTheMidst,
    Kind::BeginsWrongly,
];

/// Requests that are read and answered one by one, or refused because too many wait.
const MANY: usize = 5000;

impl Life<'_> {
    /// One kind after the other.
    pub(super) fn receive_a_bad_client(&mut self) {
        let kind = KINDS[self.deeds.bad_clients % KINDS.len()];
        self.deeds.bad_clients += 1;
        let framing = if self.rng.one_in(2) { Framing::Lines } else { Framing::Headers };
        let role = if self.rng.one_in(2) { "observer" } else { "participant" };
        let spawn = sidecar(self.place, &self.machine).framing(framing).option("role", json!(role));
        let mut client = spawn.deaf().spawn();
        client.may_fail();
        match kind {
            Kind::NeverReads => {}
            // It is answered in the framing that it seems to have begun with.
            Kind::Garbage | Kind::HalfAMessage | Kind::HugeLength => drain(client.give_output()),
            Kind::Flood
            | Kind::InvalidParams
            | Kind::Batches
            | Kind::Nesting
            | Kind::LeavesInTheMidst
            | Kind::BeginsWrongly => client.listen(),
        }
        self.evidence.note(format_args!("  {}: {kind:?}, {framing:?}, {role}", client.pid()));
        // Some say who they are before.
        if kind != Kind::BeginsWrongly && (kind == Kind::NeverReads || self.rng.one_in(2)) {
            let params = client.initialize_params();
            client.push(framing.frame(&request(0, "initialize", &params)).as_bytes());
        }
        self.misbehave(&mut client, kind, framing);
        client.close_input();
        assert!(
            client.exit_code().is_some(),
            "a client that behaves badly was its death: {}",
            client.stderr()
        );
        self.take_in();
    }

    fn misbehave(&mut self, client: &mut Client, kind: Kind, framing: Framing) {
        let mut frame = |message: &str| client.push(framing.frame(message).as_bytes());
        let known: Vec<Value> = self.known.runs.clone();
        match kind {
            Kind::Garbage => {
                let bytes: Vec<u8> = (0..self.rng.within(1..20_000)).map(|_| self.byte()).collect();
                client.push(&bytes);
            }
            Kind::HalfAMessage => {
                let whole = framing.frame(&request(1, "automation/list", &json!({})));
                let end = self.rng.within(1..i64::try_from(whole.len()).expect("a length"));
                client.push(&whole.as_bytes()[..usize::try_from(end).expect("an index")]);
            }
            Kind::HugeLength => {
                let length =
                    *self.rng.pick(&["16777217", "1099511627776", "18446744073709551616"]).expect("texts");
                client.push(format!("Content-Length: {length}\r\n\r\n{{").as_bytes());
                client.push(&vec![b' '; 1 << 20]);
            }
            Kind::NeverReads => {
                frame(&request(1, "events/subscribe", &json!({"after": 0})));
                for id in 2..100 {
                    frame(&request(id, "run/list", &json!({"limit": 50})));
                }
                self.goes_on();
            }
            Kind::Flood => {
                for id in 1..MANY {
                    frame(&request(id, "run/get", &json!({"id": "nobody's"})));
                }
            }
            Kind::InvalidParams => {
                for id in 1..50 {
                    let method = *self.rng.pick(&METHODS).expect("methods");
                    let params = self.nonsense(0, &known);
                    frame(&request(id, method, &params));
                }
            }
            Kind::Batches => {
                for entries in [8193, 500] {
                    let entries: Vec<String> =
                        (0..entries).map(|id| request(id, "lifecycle/status", &json!({}))).collect();
                    frame(&format!("[{}]", entries.join(",")));
                }
            }
            Kind::Nesting => {
                let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
                let wide = format!("[{}0]", "0,".repeat(250_000));
                for (id, params) in [deep, wide].iter().enumerate() {
                    let (open, close) =
                        (r#"{"jsonrpc":"2.0","id":"#, r#","method":"automation/create","params":{"title":"#);
                    frame(&format!("{open}{id}{close}{params}}}}}"));
                }
            }
            Kind::LeavesInTheMidst => {
                // None of them changes what anybody has acknowledged.
                let draft = json!({"title": "gone", "kind": "oneshot", "fireAt": 4_000_000_000_000_i64,
                    "task": {"kind": "notify", "text": "gone"}, "dryRun": true});
                for id in 1..200 {
                    frame(&request(id, "automation/create", &draft));
                    frame(&request(
                        1000 + id,
                        "directory/hold",
                        &json!({"title": "gone", "directory": "/tmp"}),
                    ));
                }
            }
            Kind::BeginsWrongly => {
                frame(&request(1, "automation/list", &json!({})));
                let params = client.initialize_params();
                for id in 2..4 {
                    client.push(framing.frame(&request(id, "initialize", &params)).as_bytes());
                }
                client.push(framing.frame(&request(4, "initialize", &json!([[[]]]))).as_bytes());
                client.push(framing.frame(r#"{"jsonrpc":"1.0","id":{},"method":5}"#).as_bytes());
            }
        }
    }

    fn byte(&mut self) -> u8 {
        self.rng.within(0..256).to_le_bytes()[0]
    }

    /// Some value, in which there may be what is really there.
    fn nonsense(&mut self, depth: usize, known: &[Value]) -> Value {
        const NAMES: [&str; 10] =
            ["id", "patch", "runID", "limit", "after", "title", "task", "mode", "subscription", "report"];
        match self.rng.within(0..if depth < 3 { 9 } else { 6 }) {
            0 => Value::Null,
            1 => json!(self.rng.within(-2..3)),
            2 => json!(1e300),
            3 => json!(self.rng.one_in(2)),
            4 => json!("\u{0}\u{202e}".repeat(usize::try_from(self.rng.within(0..300)).expect("a length"))),
            5 => self.rng.pick(known).cloned().unwrap_or_default(),
            6 => Value::Array((0..self.rng.within(0..4)).map(|_| self.nonsense(depth + 1, known)).collect()),
            _ => (0..self.rng.within(1..5))
                .map(|_| {
                    let name = *self.rng.pick(&NAMES).expect("names");
                    (name.to_owned(), self.nonsense(depth + 1, known))
                })
                .collect(),
        }
    }
}

/// Methods that only look, or need more than nonsense to change anything.
const METHODS: [&str; 12] = [
    "automation/update",
    "automation/list",
    "automation/explain",
    "automation/simulate",
    "automation/preview",
    "run/list",
    "run/get",
    "run/output",
    "run/respond",
    "run/report",
    "events/subscribe",
    "no/such",
];

/// Reads without looking at what it is.
fn drain(mut output: impl std::io::Read + Send + 'static) {
    let read = move || std::io::copy(&mut output, &mut std::io::sink());
    std::thread::Builder::new().name("drain".to_owned()).spawn(read).expect("a thread");
}

fn request(id: usize, method: &str, params: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
}
