//! The part of the audit that looks at what automations rest after.

use std::collections::HashMap;

use rusqlite::Connection;
use serde_json::Value;
use sexton::ledger::StoredEvent;

/// The classes after whose failures an automation rests at once, which are also the reasons of such pauses.
const AT_ONCE: [&str; 3] = ["config", "auth", "quota"];

#[derive(Default)]
pub(crate) struct Pauses {
    /// The class of the last failure of each automation.
    classes: HashMap<String, String>,
    /// What has failed of such a class, and has not been looked at.
    failed: Vec<String>,
}

impl Pauses {
    pub(crate) fn read_run(&mut self, run: &Value) {
        let (Some(class), Some(automation)) = (run["error"]["class"].as_str(), run["automationID"].as_str())
        else {
            return;
        };
        self.classes.insert(automation.to_owned(), class.to_owned());
        if AT_ONCE.contains(&class) {
            self.failed.push(run["id"].as_str().unwrap().to_owned());
        }
    }

    /// Gives the reason of a pause that is news.
    pub(crate) fn read_automation<'a>(
        &self,
        before: &Value,
        now: &'a Value,
        event: &StoredEvent,
    ) -> Option<&'a str> {
        let (pause, reason) = (&now["pause"], now["pause"]["reason"].as_str());
        let is_news = reason.is_some() && before["pause"].is_null();
        assert!(
            is_news || before["pause"].is_null() || pause.is_null() || *pause == before["pause"],
            "{now}"
        );
        let by_itself = is_news && !matches!(reason, Some("user" | "run"));
        assert_eq!(event.important, by_itself, "importance of {now}");
        assert_eq!(by_itself, !pause.is_null() && pause["by"].is_null() && is_news, "who paused {now}");
        if by_itself {
            assert_eq!(before["revision"], now["revision"], "nobody has changed {now}");
            assert!(now["state"]["failureStreak"].as_i64() >= Some(1), "without a failure: {now}");
            assert_eq!(now["kind"], "recurring", "it could not be resumed: {now}");
            let class = reason.filter(|reason| AT_ONCE.contains(reason));
            assert_eq!(pause["note"].is_string(), class.is_some(), "the note of {now}");
            if let Some(class) = class {
                assert_eq!(self.classes[now["id"].as_str().unwrap()], class, "what {now} has failed of");
            } else {
                let limit = now["policy"]["pauseAfterFailures"].as_i64().unwrap();
                assert!(now["state"]["failureStreak"].as_i64() >= Some(limit), "too early: {now}");
            }
        }
        reason.filter(|_| is_news)
    }

    /// What has failed of such a class rests, unless the failure has not counted yet, or is one of something else than
    /// what would be done next.
    pub(crate) fn check(&mut self, connection: &Connection) {
        let sql = "SELECT a.id FROM runs r JOIN automations a ON a.row = r.automation
                     JOIN definitions d ON d.row = a.definition
                   WHERE r.id = ?1 AND r.definition = a.definition AND d.body ->> '$.kind' = 'recurring'
                     AND a.pause IS NULL AND a.next_fire_at IS NOT NULL
                     AND NOT EXISTS (SELECT 1 FROM runs o WHERE o.trigger ->> '$.of' = r.id)";
        for run in self.failed.drain(..) {
            let mut statement = connection.prepare_cached(sql).unwrap();
            assert!(!statement.exists([&run]).unwrap(), "the automation of {run} goes on");
        }
    }
}
