//! DingTalk's interfaces that we call: the pull side (reference dingtalk 4).
//!
//! One identity, an app of the company, with one token for both styles of interfaces: the older ones, which answer
//! failures with HTTP 200 and an `errcode`, often wrapped, and the newer ones, which answer them with an HTTP status and a
//! `code` (reference dingtalk 5.3). Either way a failure becomes what it asks for: [`Meaning`].
//!
//! Every call waits for its turn at the [`outbound::Governor`]; those that cost a part of the month's quota ask the
//! [`Meter`] first. Every answer carries the platform's time at which its request began, which is never later than the
//! truth.

mod answer;
mod approval;
mod approval_ids;
mod attendance;
mod call;
mod client;
mod code;
mod departments;
mod envelope;
mod error;
mod leave;
mod lenient;
mod limits;
mod line;
mod member;
mod members;
mod meter;
mod observer;
mod parents;
mod pushes;
mod report;
mod token;

pub use self::{
    answer::{Answer, Rows},
    approval::Approval,
    approval_ids::IdsPage,
    attendance::{
        ApprovalRow, Day, MOST_DAYS_OF_RESULTS, MOST_MEMBERS_OF_RESULTS, PunchRow, ResultRow, records_of_day,
        records_of_punches, records_of_results,
    },
    client::{Client, Settings},
    code::{Code, Kind, Meaning},
    departments::Department,
    error::{ApiError, Detail},
    leave::{LeaveStatus, MOST_MEMBERS_OF_LEAVE_STATUS},
    member::Member,
    members::MembersPage,
    meter::{Meter, QuotaSpent, Unmetered, Worth},
    observer::{Observer, Unobserved},
    report::{Column, LeaveTimes, MOST_LEAVE_NAMES},
};
