//! Records (reference jiandaoyun 5.1 and 5.2).

use serde_json::{Value, json};

use super::{
    Answer, ApiError, Client, Filter, Record,
    call::Call,
    limits::{GET, LIST},
    line::Received,
};
use crate::Form;

/// The most records of a page.
pub const MOST_RECORDS: u8 = 100;

/// The system fields without which a record cannot be judged.
const SYSTEM_FIELDS: [&str; 3] = ["createTime", "updateTime", "flowState"];

/// Which records of a form, and what of them.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// Which fields; none is for all of them.
    pub fields: &'a [String],
    /// Which records. The platform may ignore it, or a part of it.
    pub filter: Option<&'a Filter>,
    /// The last record of the page before.
    pub after: Option<&'a str>,
    /// How many at most: 1 to [`MOST_RECORDS`].
    pub limit: u8,
}

/// A page of records, in the order of their ids, which is that of their creation.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// What could be read.
    pub records: Vec<Record>,
    /// How many could not.
    pub unreadable: usize,
    /// After which record the next page begins; `None` when there was none on this one.
    pub last_id: Option<String>,
    /// Whether there are no more.
    pub is_last: bool,
}

impl Query<'_> {
    /// All records with all fields, the first page of them.
    pub const ALL: Query<'static> = Query { fields: &[], filter: None, after: None, limit: MOST_RECORDS };
}

impl Client {
    /// A page of records. Where the answer lacks a system field that was named, the page is asked for once more with all
    /// fields: whether they may be named is not documented (reference jiandaoyun 5.1).
    ///
    /// # Errors
    /// See [`ApiError`]. [`ApiError::Misplaced`] when the page begins before its cursor, [`ApiError::Incomplete`] when the record
    /// that the next page follows cannot be told.
    pub async fn records_page(&self, form: &Form, query: &Query<'_>) -> Result<Answer<Page>, ApiError> {
        let is_projected = !query.fields.is_empty() && self.projects(form);
        let fields = if is_projected { query.fields } else { &[] };
        let page = self.page(form, query, fields).await?;
        if !page.value.lacks_any(fields) {
            return Ok(page);
        }
        self.stop_projecting(form);
        self.page(form, query, &[]).await
    }

    /// A record; `None` when there is none of this id.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn record(&self, form: &Form, id: &str) -> Result<Answer<Option<Record>>, ApiError> {
        let body = json!({"app_id": form.app_id, "entry_id": form.entry_id, "data_id": id});
        let call = Call::one(GET, id, &body).or_absent();
        self.call(&call, |received| {
            let told = received.data_or_absent::<Value>()?;
            let Some(value) = told.value else { return Ok(Answer { asked_at: told.asked_at, value: None }) };
            let record = Record::read(value).filter(|record| record.id == id).ok_or_else(|| received.incomplete())?;
            Ok(Answer { asked_at: told.asked_at, value: Some(record) })
        })
        .await
    }

    /// Whether the platform honours a filter that fits no record (reference jiandaoyun 6, "start-up probe"): one that it does
    /// not understand is ignored, and records come back. On a form without records every filter seems honoured.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn honours(&self, form: &Form, filter: &Filter) -> Result<Answer<bool>, ApiError> {
        let query = Query { filter: Some(filter), limit: 1, ..Query::ALL };
        let page = self.page(form, &query, &[]).await?;
        Ok(page.map(|page| page.records.is_empty() && page.unreadable == 0))
    }

    async fn page(&self, form: &Form, query: &Query<'_>, fields: &[String]) -> Result<Answer<Page>, ApiError> {
        let limit = query.limit.clamp(1, MOST_RECORDS);
        let mut body = json!({"app_id": form.app_id, "entry_id": form.entry_id, "limit": limit});
        let mut set = |name: &str, value: Value| {
            if let Some(body) = body.as_object_mut() {
                body.insert(name.to_owned(), value);
            }
        };
        if let Some(after) = query.after {
            set("data_id", json!(after));
        }
        if !fields.is_empty() {
            set("fields", json!(fields));
        }
        if let Some(filter) = query.filter {
            set("filter", filter.to_json());
        }
        let call = Call::list(LIST, query.after.unwrap_or(&form.entry_id), &body);
        self.call(&call, |received| read_page(received, query.after, limit)).await
    }
}

impl Page {
    /// Whether a record lacks a system field that was named.
    fn lacks_any(&self, fields: &[String]) -> bool {
        let mut named = SYSTEM_FIELDS.into_iter().filter(|name| fields.iter().any(|field| field == name));
        named.any(|name| self.records.iter().any(|record| !record.values.contains_key(name)))
    }
}

fn read_page(received: &Received, after: Option<&str>, limit: u8) -> Result<Answer<Page>, ApiError> {
    let told = received.data::<Vec<Value>>()?;
    let count = told.value.len();
    let is_last = count < usize::from(limit);
    let last_id = told.value.last().and_then(|row| row.get("_id")?.as_str().map(str::to_owned));
    if last_id.is_none() && !is_last {
        return Err(received.incomplete());
    }
    let records: Vec<Record> = told.value.into_iter().filter_map(Record::read).collect();
    // Without this a platform that answers the same page again would be asked for ever.
    let is_behind = |record: &Record| after.is_some_and(|after| record.id.as_str() <= after);
    if records.iter().any(is_behind) {
        return Err(received.misplaced());
    }
    let unreadable = count - records.len();
    Ok(Answer { asked_at: told.asked_at, value: Page { records, unreadable, last_id, is_last } })
}
