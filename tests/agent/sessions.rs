//! The sessions of a scripted agent: what each was prompted with, and what it has cost.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) cwd: String,
    pub(crate) prompts: Vec<String>,
    pub(crate) cost: f64,
}

/// In a directory, so that they outlive the process, or else in memory.
pub(crate) struct Sessions {
    directory: Option<PathBuf>,
    open: BTreeMap<String, Session>,
}

impl Sessions {
    pub(crate) fn of(directory: Option<PathBuf>) -> Sessions {
        if let Some(directory) = &directory {
            std::fs::create_dir_all(directory).unwrap();
        }
        Sessions { directory, open: BTreeMap::new() }
    }

    /// A new one.
    pub(crate) fn begin(&mut self, cwd: &str) -> String {
        let id = format!("session-{}-{}", std::process::id(), self.open.len() + 1);
        self.open.insert(id.clone(), Session { cwd: cwd.to_owned(), ..Session::default() });
        self.keep(&id);
        id
    }

    /// One of before.
    pub(crate) fn take_up(&mut self, id: &str) -> Option<Session> {
        let path = self.directory.as_ref()?.join(format!("{id}.json"));
        let session: Session = serde_json::from_str(&std::fs::read_to_string(path).ok()?).unwrap();
        self.open.insert(id.to_owned(), session.clone());
        Some(session)
    }

    pub(crate) fn change(&mut self, id: &str, change: impl FnOnce(&mut Session)) -> Session {
        let session = self.open.get_mut(id).expect("an open session");
        change(session);
        let session = session.clone();
        self.keep(id);
        session
    }

    pub(crate) fn is_open(&self, id: &str) -> bool {
        self.open.contains_key(id)
    }

    /// It goes, with everything that is kept of it.
    pub(crate) fn delete(&mut self, id: &str) {
        self.open.remove(id);
        if let Some(directory) = &self.directory {
            let _ = std::fs::remove_file(directory.join(format!("{id}.json")));
        }
    }

    fn keep(&self, id: &str) {
        if let Some(directory) = &self.directory {
            let text = serde_json::to_string(&self.open[id]).unwrap();
            std::fs::write(directory.join(format!("{id}.json")), text).unwrap();
        }
    }
}
