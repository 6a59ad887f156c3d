//! `automation/simulate`: what will happen.

use jsonrpsee::core::RegisterMethodError;

use super::looks::Look;
use super::table::Table;
use super::{handled, refused};
use crate::domain::draft::read_simulate;
use crate::rpc::backend::Backend;
use crate::rpc::params;

/// The methods here that look and change nothing.
pub(super) const LOOKS: &[(&str, Look)] = &[("automation/simulate", Look::One)];

pub(super) fn register<B: Backend>(module: &mut Table<B>) -> Result<(), RegisterMethodError> {
    module.register_async_method("automation/simulate", |params, backend, _| async move {
        let read = || read_simulate(&params::object(&params)?, backend.surroundings(), params::ID_MAX);
        let request = read().map_err(refused)?;
        handled(backend.simulate(request).await)
    })?;
    Ok(())
}
