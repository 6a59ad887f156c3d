//! `directory/…`: work of the user's own that runs and closes wait for.

use jsonrpsee::Extensions;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::Params;

use super::bounds::HOLD_TITLE;
use super::in_order::{Handed, InOrder};
use super::table::Table;
use super::unsubscribed;
use crate::domain::id::SubscriptionId;
use crate::domain::refusal::Refusal;
use crate::domain::request::HoldParams;
use crate::rpc::backend::Backend;
use crate::rpc::caller::{Caller, Permit};
use crate::rpc::initialize::PATH_MAX;
use crate::rpc::params;

pub(super) fn register<B: Backend>(
    module: &mut Table<B>,
    in_order: &mut InOrder<B>,
) -> Result<(), RegisterMethodError> {
    // A hold is written down before the client is answered, and so is its end: what is asked for after either finds the
    // directory as it is then.
    in_order.before("directory/hold", |backend, params, mut extensions| async move {
        let (wanted, by) = read(&params, &extensions)?;
        let Some(subscription) = extensions.get::<SubscriptionId>().cloned() else {
            return Err(Refusal::Internal("a subscription has no identity".to_owned()));
        };
        let held = backend.hold(subscription, wanted, by).await?;
        extensions.insert(Handed::new(held));
        Ok(extensions)
    });
    in_order.before("directory/release", |backend, params, extensions| async move {
        let permit = extensions.get::<Permit>().cloned().unwrap_or_default();
        backend.release(unsubscribed(&params)?, permit).await?;
        Ok(extensions)
    });
    // Nothing is ever sent, but the table wants a name for it.
    module.register_subscription(
        "directory/hold",
        "directory/held",
        "directory/release",
        |_, pending, _, extensions| async move {
            let held = extensions.get::<Handed<B::Hold>>().and_then(Handed::take);
            // A client that has gone meanwhile holds nothing.
            if let Ok(sink) = pending.accept().await {
                sink.closed().await;
            }
            drop(held);
        },
    )?;
    Ok(())
}

fn read(params: &Params<'_>, extensions: &Extensions) -> Result<(HoldParams, Caller), Refusal> {
    params::read(params, "`directory`, `title` and `insideRun`", |fields| {
        let directory = fields.short_text("directory", PATH_MAX).map(str::to_owned);
        let title = fields.required_short_text("title", HOLD_TITLE).map(str::to_owned);
        let by = params::caller(fields, extensions);
        Some((HoldParams { directory, title: title? }, by))
    })
}
