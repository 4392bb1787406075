//! Which calls answer a set of questions: many questions, few calls.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use common::{EntityKey, EntityKind};

/// A question, as far as planning needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// About whom.
    pub about: EntityKey,
    /// Of a member the departments that it is in, as far as known.
    pub departments: Vec<String>,
    /// Whether it is asked for where it is, which only the lists of ids tell, and not only for its details.
    pub places: bool,
}

/// A call that reads details, with the secret of an app.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// `user/get`.
    Member(EntityKey),
    /// `user/list` of a department, for these of its members.
    MembersOf {
        /// The department.
        department: String,
        /// The members that are asked about: two or more.
        about: Vec<EntityKey>,
    },
    /// `department/get`.
    Department(EntityKey),
    /// `department/list`, for these: two or more.
    Departments(Vec<EntityKey>),
}

/// The list of ids of departments that is needed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum DepartmentIds {
    /// None.
    #[default]
    None,
    /// That of one department and those below it.
    Below(EntityKey),
    /// That of all.
    All,
}

/// The calls that answer a set of questions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Calls with the secret of an app. Each entity is in one of them.
    pub details: Vec<Call>,
    /// The list of all members' ids is needed.
    pub member_ids: bool,
    /// Which list of departments' ids is needed.
    pub department_ids: DepartmentIds,
}

/// Plans the fewest calls that answer all of these questions; no entity may be there twice. A department's members are
/// listed where that answers two or more questions at once, the department that answers most first, unless they are in
/// `too_large`. Without an app (`reads_details`) only lists of ids are asked for.
pub fn coalesce(wanted: &[Wanted], reads_details: bool, too_large: &BTreeSet<String>) -> Plan {
    let (members, departments): (Vec<&Wanted>, Vec<&Wanted>) =
        wanted.iter().partition(|wanted| wanted.about.kind == EntityKind::Member);
    let mut details = Vec::new();
    if reads_details {
        details.extend(of_departments(&departments));
        details.extend(of_members(&members, too_large));
    }
    let placeless: Vec<&EntityKey> =
        departments.iter().filter(|wanted| wanted.places).map(|wanted| &wanted.about).collect();
    let department_ids = match placeless.as_slice() {
        [] => DepartmentIds::None,
        [one] => DepartmentIds::Below(EntityKey::clone(one)),
        _ => DepartmentIds::All,
    };
    Plan { details, member_ids: members.iter().any(|wanted| wanted.places), department_ids }
}

fn of_departments(wanted: &[&Wanted]) -> Option<Call> {
    match wanted {
        [] => None,
        [one] => Some(Call::Department(one.about.clone())),
        many => Some(Call::Departments(many.iter().map(|wanted| wanted.about.clone()).collect())),
    }
}

/// Covers members with departments, the one with most uncovered members first. To find the very fewest would take for
/// ever; this takes at most as many as there are members, or as there are departments and members without one.
fn of_members(wanted: &[&Wanted], too_large: &BTreeSet<String>) -> Vec<Call> {
    let mut within: BTreeMap<&str, BTreeSet<&EntityKey>> = BTreeMap::new();
    for member in wanted {
        for department in member.departments.iter().filter(|id| !too_large.contains(*id)) {
            within.entry(department.as_str()).or_default().insert(&member.about);
        }
    }
    let mut open: BTreeSet<&EntityKey> = wanted.iter().map(|wanted| &wanted.about).collect();
    let mut calls = Vec::new();
    while let Some((department, most)) = fullest(&within)
        && most >= 2
    {
        let Some(about) = within.remove(department) else { break };
        for member in &about {
            open.remove(member);
        }
        within.retain(|_, others| {
            others.retain(|member| !about.contains(member));
            others.len() >= 2
        });
        calls.push(Call::MembersOf { department: department.to_owned(), about: about.into_iter().cloned().collect() });
    }
    calls.extend(open.into_iter().cloned().map(Call::Member));
    calls
}

/// The department with most of those that are open; of several the first one by id.
fn fullest<'a>(within: &BTreeMap<&'a str, BTreeSet<&EntityKey>>) -> Option<(&'a str, usize)> {
    let mut fullest: Option<(&'a str, usize)> = None;
    for (department, members) in within {
        if fullest.is_none_or(|(_, most)| members.len() > most) {
            fullest = Some((*department, members.len()));
        }
    }
    fullest
}
