//! What a directory holds, as plain data: the truth of a company, and what an OA has seen of it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The id of the root department on WeCom.
pub const ROOT: &str = "1";

/// The form in which member ids compare: WeCom ignores their case (wecom.md 2.2).
#[must_use]
pub fn fold(member_id: &str) -> String {
    member_id.to_lowercase()
}

/// One whole directory. Departments are keyed by id, members by folded id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The departments, the root among them.
    pub departments: BTreeMap<String, Department>,
    /// The members under their folded ids.
    pub members: BTreeMap<String, Member>,
}

/// One department.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Department {
    /// Decimal id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The department above it; `None` only for the root.
    pub parent: Option<String>,
    /// The sort value of WeCom, 0 to 2^32 - 1, larger first; callbacks carry it at creation only.
    pub order: Option<u64>,
}

/// One member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The user id as shown.
    pub id: String,
    /// The name.
    pub name: String,
    /// Ids of its departments, in the order in which WeCom lists them.
    pub departments: Vec<String>,
    /// The main one of them.
    pub main_department: Option<String>,
    /// Those of its departments that it leads.
    pub leads: Vec<String>,
    /// User ids of its direct leaders.
    pub leaders: Vec<String>,
    /// The position; empty if none.
    pub title: String,
    /// The mobile number; empty if none.
    pub mobile: String,
    /// The mail address; empty if none.
    pub email: String,
    /// The gender.
    pub gender: Gender,
    /// The state of the account.
    pub status: Status,
    /// Extended attributes by name, such as 工号.
    pub attributes: BTreeMap<String, String>,
}

/// A member's gender; the number is WeCom's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gender {
    /// 0: not set, or not allowed to be seen.
    #[default]
    Unknown,
    /// 1.
    Male,
    /// 2.
    Female,
}

impl Gender {
    /// The number that WeCom uses.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Male => 1,
            Self::Female => 2,
        }
    }

    /// The gender of a number of WeCom.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "0" => Some(Self::Unknown),
            "1" => Some(Self::Male),
            "2" => Some(Self::Female),
            _ => None,
        }
    }
}

impl fmt::Display for Gender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown",
            Self::Male => "male",
            Self::Female => "female",
        })
    }
}

/// The state of a member's account; the number is WeCom's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// 1.
    #[default]
    Active,
    /// 2.
    Disabled,
    /// 4: not activated.
    Inactive,
    /// 5.
    Left,
}

impl Status {
    /// The number that WeCom uses.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Active => 1,
            Self::Disabled => 2,
            Self::Inactive => 4,
            Self::Left => 5,
        }
    }

    /// The status of a number of WeCom.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "1" => Some(Self::Active),
            "2" => Some(Self::Disabled),
            "4" => Some(Self::Inactive),
            "5" => Some(Self::Left),
            _ => None,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Inactive => "inactive",
            Self::Left => "left",
        })
    }
}
