//! What a core product has to hold of a company in DingTalk.

use platform_sim::{
    Department, Member, ROOT, Snapshot, Status,
    dingtalk::{self, Company, api},
    fold,
};

use crate::{
    Paper, Papers, as_core_sees,
    core_tables::{details, paper},
};

/// Further than any clock shows: nothing lags behind.
const AT_LAST: i64 = i64::MAX;
const MINUTE_MILLIS: i64 = 60_000;

/// Departments and members.
#[must_use]
pub fn directory(company: &Company) -> Snapshot {
    comparable(Snapshot {
        departments: company.departments().values().map(department).collect(),
        members: company.members().values().map(member).collect(),
    })
}

/// A directory without what DingTalk does not tell: a main department, and the place of the root. A core product holds the first of
/// several leaders.
#[must_use]
pub fn comparable(snapshot: Snapshot) -> Snapshot {
    let mut snapshot = as_core_sees(&snapshot);
    snapshot.members.values_mut().for_each(|member| member.main_department = None);
    if let Some(root) = snapshot.departments.get_mut(ROOT) {
        root.order = None;
    }
    snapshot
}

fn department(department: &dingtalk::Department) -> (String, Department) {
    let id = department.id.to_string();
    let told = Department {
        id: id.clone(),
        name: department.name.clone(),
        parent: department.parent.map(|parent| parent.to_string()),
        order: department.order.try_into().ok(),
    };
    (id, told)
}

fn member(member: &dingtalk::Member) -> (String, Member) {
    let leads = member.posts.iter().filter(|post| post.leader).map(|post| post.department.to_string());
    let mut attributes = member.extension.clone();
    for (name, value) in [
        ("telephone", &member.telephone),
        ("address", &member.work_place),
        ("biz_mail", &member.org_email),
        ("avatar", &member.avatar),
    ] {
        if !value.is_empty() {
            attributes.insert(name.to_owned(), value.clone());
        }
    }
    let told = Member {
        id: member.userid.clone(),
        name: member.name.clone(),
        departments: member.departments().map(|id| id.to_string()).collect(),
        leads: leads.collect(),
        leaders: Vec::from_iter(Some(member.manager.clone()).filter(|manager| !manager.is_empty())),
        title: member.title.clone(),
        mobile: member.mobile.clone(),
        email: if member.email.is_empty() { member.org_email.clone() } else { member.email.clone() },
        status: if member.active { Status::Active } else { Status::Inactive },
        attributes,
        ..Member::default()
    };
    (fold(&member.userid), told)
}

/// Attendance records.
#[must_use]
pub fn attendance(company: &Company) -> Papers {
    api::truth_of_attendance(company, AT_LAST).into_iter().map(|(id, row)| (id, attendance_row(row))).collect()
}

fn attendance_row(row: api::AttendanceRow) -> Paper {
    let text = |text: &'static str| text.to_owned();
    let mut told = paper([
        ("member_id", Some(row.member)),
        ("work_date", Some(row.work_date)),
        ("kind", Some(text(row.kind))),
        ("check_type", row.check_type.map(text)),
        ("planned_at", row.planned_ms.map(|at| at.to_string())),
        ("checked_at", row.checked_ms.map(|at| at.to_string())),
        ("result", row.result.map(text)),
        ("source", row.source.map(text)),
    ]);
    told.extend(row.details.iter().flat_map(details));
    told
}

/// Approvals.
#[must_use]
pub fn approvals(company: &Company) -> Papers {
    api::truth_of_approvals(company, AT_LAST).into_iter().map(|(id, row)| (id, approval_row(row))).collect()
}

fn approval_row(row: api::ApprovalRow) -> Paper {
    paper([
        ("template", Some(row.template)),
        ("title", Some(row.title)),
        ("applicant_id", Some(row.applicant)),
        ("status", Some(row.status.to_owned())),
        ("result", Some(row.result.to_owned())),
        ("started_at", Some(row.started_ms.to_string())),
        ("finished_at", row.finished_ms.map(|at| at.to_string())),
    ])
}

/// Approvals as they are known to whom no event told the times: the API tells minutes only.
#[must_use]
pub fn to_the_minute(mut approvals: Papers) -> Papers {
    for paper in approvals.values_mut() {
        for name in ["started_at", "finished_at"] {
            let Some(at) = paper.get_mut(name) else { continue };
            let millis: i64 = at.parse().unwrap_or_default();
            *at = (millis.div_euclid(MINUTE_MILLIS) * MINUTE_MILLIS).to_string();
        }
    }
    approvals
}
