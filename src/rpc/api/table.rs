//! The table of methods.
//!
//! What is called and answered once stands here. `jsonrpsee` would read each answer once more, to see that it is JSON, and
//! with it all that a client asks for. Subscriptions are kept there.

use std::collections::HashMap;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::core::server::{IntoSubscriptionCloseResponse, MethodCallback};
use jsonrpsee::types::Params;
use jsonrpsee::{Extensions, PendingSubscriptionSink, RpcModule};

use super::Handled;

/// What comes of a call.
pub(super) type Work = Pin<Box<dyn Future<Output = Handled> + Send>>;

/// A method that is answered once.
pub(super) type Call = Arc<dyn Fn(Params<'static>, Extensions) -> Work + Send + Sync>;

/// The methods of one client, while they are registered.
pub(super) struct Table<B> {
    backend: Arc<B>,
    calls: HashMap<&'static str, Call>,
    subscriptions: RpcModule<B>,
}

/// All methods.
pub(super) struct Registered {
    calls: HashMap<&'static str, Call>,
    subscriptions: jsonrpsee::Methods,
}

/// What stands under a name.
pub(super) enum Entry<'t> {
    Call(&'t Call),
    /// Something that opens or ends a subscription, under its own name.
    Subscription(&'static str, &'t MethodCallback),
}

impl<B: Send + Sync + 'static> Table<B> {
    pub(super) fn new(backend: Arc<B>) -> Self {
        Table { calls: HashMap::new(), subscriptions: RpcModule::from_arc(backend.clone()), backend }
    }

    /// A method that may have to wait for its answer.
    pub(super) fn register_async_method<F, W>(
        &mut self,
        name: &'static str,
        handler: F,
    ) -> Result<(), RegisterMethodError>
    where
        F: Fn(Params<'static>, Arc<B>, Extensions) -> W + Send + Sync + 'static,
        W: Future<Output = Handled> + Send + 'static,
    {
        let backend = self.backend.clone();
        self.insert(
            name,
            Arc::new(move |params, extensions| Box::pin(handler(params, backend.clone(), extensions))),
        )
    }

    /// A method that has its answer at once.
    pub(super) fn register_method<F>(
        &mut self,
        name: &'static str,
        handler: F,
    ) -> Result<(), RegisterMethodError>
    where
        F: Fn(Params<'static>, &B, &Extensions) -> Handled + Send + Sync + 'static,
    {
        let backend = self.backend.clone();
        self.insert(
            name,
            Arc::new(move |params, extensions| Box::pin(ready(handler(params, &backend, &extensions)))),
        )
    }

    /// See [`RpcModule::register_subscription`].
    pub(super) fn register_subscription<F, W, R>(
        &mut self,
        subscribe: &'static str,
        notification: &'static str,
        unsubscribe: &'static str,
        handler: F,
    ) -> Result<(), RegisterMethodError>
    where
        F: Fn(Params<'static>, PendingSubscriptionSink, Arc<B>, Extensions) -> W
            + Send
            + Sync
            + Clone
            + 'static,
        W: Future<Output = R> + Send + 'static,
        R: IntoSubscriptionCloseResponse + Send,
    {
        for name in [subscribe, unsubscribe] {
            self.refuse_another(name)?;
        }
        self.subscriptions.register_subscription(subscribe, notification, unsubscribe, handler).map(drop)
    }

    pub(super) fn registered(self) -> Registered {
        Registered { calls: self.calls, subscriptions: self.subscriptions.into() }
    }

    fn insert(&mut self, name: &'static str, call: Call) -> Result<(), RegisterMethodError> {
        self.refuse_another(name)?;
        self.calls.insert(name, call);
        Ok(())
    }

    fn refuse_another(&self, name: &'static str) -> Result<(), RegisterMethodError> {
        match self.calls.contains_key(name) || self.subscriptions.method(name).is_some() {
            true => Err(RegisterMethodError::AlreadyRegistered(name.to_owned())),
            false => Ok(()),
        }
    }
}

impl Registered {
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.calls.keys().copied().chain(self.subscriptions.method_names())
    }

    pub(super) fn find(&self, name: &str) -> Option<Entry<'_>> {
        match self.calls.get(name) {
            Some(call) => Some(Entry::Call(call)),
            None => {
                let (name, callback) = self.subscriptions.method_with_name(name)?;
                Some(Entry::Subscription(name, callback))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::api::handled;

    #[test]
    fn no_two_methods_have_one_name() {
        let mut table = Table::new(Arc::new(()));
        table.register_method("a", |_, (), _| handled(Ok(1))).unwrap();
        table.register_async_method("b", |_, _, _| async { handled(Ok(2)) }).unwrap();
        table.register_subscription("c", "d", "e", |_, _, _, _| async {}).unwrap();
        for name in ["a", "b", "c", "e"] {
            assert!(table.register_method(name, |_, (), _| handled(Ok(3))).is_err(), "{name}");
            assert!(table.register_subscription("f", "g", name, |_, _, _, _| async {}).is_err(), "{name}");
        }
        let registered = table.registered();
        let mut names: Vec<_> = registered.names().collect();
        names.sort_unstable();
        assert_eq!(names, ["a", "b", "c", "e"]);
        assert!(matches!(registered.find("a"), Some(Entry::Call(_))));
        assert!(matches!(registered.find("e"), Some(Entry::Subscription("e", _))));
        assert!(registered.find("d").is_none());
    }
}
