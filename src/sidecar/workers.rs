//! Threads for work that takes much memory while it lasts, so that what one such work has freed is there for the next.
//!
//! An allocator keeps what a thread has freed for that thread, or for those that share a part of the heap with it, and does
//! not always give it back when the thread ends. The runtime's threads for work that blocks take turns, come and go, so in time
//! each part of the heap would keep the most that such work ever takes. Those here stay: the one is taken that was at work last,
//! and another one is started only when all are at work.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// What a thread is handed at once: it belongs to one at a time, who hands it one thing.
const HANDED: usize = 1;

type Work = Box<dyn FnOnce() + Send>;

/// The threads for one kind of work. They end with this.
pub(super) struct Workers(Arc<Shared>);

struct Shared {
    name: &'static str,
    most: usize,
    threads: Mutex<Threads>,
}

#[derive(Default)]
struct Threads {
    /// How many there are, at work or not.
    count: usize,
    /// Those that are not at work, by what they are handed work with. The last one was at work last.
    idle: Vec<SyncSender<Work>>,
}

/// A thread for whoever has it. It is free again when this is dropped.
pub(super) struct Worker {
    hands: Option<SyncSender<Work>>,
    of: Arc<Shared>,
}

impl Workers {
    /// So many at most, of which none is started yet.
    pub(super) fn new(name: &'static str, most: usize) -> Workers {
        Workers(Arc::new(Shared { name, most, threads: Mutex::default() }))
    }

    /// A thread that is not at work, or None if all are.
    ///
    /// # Errors
    /// When none can be started.
    pub(super) fn take(&self) -> io::Result<Option<Worker>> {
        let mut threads = self.0.threads();
        let hands = match threads.idle.pop() {
            Some(hands) => hands,
            None if threads.count < self.0.most => {
                let hands = start(self.0.name)?;
                threads.count += 1;
                hands
            }
            None => return Ok(None),
        };
        Ok(Some(Worker { hands: Some(hands), of: self.0.clone() }))
    }
}

impl Worker {
    /// Has this done. The thread is free again before the answer comes; there is none when the work has panicked.
    pub(super) fn work_out<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (reply, answer) = oneshot::channel();
        let hands = self.hands.clone();
        let whole: Work = Box::new(move || {
            let done = work();
            drop(self);
            // Who no longer waits does not need it.
            let _ = reply.send(done);
        });
        // The thread is there for as long as somebody could hand it something.
        let _ = hands.and_then(|hands| hands.send(whole).ok());
        answer
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.of.threads().idle.extend(self.hands.take());
    }
}

impl Shared {
    fn threads(&self) -> MutexGuard<'_, Threads> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// It is never joined: it ends when nobody is left who could hand it something, or with this process.
fn start(name: &str) -> io::Result<SyncSender<Work>> {
    let (hands, inbox) = sync_channel::<Work>(HANDED);
    let go_on = move || {
        for work in inbox {
            // Whoever waits for one that panics is told that there is no answer.
            drop(catch_unwind(AssertUnwindSafe(work)));
        }
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(go_on)?;
    Ok(hands)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::thread::{self, ThreadId};
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// Longer than anything here takes on a busy machine.
    const DEADLINE: Duration = Duration::from_secs(20);

    fn taken(workers: &Workers) -> Worker {
        workers.take().unwrap().expect("one is free")
    }

    /// None if there is none.
    async fn answer<T>(answer: oneshot::Receiver<T>) -> Option<T> {
        timeout(DEADLINE, answer).await.expect("the work ends").ok()
    }

    async fn thread_of(worker: Worker) -> ThreadId {
        answer(worker.work_out(|| thread::current().id())).await.expect("no panic")
    }

    #[tokio::test]
    async fn what_comes_one_by_one_is_done_by_one_thread_also_when_there_are_others() {
        let workers = Workers::new("worker", 2);
        let (first, second) = (taken(&workers), taken(&workers));
        assert!(workers.take().unwrap().is_none(), "both are taken");
        let (first, second) = (thread_of(first).await, thread_of(second).await);
        assert_ne!(first, second);
        for _ in 0..10 {
            assert_eq!(thread_of(taken(&workers)).await, second, "it was at work last");
        }
    }

    #[tokio::test]
    async fn one_that_was_taken_and_not_needed_and_one_whose_work_panics_are_free_again() {
        let workers = Workers::new("worker", 1);
        drop(taken(&workers));
        let thread = thread_of(taken(&workers)).await;
        let panics = || -> () { panic!("on purpose") };
        assert_eq!(answer(taken(&workers).work_out(panics)).await, None);
        assert_eq!(thread_of(taken(&workers)).await, thread);
    }

    thread_local! {
        /// What goes with the thread.
        static HELD: RefCell<Option<oneshot::Sender<()>>> = const { RefCell::new(None) };
    }

    /// Has the thread hold something, and gives what ends with it.
    async fn end_of(worker: Worker) -> oneshot::Receiver<()> {
        let (held, end) = oneshot::channel();
        let hold = move || HELD.with(|place| *place.borrow_mut() = Some(held));
        answer(worker.work_out(hold)).await.expect("no panic");
        end
    }

    #[tokio::test]
    async fn all_end_when_nobody_is_left_who_could_need_them() {
        let workers = Workers::new("worker", 2);
        let (first, second) = (taken(&workers), taken(&workers));
        let first = end_of(first).await;
        drop(workers);
        let second = end_of(second).await;
        assert!(answer(first).await.is_none(), "the thread has gone");
        assert!(answer(second).await.is_none(), "the one that was still needed as well");
    }
}
