//! Who is on leave when (reference dingtalk 4.3, `getleavestatus`).

use common::UnixMillis;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, ApiError, Client, Rows, call::Call, lenient};

/// So many members may be asked for at once.
pub const MOST_MEMBERS_OF_LEAVE_STATUS: usize = 100;

const API: &str = "topapi/attendance/getleavestatus";

/// Rows of a page: the most that the platform gives.
const PAGE_ROWS: usize = 20;

/// No answer is longer: 100 members with 100 leaves each. A list that goes on is going in circles.
const MOST_PAGES: usize = 500;

/// A leave of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaveStatus {
    /// The member's id.
    pub member: String,
    /// The kind of leave, by its code.
    pub leave_code: Option<String>,
    /// When it begins.
    pub from: UnixMillis,
    /// When it ends.
    pub to: UnixMillis,
    /// How long it is, in hundredths of [`LeaveStatus::duration_unit`].
    pub duration_percent: Option<i64>,
    /// `percent_day` or `percent_hour`.
    pub duration_unit: Option<String>,
}

impl Client {
    /// The leaves of at most [`MOST_MEMBERS_OF_LEAVE_STATUS`] members within at most 180 days; one call for each 20
    /// leaves.
    ///
    /// # Errors
    /// See [`ApiError`]. [`ApiError::Incomplete`] when a row cannot be read, or the list does not end.
    pub async fn leave_status(
        &self,
        userids: &[String],
        from: UnixMillis,
        to: UnixMillis,
    ) -> Result<Answer<Vec<LeaveStatus>>, ApiError> {
        let members = userids.join(",");
        let (mut all, mut asked_at) = (Vec::new(), None);
        for page in 0..MOST_PAGES {
            let body = json!({
                "userid_list": members,
                "start_time": from.0,
                "end_time": to.0,
                "offset": page * PAGE_ROWS,
                "size": PAGE_ROWS,
            });
            let received = self.read(Call::old(API, &members, &body).list().counted()).await?;
            let answer = received.result::<Page>()?;
            let asked_at = *asked_at.get_or_insert(answer.asked_at);
            let has_more = answer.value.has_more.unwrap_or_default();
            let rows = Rows::read_or_none(answer.value.leave_status, Told::into_status);
            let rows = rows.whole().ok_or_else(|| received.incomplete())?;
            // A page without rows would be followed by the same one.
            if has_more && rows.is_empty() {
                return Err(received.incomplete());
            }
            all.extend(rows);
            if !has_more {
                return Ok(Answer { asked_at, value: all });
            }
        }
        Err(ApiError::Incomplete { api: API })
    }
}

#[derive(Deserialize)]
struct Page {
    #[serde(default, deserialize_with = "lenient::flag")]
    has_more: Option<bool>,
    #[serde(default)]
    leave_status: Option<Value>,
}

#[derive(Deserialize)]
struct Told {
    #[serde(default, deserialize_with = "lenient::text")]
    userid: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    leave_code: Option<String>,
    #[serde(default, deserialize_with = "lenient::moment")]
    start_time: Option<UnixMillis>,
    #[serde(default, deserialize_with = "lenient::moment")]
    end_time: Option<UnixMillis>,
    #[serde(default, deserialize_with = "lenient::number")]
    duration_percent: Option<i64>,
    #[serde(default, deserialize_with = "lenient::text")]
    duration_unit: Option<String>,
}

impl Told {
    /// `None` when it does not say whose it is and when.
    fn into_status(self) -> Option<LeaveStatus> {
        Some(LeaveStatus {
            member: self.userid.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty())?,
            leave_code: self.leave_code,
            from: self.start_time?,
            to: self.end_time?,
            duration_percent: self.duration_percent,
            duration_unit: self.duration_unit,
        })
    }
}
