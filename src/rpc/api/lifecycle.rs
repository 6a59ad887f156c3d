//! `lifecycle/…`: a window lets go of its project, or of some of its directories.

use jsonrpsee::Extensions;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::Params;

use super::bounds::CLOSE_DIRECTORIES;
use super::table::Table;
use super::{handled, refused};
use crate::domain::fault::Word;
use crate::domain::fields::Fields;
use crate::domain::lifecycle::{CloseKind, CloseMode};
use crate::domain::refusal::Refusal;
use crate::domain::request::CloseParams;
use crate::rpc::backend::Backend;
use crate::rpc::caller::Caller;
use crate::rpc::initialize::PATH_MAX;
use crate::rpc::params;

/// The words for what becomes of the runs in the way of a close.
pub(in crate::rpc) const MODES: [(&str, CloseMode); 2] =
    [("maintenance", CloseMode::Maintenance), ("force", CloseMode::Force)];

/// The words for what a client may close for; `shutdown` is a method of its own.
pub(in crate::rpc) const KINDS: [(&str, CloseKind); 2] =
    [("reload", CloseKind::Reload), ("dispose", CloseKind::Dispose)];

pub(super) fn register<B: Backend>(module: &mut Table<B>) -> Result<(), RegisterMethodError> {
    module.register_async_method("lifecycle/close", |params, backend, extensions| async move {
        let (request, by) = read_close(&params, &extensions).map_err(refused)?;
        handled(backend.close(request, by).await)
    })?;
    module.register_async_method("lifecycle/status", |params, backend, _| async move {
        params::read(&params, "", |_| Some(())).map_err(refused)?;
        handled(backend.lifecycle_status().await)
    })?;
    Ok(())
}

fn read_close(params: &Params<'_>, extensions: &Extensions) -> Result<(CloseParams, Caller), Refusal> {
    params::read(params, "`kind`, `mode`, `directories` and `insideRun`", |fields| {
        let kind = fields.choice("kind", &KINDS);
        let kind = fields.require("kind", kind);
        let mode = fields.choice("mode", &MODES);
        let mode = fields.require("mode", mode);
        let directories = directories(fields);
        let by = params::caller(fields, extensions);
        Some((CloseParams { kind: kind?, mode: mode?, directories }, by))
    })
}

fn directories(fields: &mut Fields<'_>) -> Option<Vec<String>> {
    let directories = fields.texts("directories")?;
    if directories.is_empty() {
        fields.fault_hint("directories", Word::Required, "name a directory, or leave it out for all of them");
    }
    if directories.len() > CLOSE_DIRECTORIES {
        let hint = format!("name at most {CLOSE_DIRECTORIES} directories");
        fields.fault_hint("directories", Word::TooLong, hint);
        return None;
    }
    for (index, directory) in directories.iter().enumerate() {
        let name = format!("directories[{index}]");
        if directory.trim().is_empty() {
            fields.fault(&name, Word::Required);
        } else if directory.chars().nth(PATH_MAX).is_some() {
            fields.fault_hint(&name, Word::TooLong, format!("use at most {PATH_MAX} characters"));
        }
    }
    Some(directories)
}
