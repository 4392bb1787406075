//! What a plan is to say, found anew from its description: the company as the platform tells it, a core's rows, and nothing that
//! was known before. Every rule is written out on texts, and nothing is shared with the real comparison.
//!
//! What a simulated company never does is left out: circles, orphans, one id twice.

mod differences;
mod gone;
mod pairs;

use std::collections::{BTreeMap, BTreeSet};

use common::UnixMillis;
use platform_sim::{Member, Snapshot};

use self::pairs::Pairs;
use crate::{
    copy::listed,
    product::{MemberRow, Rows},
};

/// The lines of a plan, sorted: `update member Bob u1: differs: name`.
pub(crate) fn lines(company: &Snapshot, rows: &Rows, now: UnixMillis) -> Vec<String> {
    let departments = pairs::departments(company, rows);
    let members = pairs::members(company, rows, &departments);
    let naive = Naive { company, rows, departments, members, now };
    let mut lines = naive.lines();
    lines.sort();
    lines
}

struct Naive<'a> {
    company: &'a Snapshot,
    rows: &'a Rows,
    departments: Pairs,
    members: Pairs,
    now: UnixMillis,
}

impl Naive<'_> {
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for id in self.company.departments.keys() {
            let row = self.departments.row(id).map(|row| self.rows.departments[row].id.as_str());
            lines.extend(self.departments.link(id).map(|word| format!("link department {id} {}: {word}", named(row))));
            lines.push(match (self.department_bar(id), row) {
                (Some(why), _) => format!("unsure department {id} {}: {why}", named(row)),
                (None, None) => format!("create department {id} {id}: absent"),
                (None, Some(row)) => update("department", id, row, &self.department_differences(id, row)),
            });
        }
        for (id, member) in &self.company.members {
            let row = self.members.row(id).map(|row| self.rows.members[row].id.as_str());
            let shown = &member.id;
            lines.extend(self.members.link(id).map(|word| format!("link member {shown} {}: {word}", named(row))));
            lines.push(match (self.member_bar(id, member), row) {
                (Some(why), _) => format!("unsure member {shown} {}: {why}", named(row)),
                (None, None) => format!("create member {shown} {shown}: absent"),
                (None, Some(row)) => update("member", shown, row, &self.member_differences(id, member)),
            });
        }
        self.gone(&mut lines);
        // What does not differ has no line.
        lines.retain(|line| !line.is_empty());
        lines
    }

    /// Why a department waits for a person: itself, or one above it.
    fn department_bar(&self, id: &str) -> Option<String> {
        if let Some(doubt) = self.departments.doubts.get(id) {
            let candidates: BTreeSet<&str> =
                doubt.rows.iter().map(|row| self.rows.departments[row].id.as_str()).collect();
            return Some(doubt.why(&candidates));
        }
        let parent = self.company.departments[id].parent.as_ref()?;
        self.department_bar(parent).map(|_| format!("blocked by department {parent}"))
    }

    /// Why a member waits for a person: itself, or a department that it cannot be put into.
    fn member_bar(&self, id: &str, member: &Member) -> Option<String> {
        if let Some(doubt) = self.members.doubts.get(id) {
            let candidates: BTreeSet<&str> = doubt.rows.iter().map(|row| self.rows.members[row].id.as_str()).collect();
            return Some(doubt.why(&candidates));
        }
        let lacking = listed(&member.departments).into_iter().find(|department| self.standing(department).is_none());
        lacking.map(|department| format!("blocked by department {department}"))
    }

    /// The row of a department that somebody can be put into.
    fn standing(&self, id: &str) -> Option<String> {
        let row = self.departments.row(id);
        if self.department_bar(id).is_some() {
            return row.filter(|row| self.rows.departments[*row].deleted_at.is_none()).map(str::to_owned);
        }
        Some(row.unwrap_or(id).to_owned())
    }

    /// The row that a member is or would be, folded; none while a person must decide.
    fn member_target(&self, id: &str) -> Option<String> {
        let id = platform_sim::fold(id);
        let is_open = self.members.doubts.contains_key(&id);
        (!is_open).then(|| self.members.row(&id).unwrap_or(&id).to_owned())
    }
}

/// Departments that a row refers to.
fn refers_to(row: &MemberRow) -> BTreeSet<&String> {
    row.places.keys().chain(&row.main_department).collect()
}

fn named(row: Option<&str>) -> &str {
    row.unwrap_or("-")
}

fn update(kind: &str, id: &str, row: &str, columns: &[&str]) -> String {
    if columns.is_empty() {
        return String::new();
    }
    let word = if columns.contains(&"deleted_at") { "returned" } else { "differs" };
    format!("update {kind} {id} {row}: {word}: {}", columns.join(", "))
}

/// Values by which things are found, with those that have them.
type By<K> = BTreeMap<K, Vec<String>>;
