//! What a destination can do, in the shapes that there are.

use std::time::Duration;

use async_trait::async_trait;
use common::{Change, EntityKey, Fields, Told, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::{CoreDepartment, CoreMember, Counts, Links, Page, Purged};

/// A destination, ready to be used.
pub enum Destination {
    /// Takes many changes in one transaction.
    Batch(Box<dyn Batch>),
    /// Takes one message per change.
    Messages(Box<dyn Messages>),
    /// Makes a member of each change.
    Members(Box<dyn Members>),
}

impl Destination {
    /// Whether this kind of destination is told of the change.
    pub fn takes(&self, change: &Change) -> bool {
        match self {
            Self::Batch(batch) => batch.takes(change),
            Self::Messages(messages) => messages.takes(change),
            Self::Members(members) => members.takes(change),
        }
    }

    /// Its side that can be read, where it has one.
    pub fn product(&self) -> Option<&dyn Product> {
        match self {
            Self::Batch(batch) => batch.product(),
            Self::Messages(_) | Self::Members(_) => None,
        }
    }

    /// Whether it holds no row of the tenant that somebody else may have written. What cannot be read holds none that anybody could
    /// compare with.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn is_empty(&self) -> Result<bool, Unavailable> {
        match self.product() {
            Some(product) => Ok(product.count().await?.is_empty()),
            None => Ok(true),
        }
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// It does not, or not as it must.
    pub async fn probe(&self, now: UnixMillis) -> Result<(), Unavailable> {
        match self {
            Self::Batch(batch) => batch.probe().await,
            Self::Messages(messages) => messages.probe(now).await,
            Self::Members(members) => members.probe().await,
        }
    }
}

/// What became of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The destination has it, or has something newer of the same entity.
    Applied,
    /// Not now.
    Retry {
        /// Why, without personal data.
        reason: String,
        /// The least time to wait, where the destination said one.
        after: Option<Duration>,
    },
    /// Never.
    Rejected {
        /// Why, without personal data.
        reason: String,
    },
    /// Not before something that it refers to is there.
    Missing {
        /// What is not there, where that could be found out.
        what: Option<EntityKey>,
    },
}

/// The destination as a whole did not answer, or not sensibly: nothing is known of the changes, and all are to be tried
/// again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unavailable {
    /// Why, without secrets and personal data.
    pub reason: String,
    /// The least time to wait, where the destination said one.
    pub after: Option<Duration>,
}

impl Unavailable {
    /// With a reason only.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), after: None }
    }
}

/// A destination that takes many changes in one transaction: the tables of a core product. It can be read, too.
#[async_trait]
pub trait Batch: Send + Sync {
    /// Whether this kind of destination is told of the change.
    fn takes(&self, change: &Change) -> bool;

    /// Makes ready what must be there before the first change: tables where they are absent, and the root department,
    /// unless `links` know it as another row. Repeating it does no harm, and [`Batch::apply`] does it by itself.
    ///
    /// # Errors
    /// The destination does not answer, or tables of these names belong to somebody else.
    async fn prepare(&self, links: &Links) -> Result<(), Unavailable>;

    /// Applies changes of this destination's tenant, given in the order of their versions, in one transaction. One
    /// outcome per change, in their order. A change whose entity has that version or a newer one already is `Applied`
    /// and does nothing. When one breaks a rule of the schema, only it is refused.
    ///
    /// Ids are written as `links` have them, see [`Links::needed_for`]. What the source does not tell of a linked row stays as
    /// the destination has it. A rename of a linked member leaves its row's id as it is; the caller moves the link.
    ///
    /// # Errors
    /// Nothing was applied.
    async fn apply(&self, batch: &[Change], links: &Links) -> Result<Vec<Outcome>, Unavailable>;

    /// Whether it answers.
    ///
    /// # Errors
    /// It does not.
    async fn probe(&self) -> Result<(), Unavailable>;

    /// The highest version of the tenant that is found there; 0 when there is none.
    ///
    /// # Errors
    /// The destination does not answer.
    async fn highest_version(&self) -> Result<u64, Unavailable>;

    /// Its other side, where it can be read; see [`Product`].
    fn product(&self) -> Option<&dyn Product> {
        None
    }
}

/// A destination that can be compared with the mirror: what it holds is read page by page.
#[async_trait]
pub trait Product: Send + Sync {
    /// The departments after an id, at most `limit`, removed ones included. A page is one moment; no transaction is kept open
    /// from one page to the next, so what changes meanwhile may be seen before, after, or, where an id changes, twice or
    /// not at all. Who decides on all of it looks again at what it is about to touch.
    ///
    /// # Errors
    /// The destination does not answer.
    async fn departments(&self, after: Option<String>, limit: usize) -> Result<Page<CoreDepartment>, Unavailable>;

    /// The members after an id with all their departments, in the same way.
    ///
    /// # Errors
    /// The destination does not answer.
    async fn members(&self, after: Option<String>, limit: usize) -> Result<Page<CoreMember>, Unavailable>;

    /// Those of these departments that are there, to look at them again.
    ///
    /// # Errors
    /// The destination does not answer.
    async fn departments_by_id(&self, ids: &[String]) -> Result<Vec<CoreDepartment>, Unavailable>;

    /// Those of these members that are there, to look at them again.
    ///
    /// # Errors
    /// The destination does not answer.
    async fn members_by_id(&self, ids: &[String]) -> Result<Vec<CoreMember>, Unavailable>;

    /// How many rows of the tenant there are, the root department not counted.
    ///
    /// # Errors
    /// The destination does not answer.
    async fn count(&self) -> Result<Counts, Unavailable>;

    /// Takes away for good what was removed at `removed_until` or before. A row that something refers to is emptied of what is
    /// personal instead. One answer per entity, in their order. Repeating it does no harm.
    ///
    /// # Errors
    /// Nothing was purged.
    async fn purge(
        &self,
        keys: &[EntityKey],
        links: &Links,
        removed_until: UnixMillis,
    ) -> Result<Vec<Purged>, Unavailable>;
}

/// A destination that takes one message per change: everything that is spoken to over HTTP.
#[async_trait]
pub trait Messages: Send + Sync {
    /// Whether this kind of destination is told of the change.
    fn takes(&self, change: &Change) -> bool;

    /// Makes the message of a change. `previous` is what this destination was last told of the entity, of a rename under its
    /// old id; `None` when it never did or when it was removed. `last_sent_second` is [`Message::second`] of the
    /// message before.
    fn render(
        &self,
        change: &Change,
        previous: Option<&Told>,
        now: UnixMillis,
        last_sent_second: Option<i64>,
    ) -> Rendered;

    /// Sends a message once.
    ///
    /// # Errors
    /// No answer came. The message may have arrived all the same: it is to be sent again as it is.
    async fn send(&self, message: &Message) -> Result<Outcome, Unavailable>;

    /// Whether it answers as the one that it should be. `now` is signed, and must be near the receiver's time.
    ///
    /// # Errors
    /// It does not.
    async fn probe(&self, now: UnixMillis) -> Result<(), Unavailable>;

    /// The least time between the beginnings of two messages.
    fn spacing(&self) -> Option<Duration>;
}

/// A destination where each change is to make one member: a platform that a company's people are created in. Members do not depend on each
/// other, so several are written at once; what one comes to says nothing of the others.
#[async_trait]
pub trait Members: Send + Sync {
    /// Whether this kind of destination is told of the change.
    fn takes(&self, change: &Change) -> bool;

    /// Writes one, once. `may_be_there`: it was written before, perhaps, and nobody heard an answer, so that a member who is there already
    /// may be this one.
    async fn write(&self, change: &Change, may_be_there: bool) -> Wrote;

    /// Whether it answers.
    ///
    /// # Errors
    /// It does not.
    async fn probe(&self) -> Result<(), Unavailable>;
}

/// What came of writing a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrote {
    /// The member is there.
    There(Written),
    /// It will never be made like this.
    Rejected {
        /// The field that is to blame; empty where none is.
        field: &'static str,
        /// Why, without personal data.
        reason: String,
    },
    /// Not now.
    Retry {
        /// Why, without personal data.
        reason: String,
        /// The least time to wait, where the destination said one.
        after: Option<Duration>,
    },
    /// Not before a department that it names is there.
    Missing {
        /// Why, without personal data.
        reason: String,
    },
    /// No answer came: it may be there.
    Unheard {
        /// Why, without personal data.
        reason: String,
    },
    /// Nothing was written, and nothing will be for now, whatever it is.
    Stopped {
        /// Why, and the least time to wait.
        unavailable: Unavailable,
        /// A person has to do something about it.
        needs_person: bool,
    },
}

/// A member that is there.
#[derive(Clone, PartialEq, Eq)]
pub struct Written {
    /// Its id, as the destination spells it.
    pub id: String,
    /// How it came to be this one.
    pub how: How,
    /// The destination's time at which it was so, where it said one.
    pub at: Option<UnixMillis>,
    /// What it is now as far as that is known from writing it, in the spelling that callbacks have.
    pub fields: Fields,
    /// Ids of departments that the destination made up since they were not there: a person has to look at them.
    pub made_departments: Vec<String>,
}

/// Shows nothing personal.
impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Written")
            .field("how", &self.how)
            .field("at", &self.at)
            .field("made_departments", &self.made_departments)
            .finish_non_exhaustive()
    }
}

/// How a member came to be the one that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It was created.
    Created,
    /// It had been created before, by an attempt of ours that nobody heard of.
    CreatedBefore,
    /// It was there already, and was taken for the one as it is.
    Linked,
    /// It was there already, and was changed to be as it was asked for.
    Updated,
}

impl How {
    /// A word for attempts and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::CreatedBefore => "created before",
            Self::Linked => "linked",
            Self::Updated => "updated",
        }
    }
}

/// What a change comes to at a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rendered {
    /// This is to be sent.
    Send(Message),
    /// There is nothing to tell, such as the creation of the root department or a difference that cannot be seen there.
    Nothing,
}

/// A message in its final form. It is stored before it is first sent, and repeated byte for byte.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Where it goes, query and signature included.
    pub url: String,
    /// The media type of the body.
    pub content_type: String,
    /// The body.
    #[serde(with = "crate::text_bytes")]
    pub body: Vec<u8>,
    /// The second that the receiver will see as its time.
    pub second: i64,
}

/// Shows sizes only: addresses and bodies hold secrets and personal data.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("body_bytes", &self.body.len())
            .field("second", &self.second)
            .finish_non_exhaustive()
    }
}
