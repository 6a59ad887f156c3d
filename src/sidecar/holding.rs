//! Directories in which the user's own work goes on, as this window tells of it: each is held for as long as a
//! subscription is open.

use std::time::Duration;

use tokio::time::sleep;

use super::{Sidecar, project};
use crate::domain::fault::Fault;
use crate::domain::id::SubscriptionId;
use crate::domain::lifecycle::Extent;
use crate::domain::refusal::{Refusal, invalid_param};
use crate::domain::request::HoldParams;
use crate::engine::hold;
use crate::failpoint::Failpoint;
use crate::rpc::backend::Answer;
use crate::rpc::caller::{Caller, Permit};

/// How long a release waits before it is written again.
const WRITE_AGAIN: Duration = Duration::from_secs(1);

/// A directory that is held. It is released when this goes.
pub struct HeldDirectory {
    sidecar: Sidecar,
    id: SubscriptionId,
}

impl Sidecar {
    /// Holds a directory for a subscription that is about to be answered.
    pub(super) async fn hold_directory(
        &self,
        id: SubscriptionId,
        request: HoldParams,
        by: Caller,
    ) -> Answer<HeldDirectory> {
        let HoldParams { directory, title } = request;
        let directory = match directory {
            None => self.parts.project.clone(),
            Some(named) => self.directory_key(&named).map_err(|why| at_field("directory", why))?,
        };
        let held = id.clone();
        self.change(by, move |tx, context| hold::hold(tx, context, held, directory, title)).await?;
        Ok(HeldDirectory { sidecar: self.clone(), id })
    }

    /// Releases a directory because the client asks for it.
    pub(super) async fn release_directory(&self, id: SubscriptionId, permit: Permit) -> Answer<()> {
        self.parts.failpoints.reach(Failpoint::BeforeHoldEnd)?;
        let by = Caller { inside_run: None, permit };
        self.change(by, move |tx, context| hold::release(tx, context, &id)).await
    }

    /// The directories that a close concerns.
    pub(super) fn extent_of(&self, named: Option<Vec<String>>) -> Answer<Extent> {
        let Some(named) = named else { return Ok(Extent::Project) };
        let mut directories = Vec::with_capacity(named.len());
        for (index, directory) in named.iter().enumerate() {
            let key = self.directory_key(directory);
            directories.push(key.map_err(|why| at_field(&format!("directories[{index}]"), why))?);
        }
        directories.sort_unstable();
        directories.dedup();
        Ok(Extent::Directories(directories))
    }

    /// The directory as runs that work there name it.
    fn directory_key(&self, named: &str) -> Result<String, Fault> {
        project::directory_key(&self.parts.project, named)
    }
}

fn at_field(field: &str, fault: Fault) -> Refusal {
    invalid_param(Fault { field: field.to_owned(), ..fault })
}

impl Drop for HeldDirectory {
    fn drop(&mut self) {
        let (sidecar, id) = (self.sidecar.clone(), self.id.clone());
        // What is still held when the process ends is released with all that belongs to this window.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { sidecar.release_at_last(&id).await });
        }
    }
}

impl Sidecar {
    /// Releases a directory whose subscription has ended, however often that has to be tried.
    async fn release_at_last(&self, id: &SubscriptionId) {
        loop {
            match self.try_to_release(id.clone()).await {
                Ok(()) => return,
                Err(refusal) => {
                    tracing::warn!(%refusal, hold = %id, "a directory could not be released; trying again");
                }
            }
            sleep(WRITE_AGAIN).await;
            if *self.parts.left.borrow() {
                return;
            }
        }
    }

    async fn try_to_release(&self, id: SubscriptionId) -> Answer<()> {
        self.parts.failpoints.reach(Failpoint::BeforeHoldEnd)?;
        self.decide(move |tx, context| hold::release(tx, context, &id)).await
    }
}
