//! A ledger on disk, and rows to put into it.

use std::path::Path;

use sexton::domain::automation::Actor;
use sexton::domain::clock::{Boot, Reading};
use sexton::domain::draft::{self, CreateParams, Surroundings};
use sexton::domain::id::{IdSource, InstanceId, LedgerId};
use sexton::domain::process::{FileIdentity, ProcessIdentity};
use sexton::domain::refusal::Refusal;
use sexton::domain::scheduler::{Limits, Role};
use sexton::domain::sent::Sent;
use sexton::domain::shown::Voice;
use sexton::domain::time::Timestamp;
use sexton::engine::Context;
use sexton::ledger::{InstanceRow, Ledger, Outside, Tx};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_736_121_600_000);

pub(crate) fn open(directory: &Path) -> Ledger {
    Ledger::open(directory, "/project", LedgerId::from_unique("first"), NOW, Outside::nobody()).unwrap()
}

/// Something small that shows: an instance's row.
pub(crate) fn arrive(tx: &Tx<'_>, name: &str) -> Result<(), Refusal> {
    Ok(tx.insert_instance(&instance(name), "0")?)
}

pub(crate) fn instance(name: &str) -> InstanceRow {
    instance_as(Role::Participant, name)
}

pub(crate) fn instance_as(role: Role, name: &str) -> InstanceRow {
    InstanceRow {
        actor: Actor { instance: InstanceId::from_unique(name), client: None },
        process: ProcessIdentity {
            pid: 1,
            start_time: u64::MAX,
            boot_id: "boot".to_owned(),
            pid_namespace: "4026531836".to_owned(),
        },
        lock: FileIdentity { device: u64::MAX, inode: 7 },
        role,
        since: NOW,
    }
}

pub(crate) async fn names(ledger: &Ledger) -> Vec<String> {
    let instances = ledger.read(|view| Ok(view.instances()?)).await.unwrap();
    let name = |row: &InstanceRow| row.actor.instance.as_str().trim_start_matches("ins_").to_owned();
    instances.iter().map(name).collect()
}

/// Identities of one test, which count up.
pub(crate) struct Ids(pub(crate) u64);

impl IdSource for Ids {
    fn unique(&mut self) -> String {
        self.0 += 1;
        self.0.to_string()
    }
}

/// Decides in this transaction as an instance of this name.
pub(crate) fn decide<T>(
    tx: &Tx<'_>,
    ids: &mut Ids,
    now: Timestamp,
    decision: impl FnOnce(&Tx<'_>, &mut Context<'_>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let me = Actor { instance: InstanceId::from_unique("me"), client: None };
    let limits = Limits::default();
    let mut troubles = Vec::new();
    let boot = Boot::from_text("boot");
    let mut context = Context {
        now,
        due_by: now,
        reading: Reading { wall: now, elapsed_ms: 0, awake_ms: 0 },
        boot: &boot,
        ids,
        me: &me,
        voice: Voice::Person,
        limits: &limits,
        project: "/project",
        vcs: None,
        troubles: &mut troubles,
    };
    decision(tx, &mut context)
}

/// A command every minute.
pub(crate) fn every_minute() -> CreateParams {
    let draft = serde_json::json!({
        "title": "every minute", "kind": "recurring",
        "rhythm": {"kind": "interval", "everyMs": 60_000},
        "task": {"kind": "command", "program": "work"},
        "policy": {"pauseAfterFailures": null},
    });
    let limits = Limits::default();
    let around = Surroundings { machine_zone: "UTC", limits: &limits, now: NOW, vcs: None };
    draft::read_create(Sent::from(&draft).as_object().unwrap(), around, |_| ()).unwrap().0
}
