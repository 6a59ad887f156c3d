//! The writer and the reader.

use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sexton::domain::id::InstanceId;
use sexton::domain::refusal::Refusal;
use sexton::domain::scheduler::Role;
use sexton::ledger::Ledger;
use tempfile::{TempDir, tempdir};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::support::{arrive, instance, instance_as, names, open};

/// A ledger whose writer is busy until the sender is dropped, so that what is written meanwhile shares the next
/// transaction.
async fn busy() -> (TempDir, Ledger, std::sync::mpsc::SyncSender<()>, JoinHandle<Result<(), Refusal>>) {
    let directory = tempdir().unwrap();
    let ledger = open(directory.path());
    let (release, held) = sync_channel::<()>(0);
    let (entered, inside) = tokio::sync::oneshot::channel();
    let holding = ledger.clone();
    let hold = tokio::spawn(async move {
        let hold = move |tx: &sexton::ledger::Tx<'_>| {
            entered.send(()).unwrap();
            // Ends with an error when the test drops its end.
            let _ = held.recv();
            arrive(tx, "holder")
        };
        holding.write(hold).await
    });
    inside.await.unwrap();
    (directory, ledger, release, hold)
}

#[tokio::test]
async fn jobs_are_decided_in_the_order_in_which_they_come_and_share_a_transaction() {
    let (_directory, ledger, release, hold) = busy().await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let before = *ledger.commits().borrow();
    let mut jobs = Vec::new();
    for number in 0..50 {
        let (ledger, order) = (ledger.clone(), order.clone());
        jobs.push(tokio::spawn(async move {
            ledger
                .write(move |tx| {
                    order.lock().unwrap().push(number);
                    arrive(tx, &format!("{number:03}"))
                })
                .await
        }));
        // On this runtime a spawned task runs up to its first wait before the next one is spawned.
        tokio::task::yield_now().await;
    }
    drop(release);
    hold.await.unwrap().unwrap();
    for job in jobs {
        job.await.unwrap().unwrap();
    }
    assert_eq!(*order.lock().unwrap(), (0..50).collect::<Vec<_>>());
    assert_eq!(
        ledger.commits().borrow().transactions,
        before.transactions + 2,
        "the holder's and one for all"
    );
}

#[tokio::test]
async fn nobody_is_answered_before_the_commit() {
    let (_directory, ledger, release, hold) = busy().await;
    let (writing, committed) = (ledger.clone(), ledger.commits());
    let before = committed.borrow().transactions;
    let job = tokio::spawn(async move {
        let written = writing.write(|tx| arrive(tx, "job")).await;
        (written, writing.commits().borrow().transactions)
    });
    tokio::task::yield_now().await;
    assert!(!job.is_finished());
    drop(release);
    hold.await.unwrap().unwrap();
    let (written, transactions) = job.await.unwrap();
    written.unwrap();
    assert!(transactions > before);
    assert_eq!(names(&ledger).await.len(), 2);
}

#[tokio::test]
async fn a_refusal_leaves_no_trace_and_its_neighbours_commit() {
    let (_directory, ledger, release, hold) = busy().await;
    let mut jobs = Vec::new();
    for name in ["good", "bad", "fine"] {
        let ledger = ledger.clone();
        jobs.push(tokio::spawn(async move {
            let decide = move |tx: &sexton::ledger::Tx<'_>| {
                arrive(tx, name)?;
                match name {
                    "bad" => Err(Refusal::NotFound { what: "run", id: name.to_owned() }),
                    _ => Ok(()),
                }
            };
            ledger.write(decide).await
        }));
        tokio::task::yield_now().await;
    }
    drop(release);
    hold.await.unwrap().unwrap();
    let mut answers = Vec::new();
    for job in jobs {
        answers.push(job.await.unwrap());
    }
    assert!(matches!(answers.as_slice(), [Ok(()), Err(Refusal::NotFound { .. }), Ok(())]), "{answers:?}");
    assert_eq!(names(&ledger).await, ["fine", "good", "holder"]);
}

#[tokio::test]
async fn a_decision_that_panics_is_answered_and_the_writer_lives() {
    let directory = tempdir().unwrap();
    let ledger = open(directory.path());
    let panicking = ledger.write(|tx| -> Result<(), Refusal> {
        arrive(tx, "half")?;
        panic!("a fault in a decision")
    });
    assert!(matches!(panicking.await, Err(Refusal::Internal(_))));
    ledger.write(|tx| arrive(tx, "next")).await.unwrap();
    assert_eq!(names(&ledger).await, ["next"]);
    let look = ledger.read(|_| -> Result<(), Refusal> { panic!("a fault in a look") });
    assert!(matches!(look.await, Err(Refusal::Internal(_))));
    assert_eq!(names(&ledger).await, ["next"]);
}

#[tokio::test]
async fn a_look_sees_everything_that_was_handed_over_for_a_client_before() {
    let (_directory, ledger, release, hold) = busy().await;
    let (writing, reading) = (ledger.clone(), ledger.clone());
    let write = tokio::spawn(async move { writing.write_for_client(|tx| arrive(tx, "job")).await });
    tokio::task::yield_now().await;
    assert_eq!(
        ledger.read_now(|view| Ok(view.instances()?)).await.unwrap(),
        [],
        "whoever cannot wait need not"
    );
    let read = tokio::spawn(async move { names(&reading).await });
    tokio::task::yield_now().await;
    assert!(!read.is_finished(), "it waits for what came before it");
    drop(release);
    hold.await.unwrap().unwrap();
    write.await.unwrap().unwrap();
    assert_eq!(read.await.unwrap(), ["holder", "job"]);
}

#[tokio::test]
async fn a_look_does_not_wait_for_what_no_client_has_asked_for() {
    let (_directory, ledger, release, hold) = busy().await;
    let writing = ledger.clone();
    let write = tokio::spawn(async move { writing.write(|tx| arrive(tx, "job")).await });
    tokio::task::yield_now().await;
    assert!(names(&ledger).await.is_empty());
    drop(release);
    hold.await.unwrap().unwrap();
    write.await.unwrap().unwrap();
    assert_eq!(names(&ledger).await, ["holder", "job"]);
}

#[tokio::test]
async fn a_broken_rule_is_refused_and_the_rest_of_the_group_commits() {
    let directory = tempdir().unwrap();
    let ledger = open(directory.path());
    ledger.write(|tx| arrive(tx, "one")).await.unwrap();
    let twice = ledger.write(|tx| arrive(tx, "one")).await;
    assert!(matches!(twice, Err(Refusal::Storage { .. })), "{twice:?}");
    assert_eq!(names(&ledger).await, ["one"]);
}

#[tokio::test]
async fn what_is_written_comes_back_as_it_was() {
    let directory = tempdir().unwrap();
    let ledger = open(directory.path());
    ledger.write(|tx| arrive(tx, "one")).await.unwrap();
    let read = ledger.read(|view| Ok(view.instances()?)).await.unwrap();
    assert_eq!(read, [instance("one")], "numbers above the range of SQLite's too");
    let observer = instance_as(Role::Observer, "two");
    let entered = observer.clone();
    ledger.write(move |tx| Ok(tx.insert_instance(&entered, "0")?)).await.unwrap();
    let read = ledger.read(|view| Ok(view.instances()?)).await.unwrap();
    assert_eq!(read, [instance("one"), observer]);
}

#[tokio::test]
async fn an_instance_with_a_role_of_a_later_version_is_seen_and_given_nothing() {
    let directory = tempdir().unwrap();
    let ledger = open(directory.path());
    ledger.write(|tx| arrive(tx, "one").and_then(|()| arrive(tx, "two"))).await.unwrap();
    let later = rusqlite::Connection::open(directory.path().join("ledger.db")).unwrap();
    later.execute("UPDATE instances SET role = 'mirror' WHERE id = 'ins_one'", []).unwrap();
    assert_eq!(names(&ledger).await, ["one", "two"], "whoever dies is settled");
    let takes = ["one", "two"].map(InstanceId::from_unique);
    let look =
        ledger.read(move |view| Ok([view.takes_any_work(&takes[0])?, view.takes_any_work(&takes[1])?]));
    assert_eq!(look.await.unwrap(), [false, true]);
}

#[tokio::test]
async fn who_has_waited_for_another_process_writes_soon_after_it_lets_go() {
    /// At this time SQLite's own pauses are a tenth of a second long, and the next one ends long after it.
    const HELD: Duration = Duration::from_millis(250);
    const SOON: Duration = Duration::from_millis(30);
    let directory = tempdir().unwrap();
    let ledger = open(directory.path());
    let other = rusqlite::Connection::open(directory.path().join("ledger.db")).unwrap();
    let mut soonest = Duration::MAX;
    // On a busy machine each may be woken late, but not all.
    for number in 0..6 {
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut written = Box::pin(ledger.write(move |tx| arrive(tx, &number.to_string())));
        assert!(timeout(HELD, &mut written).await.is_err(), "another process writes");
        let let_go = Instant::now();
        other.execute_batch("ROLLBACK").unwrap();
        written.await.unwrap();
        soonest = soonest.min(let_go.elapsed());
    }
    println!("after {soonest:?} at best");
    assert!(soonest < SOON, "{soonest:?}");
}
