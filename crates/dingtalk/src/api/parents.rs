//! Where departments and members are, up to the root (reference dingtalk 4.4): told whatever the app may see.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Answer, ApiError, Client, Rows,
    call::Call,
    departments::call as of_department,
    lenient::{self, department_ids},
};

impl Client {
    /// The departments from this one up to the root: itself first (`department/listparentbydept`).
    ///
    /// # Errors
    /// [`Kind::NotFound`](super::Kind::NotFound) when there is no such department; see [`ApiError`].
    /// [`ApiError::Incomplete`] when the way does not begin where it was asked for.
    pub async fn parents_of_department(&self, id: &str) -> Result<Answer<Vec<String>>, ApiError> {
        let received = self.read(of_department("topapi/v2/department/listparentbydept", id)).await?;
        received.result::<Ways>()?.and_then(|told| {
            let way = told.parent_id_list.and_then(|ids| department_ids(&ids));
            way.filter(|way| way.first().is_some_and(|first| first == id)).ok_or_else(|| received.incomplete())
        })
    }

    /// For each department that this member is in, the departments from it up to the root
    /// (`department/listparentbyuser`).
    ///
    /// # Errors
    /// [`Kind::NotFound`](super::Kind::NotFound) when there is no such member; see [`ApiError`].
    /// [`ApiError::Incomplete`] when one of the ways cannot be read: the list would not be whole.
    pub async fn parents_of_member(&self, userid: &str) -> Result<Answer<Vec<Vec<String>>>, ApiError> {
        let api = "topapi/v2/department/listparentbyuser";
        let received = self.read(Call::old(api, userid, &json!({ "userid": userid }))).await?;
        received.result::<Ways>()?.and_then(|told| {
            let ways = Rows::read(told.parent_list, |way: Way| department_ids(&way.parent_dept_id_list?));
            ways.whole().ok_or_else(|| received.incomplete())
        })
    }
}

#[derive(Deserialize)]
struct Ways {
    #[serde(default, deserialize_with = "lenient::texts")]
    parent_id_list: Option<Vec<String>>,
    #[serde(default)]
    parent_list: Option<Value>,
}

#[derive(Deserialize)]
struct Way {
    #[serde(default, deserialize_with = "lenient::texts")]
    parent_dept_id_list: Option<Vec<String>>,
}
