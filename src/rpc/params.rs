//! Reads the parameters of a method: by name, every fault at once, nothing ignored.

use jsonrpsee::Extensions;
use jsonrpsee::types::Params;

use crate::domain::fault::{Fault, Word};
use crate::domain::fields::{Faults, Fields};
use crate::domain::id::{AutomationId, RunId};
use crate::domain::refusal::Refusal;
use crate::domain::sent::{INTEGER_MAX, SentObject};
use crate::rpc::caller::{Caller, Permit};

/// The longest identity, in characters. Ours have half as many; what is longer names nothing, and would be
/// repeated in the refusal.
pub const ID_MAX: usize = 100;

/// The parameters as an object, which is empty if there are none.
pub fn object(params: &Params<'_>) -> Result<SentObject, Refusal> {
    let Some(text) = params.as_str() else { return Ok(SentObject::default()) };
    parse_object(text)
}

/// An object that a client sent.
pub fn parse_object(text: &str) -> Result<SentObject, Refusal> {
    SentObject::parse(text).map_err(|error| {
        let hint = format!("the parameters cannot be read: {error}");
        Refusal::InvalidParams(vec![Fault::with_hint("", Word::WrongType, hint)])
    })
}

/// Reads the fields that a method knows, and refuses all others.
///
/// # Errors
/// All faults at once.
pub fn read<T>(
    params: &Params<'_>,
    known: &str,
    read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
) -> Result<T, Refusal> {
    let map = object(params)?;
    let faults = Faults::new();
    let mut fields = Fields::root(&map, &faults);
    let value = read(&mut fields);
    let hint = match known {
        "" => "this method takes no parameters".to_owned(),
        known => format!("this method takes {known}"),
    };
    fields.finish(Word::UnknownValue, |_| Some(hint.clone()));
    match (value, faults.take()) {
        (Some(value), faults) if faults.is_empty() => Ok(value),
        (_, faults) => Err(Refusal::InvalidParams(faults)),
    }
}

/// The automation's identity, which must be there.
pub fn automation_id(fields: &mut Fields<'_>, name: &'static str) -> Option<AutomationId> {
    fields.required_short_text(name, ID_MAX).map(AutomationId::from_text)
}

/// The run's identity, which must be there.
pub fn run_id(fields: &mut Fields<'_>, name: &'static str) -> Option<RunId> {
    fields.required_short_text(name, ID_MAX).map(RunId::from_text)
}

/// The revision that a change is meant for, if it is meant for one.
pub fn if_revision(fields: &mut Fields<'_>) -> Option<i64> {
    fields.integer("ifRevision", 1..=INTEGER_MAX)
}

/// A page's size, within what the method allows.
pub fn limit(fields: &mut Fields<'_>, most: i64, default: usize) -> usize {
    let limit = fields.integer("limit", 1..=most);
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(default)
}

/// The run that a request comes out of, if an application says that it forwards one of an agent's.
pub fn inside_run(fields: &mut Fields<'_>) -> Option<RunId> {
    fields.short_text("insideRun", ID_MAX).map(RunId::from_text)
}

/// On whose behalf a change is asked for: what the request says of that, and what came with it.
pub fn caller(fields: &mut Fields<'_>, extensions: &Extensions) -> Caller {
    Caller { inside_run: inside_run(fields), permit: extensions.get::<Permit>().cloned().unwrap_or_default() }
}
