//! Identities. Each kind is a type of its own, so that a run can never be passed for an automation.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        ///
        /// Opaque and unique; not meant to be sorted.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// What every identity of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// The identity with this unique part.
            pub fn from_unique(unique: &str) -> Self {
                Self(format!(concat!($prefix, "{}"), unique))
            }

            /// An identity as a client or the ledger wrote it. It need not exist.
            pub fn from_text(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The identity as it is written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id_type!(
    /// An automation.
    AutomationId,
    "atm_"
);
id_type!(
    /// One run of an automation.
    RunId,
    "run_"
);
id_type!(
    /// One living sidecar process with a ledger open.
    InstanceId,
    "ins_"
);
id_type!(
    /// A ledger: one project's record.
    LedgerId,
    "ldg_"
);
id_type!(
    /// One wish to close.
    LifecycleActionId,
    "lca_"
);

id_type!(
    /// A provider, as its configuration or the window that serves it names it.
    ProviderId,
    ""
);
id_type!(
    /// A way to start an agent: the same in all windows of a project that start it in that way.
    ConfigurationId,
    "cfg_"
);
id_type!(
    /// One time that an agent is asked what it offers.
    ProbeId,
    "prb_"
);
id_type!(
    /// A window's subscription: what it serves, or the directory that it holds.
    SubscriptionId,
    "sub_"
);

/// Where fresh identities come from. The engine draws no random number; its caller hands it a source.
pub trait IdSource {
    /// A text that no other identity of the ledger has.
    fn unique(&mut self) -> String;

    /// A fresh automation identity.
    fn automation(&mut self) -> AutomationId {
        AutomationId::from_unique(&self.unique())
    }

    /// A fresh run identity.
    fn run(&mut self) -> RunId {
        RunId::from_unique(&self.unique())
    }

    /// A fresh identity of a question to an agent.
    fn probe(&mut self) -> ProbeId {
        ProbeId::from_unique(&self.unique())
    }

    /// A fresh identity of a close.
    fn lifecycle_action(&mut self) -> LifecycleActionId {
        LifecycleActionId::from_unique(&self.unique())
    }
}
