//! The windows of one project, and what is done to them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::thread::park_timeout;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};

use crate::rng::Rng;
use crate::support::client::Client;
use crate::support::{Place, audit, clock, eventually, ledger, signal};

/// How long a slot waits for an owner that does not claim it.
const STANDBY_MS: i64 = 150;

/// How long nobody may be able to write before it is held against the window that was stopped. Others wait for ten
/// seconds before they complain.
const WRITES: Duration = Duration::from_secs(1);

/// The pid of a window that is about to begin a run: it is written that it does, and not yet that it has.
const BEGINS: &str =
    "SELECT i.pid FROM processes p JOIN runs r ON r.row = p.run JOIN instances i ON i.id = p.instance
                      WHERE r.state = 'scheduled'";

/// The pid of the owner of the bell while it is given a run that it has not begun.
const OWNER_IS_GIVEN: &str = "SELECT i.pid FROM terms t JOIN instances i ON i.id = t.instance
                              JOIN runs r ON r.given_to = t.instance
                              WHERE t.ended_at IS NULL AND r.state = 'scheduled'
                                AND NOT EXISTS (SELECT 1 FROM processes p WHERE p.run = r.row)";

/// What a window was told: the place of each event, and what stands for its words.
pub(super) type Told = Vec<(i64, u64)>;

/// A window that follows everything from when it opened.
pub(super) struct Window {
    pub(super) client: Client,
    pub(super) subscription: String,
    pace: Pace,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    Goes,
    /// Its process is stopped, until after this act.
    Stopped {
        until: usize,
    },
}

impl Window {
    pub(super) fn told(&self) -> Told {
        self.client.events(&self.subscription).iter().map(digest).collect()
    }
}

/// The place of an event, and what stands for its words.
pub(super) fn digest(event: &Value) -> (i64, u64) {
    let mut hasher = DefaultHasher::new();
    event.to_string().hash(&mut hasher);
    (event["seq"].as_i64().expect("a seq"), hasher.finish())
}

/// What was done, as far as the plan does not say it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Deeds {
    owners_killed: usize,
    killed_beginning: usize,
    stopped_while_writing: usize,
    stopped_before_beginning: usize,
    continued: usize,
    killed_while_stopped: usize,
}

impl std::fmt::Display for Deeds {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            to,
            "of those killed {} owned the bell and {} were beginning a run; of those stopped {} were writing and {} were given what they had not begun, {} were continued and {} killed",
            self.owners_killed,
            self.killed_beginning,
            self.stopped_while_writing,
            self.stopped_before_beginning,
            self.continued,
            self.killed_while_stopped
        )
    }
}

/// The windows of one project while things are done to them.
pub(super) struct Life<'a> {
    place: &'a Place,
    rng: Rng,
    pub(super) windows: Vec<Window>,
    /// What those were told that have gone.
    told: Vec<Told>,
    ledger: Connection,
    lock: PathBuf,
    deeds: Deeds,
}

fn open(place: &Place) -> Window {
    let limits = json!({"minIntervalMs": 100, "standbyMs": STANDBY_MS, "maxConcurrentRuns": 8});
    let mut client = place.open_with(limits);
    let subscription = client.subscribe(json!({}));
    Window { client, subscription, pace: Pace::Goes }
}

impl<'a> Life<'a> {
    pub(super) fn begin(place: &'a Place, rng: Rng, windows: usize) -> Life<'a> {
        let windows: Vec<Window> = (0..windows).map(|_| open(place)).collect();
        let state = ledger::directory(&windows[0].client);
        let (ledger, lock) = (ledger::open(state.join("ledger.db")), state.join("owner.lock"));
        ledger.busy_timeout(WRITES).expect("a connection waits");
        let (told, deeds) = (Vec::new(), Deeds::default());
        Life { place, rng, windows, told, ledger, lock, deeds }
    }

    fn number(&self, sql: &str) -> i64 {
        audit::number(&self.ledger, sql)
    }

    /// Waits until some more has happened, whoever has done it; sometimes for nothing.
    pub(super) fn goes_on(&mut self) {
        for window in &mut self.windows {
            window.client.take_in();
        }
        let more = self.rng.within(0..20);
        let newest = "SELECT coalesce(max(seq), 0) FROM events";
        let wanted = self.number(newest) + more;
        eventually("life goes on", || (self.number(newest) >= wanted).then_some(()));
    }

    /// The window that owns the bell, as the ledger has it: none while one has died and the next is not there yet.
    fn owner(&self) -> Option<usize> {
        let sql = "SELECT i.pid FROM terms t JOIN instances i ON i.id = t.instance
                   WHERE t.ended_at IS NULL ORDER BY t.term DESC LIMIT 1";
        self.pid(sql).and_then(|pid| self.window_of(pid))
    }

    /// The pid that this tells, if it tells one.
    fn pid(&self, sql: &str) -> Option<u32> {
        self.ledger.query_row(sql, [], |row| row.get(0)).optional().expect("a query")
    }

    fn window_of(&self, pid: u32) -> Option<usize> {
        self.windows.iter().position(|window| window.client.pid() == pid)
    }

    /// Looks for a window of which this tells the pid, until there is one: for moments that are over in a few
    /// milliseconds. None if there was none in time.
    fn catch(&self, sql: &str) -> Option<usize> {
        /// Longer than any automation pauses, if room is left for its runs.
        const SPAN: Duration = Duration::from_secs(1);
        let give_up_at = clock() + SPAN;
        while clock() < give_up_at {
            let at = self.pid(sql).and_then(|pid| self.window_of(pid)).filter(|at| self.goes(*at));
            if at.is_some() {
                return at;
            }
            park_timeout(Duration::from_micros(200));
        }
        None
    }

    fn goes(&self, at: usize) -> bool {
        self.windows[at].pace == Pace::Goes
    }

    /// Kills a window that goes, and another one takes its place.
    pub(super) fn kill_one(&mut self) {
        self.goes_on();
        let going: Vec<usize> = (0..self.windows.len()).filter(|at| self.goes(*at)).collect();
        let any = *self.rng.pick(&going).expect("a window");
        let chosen = match self.rng.within(0..6) {
            0..2 => {
                let beginning = self.catch(BEGINS);
                self.deeds.killed_beginning += usize::from(beginning.is_some());
                beginning
            }
            2..4 => self.owner().filter(|at| self.goes(*at)),
            _ => None,
        };
        self.kill(chosen.unwrap_or(any));
    }

    fn kill(&mut self, at: usize) {
        self.deeds.owners_killed += usize::from(self.owner() == Some(at));
        let mut window = self.windows.remove(at);
        self.deeds.killed_while_stopped += usize::from(window.pace != Pace::Goes);
        window.client.take_in();
        self.told.push(window.told());
        window.client.kill();
        self.windows.push(open(self.place));
    }

    /// Removes the file of the owner's lock, which is there again some time after it was removed last.
    pub(super) fn delete_the_lock(&mut self) {
        self.goes_on();
        eventually("a lock to remove", || std::fs::remove_file(&self.lock).ok());
    }

    /// Stops the window that owns the bell: the others claim what it does not, unless it holds the ledger.
    pub(super) fn stop_the_owner(&mut self, act: usize) {
        self.goes_on();
        if let Some(at) = self.owner().filter(|at| !self.goes(*at)) {
            // It owns the bell although it stands still. One that goes is to be stopped.
            self.let_go(at);
        }
        let given = if self.rng.one_in(2) { self.catch(OWNER_IS_GIVEN) } else { None };
        let at = given.unwrap_or_else(|| {
            eventually("a window that goes owns the bell", || self.owner().filter(|at| self.goes(*at)))
        });
        let more = usize::try_from(self.rng.within(1..5)).expect("a number");
        let window = &mut self.windows[at];
        let pid = window.client.pid();
        signal("STOP", pid);
        eventually("it stands still", || stands_still(pid).then_some(()));
        window.pace = Pace::Stopped { until: act + more };
        self.deeds.stopped_before_beginning += usize::from(self.pid(OWNER_IS_GIVEN) == Some(pid));
        if self.ledger.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_err() {
            self.deeds.stopped_while_writing += 1;
            return self.let_go(at);
        }
        let claimed = "SELECT coalesce(max(row), 0) FROM runs WHERE slots_to IS NOT NULL";
        let before = self.number(claimed);
        eventually("others claim what the stopped one does not", || {
            (self.number(claimed) > before).then_some(())
        });
    }

    /// Has a stopped window go on, or kills it.
    fn let_go(&mut self, at: usize) {
        if self.rng.one_in(3) {
            return self.kill(at);
        }
        self.deeds.continued += 1;
        let window = &mut self.windows[at];
        window.pace = Pace::Goes;
        signal("CONT", window.client.pid());
    }

    pub(super) fn let_go_of_those_stopped_before(&mut self, act: usize) {
        let over = |window: &Window| match window.pace {
            Pace::Goes => false,
            Pace::Stopped { until } => until <= act,
        };
        while let Some(at) = self.windows.iter().position(over) {
            self.let_go(at);
        }
    }

    pub(super) fn let_go_of_all(&mut self) {
        self.let_go_of_those_stopped_before(usize::MAX);
    }

    /// Nothing is due any more, and everything that was has ended. Gives the windows, what was done, and what those
    /// were told that have gone.
    pub(super) fn come_to_rest(mut self) -> (Vec<Window>, Deeds, Vec<Told>) {
        let client = &mut self.windows[0].client;
        let listed = client.get("automation/list", json!({}));
        for automation in listed["items"].as_array().expect("automations") {
            client.get("automation/pause", json!({"id": automation["id"]}));
        }
        eventually("everything has ended", || {
            audit::is_at_rest(&self.ledger, self.windows.len()).then_some(())
        });
        (self.windows, self.deeds, self.told)
    }
}

/// Whether no thread of a process runs any more.
fn stands_still(pid: u32) -> bool {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("its threads");
    tasks.filter_map(Result::ok).all(|task| {
        let status = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        // The state follows the name, which stands in brackets and may hold anything.
        status.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('T'))
    })
}
