//! What a product holds of a company that it knew long ago: four in five under ids of its own, some by former names, some who left, and
//! some whom nobody can tell apart.

use std::collections::{BTreeMap, BTreeSet};

use common::{EntityKey, UnixMillis};
use platform_sim::{Member, ROOT, Snapshot, fold};

use crate::{
    copy::{NUMBER, Names, copy, listed, own_department},
    product::{DepartmentRow, MemberRow, Place, Rows},
};

const DAY_MILLIS: i64 = 86_400_000;
/// Who left without anybody telling the product: three in a hundred.
const LEFT: usize = 150;

/// The rows, and what a person knows of those who are in doubt.
pub(super) struct OldCopy {
    pub(super) rows: Rows,
    pub(super) decisions: Vec<Decision>,
}

/// Whether an entity is a row.
pub(super) struct Decision {
    pub(super) entity: EntityKey,
    pub(super) row: String,
    pub(super) is_same: bool,
}

impl OldCopy {
    pub(super) fn of(company: &Snapshot, now: UnixMillis) -> Self {
        let names = names(company);
        let doubtful = doubtful_department(company, &names);
        let mut rows = copy(company, &names);
        age_departments(company, &names, &mut rows, &doubtful);
        age_members(company, &names, &mut rows, now);
        add_left(&names, &mut rows, (now, doubtful.as_str()));
        let mut decisions = add_doubts(company, &names, &mut rows, (now, doubtful.as_str()));
        decisions.push(Decision {
            entity: EntityKey::department(&doubtful),
            row: own_department(&doubtful),
            is_same: true,
        });
        Self { rows, decisions }
    }
}

/// Some have the platform's ids, members now and then in capitals.
fn names(company: &Snapshot) -> Names {
    let mut names = Names::default();
    let ids: Vec<String> = company.departments.keys().cloned().collect();
    for (index, id) in listed(&ids).into_iter().enumerate() {
        let parent = company.departments[id].parent.as_ref();
        let is_below_a_row = parent.is_none_or(|parent| names.departments.contains_key(parent));
        if is_below_a_row && !(index % 5 == 4 && is_leaf(company, id)) {
            let name = if index % 10 == 5 { id.clone() } else { own_department(id) };
            names.departments.insert(id.clone(), name);
        }
    }
    for (index, (id, member)) in company.members.iter().enumerate().filter(|(index, _)| index % 5 != 4) {
        let name = match index % 20 {
            0 => member.id.to_uppercase(),
            10 => member.id.clone(),
            _ => format!("P-{id}"),
        };
        names.members.insert(id.clone(), name);
    }
    names
}

fn is_leaf(company: &Snapshot, id: &str) -> bool {
    company.departments.values().all(|department| department.parent.as_deref() != Some(id))
}

/// A department of which there will be two: a leaf with members, of a name of the product's own.
fn doubtful_department(company: &Snapshot, names: &Names) -> String {
    let has_members =
        |id: &&String| company.members.values().filter(|member| member.departments.contains(*id)).count() >= 3;
    let own = names.departments.iter().filter(|(id, name)| **name == own_department(id) && id.as_str() != ROOT);
    let mut leaves = own.map(|(id, _)| id).filter(|id| is_leaf(company, id));
    leaves.find(has_members).expect("a leaf with members").clone()
}

fn age_departments(company: &Snapshot, names: &Names, rows: &mut Rows, doubtful: &str) {
    let ids: Vec<String> = company.departments.keys().cloned().collect();
    for (index, id) in listed(&ids).into_iter().enumerate().filter(|(_, id)| id.as_str() != ROOT && *id != doubtful) {
        let Some(row) = names.departments.get(id).and_then(|name| rows.departments.get_mut(name)) else { continue };
        match index % 20 {
            // By id it is found nevertheless.
            5 => row.name = format!("旧名 {id}"),
            15 => row.parent = Some(own_department(ROOT)),
            // By its name it is not.
            3 if is_leaf(company, id) => row.name = format!("旧名 {id}"),
            7 => row.position = Some(1),
            _ => {}
        }
    }
    let twin = rows.departments[&own_department(doubtful)].clone();
    let twin = DepartmentRow { id: format!("{}-2", twin.id), ..twin };
    rows.departments.insert(twin.id.clone(), twin);
}

fn age_members(company: &Snapshot, names: &Names, rows: &mut Rows, now: UnixMillis) {
    for (index, id) in company.members.keys().enumerate() {
        let Some(row) = names.members.get(id).and_then(|name| rows.members.get_mut(&fold(name))) else { continue };
        forget_contacts(index, row);
        if index % 20 == 1 {
            row.name = format!("曾用名 {index}");
        }
        if index % 25 == 2 {
            row.places = BTreeMap::from([(own_department(ROOT), Place::default())]);
            row.main_department = Some(own_department(ROOT));
        }
        if index % 30 == 7 {
            row.title = Some("旧职位".to_owned());
        }
        if index % 40 == 9 {
            row.attributes.insert("鞋码".to_owned(), "42".to_owned());
        }
        if index % 80 == 11 {
            row.attributes.insert("alias".to_owned(), "老王".to_owned());
        }
        // One that has the platform's id, so that it is known who came back.
        if index % 100 == 50 {
            leave(row, now.0 - DAY_MILLIS);
        }
    }
}

/// By what a row can be known differs from row to row.
fn forget_contacts(index: usize, row: &mut MemberRow) {
    let forget_number = |row: &mut MemberRow| {
        row.employee_number = None;
        row.attributes.remove(NUMBER);
    };
    match index % 7 {
        3 => row.mobile = row.mobile.take().map(|mobile| format!("+86 {}-{}", &mobile[..3], &mobile[3..])),
        4 if row.email.is_some() => {
            row.mobile = None;
            forget_number(row);
        }
        5 if row.employee_number.is_some() => (row.mobile, row.email) = (None, None),
        6 => {
            row.email = Some(format!("old{index}@corp.example"));
            forget_number(row);
        }
        _ => {}
    }
}

fn leave(row: &mut MemberRow, at: i64) {
    row.status = "left".to_owned();
    row.deleted_at = Some(at);
    row.places.clear();
}

/// Rows that are nobody's: of members in all departments, of some who were disabled before, and of departments.
fn add_left(names: &Names, rows: &mut Rows, (now, doubtful): (UnixMillis, &str)) {
    let root = own_department(ROOT);
    for (id, parent) in [("X-1", root.as_str()), ("X-2", "X-1"), ("X-3", root.as_str())] {
        let name = format!("已撤 {id}");
        let row =
            DepartmentRow { id: id.to_owned(), parent: Some(parent.to_owned()), name, ..DepartmentRow::default() };
        rows.departments.insert(row.id.clone(), row);
    }
    let certain = names.departments.iter().filter(|(id, _)| id.as_str() != doubtful);
    let departments: Vec<&str> = certain.map(|(_, name)| name.as_str()).collect();
    for number in 0..LEFT {
        let department = if number == 0 { "X-2" } else { departments[number % departments.len()] };
        let row = MemberRow { mobile: Some(format!("199{number:08}")), ..somebody(&format!("G-{number}"), department) };
        put(rows, row);
    }
    for (name, days) in [("old", 400), ("new", 1)] {
        for number in 0..3 {
            let mut row = somebody(&format!("G-{name}-{number}"), &root);
            leave(&mut row, now.0 - days * DAY_MILLIS);
            put(rows, row);
        }
    }
}

/// Rows that may be somebody's, whom only a person can tell apart; and what that person knows.
fn add_doubts(
    company: &Snapshot,
    names: &Names,
    rows: &mut Rows,
    (now, doubtful): (UnixMillis, &str),
) -> Vec<Decision> {
    let root = own_department(ROOT);
    let mut decisions = Vec::new();
    let strangers: Vec<&Member> = strangers(company, names, rows, doubtful).into_iter().take(30).collect();
    for (number, member) in strangers.into_iter().enumerate() {
        let mut decide = |row: &str, is_same| {
            let entity = EntityKey::member(&member.id);
            decisions.push(Decision { entity, row: row.to_owned(), is_same });
        };
        let known_by_mobile =
            |id: &str, department: &str| MemberRow { mobile: Some(member.mobile.clone()), ..somebody(id, department) };
        match number {
            // Two rows of one number. One of them keeps a department from going.
            0..10 => {
                let elsewhere = if number == 0 { "X-3" } else { root.as_str() };
                put(rows, known_by_mobile(&format!("U-{number}a"), &root));
                put(rows, known_by_mobile(&format!("U-{number}b"), elsewhere));
                decide(&format!("U-{number}a"), true);
            }
            // The same name in the same department, and nothing else.
            10..20 => {
                let id = format!("S-{number}");
                let department = &names.departments[&member.departments[0]];
                put(rows, MemberRow { name: member.name.clone(), ..somebody(&id, department) });
                decide(&id, number % 2 == 0);
            }
            // The number of somebody who left.
            20..25 => {
                let id = format!("W-{number}");
                let mut row = known_by_mobile(&id, &root);
                leave(&mut row, now.0 - DAY_MILLIS);
                put(rows, row);
                decide(&id, true);
            }
            // The number is one row's, the address another's.
            _ => {
                put(rows, known_by_mobile(&format!("E-{number}m"), &root));
                let email = Some(member.email.clone());
                put(rows, MemberRow { email, ..somebody(&format!("E-{number}e"), &root) });
                decide(&format!("E-{number}m"), true);
            }
        }
    }
    assert_eq!(decisions.len(), 30, "too few whom nobody knows");
    decisions
}

/// Members without a row, with an address, whom nobody else refers to, and whose departments have rows and are known by their names; of
/// those who have one name in one department the only one.
fn strangers<'a>(company: &'a Snapshot, names: &Names, rows: &Rows, doubtful: &str) -> Vec<&'a Member> {
    let leaders: BTreeSet<String> =
        company.members.values().flat_map(|member| &member.leaders).map(|leader| fold(leader)).collect();
    let unknown = company.members.iter().filter(|(id, _)| !names.members.contains_key(*id));
    let unknown: Vec<&'a Member> = unknown.map(|(_, member)| member).collect();
    let mut bearers: BTreeMap<(&String, &String), usize> = BTreeMap::new();
    for member in &unknown {
        for department in &member.departments {
            *bearers.entry((&member.name, department)).or_default() += 1;
        }
    }
    let is_certain = |id: &String| {
        let row = names.departments.get(id).map(|name| &rows.departments[name]);
        id != doubtful && row.is_some_and(|row| row.id == *id || row.name == company.departments[id].name)
    };
    let is_stranger = |member: &&'a Member| {
        let has_places = member.departments.iter().all(is_certain);
        let is_only = member.departments.iter().all(|id| bearers[&(&member.name, id)] == 1);
        let is_followed = leaders.contains(&fold(&member.id)) || !member.leads.is_empty();
        has_places && is_only && !is_followed && !member.email.is_empty()
    };
    unknown.iter().copied().filter(is_stranger).collect()
}

fn somebody(id: &str, department: &str) -> MemberRow {
    MemberRow {
        id: id.to_owned(),
        name: format!("某人 {id}"),
        gender: "unknown".to_owned(),
        status: "active".to_owned(),
        main_department: Some(department.to_owned()),
        places: BTreeMap::from([(department.to_owned(), Place::default())]),
        ..MemberRow::default()
    }
}

fn put(rows: &mut Rows, row: MemberRow) {
    rows.members.insert(fold(&row.id), row);
}
