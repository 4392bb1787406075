//! What differs between two directories.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Department, Member, ROOT, Snapshot, fold};

/// One field of one entity that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// `department` or `member`.
    pub kind: String,
    /// The entity's id.
    pub id: String,
    /// The field; `exists` if one side does not have the entity at all.
    pub field: String,
    /// The value in the truth; `None` if it has none.
    pub source: Option<String>,
    /// The value that was seen; `None` if there is none.
    pub destination: Option<String>,
}

type Fields = BTreeMap<String, String>;

/// What differs between the truth and what a receiver holds. Lists compare as sets and member ids without case. The
/// root's name and order are left out where the receiver knows none, since no callback creates the root.
#[must_use]
pub fn compare(truth: &Snapshot, seen: &Snapshot) -> Vec<Difference> {
    let untold_root = seen.departments.get(ROOT).is_some_and(|root| root.name.is_empty());
    let mut differences =
        differ("department", &all(&truth.departments, department), &all(&seen.departments, department));
    if untold_root {
        differences.retain(|difference| difference.id != ROOT || difference.field != "name");
    }
    differences.extend(differ("member", &all(&truth.members, member), &all(&seen.members, member)));
    differences
}

fn all<T>(entities: &BTreeMap<String, T>, fields: fn(&T) -> (String, Fields)) -> BTreeMap<String, Fields> {
    entities.values().map(fields).collect()
}

fn differ(kind: &str, truth: &BTreeMap<String, Fields>, seen: &BTreeMap<String, Fields>) -> Vec<Difference> {
    let ids: BTreeSet<&String> = truth.keys().chain(seen.keys()).collect();
    let mut differences = Vec::new();
    for id in ids {
        let mut report = |field: &str, source: Option<String>, destination: Option<String>| {
            let (kind, field) = (kind.to_owned(), field.to_owned());
            differences.push(Difference { kind, id: id.clone(), field, source, destination });
        };
        match (truth.get(id), seen.get(id)) {
            (Some(source), Some(destination)) => {
                let names: BTreeSet<&String> = source.keys().chain(destination.keys()).collect();
                for name in names {
                    let (source, destination) = (source.get(name).cloned(), destination.get(name).cloned());
                    if source != destination {
                        report(name, source, destination);
                    }
                }
            }
            (source, destination) => {
                let there = |side: Option<&Fields>| Some(side.is_some().to_string());
                report("exists", there(source), there(destination));
            }
        }
    }
    differences
}

fn department(department: &Department) -> (String, Fields) {
    let mut fields = Fields::from([("name".to_owned(), department.name.clone())]);
    if let Some(parent) = &department.parent {
        fields.insert("parent".to_owned(), parent.clone());
    }
    if let Some(order) = department.order {
        fields.insert("order".to_owned(), order.to_string());
    }
    (department.id.clone(), fields)
}

fn member(member: &Member) -> (String, Fields) {
    let set = |ids: &[String]| {
        let ids: BTreeSet<String> = ids.iter().map(|id| fold(id)).collect();
        Vec::from_iter(ids).join(",")
    };
    let mut fields = Fields::new();
    let mut say = |name: &str, value: String| {
        if !value.is_empty() {
            fields.insert(name.to_owned(), value);
        }
    };
    say("name", member.name.clone());
    say("departments", set(&member.departments));
    say("main_department", member.main_department.clone().unwrap_or_default());
    say("leads", set(&member.leads));
    say("leaders", set(&member.leaders));
    say("title", member.title.clone());
    say("mobile", member.mobile.clone());
    say("email", member.email.clone());
    say("gender", member.gender.to_string());
    say("status", member.status.to_string());
    for (name, value) in &member.attributes {
        say(&format!("attribute {name}"), value.clone());
    }
    (fold(&member.id), fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(name: &str, leads: &[&str]) -> Snapshot {
        let leads = leads.iter().map(|id| (*id).to_owned()).collect();
        let member = Member { id: "Li".to_owned(), name: name.to_owned(), leads, ..Member::default() };
        Snapshot { members: BTreeMap::from([("li".to_owned(), member)]), ..Snapshot::default() }
    }

    #[test]
    fn each_different_field_is_named_and_the_order_of_lists_is_not_a_difference() {
        assert!(compare(&snapshot("李", &["2", "3"]), &snapshot("李", &["3", "2"])).is_empty());
        let differences = compare(&snapshot("李", &[]), &snapshot("黎", &["3"]));
        let fields: Vec<&str> = differences.iter().map(|difference| difference.field.as_str()).collect();
        assert_eq!(fields, ["leads", "name"]);
    }

    #[test]
    fn what_only_one_side_has_is_one_difference() {
        let differences = compare(&snapshot("李", &[]), &Snapshot::default());
        let [difference] = differences.as_slice() else { panic!("one difference, not {differences:?}") };
        assert_eq!((difference.field.as_str(), difference.source.as_deref()), ("exists", Some("true")));
    }
}
