//! What a platform tells of departments and members, whichever it is: nothing else in this service knows how one of them is asked.
//!
//! Who is there, and where, is told by lists of ids, which see everything; what an app sees besides are details. How the lists come is what
//! platforms differ in most, see [`Roster`].

mod dingtalk;
mod failure;
mod wecom;

use common::{EntityKey, EntitySet, Fields, ROOT_DEPARTMENT, UnixMillis};
use outbound::Urgency;

pub(crate) use self::{dingtalk::ByDepartment, failure::Failure, wecom::Whole};
use crate::ids::{Place, Places};

/// What became of a call.
pub(crate) type Told<T> = Result<Answer<T>, Failure>;

/// Questions of a round, at most, where each may need a call or two of its own: the first ones are not to wait for the last ones.
const MOST_SINGLE_QUESTIONS: i64 = 256;

/// An answer, and of when it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer<T> {
    /// The platform's time at which the request began, of several requests the first one: what is said was so at this moment or later.
    pub(crate) asked_at: UnixMillis,
    /// What was answered.
    pub(crate) value: T,
}

/// A list as it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rows<T> {
    /// What could be read.
    pub(crate) rows: Vec<T>,
    /// How many could not.
    pub(crate) unreadable: usize,
}

/// A department or member as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The id as the platform spells it.
    pub(crate) id: String,
    /// All fields, where it is among them.
    pub(crate) fields: Fields,
}

/// Where one entity is by a look-up, and what is above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Where it is.
    pub(crate) place: Place,
    /// The departments above it, but for the root, with where they are.
    pub(crate) above: Vec<(EntityKey, Place)>,
}

/// A company's platform, and how it is asked. Cheap to clone.
#[derive(Clone)]
pub(crate) enum Contacts {
    /// 企业微信
    Wecom(::wecom::api::Client),
    /// 钉钉
    Dingtalk(::dingtalk::api::Client),
}

/// How a platform lists ids.
#[derive(Clone)]
pub(crate) enum Roster {
    /// Everything at once, or page by page.
    Whole(Whole),
    /// One department at a time; where a single one is can be looked up.
    ByDepartment(ByDepartment),
}

impl Contacts {
    /// The same, with calls of another urgency.
    pub(crate) fn with_urgency(&self, urgency: Urgency) -> Self {
        match self {
            Self::Wecom(client) => Self::Wecom(client.with_urgency(urgency)),
            Self::Dingtalk(client) => Self::Dingtalk(client.with_urgency(urgency)),
        }
    }

    /// How ids are listed.
    pub(crate) fn roster(&self) -> Roster {
        match self {
            Self::Wecom(client) => Roster::Whole(Whole::new(client.clone())),
            Self::Dingtalk(client) => Roster::ByDepartment(ByDepartment::new(client.clone())),
        }
    }

    /// Whether there is an app that can be asked for details.
    pub(crate) fn reads_details(&self) -> bool {
        match self {
            Self::Wecom(client) => client.reads_details(),
            Self::Dingtalk(_) => true,
        }
    }

    /// Whether details may be taken for where something is, see [`crate::questions`].
    pub(crate) const fn details_tell_places(&self) -> bool {
        matches!(self, Self::Dingtalk(_))
    }

    /// Whether lists of members in full leave out their leaders and what they lead, which are told of single ones only.
    pub(crate) const fn lists_in_part(&self) -> bool {
        matches!(self, Self::Dingtalk(_))
    }

    /// Whether a member can be asked for only as the platform spells its id.
    pub(crate) const fn minds_case(&self) -> bool {
        matches!(self, Self::Dingtalk(_))
    }

    /// How many questions a round takes, of as many as it may.
    pub(crate) fn round_of(&self, most: i64) -> i64 {
        match self {
            Self::Wecom(_) => most,
            Self::Dingtalk(_) => most.min(MOST_SINGLE_QUESTIONS),
        }
    }

    /// One member in full.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(crate) async fn member(&self, id: &str) -> Told<Seen> {
        match self {
            Self::Wecom(client) => wecom::member(client, id).await,
            Self::Dingtalk(client) => dingtalk::member(client, id).await,
        }
    }

    /// One department in full.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(crate) async fn department(&self, id: &str) -> Told<Seen> {
        match self {
            Self::Wecom(client) => wecom::department(client, id).await,
            Self::Dingtalk(client) => dingtalk::department(client, id).await,
        }
    }

    /// The members of a department itself in full: all of them.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(crate) async fn members(&self, department: &str) -> Told<Rows<Seen>> {
        match self {
            Self::Wecom(client) => wecom::members(client, department).await,
            Self::Dingtalk(client) => dingtalk::members(client, department).await,
        }
    }

    /// All departments in full; `None` where there is no such list.
    pub(crate) async fn departments(&self) -> Option<Told<Rows<Seen>>> {
        match self {
            Self::Wecom(client) => Some(wecom::departments(client).await),
            Self::Dingtalk(_) => None,
        }
    }

    /// Where those among these departments are that are there, by whole lists.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(crate) async fn department_places(&self, about: &EntitySet) -> Result<Places, Failure> {
        match self {
            Self::Wecom(client) => wecom::department_places(client, about).await,
            Self::Dingtalk(client) => dingtalk::department_places(client, about).await,
        }
    }

    /// Where one department is, by a list that says nothing if it does not have it.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(crate) async fn department_place(&self, id: &str) -> Result<Places, Failure> {
        match self {
            Self::Wecom(client) => wecom::department_place(client, id).await,
            Self::Dingtalk(client) => dingtalk::department_place(client, id).await,
        }
    }

    /// Where those among these members are that are there, by whole lists; `known` are departments that are known to be there, whether
    /// they are shown or not.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(crate) async fn member_places(&self, about: &EntitySet, known: &[String]) -> Result<Places, Failure> {
        match self {
            Self::Wecom(client) => wecom::member_places(client, about).await,
            Self::Dingtalk(client) => dingtalk::member_places(client, about, known).await,
        }
    }

    /// Asks for the list of ids that every other question comes down to, which is always there.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(crate) async fn probe_ids(&self) -> Result<(), Failure> {
        match self {
            Self::Wecom(client) => Ok(client.member_ids_page(None).await.map(drop)?),
            Self::Dingtalk(client) => Ok(client.department_ids_below(ROOT_DEPARTMENT).await.map(drop)?),
        }
    }

    /// When the members in full of so many more departments will have been asked for, if nothing comes between; `None` where nothing
    /// limits that.
    pub(crate) async fn members_done_by(&self, departments: u64) -> Option<UnixMillis> {
        match self {
            Self::Wecom(client) => client.done_by(wecom::MEMBERS, departments).await,
            Self::Dingtalk(client) => client.done_by(dingtalk::MEMBERS, departments).await,
        }
    }
}
