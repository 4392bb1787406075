//! Who is who.

use std::collections::{BTreeMap, BTreeSet};

use platform_sim::{ROOT, Snapshot};

use super::{By, refers_to};
use crate::{copy::NUMBER, product::Rows};

/// Which entity of one kind is which row. Ids of members, and of their rows, are folded.
#[derive(Default)]
pub(super) struct Pairs {
    /// The row of an entity, and by what.
    rows: BTreeMap<String, (String, &'static str)>,
    /// Rows that are somebody's.
    owned: BTreeSet<String>,
    pub(super) doubts: BTreeMap<String, Doubt>,
    /// Rows that somebody in doubt may be.
    pub(super) contested: BTreeSet<String>,
}

/// A person must decide who this is.
pub(super) struct Doubt {
    word: &'static str,
    by: BTreeSet<&'static str>,
    pub(super) rows: BTreeSet<String>,
}

/// An entity and a row that may be the same, and the column that says so.
type Edge = (String, String, &'static str);

impl Doubt {
    pub(super) fn why(&self, candidates: &BTreeSet<&str>) -> String {
        let by: Vec<&str> =
            ["name", "mobile", "email", "employee_number"].into_iter().filter(|by| self.by.contains(by)).collect();
        let candidates: Vec<&str> = candidates.iter().copied().collect();
        let by = if by.is_empty() { String::new() } else { format!(": {}", by.join(", ")) };
        format!("{}{by} (candidates {})", self.word, candidates.join(", "))
    }
}

impl Pairs {
    pub(super) fn row(&self, entity: &str) -> Option<&str> {
        self.rows.get(entity).map(|(row, _)| row.as_str())
    }

    /// The word for the link: none of it was known before.
    pub(super) fn link(&self, entity: &str) -> Option<&'static str> {
        self.rows.get(entity).map(|(_, word)| *word)
    }

    pub(super) fn owner(&self, row: &str) -> Option<&String> {
        self.rows.iter().find(|(_, (other, _))| other == row).map(|(entity, _)| entity)
    }

    pub(super) fn is_owned(&self, row: &str) -> bool {
        self.owned.contains(row)
    }

    fn pair(&mut self, entity: &str, row: &str, word: &'static str) {
        self.rows.insert(entity.to_owned(), (row.to_owned(), word));
        self.owned.insert(row.to_owned());
    }

    fn is_open(&self, entity: &str) -> bool {
        !self.rows.contains_key(entity) && !self.doubts.contains_key(entity)
    }

    fn is_open_row(&self, row: &str) -> bool {
        !self.owned.contains(row) && !self.contested.contains(row)
    }

    /// Two that point at each other and at nobody else are judged: the word for their link, or for the doubt. All others are in
    /// doubt.
    fn settle(
        &mut self,
        edges: &[Edge],
        judge: impl Fn(&str, &BTreeSet<&'static str>) -> Result<&'static str, &'static str>,
        several: &'static str,
    ) {
        let mut of_entity: BTreeMap<&String, Doubt> = BTreeMap::new();
        let mut of_row: BTreeMap<&String, BTreeSet<&String>> = BTreeMap::new();
        for (entity, row, by) in edges {
            let fresh = || Doubt { word: several, by: BTreeSet::new(), rows: BTreeSet::new() };
            let doubt = of_entity.entry(entity).or_insert_with(fresh);
            doubt.rows.insert(row.clone());
            doubt.by.extend(Some(*by).filter(|by| !by.is_empty()));
            of_row.entry(row).or_default().insert(entity);
        }
        for (entity, doubt) in of_entity {
            let rows: Vec<&String> = doubt.rows.iter().collect();
            let judged = match rows.as_slice() {
                [only] if of_row[*only].len() == 1 => judge(only, &doubt.by),
                _ => Err(several),
            };
            match judged {
                Ok(word) => {
                    let row = rows[0].clone();
                    self.pair(entity, &row, word);
                }
                Err(word) => {
                    self.doubts.insert(entity.clone(), Doubt { word, ..doubt });
                }
            }
        }
        let contested = of_row.into_keys().filter(|row| !self.owned.contains(*row)).cloned().collect::<Vec<_>>();
        self.contested.extend(contested);
    }
}

/// Departments are known by id, and by name below the same parent; the root is the only row without a parent.
pub(super) fn departments(company: &Snapshot, rows: &Rows) -> Pairs {
    let mut pairs = Pairs::default();
    for id in company.departments.keys().filter(|id| rows.departments.contains_key(*id)) {
        pairs.pair(id, id, "same_id");
    }
    if pairs.is_open(ROOT) {
        let tops = rows.departments.values().filter(|row| row.parent.is_none() && row.deleted_at.is_none());
        let tops = tops.filter(|row| pairs.is_open_row(&row.id)).map(|row| (ROOT.to_owned(), row.id.clone(), ""));
        let tops: Vec<Edge> = tops.collect();
        pairs.settle(&tops, |_, _| Ok("root"), "ambiguous");
    }
    loop {
        let mut below: By<(&str, &str)> = By::new();
        for row in rows.departments.values().filter(|row| row.deleted_at.is_none() && pairs.is_open_row(&row.id)) {
            if let Some(parent) = row.parent.as_deref() {
                below.entry((parent, row.name.trim())).or_default().push(row.id.clone());
            }
        }
        let mut edges = Vec::new();
        for (id, department) in company.departments.iter().filter(|(id, _)| pairs.is_open(id)) {
            let parent = department.parent.as_ref().and_then(|parent| pairs.row(parent));
            let found = parent.and_then(|parent| below.get(&(parent, department.name.trim())));
            edges.extend(found.into_iter().flatten().map(|row| (id.clone(), row.clone(), "name")));
        }
        if edges.is_empty() {
            return pairs;
        }
        pairs.settle(&edges, |_, _| Ok("name"), "ambiguous");
    }
}

/// Members are known by id, then by mobile number, e-mail and employee number, all looked at together. A name is a reason to ask.
pub(super) fn members(company: &Snapshot, rows: &Rows, departments: &Pairs) -> Pairs {
    let mut pairs = Pairs::default();
    for id in company.members.keys().filter(|id| rows.members.contains_key(*id)) {
        pairs.pair(id, id, "same_id");
    }
    let edges = by_values(company, rows, &pairs);
    let judge = |row: &str, by: &BTreeSet<&'static str>| {
        if rows.members[row].deleted_at.is_some() {
            return Err("disabled");
        }
        Ok(["mobile", "email", "employee_number"].into_iter().find(|column| by.contains(column)).unwrap())
    };
    pairs.settle(&edges, judge, "ambiguous");
    let edges = by_name(company, rows, &pairs, departments);
    pairs.settle(&edges, |_, _| Err("same_name"), "same_name");
    pairs
}

fn by_values(company: &Snapshot, rows: &Rows, pairs: &Pairs) -> Vec<Edge> {
    let mut having: By<(&'static str, String)> = By::new();
    for (id, row) in rows.members.iter().filter(|(id, _)| pairs.is_open_row(id)) {
        let values = [
            ("mobile", row.mobile.as_deref().map(mobile)),
            ("email", row.email.as_deref().map(email)),
            ("employee_number", row.employee_number.as_deref().map(number)),
        ];
        for (column, value) in values {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                having.entry((column, value)).or_default().push(id.clone());
            }
        }
    }
    let mut edges = Vec::new();
    for (id, member) in company.members.iter().filter(|(id, _)| pairs.is_open(id)) {
        let employee_number = member.attributes.get(NUMBER).map(|text| number(text)).unwrap_or_default();
        let values =
            [("mobile", mobile(&member.mobile)), ("email", email(&member.email)), ("employee_number", employee_number)];
        for (column, value) in values {
            let found = having.get(&(column, value)).into_iter().flatten();
            edges.extend(found.map(|row| (id.clone(), row.clone(), column)));
        }
    }
    edges
}

fn by_name(company: &Snapshot, rows: &Rows, pairs: &Pairs, departments: &Pairs) -> Vec<Edge> {
    let mut having: By<(&str, &str)> = By::new();
    for (id, row) in rows.members.iter().filter(|(id, row)| row.deleted_at.is_none() && pairs.is_open_row(id)) {
        for department in refers_to(row) {
            having.entry((row.name.trim(), department.as_str())).or_default().push(id.clone());
        }
    }
    let mut edges = Vec::new();
    for (id, member) in company.members.iter().filter(|(id, _)| pairs.is_open(id)) {
        for department in member.departments.iter().filter_map(|department| departments.row(department)) {
            let found = having.get(&(member.name.trim(), department)).into_iter().flatten();
            edges.extend(found.map(|row| (id.clone(), row.clone(), "name")));
        }
    }
    edges
}

fn mobile(text: &str) -> String {
    let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let domestic = digits.strip_prefix("+86").or_else(|| digits.strip_prefix("0086"));
    domestic.unwrap_or(&digits).to_owned()
}

fn email(text: &str) -> String {
    text.trim().to_lowercase()
}

fn number(text: &str) -> String {
    text.trim().to_owned()
}
