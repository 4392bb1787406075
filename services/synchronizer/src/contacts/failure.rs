//! A call that brought no answer, of whichever platform.

use std::time::Duration;

use common::Disposition;

use super::{dingtalk, wecom};
use crate::questions::{AskedAs, Meant};

/// A call that brought no answer to what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Failure {
    /// One of WeCom's.
    #[error(transparent)]
    Wecom(#[from] ::wecom::api::ApiError),
    /// One of DingTalk's.
    #[error(transparent)]
    Dingtalk(#[from] ::dingtalk::api::ApiError),
}

impl Failure {
    /// Whether the platform refuses or cannot be reached, so that nothing follows for what was asked about.
    pub(crate) fn is_outage(&self) -> bool {
        match self {
            Self::Wecom(error) => error.is_outage(),
            Self::Dingtalk(error) => error.is_outage(),
        }
    }

    /// How long it is not worth asking again.
    pub(crate) fn after(&self) -> Duration {
        match self {
            Self::Wecom(error) => after(error.disposition()),
            Self::Dingtalk(error) => after(error.disposition()),
        }
    }

    /// What it means for what was asked.
    pub(crate) fn meant(&self, asked_as: AskedAs) -> Meant {
        match self {
            Self::Wecom(error) => wecom::meant(error, asked_as),
            Self::Dingtalk(error) => dingtalk::meant(error, asked_as),
        }
    }

    /// Whether a list is to be begun anew, since the platform forgot its place.
    pub(crate) fn is_forgotten_place(&self) -> bool {
        match self {
            Self::Wecom(error) => error.meaning() == Some(::wecom::api::Meaning::Restart),
            Self::Dingtalk(_) => false,
        }
    }

    /// Whether the platform itself says that there is no such department or member, rather than that none is shown.
    pub(crate) fn is_gone(&self) -> bool {
        match self {
            // It answers the same for what is not visible (reference wecom 4).
            Self::Wecom(_) => false,
            Self::Dingtalk(error) => error.kind() == Some(::dingtalk::api::Kind::NotFound),
        }
    }

    /// Whether the platform itself says that it is there, and not shown to who asks.
    pub(crate) fn is_hidden(&self) -> bool {
        match self {
            Self::Wecom(_) => false,
            Self::Dingtalk(error) => error.kind() == Some(::dingtalk::api::Kind::Invisible),
        }
    }
}

/// How long what is to be done about a failure waits.
pub(super) const fn after(disposition: Disposition) -> Duration {
    match disposition {
        Disposition::Retry { after } => after,
        Disposition::Reject { .. } | Disposition::Fatal => Duration::ZERO,
    }
}
