//! The people and departments that member and department fields hold (reference jiandaoyun 7 and 10).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Somebody with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The member number, unique in the company.
    pub username: String,
    /// The name.
    pub name: String,
    /// -1 left, 0 not joined yet, 1 joined.
    pub status: i64,
    /// Numbers of departments.
    pub departments: Vec<i64>,
    /// The id on the platform that the company's directory comes from.
    pub integrate_id: Option<String>,
}

impl Person {
    /// Somebody who has joined, in no department.
    #[must_use]
    pub fn new(username: &str, name: &str) -> Self {
        Self {
            username: username.to_owned(),
            name: name.to_owned(),
            status: 1,
            departments: Vec::new(),
            integrate_id: None,
        }
    }
}

/// A department.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Department {
    /// Its number, unique in the company; the root's is 1.
    pub dept_no: i64,
    /// Its name.
    pub name: String,
    /// The number of the one above it.
    pub parent_no: i64,
    /// 1 in use, -1 deleted where the directory comes from.
    pub status: i64,
    /// The id on the platform that the company's directory comes from.
    pub integrate_id: Option<i64>,
}

impl Department {
    /// One in use.
    #[must_use]
    pub fn new(dept_no: i64, name: &str, parent_no: i64) -> Self {
        Self { dept_no, name: name.to_owned(), parent_no, status: 1, integrate_id: None }
    }
}

/// Everybody, and all departments.
#[derive(Debug, Default)]
pub(in crate::jiandaoyun) struct Contacts {
    people: BTreeMap<String, Person>,
    departments: BTreeMap<i64, Department>,
}

impl Contacts {
    pub(super) fn add_person(&mut self, person: Person) {
        self.people.insert(person.username.clone(), person);
    }

    pub(super) fn add_department(&mut self, department: Department) {
        self.departments.insert(department.dept_no, department);
    }

    pub(in crate::jiandaoyun) fn knows_person(&self, username: &str) -> bool {
        self.people.contains_key(username)
    }

    pub(in crate::jiandaoyun) fn knows_department(&self, dept_no: i64) -> bool {
        self.departments.contains_key(&dept_no)
    }

    /// Somebody in full; of a stranger what there is.
    pub(super) fn person(&self, username: &str) -> Value {
        let Some(person) = self.people.get(username) else {
            return json!({ "name": username, "username": username, "status": 1, "type": 0 });
        };
        let told = json!({
            "name": person.name,
            "username": person.username,
            "status": person.status,
            "type": 0,
            "departments": person.departments,
        });
        with_integration(told, person.integrate_id.as_deref().map(Value::from))
    }

    /// A department in full; of an unknown one what there is.
    pub(super) fn department(&self, dept_no: i64) -> Value {
        let Some(department) = self.departments.get(&dept_no) else {
            return json!({ "name": dept_no.to_string(), "dept_no": dept_no, "type": 0, "status": 1 });
        };
        let told = json!({
            "name": department.name,
            "dept_no": dept_no,
            "type": 0,
            "parent_no": department.parent_no,
            "status": department.status,
        });
        with_integration(told, department.integrate_id.map(Value::from))
    }
}

fn with_integration(mut told: Value, id: Option<Value>) -> Value {
    if let (Value::Object(told), Some(id)) = (&mut told, id) {
        told.insert("integrate_id".to_owned(), id);
    }
    told
}

/// Somebody as pushes tell it: without departments and foreign ids.
pub(super) fn in_push(person: &Map<String, Value>) -> Value {
    let of = |name: &str| person.get(name).cloned().unwrap_or_default();
    let username = of("username");
    let mut id = crate::jiandaoyun::ids::hex(username.as_str().unwrap_or_default());
    id.truncate(24);
    json!({ "_id": id, "name": of("name"), "status": of("status"), "type": of("type"), "username": username })
}
