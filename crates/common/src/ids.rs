//! Who and what: tenants, platforms, destinations, entities.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

/// The platform's id of the root department. WeCom and DingTalk both use 1.
pub const ROOT_DEPARTMENT: &str = "1";

/// An id that does not have the shape it must have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id has 1 to 63 characters out of a-z, 0-9 and -")]
pub struct InvalidId;

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let fits = (1..=63).contains(&text.len());
                let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
                if fits && text.bytes().all(allowed) { Ok(Self(text.into())) } else { Err(InvalidId) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

slug! {
    /// One customer company: 1 to 63 characters out of `a-z 0-9 -`.
    TenantId
}
slug! {
    /// A place that a tenant's changes go to, unique within the tenant; shaped like a [`TenantId`].
    DestinationId
}

/// Where events come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// 企业微信
    Wecom,
    /// 钉钉
    Dingtalk,
    /// 简道云
    Jiandaoyun,
}

impl Platform {
    /// The name used in metrics, routes and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wecom => "wecom",
            Self::Dingtalk => "dingtalk",
            Self::Jiandaoyun => "jiandaoyun",
        }
    }
}

/// What sort of thing an entity is. `Callback` is any platform callback that is passed on verbatim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntityKind {
    /// A department.
    Department,
    /// A member of the company.
    Member,
    /// A callback that says nothing about the directory.
    Callback,
}

impl EntityKind {
    /// The name used on the wire, in tables and in commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::Member => "member",
            Self::Callback => "callback",
        }
    }
}

impl FromStr for EntityKind {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text {
            "department" => Ok(Self::Department),
            "member" => Ok(Self::Member),
            "callback" => Ok(Self::Callback),
            _ => Err(InvalidId),
        }
    }
}

/// What identifies an entity within a tenant. Member ids are folded to lower case here, since WeCom compares them
/// case-insensitively (reference wecom 2.2); how an id is *shown* is kept in the record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntityKey {
    /// The sort of entity.
    pub kind: EntityKind,
    /// The folded id.
    pub id: Arc<str>,
}

impl EntityKey {
    /// The key of an entity, from its id as the platform wrote it.
    pub fn new(kind: EntityKind, id: &str) -> Self {
        let id = match kind {
            EntityKind::Member if id.bytes().any(|byte| !byte.is_ascii() || byte.is_ascii_uppercase()) => {
                id.to_lowercase().into()
            }
            _ => id.into(),
        };
        Self { kind, id }
    }

    /// The key of a department.
    pub fn department(id: &str) -> Self {
        Self::new(EntityKind::Department, id)
    }

    /// The key of a member.
    pub fn member(id: &str) -> Self {
        Self::new(EntityKind::Member, id)
    }

    /// Whether this is the root department.
    pub fn is_root(&self) -> bool {
        self.kind == EntityKind::Department && &*self.id == ROOT_DEPARTMENT
    }
}

impl fmt::Display for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.id)
    }
}
