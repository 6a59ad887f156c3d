//! Who is alive, and who owned the bell.

use rusqlite::{OptionalExtension, Row};

use super::column::{Columns, Tx, View, from_json, to_json, to_word};
use super::error::LedgerError;
use crate::domain::automation::Actor;
use crate::domain::id::{InstanceId, LedgerId};
use crate::domain::process::{FileIdentity, ProcessIdentity};
use crate::domain::scheduler::{Owner, Role, SharedLimits};
use crate::domain::time::Timestamp;

/// A living sidecar, or one that died without taking its row away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceRow {
    /// Its identity, and the client it belongs to.
    pub actor: Actor,
    /// Its process.
    pub process: ProcessIdentity,
    /// The lock file that it holds while it lives.
    pub lock: FileIdentity,
    /// What it does beside answering.
    pub role: Role,
    /// Since when.
    pub since: Timestamp,
}

/// The condition that an instance may be given anything: it is a participant, and not about to leave.
const TAKES_ANY_WORK: &str = "role = 'participant' AND leaving_at IS NULL";

/// The condition that an instance has given up the whole project.
const GIVEN_UP: &str = "EXISTS (SELECT 1 FROM closes c
    WHERE c.instance = instances.id AND c.directories IS NULL AND c.completed_at IS NOT NULL)";

fn from_row(row: &Row<'_>) -> Result<InstanceRow, LedgerError> {
    let mut columns = Columns::of(row);
    Ok(InstanceRow {
        actor: Actor { instance: InstanceId::from_text(columns.take::<String>()?), client: columns.take()? },
        process: ProcessIdentity {
            pid: columns.take()?,
            start_time: columns.take::<i64>()?.cast_unsigned(),
            boot_id: columns.take()?,
            pid_namespace: columns.take()?,
        },
        lock: FileIdentity {
            device: columns.take::<i64>()?.cast_unsigned(),
            inode: columns.take::<i64>()?.cast_unsigned(),
        },
        role: columns.word("instances.role")?,
        since: columns.instant()?,
    })
}

impl View<'_> {
    /// The ledger's identity.
    pub fn ledger_id(&self) -> Result<LedgerId, LedgerError> {
        let sql = "SELECT id FROM ledger WHERE only = 1";
        let id: String = self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        Ok(LedgerId::from_text(id))
    }

    /// All instances that have a row.
    pub fn instances(&self) -> Result<Vec<InstanceRow>, LedgerError> {
        let sql =
            "SELECT id, client, pid, start_time, boot_id, pid_namespace, lock_device, lock_inode, role, since
                   FROM instances ORDER BY since, id";
        self.readable_by(from_row, sql, Vec::new())
    }

    /// Whether an instance has a row.
    pub fn has_instance(&self, id: &InstanceId) -> Result<bool, LedgerError> {
        Ok(self.connection.prepare_cached("SELECT 1 FROM instances WHERE id = ?1")?.exists([id.as_str()])?)
    }

    /// What an instance does beside answering, if it has a row.
    pub fn role_of(&self, id: &InstanceId) -> Result<Option<Role>, LedgerError> {
        let sql = "SELECT role FROM instances WHERE id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([id.as_str()])?;
        rows.next()?.map(|row| Columns::of(row).word("instances.role")).transpose()
    }

    /// Who has a row beside this instance.
    pub fn peers_of(&self, me: &InstanceId) -> Result<Vec<InstanceId>, LedgerError> {
        let mut statement = self.connection.prepare_cached("SELECT id FROM instances WHERE id <> ?1")?;
        let peers = statement.query_map([me.as_str()], |row| row.get::<_, String>(0))?;
        peers.map(|peer| Ok(InstanceId::from_text(peer?))).collect()
    }

    /// Whether an instance may be given anything: it is a participant that is there, and not about to leave.
    pub fn takes_any_work(&self, id: &InstanceId) -> Result<bool, LedgerError> {
        let sql = format!("SELECT 1 FROM instances WHERE id = ?1 AND {TAKES_ANY_WORK}");
        Ok(self.connection.prepare_cached(&sql)?.exists([id.as_str()])?)
    }

    /// Whether an instance is there and not about to leave, whatever it does beside answering.
    pub fn is_there(&self, id: &InstanceId) -> Result<bool, LedgerError> {
        let sql = "SELECT 1 FROM instances WHERE id = ?1 AND leaving_at IS NULL";
        Ok(self.connection.prepare_cached(sql)?.exists([id.as_str()])?)
    }

    /// Whether there is anybody who may be given anything.
    pub fn has_participants(&self) -> Result<bool, LedgerError> {
        let sql = format!("SELECT 1 FROM instances WHERE {TAKES_ANY_WORK}");
        Ok(self.connection.prepare_cached(&sql)?.exists([])?)
    }

    /// The limits of the owner of the bell, unless its term has ended.
    pub fn owner_limits(&self) -> Result<Option<SharedLimits>, LedgerError> {
        match self.newest_limits()? {
            Some((limits, None)) => from_json("terms.limits", &limits).map(Some),
            Some((_, Some(_))) | None => Ok(None),
        }
    }

    /// The limits of whoever owned the bell last, also if that has gone.
    pub fn last_limits(&self) -> Result<Option<SharedLimits>, LedgerError> {
        self.newest_limits()?.map(|(limits, _)| from_json("terms.limits", &limits)).transpose()
    }

    /// The limits of the newest term, and when that ended.
    fn newest_limits(&self) -> Result<Option<(String, Option<i64>)>, LedgerError> {
        let sql = "SELECT limits, ended_at FROM terms ORDER BY term DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }
}

impl Tx<'_> {
    /// A sidecar has come. It holds its lock already.
    pub fn insert_instance(&self, instance: &InstanceRow, version: &str) -> Result<(), LedgerError> {
        let sql = "INSERT INTO instances (id, client, pid, start_time, boot_id, pid_namespace, lock_device,
                     lock_inode, role, opened_as, version, since)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?11)";
        let process = &instance.process;
        let params = rusqlite::params![
            instance.actor.instance.as_str(),
            instance.actor.client,
            process.pid,
            process.start_time.cast_signed(),
            process.boot_id,
            process.pid_namespace,
            instance.lock.device.cast_signed(),
            instance.lock.inode.cast_signed(),
            to_word(&instance.role)?,
            version,
            instance.since.as_millis(),
        ];
        self.execute(sql, params)?;
        Ok(())
    }

    /// A sidecar is about to go: it is given nothing any more.
    pub fn mark_leaving(&self, id: &InstanceId, now: Timestamp) -> Result<(), LedgerError> {
        let sql = "UPDATE instances SET leaving_at = ?2 WHERE id = ?1";
        self.execute(sql, (id.as_str(), now.as_millis()))?;
        Ok(())
    }

    /// A sidecar is an observer while it has given up the project, and what it was opened as otherwise.
    pub fn set_role(&self, id: &InstanceId) -> Result<(), LedgerError> {
        let sql = format!(
            "UPDATE instances SET role = CASE WHEN {} THEN ?2 ELSE opened_as END WHERE id = ?1",
            GIVEN_UP
        );
        self.execute(&sql, (id.as_str(), to_word(&Role::Observer)?))?;
        Ok(())
    }

    /// A sidecar has gone.
    pub fn delete_instance(&self, id: &InstanceId) -> Result<(), LedgerError> {
        self.execute("DELETE FROM instances WHERE id = ?1", [id.as_str()])?;
        Ok(())
    }

    /// A new term begins; the one before it ends with it.
    pub fn begin_term(
        &self,
        by: &Actor,
        limits: &SharedLimits,
        now: Timestamp,
    ) -> Result<Owner, LedgerError> {
        self.execute("UPDATE terms SET ended_at = ?1 WHERE ended_at IS NULL", [now.as_millis()])?;
        let sql = "INSERT INTO terms (instance, client, since, limits) VALUES (?1, ?2, ?3, ?4)";
        self.execute(sql, (by.instance.as_str(), &by.client, now.as_millis(), to_json(limits)?))?;
        Ok(Owner { term: self.connection.last_insert_rowid(), by: by.clone(), since: now })
    }

    /// The term of this instance ends, if it has one.
    pub fn end_term(&self, by: &InstanceId, now: Timestamp) -> Result<(), LedgerError> {
        let sql = "UPDATE terms SET ended_at = ?2 WHERE instance = ?1 AND ended_at IS NULL";
        self.execute(sql, (by.as_str(), now.as_millis()))?;
        Ok(())
    }

    /// The same of an instance that was found gone. When it went is known only from what was written last: what tells of
    /// the machine may have been written by whoever has found it.
    pub fn end_term_of_the_dead(&self, dead: &InstanceId, now: Timestamp) -> Result<(), LedgerError> {
        let sql = "UPDATE terms SET ended_at = ?2, last_sign_at = max(since, coalesce(
                     (SELECT at FROM events WHERE seq > (SELECT max(seq) FROM events) - 16
                        AND kind NOT IN ('scheduler.suspended', 'scheduler.clock')
                      ORDER BY seq DESC LIMIT 1), since))
                   WHERE instance = ?1 AND ended_at IS NULL";
        self.execute(sql, (dead.as_str(), now.as_millis()))?;
        Ok(())
    }
}
