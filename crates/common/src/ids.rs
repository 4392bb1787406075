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
    const ALL: [Self; 3] = [Self::Wecom, Self::Dingtalk, Self::Jiandaoyun];

    /// Reads the name; `None` when it is no platform of ours.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|platform| platform.as_str() == name)
    }

    /// The name used in metrics, routes and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wecom => "wecom",
            Self::Dingtalk => "dingtalk",
            Self::Jiandaoyun => "jiandaoyun",
        }
    }
}

/// What sort of thing an entity is. `Callback` is any platform callback that is passed on verbatim. The order of the variants is that of
/// keys: nothing refers to what comes behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// A department.
    Department,
    /// A member of the company.
    Member,
    /// An attendance record of a member; see [`attendance`](crate::attendance) for its id.
    Attendance,
    /// An approval: one instance of a form.
    Approval,
    /// A request to make somebody a member: a record of a form; see [`onboarding`](crate::onboarding) for its id.
    Onboarding,
    /// A member's day at work. It is only asked about: its records are what is sent.
    AttendanceDay,
    /// A callback that says nothing about the directory.
    Callback,
}

impl EntityKind {
    /// All kinds, in their order.
    pub const ALL: [Self; 7] = [
        Self::Department,
        Self::Member,
        Self::Attendance,
        Self::Approval,
        Self::Onboarding,
        Self::AttendanceDay,
        Self::Callback,
    ];

    /// What a directory is made of.
    pub const DIRECTORY: [Self; 2] = [Self::Department, Self::Member];

    /// Whether it is a part of the directory: what others refer to, and what is compared with products.
    pub const fn is_directory(self) -> bool {
        matches!(self, Self::Department | Self::Member)
    }

    /// The name used on the wire, in tables and in commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::Member => "member",
            Self::Attendance => "attendance",
            Self::Approval => "approval",
            Self::Onboarding => "onboarding",
            Self::AttendanceDay => "attendance_day",
            Self::Callback => "callback",
        }
    }
}

impl FromStr for EntityKind {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(InvalidId)
    }
}

/// What identifies an entity within a tenant. Member ids are folded to lower case here, since WeCom compares them
/// case-insensitively (reference wecom 2.2), and DingTalk's by a rule of ours, so that a tenant has one; how an id is *shown* is kept in
/// the record. All other ids are exact: whoever makes one of attendance folds the member in it, see [`attendance`](crate::attendance).
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

    /// The key of a person whom another platform than the one of the tenant's directory knows, and of whom nobody can tell yet which
    /// member that is. No platform's id has a colon (reference wecom 2.2).
    pub fn foreign_member(platform: Platform, id: &str) -> Self {
        Self::member(&format!("{}:{id}", platform.as_str()))
    }

    /// Whether this is such a person: no question to a platform can tell who it is.
    pub fn is_foreign(&self) -> bool {
        let platform = self.id.split_once(':').and_then(|(platform, _)| Platform::from_name(platform));
        self.kind == EntityKind::Member && platform.is_some()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_as_they_are_written() {
        for kind in EntityKind::ALL {
            assert_eq!(kind.as_str().parse::<EntityKind>(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert!("tag".parse::<EntityKind>().is_err());
        assert!(EntityKind::ALL.is_sorted(), "keys have the same order");
        assert_eq!(EntityKind::ALL.into_iter().filter(|kind| kind.is_directory()).count(), EntityKind::DIRECTORY.len());
    }

    #[test]
    fn only_ids_of_members_are_folded() {
        assert_eq!(&*EntityKey::member("ZhangSan").id, "zhangsan");
        assert_eq!(&*EntityKey::new(EntityKind::Approval, "aB-7").id, "aB-7");
        assert_eq!(&*EntityKey::new(EntityKind::Attendance, "ann/2026-11-29/punch/P7").id, "ann/2026-11-29/punch/P7");
    }

    #[test]
    fn who_is_of_another_platform_is_known_by_the_id() {
        let foreign = EntityKey::foreign_member(Platform::Dingtalk, "Manager4220");
        assert_eq!(&*foreign.id, "dingtalk:manager4220");
        assert!(foreign.is_foreign());
        for other in [EntityKey::member("ann"), EntityKey::member("core:ann"), EntityKey::department("dingtalk:1")] {
            assert!(!other.is_foreign(), "{other}");
        }
    }
}
