//! A ledger with many runs that have ended.
//!
//! The engine makes the automations and two runs, one that succeeded and one that failed. All others are copies of
//! them with times and identities of their own, written in a few large transactions that nobody syncs: what is
//! measured is the ledger afterwards.

use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use serde_json::json;
use sexton::domain::automation::Actor;
use sexton::domain::clock::{Boot, Reading};
use sexton::domain::draft::{self, CreateParams, Surroundings};
use sexton::domain::id::{AutomationId, IdSource, InstanceId, LedgerId, RunId};
use sexton::domain::process::{FileIdentity, ProcessIdentity};
use sexton::domain::refusal::Refusal;
use sexton::domain::run::{OutputSize, ProcessEnd};
use sexton::domain::scheduler::{Limits, Role};
use sexton::domain::sent::Sent;
use sexton::domain::shown::Voice;
use sexton::domain::time::Timestamp;
use sexton::engine::clock::observe;
use sexton::engine::report::WorkEnd;
use sexton::engine::tick::Duty;
use sexton::engine::{Context, cancel, create, presence, report, tick};
use sexton::ledger::{Begun, Guard, InstanceRow, Ledger, Outside, ProcessRow, Stored, Tx, View};
use tokio::runtime::Runtime;

use crate::broken;
use crate::clock::{ms_since, now};

/// Automations that the runs are spread over: so few that each has more runs than a page in a small ledger as well.
pub(super) const AUTOMATIONS: usize = 100;

/// One run among so many has failed.
const ONE_FAILED_IN: usize = 100;

/// The distance between two slots of the automation that fires, in milliseconds.
const SLOTS_MS: i64 = 60_000;

/// Runs that one transaction writes: its pages fit into the cache of the connection that writes them.
const RUNS_AT_ONCE: i64 = 100_000;

/// When the automations were created; everything that was copied lies before it.
const CREATED_AT: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// The number of the automation that fires.
const FIRES: usize = 0;

/// Slots of the automation that fires which the two models have answered for.
const MODELS: i64 = 2;

/// A ledger on disk, opened.
pub(super) struct History {
    ledger: Ledger,
    /// The same, with a memory of its own: see [`History::look_again`].
    beside: Ledger,
    runtime: Runtime,
    /// Slots of the automation that fires which are answered for.
    fired: i64,
}

/// How long a claim took, in milliseconds.
pub(super) struct Claim {
    /// To decide, inside the transaction.
    pub(super) decided: f64,
    /// Until it was on disk, and whoever waited for it knew.
    pub(super) on_disk: f64,
}

impl History {
    /// Makes a ledger with so many runs in this directory, closes it, and opens it again.
    pub(super) fn make(directory: &Path, runs: i64) -> io::Result<History> {
        std::fs::create_dir_all(directory)?;
        let mut models = History::open(directory, 0)?;
        models.prepare()?;
        for exit_code in [0, 1] {
            models.carry_out(exit_code)?;
        }
        drop(models);
        copy(&directory.join("ledger.db"), runs).map_err(io::Error::other)?;
        History::open(directory, MODELS)
    }

    fn open(directory: &Path, fired: i64) -> io::Result<History> {
        let open = || {
            let id = LedgerId::from_unique("figures");
            Ledger::open(directory, "/project", id, CREATED_AT, Outside::nobody()).map_err(io::Error::other)
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        Ok(History { ledger: open()?, beside: open()?, runtime, fired })
    }

    /// Looks at the ledger, and gives how long that took where it is done, in milliseconds.
    pub(super) fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&View<'_>) -> Result<T, Refusal> + Send + 'static,
    ) -> io::Result<(T, f64)> {
        self.wait(self.ledger.read(|view| {
            let begin = now();
            let found = look(view)?;
            Ok((found, ms_since(begin)))
        }))
    }

    /// The same look, after somebody else has had it. So what is found is in the system's memory, and not the disk
    /// is measured; in the memory of the ledger that looks it is only if that has come upon it before.
    pub(super) fn look_again<T: Send + 'static>(
        &self,
        look: impl FnOnce(&View<'_>) -> Result<T, Refusal> + Clone + Send + 'static,
    ) -> io::Result<(T, f64)> {
        self.wait(self.beside.read(look.clone()))?;
        self.look(look)
    }

    /// The next time at which the loop of an owner would have something to do.
    pub(super) fn next_at(&self) -> io::Result<f64> {
        let fired = self.fired;
        let (next, ms) = self.look(move |view| {
            let shared = Limits::default().shared;
            tick::next_at(view, Duty::Owner, &me().instance, shared, &boot(), reading(slot(fired)))
        })?;
        match next == Some(slot(fired + 1)) {
            true => Ok(ms),
            false => Err(broken(format!("{next:?} is next instead of the slot after {fired}"))),
        }
    }

    /// Fires the slot that is next. Its run is cancelled afterwards, so that the slot after it can be fired.
    pub(super) fn claim(&mut self) -> io::Result<Claim> {
        self.fired += 1;
        let at = slot(self.fired);
        let begin = now();
        let decided = self.decide(at, |tx, context| {
            let begin = now();
            tick::tick(tx, context, Duty::Owner, &[])?;
            Ok(ms_since(begin))
        })?;
        let on_disk = ms_since(begin);
        self.decide(at, |tx, context| cancel::cancel(tx, context, &given(tx)?))?;
        Ok(Claim { decided, on_disk })
    }

    /// Fires a slot, and has its run carried out.
    fn carry_out(&mut self, exit_code: i32) -> io::Result<()> {
        self.fired += 1;
        self.decide(slot(self.fired), move |tx, context| {
            tick::tick(tx, context, Duty::Owner, &[])?;
            let run = given(tx)?;
            let begun = Begun::Guard(Guard { process: process(), token: String::new() });
            let process = ProcessRow { instance: me().instance, begun };
            let number = tx.run(&run)?.map_or(0, |row| row.given_number);
            report::begin(tx, context, &run, number, &process)?;
            report::started(tx, context, &run)?;
            let tail = "all is well\n".repeat(10);
            let output = OutputSize { bytes: tail.len() as u64, truncated: false };
            let process = ProcessEnd { exit_code: Some(exit_code), signal: None, tail, swept: 0 };
            report::ended(tx, context, &run, WorkEnd::Exited { process, output, changes: None })
        })
    }

    /// An owner, and automations of which one fires while anything is measured.
    fn prepare(&mut self) -> io::Result<()> {
        self.decide(CREATED_AT, |tx, context| {
            presence::arrive(tx, &instance(), "0")?;
            presence::own(tx, context)?;
            for number in 0..AUTOMATIONS {
                create::create(tx, context, automation(number)?)?;
            }
            Ok(())
        })
    }

    fn decide<T: Send + 'static>(
        &self,
        now: Timestamp,
        decision: impl FnOnce(&Tx<'_>, &mut Context<'_>) -> Result<T, Refusal> + Send + 'static,
    ) -> io::Result<T> {
        self.wait(self.ledger.write(move |tx| {
            let (me, boot, limits, mut troubles) = (me(), boot(), Limits::default(), Vec::new());
            let mut context = Context {
                now,
                due_by: now,
                reading: reading(now),
                boot: &boot,
                ids: &mut Ids(now),
                me: &me,
                voice: Voice::Person,
                limits: &limits,
                project: "/project",
                vcs: None,
                troubles: &mut troubles,
            };
            observe(tx, &mut context)?;
            let decided = decision(tx, &mut context)?;
            match troubles.is_empty() {
                true => Ok(decided),
                false => Err(Refusal::Internal(troubles.join("; "))),
            }
        }))
    }

    fn wait<T>(&self, answer: impl Future<Output = Result<T, Refusal>>) -> io::Result<T> {
        self.runtime.block_on(answer).map_err(|refusal| broken(refusal.to_string()))
    }
}

/// The identities of the automations, but for the one that fires: its runs here are unlike those of the others.
pub(super) fn automations(history: &History) -> io::Result<Vec<AutomationId>> {
    let all = sexton::domain::request::ListAutomations { limit: AUTOMATIONS, ..Default::default() };
    let (rows, _) = history.look(move |view| Ok(view.list_automations(&all)?))?;
    let known = rows.into_iter().filter_map(Stored::known);
    Ok(known.filter(|row| row.definition.title != title(FIRES)).map(|row| row.id).collect())
}

/// The run that this instance was given.
fn given(tx: &Tx<'_>) -> Result<RunId, Refusal> {
    match tx.runs_given_to(&me().instance)?.as_slice() {
        [run] => Ok(run.run.id.clone()),
        runs => Err(Refusal::Internal(format!("{} runs were given to the owner instead of one", runs.len()))),
    }
}

/// A slot of the automation that fires.
fn slot(number: i64) -> Timestamp {
    CREATED_AT.plus_ms(number * SLOTS_MS)
}

fn title(number: usize) -> String {
    format!("Look through what came in, part {number}")
}

/// One fires every minute, the others in years.
fn automation(number: usize) -> Result<CreateParams, Refusal> {
    let limits = Limits::default();
    let around = Surroundings { machine_zone: "UTC", limits: &limits, now: CREATED_AT, vcs: None };
    let every_ms = if number == FIRES { SLOTS_MS } else { 10 * 365 * 86_400_000 };
    let draft = json!({
        "title": title(number), "kind": "recurring",
        "rhythm": {"kind": "interval", "everyMs": every_ms},
        "task": {"kind": "command", "program": "sh", "args": ["-c", "make report"]},
        "policy": {"keep": {"runs": 1_000_000, "days": 3650}},
    });
    let sent = Sent::from(&draft);
    let object = sent.as_object().ok_or_else(|| Refusal::Internal("a draft is no object".to_owned()))?;
    let read = draft::read_create(object, around, |_| ());
    Ok(read.map_err(Refusal::InvalidAutomation)?.0)
}

fn me() -> Actor {
    Actor { instance: InstanceId::from_unique("figures"), client: None }
}

fn boot() -> Boot {
    Boot::from_text("figures")
}

/// Clocks that nobody has set, of a machine that has not slept since the automations were created.
fn reading(wall: Timestamp) -> Reading {
    let elapsed_ms = wall.since_ms(CREATED_AT);
    Reading { wall, elapsed_ms, awake_ms: elapsed_ms }
}

fn process() -> ProcessIdentity {
    let (boot_id, pid_namespace) = ("boot".to_owned(), "namespace".to_owned());
    ProcessIdentity { pid: 1, start_time: 1, boot_id, pid_namespace }
}

fn instance() -> InstanceRow {
    InstanceRow {
        actor: me(),
        process: process(),
        lock: FileIdentity { device: 1, inode: 1 },
        role: Role::Participant,
        since: CREATED_AT,
    }
}

/// Identities that rise with the time, as those of a sidecar do.
struct Ids(Timestamp);

impl IdSource for Ids {
    fn unique(&mut self) -> String {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        format!("{:012x}{:020x}", self.0.as_millis(), COUNT.fetch_add(1, Ordering::Relaxed))
    }
}

/// When the copy in this row was made to have been triggered, if there are so many: a second lies between two.
pub(super) fn triggered_at(runs: i64, row: i64) -> Timestamp {
    CREATED_AT.plus_ms((row - 1 - runs) * 1000 + 2)
}

/// Replaces the two models by so many copies, spread over the automations.
fn copy(path: &Path, runs: i64) -> Result<(), rusqlite::Error> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -1000000;
         CREATE TEMP TABLE models AS SELECT * FROM runs;
         DELETE FROM runs;",
    )?;
    let columns: Vec<String> = {
        let mut statement = connection.prepare("SELECT name FROM pragma_table_info('runs')")?;
        statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?
    };
    // A second lies between the slots of two copies; the last one is a second before the automations were created.
    let at = format!("({} - (:all - i) * 1000)", CREATED_AT.as_millis());
    let value = |column: &String| match column.as_str() {
        "row" => "i + 1".to_owned(),
        "id" => format!("printf('run_%012x%020x', {at}, i)"),
        "automation" => "a.row".to_owned(),
        "automation_id" => "a.id".to_owned(),
        "definition" => "a.definition".to_owned(),
        "ended_number" => format!("i / {AUTOMATIONS} + 1"),
        "slots_from" | "slots_to" | "scheduled_at" => at.clone(),
        "triggered_at" | "seen_at" => format!("{at} + 2"),
        "started_at" => format!("{at} + 9"),
        "completed_at" => format!("{at} + 700"),
        other => format!("m.{other}"),
    };
    let values: Vec<String> = columns.iter().map(value).collect();
    let sql = format!(
        "INSERT INTO runs ({})
         WITH RECURSIVE numbers (i) AS (SELECT :from UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < :to)
         SELECT {} FROM numbers
           CROSS JOIN models m ON m.state = CASE i % {ONE_FAILED_IN} WHEN 0 THEN 'failed' ELSE 'succeeded' END
           CROSS JOIN automations a ON a.row = 1 + (i + i / {AUTOMATIONS}) % {AUTOMATIONS}",
        columns.join(", "),
        values.join(", ")
    );
    let mut copied = 0;
    while copied < runs {
        let transaction = connection.transaction()?;
        let to = runs.min(copied + RUNS_AT_ONCE);
        let params = rusqlite::named_params! {":all": runs, ":from": copied, ":to": to};
        let added = transaction.execute(&sql, params)?;
        assert_eq!(i64::try_from(added), Ok(to - copied), "each run is copied from one model");
        transaction.commit()?;
        copied = to;
    }
    connection.close().map_err(|(_, error)| error)
}
