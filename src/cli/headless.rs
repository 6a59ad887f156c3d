//! `sexton serve --headless`: a sidecar that nobody speaks with, so that automations are carried out also while no
//! window is open.
//!
//! Its client is whoever manages services: it is told by the log what is going on, and by the exit code how it ended.

use std::convert::Infallible;
use std::process::ExitCode;

use serde::Deserialize;

use super::process::{block_on, outlive_limits, stop_signal};
use super::project::Chosen;
use super::stderr_log::StderrLog;
use super::{complain, tell};
use crate::domain::refusal::Refusal;
use crate::domain::scheduler::Role;
use crate::exec::GuardProgram;
use crate::rpc::backend::{Backend, Feed, Follow, Host, Place};
use crate::sidecar::config::Environment;
use crate::sidecar::{Sidecar, SidecarHost};

/// What is logged if nobody chooses: who reads the log of a service wants to see when it began and what it did.
const LOGGED: &str = "info";

/// What it calls itself where windows are shown who is there.
const CLIENT: &str = "headless";

/// How it ended.
enum End {
    /// It was asked to end.
    Asked,
    /// What was named cannot be served, and trying again changes nothing.
    Unusable(String),
    /// It could not begin, or could not go on; another attempt may.
    Failed(String),
}

/// Serves until a signal asks it to end. The exit code is 0 then; 2 where what was named cannot be served, and 1
/// where another attempt may succeed.
pub(super) fn run(environment: Environment, served: Chosen) -> ExitCode {
    let begun = StderrLog::begin(&environment, LOGGED);
    match begun.and_then(|_log| block_on(serve(environment, served))) {
        Ok(End::Asked) => ExitCode::SUCCESS,
        Ok(End::Unusable(why)) => complain(&why),
        Ok(End::Failed(why)) => {
            tell(&why);
            ExitCode::FAILURE
        }
        Err(error) => {
            tell(&format!("cannot serve: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn serve(environment: Environment, served: Chosen) -> std::io::Result<End> {
    let params = match served.introduce(&environment, CLIENT, Role::Participant) {
        Ok(params) => params,
        Err(why) => return Ok(End::Unusable(why)),
    };
    let host = SidecarHost::new(environment, std::env::current_dir()?, GuardProgram::this_binary()?);
    let host = match host {
        Ok(host) => host,
        Err(why) => return Ok(End::Unusable(why)),
    };
    outlive_limits()?;
    let stop = stop_signal()?;
    tokio::pin!(stop);
    let opened = tokio::select! {
        biased;
        // What an opening that is left alone has entered is settled by whoever comes next.
        () = &mut stop => return Ok(End::Asked),
        opened = host.initialize(params) => opened,
    };
    let (opened, sidecar) = match opened {
        Ok(opened) => opened,
        Err(refusal) => return Ok(why_not(&refusal)),
    };
    for warning in &opened.warnings {
        tracing::warn!("{warning}");
    }
    let project = &opened.project.directory;
    if sidecar.role() == Role::Observer {
        sidecar.shutdown().await;
        return Ok(End::Unusable(format!(
            "{project} is not served: this process was started by a run of that project (SEXTON_RUN_ID), and what a run starts takes no part; start it from elsewhere"
        )));
    }
    let bell = match opened.scheduler.owner {
        true => "this sidecar rings the bell",
        false => "another one rings the bell, or nobody yet",
    };
    tracing::info!(state = %opened.state_directory, "serving {project}; {bell}");
    Ok(work_until(stop, &sidecar, Place(opened.seq)).await)
}

async fn work_until(stop: impl Future<Output = ()>, sidecar: &Sidecar, opened_at: Place) -> End {
    tokio::select! {
        never = log_what_is_important(sidecar, opened_at) => match never {},
        () = stop => {
            tracing::info!("asked to end; what still runs is ended as well");
            sidecar.shutdown().await;
            tracing::info!("ended");
            End::Asked
        }
        () = sidecar.another_ledger_is_there() => {
            sidecar.shutdown().await;
            End::Failed("another ledger stands in the place of the one that was served; whoever starts this again serves that one".to_owned())
        }
        () = sidecar.ceased() => {
            End::Failed("the sidecar has failed and does nothing any more; its log tells why, and whoever starts it again has what was written".to_owned())
        }
    }
}

/// Logs what a person should be shown at once, whichever window has brought it about.
async fn log_what_is_important(sidecar: &Sidecar, after: Place) -> Infallible {
    let Place(seq) = after;
    let wanted = Follow {
        asked_at: after,
        after: Some(seq),
        ledger: None,
        kinds: Vec::new(),
        automation: None,
        inside_run: None,
    };
    match sidecar.follow(wanted).await {
        Ok(mut events) => {
            while let Some(event) = events.next().await {
                let Ok(event) = serde_json::from_str::<Important>(event.get()) else { continue };
                tracing::info!("{}", event.text);
            }
        }
        Err(refusal) => tracing::warn!("what is important cannot be logged: {refusal}"),
    }
    // The project is served all the same.
    std::future::pending().await
}

/// An event that a person should be shown: only these have a text.
#[derive(Deserialize)]
struct Important {
    text: String,
}

fn why_not(refusal: &Refusal) -> End {
    match refusal {
        Refusal::InvalidParams(_) => End::Unusable(refusal.of_arguments()),
        Refusal::InvalidAutomation(_)
        | Refusal::NotFound { .. }
        | Refusal::AutomationConflict { .. }
        | Refusal::ActiveRunStillRunning { .. }
        | Refusal::WriterBusy { .. }
        | Refusal::BlockerGone { .. }
        | Refusal::InsideRun { .. }
        | Refusal::Closing { .. }
        | Refusal::CloseFailed { .. }
        | Refusal::Overloaded(_)
        | Refusal::Cancelled
        | Refusal::Storage { .. }
        | Refusal::InvalidRequest(_)
        | Refusal::Internal(_) => End::Failed(format!("the project cannot be opened: {refusal}")),
    }
}
