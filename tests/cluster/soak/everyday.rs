//! What people and their editors do all day: look, change something, run something and read what it writes, while windows
//! come and go and automations fire.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{dormant, every, shell, with};
use crate::support::{Place, clock, kind, ledger};

/// How often somebody does something, in any window.
const PACE: Duration = Duration::from_millis(20);

/// How often a window goes and another one comes.
const COMES_AND_GOES: Duration = Duration::from_secs(4);

/// One of so many that go is killed.
const KILLED: usize = 6;

/// How many ended runs of each automation are kept: few, so that it is soon as much as it will ever be.
const KEPT: i64 = 20;

/// Title, interval and what is done.
const AUTOMATIONS: [(&str, i64, &str); 6] = [
    ("ticks", 1000, "true"),
    ("counts", 1100, "echo counted"),
    ("lists", 1300, "ls"),
    ("writes much", 1700, "head -c 40000 /dev/zero | tr '\\0' x"),
    ("takes its time", 2300, "sleep 0.4; echo done"),
    ("looks", 900, "date"),
];

pub(super) struct Everyday<'a> {
    place: &'a Place,
    /// Those that stay, of which the first owns the bell.
    pub(super) stay: Vec<Client>,
    /// One that will go soon.
    guest: Option<Client>,
    automations: Vec<Value>,
    by_hand: Value,
    pub(super) state: PathBuf,
    pub(super) ledger: Connection,
    done: usize,
    came: usize,
    refused: usize,
    comes_at: Instant,
}

fn open(place: &Place) -> Client {
    let limits = json!({"minIntervalMs": 100, "maxConcurrentRuns": 8, "eventHistory": 1000});
    let mut client = place.open_with(limits);
    // All are told the same.
    client.check_share(0, 50);
    client.subscribe(json!({}));
    client
}

impl<'a> Everyday<'a> {
    pub(super) fn begin(place: &'a Place, windows: usize) -> Everyday<'a> {
        let mut stay: Vec<Client> = (1..windows).map(|_| open(place)).collect();
        let state = ledger::directory(&stay[0]);
        let ledger = ledger::open(state.join("ledger.db"));
        let policy = json!({"keep": {"runs": KEPT}});
        let mut draft = |draft: Value| {
            let draft = with(with(draft, "access", json!("read")), "policy", policy.clone());
            stay[0].create(draft)
        };
        let automations = AUTOMATIONS.map(|(title, ms, line)| draft(every(title, ms, shell(line)))).to_vec();
        draft(every("reminds", 1900, json!({"kind": "notify", "text": "look up"})));
        let by_hand = draft(dormant("by hand", shell("for n in 1 2 3 4 5; do echo line $n; done")));
        let (done, came, refused, comes_at) = (0, 0, 0, clock());
        Everyday {
            place,
            stay,
            guest: None,
            automations,
            by_hand,
            state,
            ledger,
            done,
            came,
            refused,
            comes_at,
        }
    }

    /// Does the next thing, and lets a moment pass.
    pub(super) fn go_on(&mut self) {
        if clock() >= self.comes_at {
            self.comes_at = clock() + COMES_AND_GOES;
            self.come_and_go();
        }
        let windows = self.stay.len();
        let (at, what) = (self.done % windows, self.done / windows);
        self.done += 1;
        let automation = self.automations[what % self.automations.len()].clone();
        let client = &mut self.stay[at];
        let look = |client: &mut Client, method: &str, params: Value| drop(client.get(method, params));
        match what % 9 {
            0 => look(client, "automation/list", json!({})),
            1 => look(client, "run/list", json!({"limit": 50})),
            2 => look(client, "scheduler/status", json!({})),
            3 => look(client, "automation/explain", json!({"id": automation})),
            4 => look(client, "run/list", json!({"automationID": automation, "states": ["succeeded"]})),
            5 => {
                let patch = json!({"policy": {"queueMs": 60_000 + what}});
                look(client, "automation/update", json!({"id": automation, "patch": patch}));
            }
            6 => self.run_and_follow(at),
            7 => look(client, "lifecycle/status", json!({})),
            _ => self.foretell(at),
        }
        for client in self.stay.iter_mut().chain(&mut self.guest) {
            client.forget_news();
        }
        self.stay[at].listen_for(PACE);
    }

    /// Asks for a run and reads what it writes while it does, to its end.
    fn run_and_follow(&mut self, at: usize) {
        let client = &mut self.stay[at];
        let run = match client.ask("automation/run", json!({"id": self.by_hand})) {
            Ok(run) => run["id"].clone(),
            // The one before has not ended yet.
            Err(error) => {
                assert_eq!(kind(&error), "active_run_still_running", "{error}");
                self.refused += 1;
                return;
            }
        };
        let subscription = client.get("output/subscribe", json!({"runID": run}));
        client
            .wait_for_event("the last of its output", |chunk| chunk["runID"] == run && chunk["end"] == true);
        client.get("output/unsubscribe", json!({"subscription": subscription}));
    }

    fn foretell(&mut self, at: usize) {
        let from = crate::support::wall_ms();
        let params = json!({"from": from, "to": from + 60_000});
        self.stay[at].get("automation/simulate", params);
    }

    fn come_and_go(&mut self) {
        let guest = self.guest.replace(open(self.place));
        self.came += 1;
        match guest {
            Some(guest) if self.came.is_multiple_of(KILLED) => guest.kill(),
            Some(guest) => guest.finish(),
            None => {}
        }
    }

    /// A look at the ledger that goes on until this is dropped.
    pub(super) fn look_for_long(&self) -> Connection {
        let look = ledger::open(self.state.join("ledger.db"));
        look.execute_batch("BEGIN; SELECT count(*) FROM events").expect("a look");
        look
    }

    pub(super) fn summary(&self) -> String {
        let runs: i64 =
            self.ledger.query_row("SELECT max(row) FROM runs", [], |row| row.get(0)).expect("runs");
        format!(
            "{} requests, {} windows came and went, {runs} runs; {} requests were refused because the run before had not ended",
            self.done, self.came, self.refused
        )
    }

    pub(super) fn end(self) {
        for client in self.stay.into_iter().chain(self.guest) {
            client.finish();
        }
    }
}
