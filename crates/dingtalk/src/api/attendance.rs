//! Attendance (reference dingtalk 4.3): what was planned, punched and approved.

mod records;
mod rows;

use serde::Deserialize;
use serde_json::{Map, Value, json};

pub use self::{
    records::{records_of_day, records_of_punches, records_of_results},
    rows::{ApprovalRow, PunchRow, ResultRow},
};
use super::{Answer, ApiError, Client, Rows, call::Call, lenient};
use crate::china_time;

/// So many members may be asked for at once, over so many days: of results, and of punches.
pub const MOST_MEMBERS_OF_RESULTS: usize = 50;
/// The days of one question for results or punches, the first and the last one included.
pub const MOST_DAYS_OF_RESULTS: usize = 7;

/// Rows of a page of results: the most that the platform gives.
const PAGE_ROWS: usize = 50;

/// No answer is longer: 50 members with 40 results on each of seven days. A list that goes on is going in circles.
const MOST_PAGES: usize = 280;

/// A row on the wire.
type Row = Map<String, Value>;

/// A member's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// The member's id, as it was asked for.
    pub member: String,
    /// The day, as it was asked for: `yyyy-MM-dd`.
    pub date: String,
    /// One for each planned check point.
    pub results: Vec<ResultRow>,
    /// Every punch, whether it was used for a result or not.
    pub punches: Vec<PunchRow>,
    /// The approvals that cover the day, or a part of it.
    pub approvals: Vec<ApprovalRow>,
}

impl Client {
    /// All of one member's day (`getupdatedata`). Nobody is unknown here: of whom the platform knows nothing the day is
    /// empty.
    ///
    /// # Errors
    /// See [`ApiError`]. [`ApiError::Incomplete`] when a row cannot be read: what is not there would seem to be gone.
    pub async fn attendance_day(&self, userid: &str, date: &str) -> Result<Answer<Day>, ApiError> {
        let body = json!({ "userid": userid, "work_date": format!("{date} 00:00:00") });
        let call = Call::old("topapi/attendance/getupdatedata", userid, &body).counted();
        let received = self.read(call).await?;
        received.result::<ToldDay>()?.and_then(|told| told.into_day(userid, date).ok_or_else(|| received.incomplete()))
    }

    /// The results of at most [`MOST_MEMBERS_OF_RESULTS`] members on at most [`MOST_DAYS_OF_RESULTS`] days, the first and
    /// the last one included (`/attendance/list`); one call for each 50 results. Planned check points that nobody
    /// punched at are among them. Of a wrong id there is nothing.
    ///
    /// # Errors
    /// See [`ApiError`]. [`ApiError::Incomplete`] when a row cannot be read, or the list does not end.
    pub async fn attendance_results(
        &self,
        userids: &[String],
        first: &str,
        last: &str,
    ) -> Result<Answer<Vec<ResultRow>>, ApiError> {
        let (mut all, mut asked_at) = (Vec::new(), None);
        for page in 0..MOST_PAGES {
            let body = json!({
                "workDateFrom": format!("{first} 00:00:00"),
                "workDateTo": format!("{last} 00:00:00"),
                "userIdList": userids,
                "offset": page * PAGE_ROWS,
                "limit": PAGE_ROWS,
                "isI18n": false,
            });
            let received = self.read(Call::old("attendance/list", first, &body).list().counted()).await?;
            let answer = received.content::<Listed>()?;
            let asked_at = *asked_at.get_or_insert(answer.asked_at);
            let has_more = answer.value.has_more.unwrap_or_default();
            let rows = answer.value.rows(|row| ResultRow::of_list(&row)).ok_or_else(|| received.incomplete())?;
            // A page without rows would be followed by the same one.
            if has_more && rows.is_empty() {
                return Err(received.incomplete());
            }
            all.extend(rows);
            if !has_more {
                return Ok(Answer { asked_at, value: all });
            }
        }
        Err(ApiError::Incomplete { api: "attendance/list" })
    }

    /// The punches of at most [`MOST_MEMBERS_OF_RESULTS`] members from the beginning of a day to the end of another one,
    /// at most [`MOST_DAYS_OF_RESULTS`] in all (`/attendance/listRecord`), in one call.
    ///
    /// # Errors
    /// See [`ApiError`]. [`ApiError::Incomplete`] when a row cannot be read.
    pub async fn attendance_punches(
        &self,
        userids: &[String],
        first: &str,
        last: &str,
    ) -> Result<Answer<Vec<PunchRow>>, ApiError> {
        let body = json!({
            "checkDateFrom": format!("{first} 00:00:00"),
            "checkDateTo": format!("{last} 23:59:59"),
            "userIds": userids,
            "isI18n": false,
        });
        let received = self.read(Call::old("attendance/listRecord", first, &body).list().counted()).await?;
        received
            .content::<Listed>()?
            .and_then(|told| told.rows(|row| PunchRow::of_list(&row)).ok_or_else(|| received.incomplete()))
    }
}

/// What `/attendance/list` and `/attendance/listRecord` answer.
#[derive(Deserialize)]
struct Listed {
    #[serde(default, rename = "hasMore", deserialize_with = "lenient::flag")]
    has_more: Option<bool>,
    #[serde(default)]
    recordresult: Option<Value>,
}

impl Listed {
    /// The rows, if all of them can be read.
    fn rows<T>(self, to_row: impl Fn(Row) -> Option<T>) -> Option<Vec<T>> {
        Rows::read_or_none(self.recordresult, to_row).whole()
    }
}

/// What `getupdatedata` answers.
#[derive(Deserialize)]
struct ToldDay {
    #[serde(default, deserialize_with = "lenient::text")]
    userid: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    work_date: Option<String>,
    #[serde(default)]
    attendance_result_list: Option<Value>,
    #[serde(default)]
    check_record_list: Option<Value>,
    #[serde(default)]
    approve_list: Option<Value>,
}

impl ToldDay {
    /// `None` when it is of somebody else or of another day, or a row of it cannot be read.
    fn into_day(self, userid: &str, date: &str) -> Option<Day> {
        let is_mine = self.userid.is_none_or(|told| told.trim().to_lowercase() == userid.to_lowercase());
        let is_of_it = self.work_date.is_none_or(|told| china_time::date_in(&told).as_deref() == Some(date));
        if !is_mine || !is_of_it {
            return None;
        }
        let results = Rows::read_or_none(self.attendance_result_list, |row: Row| ResultRow::of_day(userid, date, &row));
        let punches = Rows::read_or_none(self.check_record_list, |row: Row| PunchRow::of_day(userid, date, &row));
        // One of a kind that is none of ours is no record.
        let approvals = Rows::read_or_none(self.approve_list, Some::<Row>).whole()?.into_iter();
        let approvals = approvals.filter_map(|row| ApprovalRow::of_day(userid, date, row));
        Some(Day {
            member: userid.to_owned(),
            date: date.to_owned(),
            results: results.whole()?,
            punches: punches.whole()?,
            approvals: approvals.collect(),
        })
    }
}

#[cfg(test)]
mod tests;
