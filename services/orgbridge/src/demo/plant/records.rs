//! What the core product has of the plant, beside what is true.

use std::collections::{BTreeMap, BTreeSet};

use common::TenantId;
use database::{Connection, on_backend};
use diesel::{
    QueryableByName, RunQueryDsl, sql_query,
    sql_types::{BigInt, Nullable, Text},
};
use platform_sim::{
    Difference,
    dingtalk::{
        Company,
        api::{ApprovalRow, AttendanceRow, truth_of_approvals, truth_of_attendance},
    },
    fold,
};

use super::Plant;

/// Texts by field; those that are none are left out.
type Fields = BTreeMap<&'static str, String>;
/// Fields by id.
type Rows = BTreeMap<String, Fields>;

/// All that is kept of a plant.
#[derive(Default)]
pub(in crate::demo) struct Records {
    departments: Rows,
    members: Rows,
    attendance: Rows,
    approvals: Rows,
}

#[derive(QueryableByName)]
struct Department {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Nullable<Text>)]
    parent_id: Option<String>,
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Member {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    mobile: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    employee_number: Option<String>,
}

#[derive(QueryableByName)]
struct Attendance {
    #[diesel(sql_type = Text)]
    record_id: String,
    #[diesel(sql_type = Text)]
    member_id: String,
    #[diesel(sql_type = Text)]
    work_date: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    check_type: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    planned_at: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    checked_at: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    result: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    source: Option<String>,
}

#[derive(QueryableByName)]
struct Approval {
    #[diesel(sql_type = Text)]
    instance_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    template: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    title: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    applicant_id: Option<String>,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Text)]
    result: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    started_at: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    finished_at: Option<i64>,
}

const DEPARTMENTS: &str = "SELECT id, parent_id, name FROM departments WHERE tenant_id = ?1 AND deleted_at IS NULL";
const MEMBERS: &str =
    "SELECT id, name, mobile, employee_number FROM members WHERE tenant_id = ?1 AND deleted_at IS NULL";
const ATTENDANCE: &str = "SELECT record_id, member_id, work_date, kind, check_type, planned_at, checked_at, result, source \
    FROM attendance WHERE tenant_id = ?1";
const APPROVALS: &str = "SELECT instance_id, template, title, applicant_id, status, result, started_at, finished_at \
    FROM approvals WHERE tenant_id = ?1";

impl Plant {
    /// What the core product has.
    pub(in crate::demo) async fn kept(&self) -> anyhow::Result<Records> {
        let tenant = self.tenant.clone();
        Ok(self.core.open()?.read("core.plant", move |conn| Records::kept(conn, &tenant)).await?)
    }

    /// What is so.
    pub(in crate::demo) fn truth(&self) -> Records {
        Records::truth(&self.api.company())
    }
}

impl Records {
    /// How many departments and members there are, the root included.
    pub(in crate::demo) fn directory(&self) -> (usize, usize) {
        (self.departments.len(), self.members.len())
    }

    /// How many attendance records.
    pub(in crate::demo) fn attendance(&self) -> usize {
        self.attendance.len()
    }

    /// How many approvals.
    pub(in crate::demo) fn approvals(&self) -> usize {
        self.approvals.len()
    }

    /// In what others differ from this, which is the truth.
    pub(in crate::demo) fn differences(&self, kept: &Self) -> Vec<Difference> {
        let sides = [
            ("department", &self.departments, &kept.departments),
            ("member", &self.members, &kept.members),
            ("attendance", &self.attendance, &kept.attendance),
            ("approval", &self.approvals, &kept.approvals),
        ];
        sides.into_iter().flat_map(|(kind, truth, kept)| differences(kind, truth, kept)).collect()
    }

    fn kept(conn: &mut Connection, tenant: &TenantId) -> database::Result<Self> {
        let of = tenant.as_str();
        let departments: Vec<Department> = on_backend!(conn, c => sql_query(DEPARTMENTS).bind::<Text, _>(of).load(c))?;
        let members: Vec<Member> = on_backend!(conn, c => sql_query(MEMBERS).bind::<Text, _>(of).load(c))?;
        let attendance: Vec<Attendance> = on_backend!(conn, c => sql_query(ATTENDANCE).bind::<Text, _>(of).load(c))?;
        let approvals: Vec<Approval> = on_backend!(conn, c => sql_query(APPROVALS).bind::<Text, _>(of).load(c))?;
        Ok(Self {
            departments: departments.into_iter().map(Department::fields).collect(),
            members: members.into_iter().map(Member::fields).collect(),
            attendance: attendance.into_iter().map(Attendance::fields).collect(),
            approvals: approvals.into_iter().map(Approval::fields).collect(),
        })
    }

    fn truth(company: &Company) -> Self {
        let departments = company.departments().values().map(|department| Department {
            id: department.id.to_string(),
            parent_id: department.parent.map(|parent| parent.to_string()),
            name: department.name.clone(),
        });
        let members = company.members().values().map(|member| Member {
            id: member.userid.clone(),
            name: member.name.clone(),
            mobile: Some(member.mobile.clone()),
            employee_number: Some(member.job_number.clone()),
        });
        let attendance = truth_of_attendance(company, i64::MAX).into_iter();
        let approvals = truth_of_approvals(company, i64::MAX).into_iter();
        Self {
            departments: departments.map(Department::fields).collect(),
            members: members.map(Member::fields).collect(),
            attendance: attendance.map(|(id, row)| Attendance::of(id, row).fields()).collect(),
            approvals: approvals.map(|(id, row)| Approval::of(id, row).fields()).collect(),
        }
    }
}

impl Department {
    fn fields(self) -> (String, Fields) {
        (self.id, filled([("name", Some(self.name)), ("parent", self.parent_id)]))
    }
}

impl Member {
    fn fields(self) -> (String, Fields) {
        let fields = [("name", Some(self.name)), ("mobile", self.mobile), ("employee_number", self.employee_number)];
        (fold(&self.id), filled(fields))
    }
}

impl Attendance {
    fn of(record_id: String, row: AttendanceRow) -> Self {
        let text = |text: Option<&'static str>| text.map(str::to_owned);
        Self {
            record_id,
            member_id: row.member,
            work_date: row.work_date,
            kind: row.kind.to_owned(),
            check_type: text(row.check_type),
            planned_at: row.planned_ms,
            checked_at: row.checked_ms,
            result: text(row.result),
            source: text(row.source),
        }
    }

    fn fields(self) -> (String, Fields) {
        let time = |at: Option<i64>| at.map(|at| at.to_string());
        let fields = [
            ("member", Some(fold(&self.member_id))),
            ("work_date", Some(self.work_date)),
            ("kind", Some(self.kind)),
            ("check_type", self.check_type),
            ("planned_at", time(self.planned_at)),
            ("checked_at", time(self.checked_at)),
            ("result", self.result),
            ("source", self.source),
        ];
        (self.record_id, filled(fields))
    }
}

impl Approval {
    fn of(instance_id: String, row: ApprovalRow) -> Self {
        Self {
            instance_id,
            template: Some(row.template),
            title: Some(row.title),
            applicant_id: Some(row.applicant),
            status: row.status.to_owned(),
            result: row.result.to_owned(),
            started_at: Some(row.started_ms),
            finished_at: row.finished_ms,
        }
    }

    fn fields(self) -> (String, Fields) {
        // The interface tells minutes: who lost the event knows no better.
        let minute = |at: Option<i64>| at.map(|at| at.div_euclid(60_000).to_string());
        let fields = [
            ("template", self.template),
            ("title", self.title),
            ("applicant", self.applicant_id.map(|id| fold(&id))),
            ("status", Some(self.status)),
            ("result", Some(self.result)),
            ("started_at", minute(self.started_at)),
            ("finished_at", minute(self.finished_at)),
        ];
        (self.instance_id, filled(fields))
    }
}

fn filled<const N: usize>(fields: [(&'static str, Option<String>); N]) -> Fields {
    let told = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
    told.filter(|(_, value)| !value.is_empty()).collect()
}

fn differences(kind: &str, truth: &Rows, kept: &Rows) -> Vec<Difference> {
    let ids: BTreeSet<&String> = truth.keys().chain(kept.keys()).collect();
    let mut found = Vec::new();
    for id in ids {
        let mut differ = |field: &str, source: Option<String>, destination: Option<String>| {
            if source != destination {
                let (kind, field) = (kind.to_owned(), field.to_owned());
                found.push(Difference { kind, id: id.clone(), field, source, destination });
            }
        };
        match (truth.get(id), kept.get(id)) {
            (Some(truth), Some(kept)) => {
                let names: BTreeSet<&&str> = truth.keys().chain(kept.keys()).collect();
                names.into_iter().for_each(|name| differ(name, truth.get(name).cloned(), kept.get(name).cloned()));
            }
            (truth, kept) => {
                let exists = |side: Option<&Fields>| Some(side.is_some().to_string());
                differ("exists", exists(truth), exists(kept));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use platform_sim::dingtalk::CompanyOptions;

    use super::*;

    #[test]
    fn what_is_missing_other_or_too_much_differs() {
        let mut company = Company::new(CompanyOptions::default());
        company.populate(2, 3).unwrap();
        let truth = Records::truth(&company);
        assert_eq!(truth.directory(), (3, 3));
        assert!(truth.differences(&Records::truth(&company)).is_empty());

        let mut kept = Records::truth(&company);
        kept.members.pop_first();
        kept.departments.values_mut().for_each(|fields| drop(fields.insert("name", "x".into())));
        kept.approvals.insert("A-1".into(), Fields::new());
        let found = truth.differences(&kept);
        let told: BTreeSet<(&str, &str)> = found.iter().map(|one| (one.kind.as_str(), one.field.as_str())).collect();
        let expected = [("approval", "exists"), ("department", "name"), ("member", "exists")];
        assert_eq!(told, expected.into_iter().collect());
        assert_eq!(found.len(), 5);
    }
}
