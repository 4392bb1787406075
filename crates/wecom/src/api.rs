//! The platform's interfaces that we call: the pull side (reference wecom 3).
//!
//! Two identities, each with a secret and a token of its own (reference wecom 0). The contact-sync secret lists all
//! ids, with the departments of members and the parents of departments, and writes members. The secret of an app reads
//! names and other details, but only what that app may see. So memberships and parents are to be believed from the
//! lists of ids, and details from the app.
//!
//! Every call waits for its turn at the [`outbound::Governor`], and every answer carries the platform's time at which
//! its request began, which is never later than the truth.

mod addresses;
mod answer;
mod call;
mod client;
mod code;
mod create;
mod departments;
mod error;
mod holder;
mod lenient;
mod limits;
mod line;
mod member;
mod member_ids;
mod members;
mod observer;
mod token;

pub use self::{
    answer::{Answer, Rows},
    client::{Client, Settings},
    code::{Code, Kind, Meaning},
    create::CreatedMember,
    departments::Department,
    error::ApiError,
    member::Member,
    member_ids::{MemberIdsPage, Membership},
    observer::{Observer, Unobserved},
};
