//! Reading members (reference dingtalk 4.5).

use common::EntityKey;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Answer, ApiError, Client, Rows,
    call::Call,
    departments::{call as of_department, number},
    lenient,
    member::{Member, Told},
};

/// Rows of a page of members: what is documented for a list like it.
const PAGE_ROWS: u32 = 100;

/// Some of the members of a department.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembersPage {
    /// The members, without their managers and what they lead.
    pub rows: Rows<Member>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<u64>,
}

impl Client {
    /// One member in full (`user/get`).
    ///
    /// # Errors
    /// [`Kind::NotFound`](super::Kind::NotFound) when there is no such member,
    /// [`Kind::Invisible`](super::Kind::Invisible) when the app does not see it; see [`ApiError`].
    pub async fn member(&self, userid: &str) -> Result<Answer<Member>, ApiError> {
        let received = self.read(Call::old("topapi/v2/user/get", userid, &json!({ "userid": userid }))).await?;
        // An answer is about who was asked for, and never about its successor.
        let is_meant = |member: &Member| EntityKey::member(&member.id) == EntityKey::member(userid);
        received
            .result::<Told>()?
            .and_then(|told| told.into_member().filter(is_meant).ok_or_else(|| received.incomplete()))
    }

    /// Some of the members that are in this department itself (`user/list`), from a place on: 0 at first.
    ///
    /// # Errors
    /// See [`ApiError`]. [`ApiError::Incomplete`] when the list goes on and does not say where.
    pub async fn members_page(&self, department: &str, cursor: u64) -> Result<Answer<MembersPage>, ApiError> {
        let body = json!({ "dept_id": number(department), "cursor": cursor, "size": PAGE_ROWS });
        let received = self.read(Call::old("topapi/v2/user/list", department, &body).list()).await?;
        received.result::<Page>()?.and_then(|page| {
            let next = page.next(cursor).ok_or_else(|| received.incomplete())?;
            Ok(MembersPage { rows: Rows::read(page.list, Told::into_listed), next })
        })
    }

    /// The ids of the members that are in this department itself, whatever the app may see (`user/listid`).
    ///
    /// # Errors
    /// See [`ApiError`]. [`ApiError::Incomplete`] when one of them cannot be read: the list would not be whole.
    pub async fn member_ids(&self, department: &str) -> Result<Answer<Vec<String>>, ApiError> {
        let received = self.read(of_department("topapi/user/listid", department).list()).await?;
        received.result::<Ids>()?.and_then(|told| told.ids().ok_or_else(|| received.incomplete()))
    }
}

#[derive(Deserialize)]
struct Page {
    #[serde(default, deserialize_with = "lenient::flag")]
    has_more: Option<bool>,
    #[serde(default, deserialize_with = "lenient::number")]
    next_cursor: Option<i64>,
    #[serde(default)]
    list: Option<Value>,
}

impl Page {
    /// Where the next page begins, if there is one; `None` when that cannot be told, since it must not be taken for the
    /// end. A place that does not move would be asked for ever.
    fn next(&self, cursor: u64) -> Option<Option<u64>> {
        if !self.has_more? {
            return Some(None);
        }
        let next = u64::try_from(self.next_cursor?).ok()?;
        (next > cursor).then_some(Some(next))
    }
}

#[derive(Deserialize)]
struct Ids {
    #[serde(default, deserialize_with = "lenient::texts")]
    userid_list: Option<Vec<String>>,
}

impl Ids {
    fn ids(self) -> Option<Vec<String>> {
        let ids: Vec<String> = self.userid_list?.iter().map(|id| id.trim().to_owned()).collect();
        (!ids.iter().any(String::is_empty)).then_some(ids)
    }
}
