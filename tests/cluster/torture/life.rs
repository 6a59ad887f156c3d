//! The windows of one project, and what is done to them.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::thread::park_timeout;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};

use super::Act;
use super::disk::Disk;
use super::evidence::Evidence;
use super::known::Known;
use super::served::Work;
use crate::rng::Rng;
use crate::support::client::Client;
use crate::support::machine::Machine;
use crate::support::{DEADLINE, Place, Spawn, audit, clock, eventually, ledger, signal};

/// How long a slot waits for an owner that does not claim it.
const STANDBY_MS: i64 = 150;

/// How late a slot may be and still be in time.
pub(super) const GRACE_MS: i64 = 3000;

/// How long nobody may be able to write before it is held against the window that was stopped. Others wait for ten
/// seconds before they complain.
const WRITES: Duration = Duration::from_secs(1);

/// Every window is told the same, and each holds one of so many events against the contract.
const SHARES: usize = 16;

/// All but one of so many windows carry prompts out.
const SERVE: usize = 3;

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
    subscription: String,
    /// With which it carries prompts out, if it does.
    pub(super) serving: Option<String>,
    pub(super) work: Vec<Work>,
    told: Told,
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
    /// Takes in what has been heard already. Nothing but what stands for it is kept.
    pub(super) fn take_in(&mut self) {
        self.client.take_in();
        self.told.extend(self.client.take_events(&self.subscription).iter().map(digest));
    }

    pub(super) fn told(&self) -> &Told {
        &self.told
    }

    pub(super) fn finish(self) {
        self.client.finish();
    }
}

/// The place of an event, and what stands for its words.
pub(super) fn digest(event: &Value) -> (i64, u64) {
    let mut hasher = DefaultHasher::new();
    event.to_string().hash(&mut hasher);
    (event["seq"].as_i64().expect("a seq"), hasher.finish())
}

/// What was done, as far as the acts do not say it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Deeds {
    killed: usize,
    owners_killed: usize,
    killed_beginning: usize,
    stopped_while_writing: usize,
    stopped_before_beginning: usize,
    continued: usize,
    killed_while_stopped: usize,
    /// How often nothing could be written because the disk was full, or files were limited.
    pub(super) full: usize,
    pub(super) limited: usize,
    pub(super) bad_clients: usize,
}

impl std::fmt::Display for Deeds {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            to,
            "of {} that were killed {} owned the bell and {} were beginning a run; of those stopped {} were writing and {} were given what they had not begun, {} were continued and {} killed; changes were refused in {} times of a full disk and {} of limited files; {} bad clients",
            self.killed,
            self.owners_killed,
            self.killed_beginning,
            self.stopped_while_writing,
            self.stopped_before_beginning,
            self.continued,
            self.killed_while_stopped,
            self.full,
            self.limited,
            self.bad_clients
        )
    }
}

/// The windows of one project while things are done to them.
pub(super) struct Life<'a> {
    pub(super) place: &'a Place,
    pub(super) evidence: &'a Evidence<'a>,
    pub(super) disk: Option<&'a Disk>,
    pub(super) machine: Machine,
    pub(super) rng: Rng,
    pub(super) windows: Vec<Window>,
    pub(super) wanted_windows: usize,
    /// What those were told that have gone.
    told: Vec<Told>,
    pub(super) ledger: Connection,
    pub(super) state: PathBuf,
    pub(super) known: Known,
    /// The runs that windows were told to begin.
    pub(super) begun: HashSet<String>,
    pub(super) deeds: Deeds,
}

/// A sidecar of the project, as all of them are started.
pub(super) fn sidecar<'p>(place: &'p Place, machine: &Machine) -> Spawn<'p> {
    let limits = json!({"minIntervalMs": 100, "standbyMs": STANDBY_MS, "graceMs": GRACE_MS, "stableWakeMs": 200,
        "maxConcurrentRuns": 8});
    machine.carries(place.sidecar()).option("limits", limits)
}

fn open(place: &Place, machine: &Machine, number: usize) -> Window {
    let mut client = sidecar(place, machine).spawn();
    // What the storage is in the way of is logged as an error. Whether anything panics is looked at all the same.
    client.expect_error("");
    client.check_share(number, SHARES);
    client.initialize();
    let subscription = client.subscribe(json!({}));
    let serving = (!number.is_multiple_of(SERVE)).then(|| client.serve());
    Window { client, subscription, serving, work: Vec::new(), told: Told::new(), pace: Pace::Goes }
}

impl<'a> Life<'a> {
    pub(super) fn begin(
        place: &'a Place,
        evidence: &'a Evidence<'a>,
        disk: Option<&'a Disk>,
        rng: Rng,
        windows: usize,
    ) -> Life<'a> {
        let (machine, wanted_windows) = (Machine::new(), windows);
        let windows: Vec<Window> = (0..windows).map(|number| open(place, &machine, number)).collect();
        let state = ledger::directory(&windows[0].client);
        let ledger = ledger::open(state.join("ledger.db"));
        ledger.busy_timeout(WRITES).expect("a connection waits");
        let (told, known, begun, deeds) = (Vec::new(), Known::default(), HashSet::new(), Deeds::default());
        Life {
            place,
            evidence,
            disk,
            machine,
            rng,
            windows,
            wanted_windows,
            told,
            ledger,
            state,
            known,
            begun,
            deeds,
        }
    }

    pub(super) fn act(&mut self, act: Act, number: usize) {
        self.evidence.note(format_args!("{number} {act:?}"));
        match act {
            Act::Kill => self.kill_one(),
            Act::KillAsked => self.kill_one_that_was_asked(),
            Act::StopOwner => self.stop_the_owner(number),
            Act::StopAny => self.stop_any(number),
            Act::DeleteOwnerLock => self.delete_the_lock(),
            Act::DeleteInstanceLock => self.delete_a_windows_lock(),
            Act::FillDisk => self.fill_the_disk(),
            Act::LimitFiles => self.limit_files(),
            Act::Nudge => self.nudge_the_clock(),
            Act::Ahead => self.set_the_clock_ahead(),
            Act::Behind => self.set_the_clock_back(),
            Act::DayAhead => self.be_a_day_ahead(),
            Act::Sleep => self.suspend_the_machine(),
            Act::BadClient => self.receive_a_bad_client(),
            Act::Edit => self.edit_something(),
        }
    }

    pub(super) fn number(&self, sql: &str) -> i64 {
        audit::number(&self.ledger, sql)
    }

    pub(super) fn take_in(&mut self) {
        self.windows.iter_mut().for_each(Window::take_in);
    }

    /// Waits until some more has happened, whoever has done it; sometimes for nothing.
    pub(super) fn goes_on(&mut self) {
        self.take_in();
        self.serve();
        let more = self.rng.within(0..20);
        let newest = "SELECT coalesce(max(seq), 0) FROM events";
        let wanted = self.number(newest) + more;
        eventually("life goes on", || {
            self.take_in();
            (self.number(newest) >= wanted).then_some(())
        });
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

    pub(super) fn goes(&self, at: usize) -> bool {
        self.windows[at].pace == Pace::Goes
    }

    /// Any window that goes.
    pub(super) fn any(&mut self) -> usize {
        let going: Vec<usize> = (0..self.windows.len()).filter(|at| self.goes(*at)).collect();
        *self.rng.pick(&going).expect("a window")
    }

    /// Kills a window that goes, and another one takes its place.
    fn kill_one(&mut self) {
        self.goes_on();
        let any = self.any();
        let chosen = match self.rng.within(0..6) {
            0..2 => {
                let beginning = self.catch(BEGINS);
                self.deeds.killed_beginning += usize::from(beginning.is_some());
                beginning
            }
            2..4 => self.owner().filter(|at| self.goes(*at)),
            _ => None,
        };
        self.replace(chosen.unwrap_or(any));
    }

    /// Kills a window, and another one takes its place.
    pub(super) fn replace(&mut self, at: usize) {
        self.kill(at);
        self.open_one();
    }

    pub(super) fn open_one(&mut self) {
        let number = self.deeds.killed;
        self.windows.push(open(self.place, &self.machine, number));
    }

    pub(super) fn kill(&mut self, at: usize) {
        let owns = self.owner() == Some(at);
        let mut window = self.windows.remove(at);
        let stopped = window.pace != Pace::Goes;
        self.evidence.note(format_args!(
            "  {} is killed{}{}",
            window.client.pid(),
            if owns { ", which owns the bell" } else { "" },
            if stopped { ", which stands still" } else { "" }
        ));
        self.deeds.killed += 1;
        self.deeds.owners_killed += usize::from(owns);
        self.deeds.killed_while_stopped += usize::from(stopped);
        window.take_in();
        for run in window.take_starts() {
            let run = run.as_str().expect("an id").to_owned();
            assert!(self.begun.insert(run.clone()), "{run} is to be begun a second time");
        }
        self.told.push(std::mem::take(&mut window.told));
        window.client.kill();
    }

    /// Removes the file of the owner's lock, which is there again some time after it was removed last.
    fn delete_the_lock(&mut self) {
        self.goes_on();
        let lock = self.state.join("owner.lock");
        eventually("a lock to remove", || std::fs::remove_file(&lock).ok());
    }

    /// Removes the lock by which a window shows that it lives: it is asked for its process from then on.
    fn delete_a_windows_lock(&mut self) {
        self.goes_on();
        let at = self.any();
        let client = &self.windows[at].client;
        let lock = format!("instances/{}.lock", client.opened["instanceID"].as_str().expect("an instance"));
        self.evidence.note(format_args!("  that of {}", client.pid()));
        // It may be removed already.
        let _ = std::fs::remove_file(self.state.join(lock));
    }

    /// Stops the window that owns the bell: the others claim what it does not, unless it holds the ledger.
    fn stop_the_owner(&mut self, act: usize) {
        self.goes_on();
        if let Some(at) = self.owner().filter(|at| !self.goes(*at)) {
            // It owns the bell although it stands still. One that goes is to be stopped.
            self.let_go(at);
        }
        let given = if self.rng.one_in(2) { self.catch(OWNER_IS_GIVEN) } else { None };
        let at = given.unwrap_or_else(|| {
            eventually("a window that goes owns the bell", || self.owner().filter(|at| self.goes(*at)))
        });
        self.stop(at, act);
    }

    fn stop_any(&mut self, act: usize) {
        self.goes_on();
        let at = self.any();
        self.stop(at, act);
    }

    fn stop(&mut self, at: usize, act: usize) {
        let more = usize::try_from(self.rng.within(1..5)).expect("a number");
        let window = &mut self.windows[at];
        let pid = window.client.pid();
        self.evidence.note(format_args!("  {pid} is stopped for {more} acts"));
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
            self.take_in();
            (self.number(claimed) > before).then_some(())
        });
    }

    /// Has a stopped window go on, or kills it.
    fn let_go(&mut self, at: usize) {
        if self.rng.one_in(3) {
            return self.replace(at);
        }
        self.deeds.continued += 1;
        let window = &mut self.windows[at];
        window.pace = Pace::Goes;
        self.evidence.note(format_args!("  {} goes on", window.client.pid()));
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

    /// Each of the automations that are there all the time fires again.
    pub(super) fn everything_still_fires(&mut self) {
        for (title, ..) in super::AUTOMATIONS {
            let newest = format!(
                "SELECT coalesce(max(r.row), 0) FROM runs r JOIN definitions d ON d.row = r.definition
                 WHERE r.slots_to IS NOT NULL AND d.body ->> '$.title' = '{title}'"
            );
            let before = self.number(&newest);
            eventually(&format!("“{title}” fires again"), || {
                self.take_in();
                (self.number(&newest) > before).then_some(())
            });
        }
    }

    /// Everything that was begun or asked for ends by itself, one after the other where it writes in one directory.
    fn until_at_rest(&mut self) {
        let ended = "SELECT count(*) FROM runs WHERE completed_at IS NOT NULL";
        let (mut known, mut since) = (self.number(ended), clock());
        while !audit::is_at_rest(&self.ledger, self.windows.len()) {
            self.take_in();
            self.serve();
            let now = self.number(ended);
            if now > known {
                (known, since) = (now, clock());
            }
            assert!(since.elapsed() < DEADLINE, "something does not end");
            park_timeout(Duration::from_millis(5));
        }
    }

    /// Nothing is due any more, and everything that was has ended.
    pub(super) fn come_to_rest(mut self) -> Rest {
        let client = &mut self.windows[0].client;
        let listed = client.get("automation/list", json!({"limit": 500}));
        for automation in listed["items"].as_array().expect("automations") {
            client.get("automation/pause", json!({"id": automation["id"]}));
        }
        self.until_at_rest();
        let known = std::mem::take(&mut self.known);
        known.ended_runs_are_as_they_ended(&mut self.windows[0].client);
        let summary = format!("{}; {known}", self.deeds);
        Rest { windows: self.windows, told: self.told, machine: self.machine, begun: self.begun, summary }
    }
}

/// What is there when everything has ended.
pub(super) struct Rest {
    pub(super) windows: Vec<Window>,
    /// What those were told that have gone.
    pub(super) told: Vec<Told>,
    /// Its clock is that of all windows.
    pub(super) machine: Machine,
    /// The runs that windows were told to begin.
    pub(super) begun: HashSet<String>,
    /// What was done.
    pub(super) summary: String,
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
