//! Contacts (reference dingtalk 4.4 and 4.5).

pub(super) mod departments;
pub(super) mod users;

use super::desk::View;
use super::refusal::Refusal;
use super::request::Fields;
use crate::dingtalk::Department;

/// A department that the API knows by now, in the app's scope or not.
fn known(view: View<'_>, id: i64) -> Result<&Department, Refusal> {
    if id < 0 {
        // Pseudo-ids such as -7 belong to external contacts.
        return Err(Refusal::Old(40_009));
    }
    let department = view.company.department(id).filter(|department| department.readable_from_ms <= view.now_ms);
    department.ok_or(Refusal::Old(60_003))
}

/// A department of which the app may see details.
fn visible(view: View<'_>, id: i64) -> Result<&Department, Refusal> {
    known(view, id).and_then(|department| if department.in_scope { Ok(department) } else { Err(Refusal::Old(50_004)) })
}

/// Names may be asked for in two languages; they are the same in both.
fn check_language(fields: Fields<'_>) -> Result<(), Refusal> {
    match fields.text("language") {
        None | Some("zh_CN" | "en_US") => Ok(()),
        Some(_) => Err(Refusal::INVALID),
    }
}
