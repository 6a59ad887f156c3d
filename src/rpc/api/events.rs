//! `events/…`: what happened, in order.

use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::Params;

use super::forward;
use super::in_order::InOrder;
use super::table::Table;
use crate::domain::event::KINDS;
use crate::domain::fault::Word;
use crate::domain::refusal::Refusal;
use crate::domain::sent::INTEGER_MAX;
use crate::rpc::backend::{Backend, Follow, Place};
use crate::rpc::params;

pub(super) fn register<B: Backend>(
    module: &mut Table<B>,
    in_order: &mut InOrder<B>,
) -> Result<(), RegisterMethodError> {
    // "From now on" means from this request on.
    in_order.before("events/subscribe", |backend, _, mut extensions| async move {
        extensions.insert(backend.place().await?);
        Ok(extensions)
    });
    module.register_subscription(
        "events/subscribe",
        "events/event",
        "events/unsubscribe",
        |params, pending, backend, extensions| async move {
            let place = extensions.get::<Place>().copied();
            let feed = match read(&params, place) {
                Ok(wanted) => backend.follow(wanted).await,
                Err(refusal) => Err(refusal),
            };
            let feed = match feed {
                Ok(feed) => feed,
                Err(refusal) => return pending.reject(super::refused(refusal)).await,
            };
            // A client that has gone meanwhile needs no events.
            if let Ok(sink) = pending.accept().await {
                forward(feed, sink).await;
            }
        },
    )?;
    Ok(())
}

fn read(params: &Params<'_>, place: Option<Place>) -> Result<Follow, Refusal> {
    params::read(params, "`after`, `ledgerID`, `kinds`, `automationID` and `insideRun`", |fields| {
        let after = fields.integer("after", 0..=INTEGER_MAX);
        let ledger = fields.short_text("ledgerID", params::ID_MAX).map(str::to_owned);
        let mut kinds = fields.texts("kinds").unwrap_or_default();
        for (index, kind) in kinds.iter().enumerate() {
            if !KINDS.contains(&kind.as_str()) {
                let hint = format!("write some of: {}", KINDS.join(", "));
                fields.fault_hint(&format!("kinds[{index}]"), Word::UnknownValue, hint);
            }
        }
        kinds.sort_unstable();
        kinds.dedup();
        let automation = match fields.has("automationID") {
            true => params::automation_id(fields, "automationID"),
            false => None,
        };
        let inside_run = params::inside_run(fields);
        Some(Follow { asked_at: place?, after, ledger, kinds, automation, inside_run })
    })
}
