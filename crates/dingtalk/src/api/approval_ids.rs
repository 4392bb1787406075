//! The ids of approvals, page by page (reference dingtalk 4.6, `instanceIds/query`).

use common::UnixMillis;
use serde::Deserialize;
use serde_json::json;

use super::{Answer, ApiError, Client, call::Call, lenient};

/// Ids of a page: the most that the platform gives.
const PAGE_IDS: u32 = 20;

/// Some of the ids of a template's approvals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdsPage {
    /// The ids.
    pub ids: Vec<String>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<u64>,
}

impl Client {
    /// The approvals of a template that were *started* within at most 120 days, from a place on: 0 at first. One that
    /// was started before and ended within them is not among them.
    ///
    /// # Errors
    /// See [`ApiError`]. [`ApiError::Incomplete`] when an id or the place of the next page cannot be read.
    pub async fn approval_ids_page(
        &self,
        process_code: &str,
        from: UnixMillis,
        to: UnixMillis,
        cursor: u64,
    ) -> Result<Answer<IdsPage>, ApiError> {
        let body = json!({
            "processCode": process_code,
            "startTime": from.0,
            "endTime": to.0,
            "nextToken": cursor,
            "maxResults": PAGE_IDS,
        });
        let call = Call::post("v1.0/workflow/processes/instanceIds/query", process_code, &body).list().counted();
        let received = self.read(call).await?;
        received.result::<Told>()?.and_then(|told| told.into_page(cursor).ok_or_else(|| received.incomplete()))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    #[serde(default, deserialize_with = "lenient::texts")]
    list: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient::text")]
    next_token: Option<String>,
}

impl Told {
    /// `None` when it cannot be told where the next page begins: it must not be taken for the end. A place that does not
    /// move would be asked for ever.
    fn into_page(self, cursor: u64) -> Option<IdsPage> {
        let next = match self.next_token.as_deref().map(str::trim) {
            // The first place is never the next one.
            None | Some("" | "0") => None,
            Some(token) => Some(token.parse().ok().filter(|next| *next > cursor)?),
        };
        Some(IdsPage { ids: self.list?, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_told_or_it_is_the_end() {
        let page = |json: &str| serde_json::from_str::<Told>(json).unwrap().into_page(20);
        let next = |json: &str| page(json).map(|page| page.next);
        for (json, expected) in [
            (r#"{"list":["a"],"nextToken":40}"#, Some(Some(40))),
            (r#"{"list":["a"],"nextToken":"40"}"#, Some(Some(40))),
            (r#"{"list":["a"]}"#, Some(None)),
            (r#"{"list":[],"nextToken":null}"#, Some(None)),
            (r#"{"list":["a"],"nextToken":""}"#, Some(None)),
            (r#"{"list":["a"],"nextToken":0}"#, Some(None)),
            (r#"{"list":["a"],"nextToken":20}"#, None),
            (r#"{"list":["a"],"nextToken":"next"}"#, None),
            (r#"{"list":["a",null]}"#, None),
            (r#"{"nextToken":40}"#, None),
        ] {
            assert_eq!(next(json), expected, "{json}");
        }
    }
}
