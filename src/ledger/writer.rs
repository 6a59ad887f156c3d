//! The one thread that writes.
//!
//! Jobs are decided in the order in which they come. Those that are waiting when a transaction begins share
//! it, each in a savepoint of its own, so that they share one sync of the disk as well; nobody is answered
//! before the commit.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::column::Tx;
use super::commits::Commits;
use super::condition::{Condition, News};
use super::error::{LedgerError, Trouble};
use super::files::Files;
use super::{Outside, holder, migrate, open};
use crate::domain::disturbance::{Disturbance, Outage};
use crate::domain::refusal::{Refusal, StorageReason};
use crate::domain::time::Timestamp;
use crate::failpoint::Failpoint;

/// Jobs that wait for the writer. As many as requests may run at once, and some of the sidecar's own; who comes
/// later waits to hand over.
const WAITING: usize = 512;

/// Jobs that share a transaction. More would gain nothing and make the others wait.
const GROUP: usize = 64;

/// Hands jobs to the thread. Dropping it ends the thread when it has done what it was handed.
pub(super) struct Writer {
    jobs: mpsc::Sender<Work>,
    progress: Progress,
}

/// On whose behalf a job is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behalf {
    /// A client's, whose later reads see what it changes.
    Client,
    /// The sidecar's own. Nobody's reads wait for it: while another process writes it may take long.
    Own,
}

/// How far the writer has come with what clients asked for, so that a reader can wait for what was handed over before.
#[derive(Clone)]
pub(super) struct Progress {
    handed_over: Arc<AtomicU64>,
    done: watch::Receiver<u64>,
}

impl Progress {
    /// Whether something that was handed over for a client is still to be done.
    pub(super) fn is_behind(&self) -> bool {
        *self.done.borrow() < self.handed_over.load(Ordering::Acquire)
    }

    /// Waits until everything that was handed over for a client before this call has been done.
    pub(super) async fn caught_up(&mut self) {
        let ticket = self.handed_over.load(Ordering::Acquire);
        // An error means that the writer has ended: then nothing more will be done.
        let _ = self.done.wait_for(|done| *done >= ticket).await;
    }
}

/// What the thread is handed.
enum Work {
    /// Something to decide.
    Job(Box<dyn Job>, Behalf),
    /// Bring the database up to date with its log, as far as nobody has to wait for that.
    Checkpoint(oneshot::Sender<()>),
    /// Find out whether the ledger can be written.
    Trial(oneshot::Sender<()>),
}

trait Job: Send {
    /// Decides. An `Err` has the savepoint undone.
    fn decide(&mut self, tx: &Tx<'_>) -> Result<(), ()>;
    /// The trouble with the ledger that it was refused for, if it was.
    fn trouble(&self) -> Option<Trouble>;
    /// Tells the one who waits; `committed` is what became of the transaction.
    fn answer(self: Box<Self>, committed: Result<(), Refusal>);
}

struct TypedJob<T, F> {
    decide: Option<F>,
    decided: Option<Result<T, Refusal>>,
    reply: oneshot::Sender<Result<T, Refusal>>,
}

impl<T, F> Job for TypedJob<T, F>
where
    T: Send,
    F: FnOnce(&Tx<'_>) -> Result<T, Refusal> + Send,
{
    fn decide(&mut self, tx: &Tx<'_>) -> Result<(), ()> {
        let Some(decide) = self.decide.take() else { return Err(()) };
        let decided = catch_unwind(AssertUnwindSafe(|| decide(tx)))
            .unwrap_or_else(|_| Err(Refusal::Internal("a decision panicked".to_owned())));
        let verdict = decided.as_ref().map(|_| ()).map_err(|_| ());
        self.decided = Some(decided);
        verdict
    }

    fn trouble(&self) -> Option<Trouble> {
        self.decided.as_ref()?.as_ref().err().and_then(Trouble::behind)
    }

    fn answer(self: Box<Self>, committed: Result<(), Refusal>) {
        let answer = match (committed, self.decided) {
            (Ok(()), Some(decided)) | (Err(_), Some(decided @ Err(_))) => decided,
            (Err(refusal), _) => Err(refusal),
            (Ok(()), None) => Err(Refusal::Internal("a job was not decided".to_owned())),
        };
        // Who no longer waits has given up on the answer, not on the change.
        let _ = self.reply.send(answer);
    }
}

impl Writer {
    pub(super) fn start(
        connection: Connection,
        files: Arc<Files>,
        condition: Arc<Condition>,
        commits: Arc<Commits>,
        outside: Outside,
    ) -> Result<Writer, std::io::Error> {
        let (jobs, inbox) = mpsc::channel(WAITING);
        let (done, done_seen) = watch::channel(0);
        let thread = Thread { connection, files, condition, done, commits, outside, outage: Cell::new(None) };
        std::thread::Builder::new().name("ledger-writer".to_owned()).spawn(move || thread.work(inbox))?;
        let progress = Progress { handed_over: Arc::new(AtomicU64::new(0)), done: done_seen };
        Ok(Writer { jobs, progress })
    }

    pub(super) fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Brings the database up to date with its log, so that what was committed is in one file.
    pub(super) async fn checkpoint(&self) {
        // A thread that has ended has closed the database, which does the same.
        self.have_done(Work::Checkpoint).await;
    }

    /// Finds out whether the ledger can be written.
    pub(super) async fn try_to_write(&self) {
        self.have_done(Work::Trial).await;
    }

    async fn have_done(&self, work: fn(oneshot::Sender<()>) -> Work) {
        let (done, answer) = oneshot::channel();
        if self.jobs.send(work(done)).await.is_ok() {
            // A thread that has ended does nothing more.
            let _ = answer.await;
        }
    }

    pub(super) async fn run<T, F>(&self, behalf: Behalf, decide: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        let ended = || Refusal::Internal("the ledger's writer has ended".to_owned());
        let (reply, answer) = oneshot::channel();
        let job = TypedJob { decide: Some(decide), decided: None, reply };
        let place = self.jobs.reserve().await.map_err(|_| ended())?;
        if behalf == Behalf::Client {
            self.progress.handed_over.fetch_add(1, Ordering::AcqRel);
        }
        place.send(Work::Job(Box::new(job), behalf));
        answer.await.map_err(|_| ended())?
    }
}

struct Thread {
    connection: Connection,
    files: Arc<Files>,
    condition: Arc<Condition>,
    done: watch::Sender<u64>,
    commits: Arc<Commits>,
    outside: Outside,
    /// Since when nothing could be written, and why. What is written next says so.
    outage: Cell<Option<(Timestamp, StorageReason)>>,
}

impl Thread {
    fn work(self, mut inbox: mpsc::Receiver<Work>) {
        let mut next = inbox.blocking_recv();
        while let Some(work) = next {
            let (first, behalf) = match work {
                Work::Job(first, behalf) => (first, behalf),
                Work::Checkpoint(done) => {
                    self.checkpoint();
                    // Who asked may have given up; the database is up to date all the same.
                    let _ = done.send(());
                    next = inbox.blocking_recv();
                    continue;
                }
                Work::Trial(done) => {
                    self.try_to_write();
                    // Who asked may have given up; others look at what came of it.
                    let _ = done.send(());
                    next = inbox.blocking_recv();
                    continue;
                }
            };
            let mut group = vec![first];
            let mut for_clients = u64::from(behalf == Behalf::Client);
            next = None;
            while group.len() < GROUP && next.is_none() {
                match inbox.try_recv() {
                    Ok(Work::Job(job, behalf)) => {
                        group.push(job);
                        for_clients += u64::from(behalf == Behalf::Client);
                    }
                    Ok(other @ (Work::Checkpoint(_) | Work::Trial(_))) => next = Some(other),
                    Err(_) => break,
                }
            }
            self.transact(group);
            if for_clients > 0 {
                self.done.send_modify(|done| *done += for_clients);
            }
            if next.is_none() {
                next = inbox.blocking_recv();
            }
        }
        // Closing the last connection moves the log into the database, unless that is somebody else's by now, or
        // damaged: then the log is what a person may still save something from.
        if self.leaves_files_alone()
            && let Err(error) = open::close_untidily(&self.connection)
        {
            tracing::error!(%error, "the database may be touched when it is closed");
        }
    }

    fn leaves_files_alone(&self) -> bool {
        self.condition.refuse_damaged().is_err() || self.files.check().is_err()
    }

    fn checkpoint(&self) {
        if self.leaves_files_alone() {
            return;
        }
        // The mode that waits for no other window; what it leaves is in the log, where it is safe as well.
        let checkpoint = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        if let Err(error) = checkpoint {
            tracing::debug!(%error, "the log could not be moved into the database");
        }
    }

    /// Decides a group in one transaction and answers everyone.
    fn transact(&self, mut group: Vec<Box<dyn Job>>) {
        let before = self.connection.total_changes();
        match self.in_transaction(|tx| decide(tx, &mut group)) {
            Ok(Decided { seq, kept }) => {
                // What was refused or changed nothing is no news: who follows would look for nothing.
                if kept && self.connection.total_changes() > before {
                    self.condition.wrote();
                    self.commits.wrote(seq);
                    (self.outside.bell)();
                }
                for trouble in group.iter().filter_map(|job| job.trouble()) {
                    self.condition.failed(&trouble);
                }
                group.into_iter().for_each(|job| job.answer(Ok(())));
            }
            Err(trouble) => {
                self.tell(&trouble);
                group.into_iter().for_each(|job| job.answer(Err(trouble.clone().into())));
            }
        }
    }

    /// Commits something that changes nothing: that takes as much of the disk as any other commit.
    fn try_to_write(&self) {
        let written = self.in_transaction(|tx| {
            let format = migrate::format(&self.connection)?;
            Ok(tx.execute(&format!("PRAGMA user_version = {format}"), [])?)
        });
        match written {
            Ok(_) => self.condition.wrote(),
            Err(trouble) => self.tell(&trouble),
        }
    }

    /// Nobody could write down before this that nothing could be written.
    fn note_outage(&self, tx: &Tx<'_>) -> Result<(), LedgerError> {
        let Some((from, reason)) = self.outage.get() else { return Ok(()) };
        let to = from.max((self.outside.clock)());
        tx.note_disturbance(&Disturbance::Unwritable(Outage { from, to, reason: Some(reason) }), None)
    }

    fn tell(&self, trouble: &Trouble) {
        match self.condition.failed(trouble) {
            News::New => tracing::error!(error = %trouble.message, "a transaction failed"),
            News::Known => tracing::debug!(error = %trouble.message, "a transaction failed again"),
        }
    }

    /// Begins a transaction on the files that are at their paths, and commits what was done in it. After a
    /// failure nothing has been done.
    fn in_transaction<T>(&self, act: impl FnOnce(&Tx<'_>) -> Result<T, Trouble>) -> Result<T, Trouble> {
        let began = (self.outside.clock)();
        let attempt = || -> Result<T, Trouble> {
            let tx = Tx::new(&self.connection);
            self.condition.refuse_damaged()?;
            self.files.check()?;
            tx.execute("BEGIN IMMEDIATE", [])?;
            migrate::refuse_newer(&self.connection)?;
            self.note_outage(&tx)?;
            let done = act(&tx)?;
            // The transaction may have waited for others, and its decisions take their time.
            self.condition.refuse_damaged()?;
            self.files.check()?;
            self.outside.failpoints.reach(Failpoint::BeforeCommit).map_err(LedgerError::from)?;
            tx.execute("COMMIT", [])?;
            self.outage.set(None);
            self.outside.failpoints.pass(Failpoint::AfterCommit);
            Ok(done)
        };
        let outcome = attempt();
        if outcome.is_err() && !self.connection.is_autocommit() {
            // What failed is reported; a failing rollback would only hide it.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        outcome.map_err(|trouble| {
            if trouble.reason == StorageReason::Damaged {
                open::forget_pages(&self.connection);
            }
            let trouble = self.files.look_closer(trouble);
            if self.outage.get().is_none() && !trouble.reason.is_about_single_rows() {
                self.outage.set(Some((began, trouble.reason)));
            }
            holder::name(trouble, self.files.database(), &self.connection, &self.outside.who_locks)
        })
    }
}

fn decide(tx: &Tx<'_>, group: &mut [Box<dyn Job>]) -> Result<Decided, Trouble> {
    let mut kept = false;
    for job in group.iter_mut() {
        match tx.savepoint(|| job.decide(tx)) {
            Ok(decided) => {
                // The others share the database with the one that came upon damage.
                if let Some(trouble) =
                    job.trouble().filter(|trouble| trouble.reason == StorageReason::Damaged)
                {
                    return Err(trouble);
                }
                kept |= decided.is_ok();
            }
            // When the disk fails, SQLite may undo the whole transaction and the savepoint with it: what the job
            // came upon tells more than that.
            Err(error) => return Err(job.trouble().unwrap_or_else(|| error.into())),
        }
    }
    Ok(Decided { seq: tx.newest_seq()?, kept })
}

/// What a group has come to.
struct Decided {
    /// The newest event.
    seq: i64,
    /// Whether any of its jobs was not refused.
    kept: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::LedgerId;

    #[test]
    fn who_shares_a_transaction_that_the_disk_undoes_is_told_why() {
        let connection = open::open_in_memory(LedgerId::from_unique("a")).unwrap();
        let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
        let tx = Tx::new(&connection);
        tx.execute("BEGIN IMMEDIATE", []).unwrap();
        let decide_large = |tx: &Tx<'_>| {
            let sql =
                "INSERT INTO events (at, kind, important, payload) VALUES (0, 'x', 0, hex(zeroblob(9999)))";
            Ok(tx.execute(sql, [])?)
        };
        let (reply, _answer) = oneshot::channel();
        let mut group: Vec<Box<dyn Job>> =
            vec![Box::new(TypedJob { decide: Some(decide_large), decided: None, reply })];
        let trouble = decide(&tx, &mut group).err().unwrap();
        assert!(connection.is_autocommit(), "the whole transaction is gone, and the savepoint with it");
        assert_eq!(trouble.reason, StorageReason::Full, "{trouble:?}");
    }
}
