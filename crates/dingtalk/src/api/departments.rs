//! Departments (reference dingtalk 4.4).

use common::{Field, Fields};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Answer, ApiError, Client, Rows,
    call::Call,
    lenient::{self, department_id, department_ids, is_pseudo_department, member_ids},
};

/// A department as an interface tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Department {
    /// Its id.
    pub id: String,
    /// What was told. Absent is what was not told.
    pub fields: Fields,
}

impl Client {
    /// The ids of the departments right below this one (`department/listsubid`).
    ///
    /// # Errors
    /// See [`ApiError`]. [`ApiError::Incomplete`] when one of them cannot be read: the list would not be whole.
    pub async fn department_ids_below(&self, id: &str) -> Result<Answer<Vec<String>>, ApiError> {
        let received = self.read(call("topapi/v2/department/listsubid", id).list()).await?;
        received
            .result::<Ids>()?
            .and_then(|told| told.ids.and_then(|ids| department_ids(&ids)).ok_or_else(|| received.incomplete()))
    }

    /// The departments right below this one, with names and parents (`department/listsub`), without pseudo-departments.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn sub_departments(&self, id: &str) -> Result<Answer<Rows<Department>>, ApiError> {
        let received = self.read(call("topapi/v2/department/listsub", id).list()).await?;
        Ok(received.result::<Value>()?.map(|told| {
            let Rows { rows, unreadable } = Rows::read(Some(told), Told::into_row);
            Rows { rows: rows.into_iter().flatten().collect(), unreadable }
        }))
    }

    /// One department in full (`department/get`).
    ///
    /// # Errors
    /// [`Kind::NotFound`](super::Kind::NotFound) when there is no such department,
    /// [`Kind::Invisible`](super::Kind::Invisible) when the app does not see it; see [`ApiError`].
    pub async fn department(&self, id: &str) -> Result<Answer<Department>, ApiError> {
        let received = self.read(call("topapi/v2/department/get", id)).await?;
        // An answer is about what was asked for.
        received.result::<Told>()?.and_then(|told| {
            told.into_department().filter(|department| department.id == id).ok_or_else(|| received.incomplete())
        })
    }
}

/// A call about one department. Ids are numbers on the wire.
pub(super) fn call<'a>(api: &'static str, id: &'a str) -> Call<'a> {
    Call::old(api, id, &json!({ "dept_id": number(id) }))
}

/// An id as the platform wants it; one that is no number is left for the platform to refuse.
pub(super) fn number(id: &str) -> Value {
    id.parse::<i64>().map_or_else(|_| Value::from(id), Value::from)
}

#[derive(Deserialize)]
struct Ids {
    #[serde(default, rename = "dept_id_list", deserialize_with = "lenient::texts")]
    ids: Option<Vec<String>>,
}

/// A department on the wire.
#[derive(Deserialize)]
struct Told {
    #[serde(default, deserialize_with = "lenient::text")]
    dept_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    parent_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::number")]
    order: Option<i64>,
    #[serde(default, deserialize_with = "lenient::texts")]
    dept_manager_userid_list: Option<Vec<String>>,
}

impl Told {
    /// As a row of a list, nothing for a pseudo-department; `None` when it does not say which department it is.
    fn into_row(self) -> Option<Option<Department>> {
        let is_pseudo = self.dept_id.as_deref().is_some_and(is_pseudo_department);
        if is_pseudo { Some(None) } else { self.into_department().map(Some) }
    }

    /// `None` when it does not say which department it is.
    fn into_department(self) -> Option<Department> {
        let id = department_id(&self.dept_id?)?;
        let mut fields = Fields::new();
        // Nobody is without a name: it was held back.
        if let Some(name) = self.name.filter(|name| !name.trim().is_empty()) {
            fields.set(Field::Name, name);
        }
        if let Some(parent) = self.parent_id.as_deref().and_then(department_id) {
            fields.set(Field::Parent, parent);
        }
        if let Some(order) = self.order {
            fields.set(Field::Order, order);
        }
        if let Some(managers) = self.dept_manager_userid_list {
            fields.set(Field::Leaders, member_ids(&managers));
        }
        Some(Department { id, fields })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<Department> {
        serde_json::from_str::<Told>(json).unwrap().into_department()
    }

    #[test]
    fn a_department_in_full() {
        let json = r#"{"dept_id":900000002,"name":"一车间","parent_id":900000001,"order":176000000000000001,
            "dept_manager_userid_list":["manager0001"," ",""],"hide_dept":false,"dept_permits":[],"tags":"{}",
            "union_dept_ext":{"corp_id":"x","dept_id":7},"member_count":3}"#;
        let fields = Fields::new()
            .with(Field::Name, "一车间")
            .with(Field::Parent, "900000001")
            .with(Field::Order, 176_000_000_000_000_001_i64)
            .with(Field::Leaders, ["manager0001"].as_slice());
        assert_eq!(read(json), Some(Department { id: "900000002".into(), fields }));
    }

    #[test]
    fn what_is_missing_null_or_odd_is_not_told() {
        let root = Department { id: "1".into(), fields: Fields::new().with(Field::Order, 7_i64) };
        for json in [
            r#"{"dept_id":"01","order":"7"}"#,
            r#"{"dept_id":1,"name":null,"dept_manager_userid_list":null,"parent_id":null,"order":7}"#,
            r#"{"dept_id":1,"name":" ","dept_manager_userid_list":["a",null],"parent_id":"x","order":7}"#,
            r#"{"dept_id":1,"name":{},"dept_manager_userid_list":{},"parent_id":-1,"order":7}"#,
        ] {
            assert_eq!(read(json).as_ref(), Some(&root), "{json}");
        }
        for json in ["{}", r#"{"dept_id":null}"#, r#"{"dept_id":0}"#, r#"{"dept_id":-7}"#, r#"{"dept_id":"x"}"#] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
