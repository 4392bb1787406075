//! The ids of all members, page by page (reference wecom 3.4, `user/list_id`).

use serde::Deserialize;
use serde_json::json;

use super::{
    Answer, ApiError, Client, Meaning, Rows,
    answer::RawRows,
    call::Call,
    client::Identity,
    lenient::{self, department_id},
};

/// Rows of a page: the most that the platform gives.
const PAGE_ROWS: u32 = 10_000;

/// No company is larger: a list that goes on is going in circles.
const MOST_PAGES: usize = 1_000;

/// How often a list whose place was forgotten is begun anew.
const RESTARTS: usize = 2;

/// That a member is in a department.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Membership {
    /// The member's id, as the platform spells it.
    pub member: String,
    /// The department's id.
    pub department: String,
}

/// Some of all memberships.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberIdsPage {
    /// One row for each member and department.
    pub memberships: Rows<Membership>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<String>,
}

impl Client {
    /// All members with all their departments; with the contact-sync secret, which sees everybody. A list whose place
    /// the platform forgets is begun anew. While it is read the directory may change: it is as of its first page.
    ///
    /// # Errors
    /// See [`ApiError`]. [`ApiError::Incomplete`] when the list does not end.
    pub async fn member_ids(&self) -> Result<Answer<Rows<Membership>>, ApiError> {
        let mut restarts = 0;
        loop {
            match self.all_pages().await {
                Err(error) if error.meaning() == Some(Meaning::Restart) && restarts < RESTARTS => restarts += 1,
                result => return result,
            }
        }
    }

    /// One page of all members; the first one without a cursor.
    ///
    /// # Errors
    /// See [`ApiError`]. [`Meaning::Restart`] when the platform does not know the cursor any more.
    pub async fn member_ids_page(&self, cursor: Option<&str>) -> Result<Answer<MemberIdsPage>, ApiError> {
        let asked = json!({ "cursor": cursor.unwrap_or_default(), "limit": PAGE_ROWS });
        let call = Call::list("user/list_id").with_body(asked.to_string().into_bytes());
        let received = self.read(Identity::Contact, call).await?;
        Ok(received.content::<Page>()?.map(|page| MemberIdsPage {
            memberships: Rows::read(page.dept_user, Told::into_membership),
            next: page.next_cursor.filter(|cursor| !cursor.is_empty()),
        }))
    }

    async fn all_pages(&self) -> Result<Answer<Rows<Membership>>, ApiError> {
        let first = self.member_ids_page(None).await?;
        let mut all = first.value.memberships;
        let mut next = first.value.next;
        for _ in 1..MOST_PAGES {
            let Some(cursor) = next else { return Ok(Answer { asked_at: first.asked_at, value: all }) };
            let MemberIdsPage { memberships, next: after } = self.member_ids_page(Some(&cursor)).await?.value;
            all.rows.extend(memberships.rows);
            all.unreadable += memberships.unreadable;
            // A place that does not move would be asked for ever.
            if after.as_ref() == Some(&cursor) {
                break;
            }
            next = after;
        }
        Err(ApiError::Incomplete { api: "user/list_id" })
    }
}

#[derive(Deserialize)]
struct Page {
    /// Not lenient: a place that cannot be read must not be taken for the end.
    #[serde(default)]
    next_cursor: Option<String>,
    #[serde(default)]
    dept_user: RawRows,
}

#[derive(Deserialize)]
struct Told {
    #[serde(default, deserialize_with = "lenient::text")]
    userid: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    department: Option<String>,
}

impl Told {
    fn into_membership(self) -> Option<Membership> {
        let member = self.userid.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty())?;
        Some(Membership { member, department: department_id(&self.department?)? })
    }
}
