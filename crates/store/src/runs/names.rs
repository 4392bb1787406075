//! The words of a run, as tables and commands have them.

use std::str::FromStr;

use crate::destinations::UnknownName;

/// An enumeration whose variants have names.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$about])* $variant,)+
        }

        impl $name {
            /// The name in tables and commands.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl FromStr for $name {
            type Err = UnknownName;
            fn from_str(name: &str) -> Result<Self, UnknownName> {
                match name {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(UnknownName),
                }
            }
        }
    };
}

named! {
    /// What a run is for.
    RunKind {
        /// The first sync of a tenant.
        First = "first",
        /// A later one.
        Reconcile = "reconcile",
        /// The way back from another run.
        Undo = "undo",
    }
}

named! {
    /// How a run stands.
    RunState {
        /// Both sides are looked at.
        Planning = "planning",
        /// The plan can be read, and applied.
        Planned = "planned",
        /// It removes so much that a person must allow it.
        Quarantined = "quarantined",
        /// It is being applied.
        Applying = "applying",
        /// It is applied.
        Finished = "finished",
        /// A person said no.
        Rejected = "rejected",
        /// It came to nothing.
        Failed = "failed",
        /// It was applied, and then undone.
        Undone = "undone",
    }
}

named! {
    /// How far a run is to go by itself.
    Wanted {
        /// Up to the plan.
        Plan = "plan",
        /// To its end.
        Apply = "apply",
    }
}

named! {
    /// What a run is at.
    Step {
        /// The source is pulled.
        Pull = "pull",
        /// The mirror takes in what was pulled.
        Settle = "settle",
        /// The two sides are compared.
        Compare = "compare",
        /// The plan is there.
        Ready = "ready",
        /// Links are set and changes are published.
        Apply = "apply",
        /// The changes are on their way to the destinations.
        Deliver = "deliver",
        /// What was disabled long ago is deleted.
        Purge = "purge",
        /// Nothing is left to do.
        Done = "done",
    }
}

named! {
    /// What became of one item of a plan.
    ItemState {
        /// Nothing yet.
        Pending = "pending",
        /// Its change is published.
        Sent = "sent",
        /// It is done.
        Applied = "applied",
        /// Nothing is done: it needs a person, or things were not as planned any more.
        Skipped = "skipped",
        /// The destination did not take it.
        Failed = "failed",
    }
}

impl RunState {
    /// Whether something is still to come of it.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Planning | Self::Planned | Self::Quarantined | Self::Applying)
    }

    /// Whether a synchronizer works on it, rather than waiting for a person.
    pub const fn is_at_work(self) -> bool {
        matches!(self, Self::Planning | Self::Applying)
    }
}
