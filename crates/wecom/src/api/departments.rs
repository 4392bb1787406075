//! Departments (reference wecom 3.3).

use common::{Field, Fields};
use serde::Deserialize;

use super::{
    Answer, ApiError, Client, Rows,
    answer::RawRows,
    call::Call,
    client::Identity,
    lenient::{self, department_id, field_text, member_ids},
};

/// A department as an interface tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Department {
    /// Its id.
    pub id: String,
    /// What was told, in the spelling that callbacks have. Absent is what was not told.
    pub fields: Fields,
}

impl Client {
    /// All departments, or this one and all below it, with parents and places but without names; with the contact-sync
    /// secret, which sees all of them (`department/simplelist`).
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn department_ids(&self, below: Option<&str>) -> Result<Answer<Rows<Department>>, ApiError> {
        let received = self.read(Identity::Contact, list("department/simplelist", below)).await?;
        Ok(received.content::<Ids>()?.map(|told| Rows::read(told.department_id, Told::into_department)))
    }

    /// The departments that the app sees, or this one and those below it, in full (`department/list`, which the
    /// platform calls slow).
    ///
    /// # Errors
    /// [`ApiError::Unreadable`] without the secret of an app; see [`ApiError`].
    pub async fn departments(&self, below: Option<&str>) -> Result<Answer<Rows<Department>>, ApiError> {
        let received = self.read(Identity::Agent, list("department/list", below)).await?;
        Ok(received.content::<List>()?.map(|told| Rows::read(told.department, Told::into_department)))
    }

    /// One department in full (`department/get`).
    ///
    /// # Errors
    /// [`ApiError::Unreadable`] without the secret of an app; [`Kind::NotFound`](super::Kind::NotFound) when there is
    /// no such department or the app does not see it; see [`ApiError`].
    pub async fn department(&self, id: &str) -> Result<Answer<Department>, ApiError> {
        let received = self.read(Identity::Agent, Call::one("department/get").with("id", id)).await?;
        let answer = received.content::<One>()?.map(|told| told.department.into_department());
        // An answer is about what was asked for.
        let department = answer.value.filter(|department| department.id == id).ok_or_else(|| received.incomplete())?;
        Ok(Answer { asked_at: answer.asked_at, value: department })
    }
}

fn list<'a>(api: &'static str, below: Option<&'a str>) -> Call<'a> {
    match below {
        Some(id) => Call::list(api).with("id", id),
        None => Call::list(api),
    }
}

#[derive(Deserialize)]
struct Ids {
    #[serde(default)]
    department_id: RawRows,
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    department: RawRows,
}

#[derive(Deserialize)]
struct One {
    department: Told,
}

/// A department on the wire.
#[derive(Deserialize)]
struct Told {
    #[serde(default, deserialize_with = "lenient::text")]
    id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    name_en: Option<String>,
    #[serde(default, deserialize_with = "lenient::texts")]
    department_leader: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient::text")]
    parentid: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    order: Option<String>,
}

impl Told {
    /// `None` when it does not say which department it is.
    fn into_department(self) -> Option<Department> {
        let id = department_id(&self.id?)?;
        let mut fields = Fields::new();
        // Nobody is without a name: it was held back.
        if let Some(name) = self.name.filter(|name| !name.trim().is_empty()) {
            fields.set(Field::Name, name);
        }
        if let Some(name_en) = self.name_en {
            fields.set(Field::NameEn, field_text(name_en));
        }
        // The root's parent is written as 0, which is no id.
        if let Some(parent) = self.parentid.as_deref().and_then(department_id) {
            fields.set(Field::Parent, parent);
        }
        if let Some(order) = self.order.as_deref().and_then(|order| order.trim().parse::<u32>().ok()) {
            fields.set(Field::Order, i64::from(order));
        }
        if let Some(leaders) = self.department_leader {
            fields.set(Field::Leaders, member_ids(&leaders));
        }
        Some(Department { id, fields })
    }
}

#[cfg(test)]
mod tests {
    use common::Value;

    use super::*;

    fn read(json: &str) -> Option<Department> {
        serde_json::from_str::<Told>(json).unwrap().into_department()
    }

    #[test]
    fn a_department_in_full() {
        let json = r#"{"id":42,"name":"华东区","name_en":"East","department_leader":["ma.zhiyuan"," ",""],
                       "parentid":17,"order":4294967295,"extra":{"a":[1]}}"#;
        let fields = Fields::new()
            .with(Field::Name, "华东区")
            .with(Field::NameEn, "East")
            .with(Field::Parent, "17")
            .with(Field::Order, 4_294_967_295_i64)
            .with(Field::Leaders, Value::List(vec!["ma.zhiyuan".into()]));
        assert_eq!(read(json), Some(Department { id: "42".into(), fields }));
    }

    #[test]
    fn what_is_missing_null_or_odd_is_not_told() {
        let root = Department { id: "1".into(), fields: Fields::new().with(Field::Order, 7_i64) };
        for json in [
            r#"{"id":"01","parentid":0,"order":"7"}"#,
            r#"{"id":1,"name":null,"name_en":null,"department_leader":null,"parentid":null,"order":7}"#,
            r#"{"id":1,"name":" ","department_leader":["a",null],"parentid":"x","order":7}"#,
            r#"{"id":1,"name":{},"name_en":[],"department_leader":"a","parentid":-1,"order":7}"#,
        ] {
            assert_eq!(read(json).as_ref(), Some(&root), "{json}");
        }
        for json in ["{}", r#"{"id":null}"#, r#"{"id":0}"#, r#"{"id":"x"}"#, r#"{"id":4294967296}"#] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
