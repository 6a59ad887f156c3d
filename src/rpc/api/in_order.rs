//! What a method has to have done in the order in which requests were read, before the table calls it.
//!
//! The table starts the handler of a subscription in a task of its own, which may come after what the client asked for
//! next, and it ends one without letting anybody wait. So what the first look or the change of such a method is stands
//! here: it goes to the ledger's writer like that of any other request, and is committed before the answer.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use jsonrpsee::Extensions;
use jsonrpsee::types::Params;

use crate::domain::refusal::Refusal;

/// What comes of it: the extensions with what the handler is to find there, or why the method is refused.
pub(super) type Step = Pin<Box<dyn Future<Output = Result<Extensions, Refusal>> + Send>>;

type Begin<B> = Box<dyn Fn(Arc<B>, Params<'static>, Extensions) -> Step + Send + Sync>;

/// The steps of the methods that have one.
pub(super) struct InOrder<B> {
    backend: Arc<B>,
    steps: HashMap<&'static str, Begin<B>>,
}

impl<B: Send + Sync + 'static> InOrder<B> {
    pub(super) fn new(backend: Arc<B>) -> Self {
        InOrder { backend, steps: HashMap::new() }
    }

    /// Says what is done before this method is called.
    pub(super) fn before<F, S>(&mut self, method: &'static str, step: F)
    where
        F: Fn(Arc<B>, Params<'static>, Extensions) -> S + Send + Sync + 'static,
        S: Future<Output = Result<Extensions, Refusal>> + Send + 'static,
    {
        let step = move |backend, params, extensions| -> Step { Box::pin(step(backend, params, extensions)) };
        self.steps.insert(method, Box::new(step));
    }

    /// The step of this method, ready to be waited for.
    pub(super) fn step(&self, method: &str, params: Option<&str>, extensions: &Extensions) -> Option<Step> {
        let begin = self.steps.get(method)?;
        Some(begin(self.backend.clone(), Params::new(params).into_owned(), extensions.clone()))
    }
}

/// The steps of all methods, whatever they need.
pub(super) trait Steps: Send + Sync {
    /// See [`InOrder::step`].
    fn step(&self, method: &str, params: Option<&str>, extensions: &Extensions) -> Option<Step>;
}

impl<B: Send + Sync + 'static> Steps for InOrder<B> {
    fn step(&self, method: &str, params: Option<&str>, extensions: &Extensions) -> Option<Step> {
        InOrder::step(self, method, params, extensions)
    }
}

/// Something that a step hands to the handler. The table copies what it carries, so that only one of them takes it.
pub(super) struct Handed<T>(Arc<Mutex<Option<T>>>);

impl<T> Handed<T> {
    pub(super) fn new(thing: T) -> Self {
        Handed(Arc::new(Mutex::new(Some(thing))))
    }

    pub(super) fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<T> Clone for Handed<T> {
    fn clone(&self) -> Self {
        Handed(self.0.clone())
    }
}
