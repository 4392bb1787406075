//! What a product holds of a company, under ids of its own.

use std::collections::BTreeMap;

use platform_sim::{Department, Member, ROOT, Snapshot, fold};

use crate::product::{DepartmentRow, MemberRow, Place, Rows};

/// The extended attribute that holds the employee number.
pub(crate) const NUMBER: &str = "工号";

/// The ids of rows by the platform's ids, members' folded. Who is not in it has no row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    pub(crate) departments: BTreeMap<String, String>,
    pub(crate) members: BTreeMap<String, String>,
}

impl Names {
    /// Everybody, under ids that the product made up.
    pub(crate) fn own(company: &Snapshot) -> Self {
        Self {
            departments: company.departments.keys().map(|id| (id.clone(), own_department(id))).collect(),
            members: company.members.keys().map(|id| (id.clone(), format!("P-{id}"))).collect(),
        }
    }
}

/// The id that the product made up for a department.
pub(crate) fn own_department(id: &str) -> String {
    if id == ROOT { "HQ".to_owned() } else { format!("D-{id}") }
}

/// An exact copy of those that have names. A parent that has none is not allowed for; who is in no department that has one, is
/// in the root.
pub(crate) fn copy(company: &Snapshot, names: &Names) -> Rows {
    let mut rows = Rows::default();
    for (id, name) in &names.departments {
        let row = department(company, names, &company.departments[id], name);
        rows.departments.insert(name.clone(), row);
    }
    for (id, name) in &names.members {
        let row = member(names, &company.members[id], name);
        rows.members.insert(fold(name), row);
    }
    rows
}

fn department(company: &Snapshot, names: &Names, department: &Department, name: &str) -> DepartmentRow {
    let leading = company.members.iter().filter(|(_, member)| member.leads.contains(&department.id));
    DepartmentRow {
        id: name.to_owned(),
        parent: department.parent.as_ref().map(|parent| names.departments[parent].clone()),
        name: department.name.clone(),
        position: department.order.and_then(|order| order.try_into().ok()),
        leaders: leading.filter_map(|(id, _)| names.members.get(id).cloned()).collect(),
        ..DepartmentRow::default()
    }
}

fn member(names: &Names, member: &Member, name: &str) -> MemberRow {
    let mut places = BTreeMap::new();
    for (position, id) in (0..).zip(listed(&member.departments)) {
        if let Some(department) = names.departments.get(id) {
            places.insert(department.clone(), Place { leads: member.leads.contains(id), position });
        }
    }
    if places.is_empty() {
        places.insert(names.departments[ROOT].clone(), Place::default());
    }
    let main = member.main_department.as_ref().and_then(|main| names.departments.get(main));
    let filled = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    MemberRow {
        id: name.to_owned(),
        name: member.name.clone(),
        mobile: filled(&member.mobile),
        email: filled(&member.email),
        title: filled(&member.title),
        gender: member.gender.to_string(),
        status: member.status.to_string(),
        employee_number: member.attributes.get(NUMBER).cloned(),
        main_department: main.or(places.keys().next()).cloned(),
        manager: member.leaders.first().and_then(|leader| names.members.get(&fold(leader)).cloned()),
        attributes: member.attributes.clone(),
        places,
        deleted_at: None,
    }
}

/// A member's departments in the order in which the platform lists their ids: by number.
pub(crate) fn listed(departments: &[String]) -> Vec<&String> {
    let mut listed: Vec<&String> = departments.iter().collect();
    listed.sort_by_key(|id| id.parse::<u64>().expect("ids of departments are numbers"));
    listed
}
