//! `scheduler/…`: who rings the bell, and whether all is well.

use jsonrpsee::core::RegisterMethodError;

use super::table::Table;
use super::{handled, refused};
use crate::rpc::backend::Backend;
use crate::rpc::params;

pub(super) fn register<B: Backend>(module: &mut Table<B>) -> Result<(), RegisterMethodError> {
    module.register_async_method("scheduler/status", |params, backend, _| async move {
        params::read(&params, "", |_| Some(())).map_err(refused)?;
        handled(Ok(backend.scheduler_status().await))
    })?;
    Ok(())
}
