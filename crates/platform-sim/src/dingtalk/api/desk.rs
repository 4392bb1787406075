//! Which work a call is.

use serde_json::{Value, json};

use super::refusal::Refusal;
use super::reply::Good;
use super::request::{Fields, Input};
use super::{ApiOptions, App, Interface, approvals, attendance, contacts};
use crate::dingtalk::{Company, FailedPage};

/// The company as an app sees it at a time.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) company: &'a Company,
    pub(super) options: &'a ApiOptions,
    pub(super) app: &'a App,
    pub(super) now_ms: i64,
}

impl View<'_> {
    /// When somebody punched, or instead of it what cannot be read.
    pub(super) fn checked(&self, interface: Interface, userid: &str, checked: Value) -> Value {
        let is_illegible = self.options.illegible.contains(&(interface, userid.to_owned()));
        if is_illegible { Value::from("?") } else { checked }
    }
}

/// Does what a call asks for.
pub(super) fn work(interface: Interface, view: View<'_>, input: &Input<'_>) -> Result<Good, Refusal> {
    let old = || input.fields().ok_or(Refusal::INVALID);
    match interface {
        Interface::DepartmentListSub => contacts::departments::list_sub(view, old()?),
        Interface::DepartmentListSubId => contacts::departments::list_sub_id(view, old()?),
        Interface::DepartmentGet => contacts::departments::get(view, old()?),
        Interface::DepartmentListParentByDept => contacts::departments::list_parents(view, old()?),
        Interface::DepartmentListParentByUser => contacts::departments::list_parents_of_user(view, old()?),
        Interface::UserGet => contacts::users::get(view, old()?),
        Interface::UserList => contacts::users::list(view, old()?),
        Interface::UserListId => contacts::users::list_id(view, old()?),
        Interface::UserGetByMobile => contacts::users::get_by_mobile(view, old()?),
        Interface::AttendanceDay => attendance::day::get(view, old()?),
        Interface::AttendanceResults => attendance::batches::results(view, old()?),
        Interface::AttendancePunches => attendance::batches::punches(view, old()?),
        Interface::AttendanceSchedule => attendance::schedule::list(view, old()?),
        Interface::AttendanceColumns => attendance::report::columns(view),
        Interface::AttendanceColumnValues => attendance::report::values(view, old()?),
        Interface::LeaveTimes => attendance::leave::times(view, old()?),
        Interface::LeaveStatus => attendance::leave::status(view, old()?),
        Interface::OldApproval => approvals::old::get(view, old()?),
        Interface::OldApprovalIds => approvals::ids::old(view, old()?),
        Interface::Approval => approvals::new::get(view, input),
        Interface::ApprovalIds => approvals::ids::new(view, posted_new(input)?),
        // These were answered before.
        Interface::GetToken | Interface::AccessToken | Interface::UnifiedToken | Interface::FailedPushes => {
            Err(Refusal::Old(-1))
        }
    }
}

/// What the list of failed pushes told, and so tells no more (reference dingtalk 4.7).
pub(super) fn failed(page: FailedPage) -> Good {
    Good::beside(json!({ "has_more": page.has_more, "failed_list": page.entries }))
}

/// What was posted to a new interface, which reads JSON only.
fn posted_new<'a>(input: &'a Input<'_>) -> Result<Fields<'a>, Refusal> {
    input.fields().filter(|_fields| !input.is_form()).ok_or(Refusal::New { status: 400, code: "Missingbody" })
}
