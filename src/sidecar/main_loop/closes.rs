//! What the loop does when nothing is in the way of a close any more, and what this window does from then on.

use std::io;

use super::MainLoop;
use crate::domain::lifecycle::{CloseKind, Extent};
use crate::domain::refusal::Refusal;
use crate::domain::scheduler::Role;
use crate::engine::Context;
use crate::engine::close::{self, ReadyClose};
use crate::failpoint::Failpoint;
use crate::ledger::Tx;
use crate::sidecar::configuration;

/// Around the end of a close.
const END: [Failpoint; 2] = [Failpoint::BeforeCloseEnd, Failpoint::AfterCloseEnd];

/// What follows from a close that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    GoOn,
    Leave,
}

/// What has become of what a window does beside answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NewRole {
    Taken,
    Same,
}

impl MainLoop {
    /// Does what a close takes, and writes down how it has ended. Doing it once more does no harm.
    pub(super) async fn close(&mut self, ready: ReadyClose) -> Result<Then, Refusal> {
        self.sidecar.parts.failpoints.pass(Failpoint::BeforeClose);
        let outcome = match (ready.kind, &ready.extent) {
            (CloseKind::Reload, _) => self.reload().await?,
            (CloseKind::Dispose, Extent::Project) => {
                self.give_up_the_project();
                Ok(())
            }
            // What is given up is given to nobody here any more, which its row says.
            (CloseKind::Dispose, Extent::Directories(_)) => Ok(()),
            // Whoever leaves does the rest on the way.
            (CloseKind::Shutdown, _) => {
                self.give_up_the_project();
                Ok(())
            }
        };
        if let Err(why) = &outcome {
            tracing::error!(close = %ready.id, "a close has failed: {why}");
        }
        let id = ready.id;
        let complete =
            move |tx: &Tx<'_>, context: &mut Context<'_>| close::complete(tx, context, &id, outcome);
        let told = self.sidecar.decide_between(END, complete).await?;
        Ok(match ready.kind {
            // Something has come in its way meanwhile. The row tells what this window does until then.
            CloseKind::Shutdown if told.is_none() => Then::GoOn,
            CloseKind::Shutdown => Then::Leave,
            CloseKind::Reload | CloseKind::Dispose => Then::GoOn,
        })
    }

    /// Reads the configuration anew, and takes it up. What cannot be: a sentence about what is wrong with it. What was
    /// in force before counts on then.
    async fn reload(&self) -> Result<Result<(), String>, Refusal> {
        let parts = &self.sidecar.parts;
        let Some(file) = parts.configuration_file.clone() else { return Ok(Ok(())) };
        let unread = |why: &dyn std::fmt::Display| format!("the configuration file could not be read: {why}");
        let reached = parts.failpoints.reach(Failpoint::BeforeReload).map_err(io::Error::from);
        if let Err(error) = reached {
            return Ok(Err(unread(&error)));
        }
        let read = match tokio::task::spawn_blocking(move || configuration::read(&file)).await {
            Ok(found) => found.meaning(),
            Err(error) => Err(unread(&error)),
        };
        match read {
            Ok(file) => self.sidecar.take_up(file).await,
            Err(why) => Ok(Err(why)),
        }
    }

    /// Gives up the bell, for whoever is in line.
    fn give_up_the_project(&mut self) {
        // Nothing is decided for the whole project between this and the lock.
        self.role.send_replace(Role::Observer);
        // A wait that is over may hold the lock as well.
        self.succession = None;
        self.bell.hand_over();
    }

    /// Does from now on what the rows say that this window does, and gives whether that is something else than before.
    /// They say that it takes part again when a reload has brought that back.
    pub(super) async fn take_role(&mut self, role: Role) -> Result<NewRole, Refusal> {
        if self.role.send_replace(role) == role {
            return Ok(NewRole::Same);
        }
        match role {
            Role::Participant => self.bell.stand_in_line(&self.sidecar).await?,
            Role::Observer => self.bell.hand_over(),
        }
        Ok(NewRole::Taken)
    }
}
