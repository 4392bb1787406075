//! Extended attributes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::lenient::as_text;

/// Attributes by name; `None` when there is no list of them. Types and titles of links are dropped; the link is the
/// value.
pub(super) fn read(extattr: &Value) -> Option<BTreeMap<String, String>> {
    let list = extattr.get("attrs")?.as_array()?;
    Some(list.iter().filter_map(pair).collect())
}

fn pair(item: &Value) -> Option<(String, String)> {
    let name = text_at(item, "/name").filter(|name| !name.is_empty())?;
    let places = ["/value", "/text/value", "/web/url", "/web/title"];
    let value = places.into_iter().find_map(|place| text_at(item, place));
    Some((name, value.unwrap_or_default()))
}

fn text_at(item: &Value, place: &str) -> Option<String> {
    Some(as_text(item.pointer(place)?)?.trim().to_owned())
}
