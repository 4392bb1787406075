//! The attendance report (reference dingtalk 4.3, `getattcolumns` and `getleavetimebynames`): which columns there are, and what
//! stands in those of leave.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Answer, ApiError, Client, Rows,
    call::Call,
    lenient::{self, as_text},
};
use crate::china_time;

/// So many kinds of leave may be asked for at once.
pub const MOST_LEAVE_NAMES: usize = 20;

/// A column of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its id; `None` for those of leave, which are asked for by name.
    pub id: Option<String>,
    /// Its name: of a column of leave that of the kind of leave.
    pub name: String,
    /// What it is, in the platform's words.
    pub alias: Option<String>,
}

impl Column {
    /// Whether it is that of a kind of leave.
    pub fn is_leave(&self) -> bool {
        self.alias.as_deref().is_some_and(|alias| alias.starts_with("leave_"))
    }
}

/// What stands in a column of leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaveTimes {
    /// The kind of leave, by its name.
    pub name: String,
    /// Days, `yyyy-MM-dd`, and what stands there; days without a value are not among them.
    pub values: Vec<(String, String)>,
}

impl Client {
    /// The columns of the report. There are none unless the company has switched the smart report on.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn report_columns(&self) -> Result<Answer<Rows<Column>>, ApiError> {
        let call = Call::old("topapi/attendance/getattcolumns", "", &json!({})).list().counted();
        let received = self.read(call).await?;
        Ok(received.result::<Columns>()?.map(|told| Rows::read(told.columns, ToldColumn::into_column)))
    }

    /// What a member's report says of at most [`MOST_LEAVE_NAMES`] kinds of leave, on at most 31 days, of which the first
    /// is at most 225 days ago.
    ///
    /// # Errors
    /// See [`ApiError`]. [`ApiError::Incomplete`] when a column cannot be read.
    pub async fn leave_times(
        &self,
        userid: &str,
        names: &[String],
        first: &str,
        last: &str,
    ) -> Result<Answer<Vec<LeaveTimes>>, ApiError> {
        let body = json!({
            "userid": userid,
            "leave_names": names.join(","),
            "from_date": format!("{first} 00:00:00"),
            "to_date": format!("{last} 00:00:00"),
        });
        let received =
            self.read(Call::old("topapi/attendance/getleavetimebynames", userid, &body).list().counted()).await?;
        received.result::<Columns>()?.and_then(|told| {
            let times = Rows::read_or_none(told.columns, ToldTimes::into_times);
            times.whole().ok_or_else(|| received.incomplete())
        })
    }
}

#[derive(Deserialize)]
struct Columns {
    #[serde(default)]
    columns: Option<Value>,
}

#[derive(Deserialize)]
struct ToldColumn {
    #[serde(default, deserialize_with = "lenient::text")]
    id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    alias: Option<String>,
}

impl ToldColumn {
    fn into_column(self) -> Option<Column> {
        Some(Column { id: self.id, name: self.name?, alias: self.alias })
    }
}

#[derive(Deserialize)]
struct ToldTimes {
    columnvo: ToldColumn,
    #[serde(default)]
    columnvals: Option<Value>,
}

impl ToldTimes {
    fn into_times(self) -> Option<LeaveTimes> {
        let values = Rows::read_or_none(self.columnvals, ToldValue::into_value).whole()?;
        Some(LeaveTimes { name: self.columnvo.name?, values: values.into_iter().flatten().collect() })
    }
}

#[derive(Deserialize)]
struct ToldValue {
    #[serde(default, deserialize_with = "lenient::text")]
    date: Option<String>,
    #[serde(default)]
    value: Value,
}

impl ToldValue {
    /// The day and its value, if it has one; `None` when it does not say of which day it is.
    fn into_value(self) -> Option<Option<(String, String)>> {
        let date = china_time::date_in(&self.date?)?;
        let value = as_text(&self.value).filter(|value| !value.trim().is_empty());
        Some(value.map(|value| (date, value)))
    }
}
