//! One of several windows that agree by a lease who rings: a row with the time of its owner's last sign of life.
//!
//! `lease-peer own FILE EXPIRY_MS LOOK_MS` takes the lease of this file, says `"mine"`, and gives a sign at each look.
//! `lease-peer wait FILE EXPIRY_MS LOOK_MS WINDOWS` plays so many windows that look at it, each from another moment on,
//! says `"waiting"`, and then `"mine"` when one of them has found the last sign to be older than the lease lasts, and
//! has taken it.

use std::error::Error;
use std::sync::mpsc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, params};

/// How the windows go about it.
#[derive(Clone)]
struct Lease {
    file: String,
    expiry_ms: i64,
    look: Duration,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [role, file, expiry_ms, look_ms, rest @ ..] = args.as_slice() else {
        return Err("own|wait FILE EXPIRY_MS LOOK_MS [WINDOWS]".into());
    };
    let look = Duration::from_millis(look_ms.parse()?);
    let lease = Lease { file: file.clone(), expiry_ms: expiry_ms.parse()?, look };
    match (role.as_str(), rest) {
        ("own", []) => own(&lease),
        ("wait", [windows]) => wait(&lease, windows.parse()?),
        _ => Err(format!("{role:?} is no role with these arguments").into()),
    }
}

fn own(lease: &Lease) -> Result<(), Box<dyn Error>> {
    let connection = open(lease)?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS lease (one INTEGER PRIMARY KEY, owner TEXT NOT NULL, sign_at INTEGER NOT NULL);",
    )?;
    let sign = |connection: &Connection| {
        connection.execute("INSERT OR REPLACE INTO lease VALUES (1, 'the first', ?1)", params![now_ms()])
    };
    sign(&connection)?;
    println!("\"mine\"");
    loop {
        std::thread::sleep(lease.look);
        sign(&connection)?;
    }
}

fn wait(lease: &Lease, windows: u32) -> Result<(), Box<dyn Error>> {
    let (mine, taken) = mpsc::sync_channel(1);
    for window in 0..windows {
        let (lease, mine) = (lease.clone(), mine.clone());
        // Their looks are spread over the time between two looks of one.
        let begins_after = lease.look * window / windows;
        #[expect(clippy::disallowed_methods, reason = "each window has a thread of its own")]
        std::thread::spawn(move || {
            std::thread::sleep(begins_after);
            // Whoever could not look says so, and ends the program.
            let _ = mine.try_send(take_when_expired(&lease, window).map_err(|error| error.to_string()));
        });
    }
    println!("\"waiting\"");
    taken.recv()??;
    println!("\"mine\"");
    Ok(())
}

/// Looks until the lease has expired, and takes it.
fn take_when_expired(lease: &Lease, window: u32) -> Result<(), rusqlite::Error> {
    let connection = open(lease)?;
    let mut look = connection.prepare("SELECT sign_at FROM lease WHERE sign_at <= ?1")?;
    loop {
        let expired = now_ms() - lease.expiry_ms;
        if look.exists(params![expired])? {
            let take = "UPDATE lease SET owner = ?1, sign_at = ?2 WHERE sign_at <= ?3";
            if connection.execute(take, params![format!("window {window}"), now_ms(), expired])? == 1 {
                return Ok(());
            }
        }
        std::thread::sleep(lease.look);
    }
}

fn open(lease: &Lease) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(&lease.file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.busy_timeout(Duration::from_secs(10))?;
    Ok(connection)
}

#[expect(clippy::disallowed_methods, reason = "a lease goes by the wall clock, which all windows share")]
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
