//! The list of failed pushes (reference dingtalk 4.7). Reading it empties it, so whatever is in it becomes an event, the unreadable too.

use std::collections::BTreeMap;

use common::{Event, TenantId, UnixMillis};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use crate::event::{Body, Notice, Receiver, Wanted, plain, time};

/// Where the entry's fields are, unless they stand beside `corpid`.
const INNER: [&str; 3] = ["bpmscallbackdata", "rolelabelchange", "callbackdata"];

/// What a page of the list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedPage {
    /// Whether there are more.
    pub has_more: bool,
    /// How many entries it has, readable or not; at most 200.
    pub entries: usize,
}

/// A text that is no page of failed pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a page of failed pushes")]
pub struct BadPage;

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(default)]
    has_more: Value,
    #[serde(borrow, default)]
    failed_list: Option<Vec<&'a RawValue>>,
}

/// One entry, taken apart.
struct Entry {
    tag: String,
    at: Option<UnixMillis>,
    corp: Option<String>,
    fields: Map<String, Value>,
    /// The fields as they were written.
    text: String,
}

/// Counts what is in a page: the text of a whole answer.
///
/// # Errors
/// When it is no such answer.
pub fn failed_entries(page: &str) -> Result<FailedPage, BadPage> {
    let page: Page<'_> = read(page).ok_or(BadPage)?;
    let has_more = plain(&page.has_more).is_some_and(|word| matches!(word.as_str(), "true" | "1"));
    Ok(FailedPage { has_more, entries: page.failed_list.map_or(0, |list| list.len()) })
}

/// Makes events of a page, as of the pushes that failed: see [`normalise_http`](crate::normalise_http). An entry has no id of the
/// platform's, so it is known as a repeat by its content. What is unreadable, the whole page too, is kept as it is.
pub fn normalise_failed(tenant: &TenantId, corp_id: &str, page: &str, now: UnixMillis, wanted: Wanted) -> Vec<Event> {
    let receiver = Receiver { tenant, corp_id, now, traceparent: None, wanted };
    let Some(listed) = read::<Page<'_>>(page) else { return vec![receiver.verbatim("failed_pushes", page)] };
    listed.failed_list.unwrap_or_default().into_iter().flat_map(|entry| events(&receiver, entry.get())).collect()
}

fn events(receiver: &Receiver<'_>, text: &str) -> Vec<Event> {
    let Some(entry) = Entry::read(text) else { return vec![receiver.verbatim("failed_push", text)] };
    let Entry { tag, at, corp, fields, text } = entry;
    receiver.events(&Notice::of_entry(&tag, corp, at, &fields, &text))
}

impl Entry {
    fn read(text: &str) -> Option<Self> {
        let members: BTreeMap<String, &RawValue> = read(text)?;
        let tag: String = read(members.get("call_back_tag")?.get())?;
        let at = members.get("event_time").and_then(|at| time(&plain(&read(at.get())?)?));
        let (fields, text) = object(members.get(&tag)?.get())?;
        let corp = Body::of(&fields).text("corpid");
        let Some((fields, text)) = inner(&text) else { return Some(Self { tag, at, corp, fields, text }) };
        Some(Self { tag, at, corp, fields, text })
    }
}

/// The object in which the fields are, if it is not the outer one.
fn inner(text: &str) -> Option<(Map<String, Value>, String)> {
    let members: BTreeMap<String, &RawValue> = read(text)?;
    let mut inner = members.iter().filter(|(name, _)| INNER.contains(&name.to_ascii_lowercase().as_str()));
    object(inner.next()?.1.get())
}

/// An object, or one that is written as a text.
fn object(json: &str) -> Option<(Map<String, Value>, String)> {
    match read(json)? {
        Value::Object(fields) => Some((fields, json.to_owned())),
        Value::String(text) => Some((read(&text)?, text)),
        _ => None,
    }
}

fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    serde_json::from_str(json).ok()
}

#[cfg(test)]
mod tests;
