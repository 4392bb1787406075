//! Ids of approvals by template and start time. Those that were started long ago and decided now are missed by a narrow
//! window.

use serde_json::{Value, json};

use super::is_known;
use crate::dingtalk::Instance;
use crate::dingtalk::api::desk::View;
use crate::dingtalk::api::refusal::Refusal;
use crate::dingtalk::api::reply::Good;
use crate::dingtalk::api::request::Fields;
use crate::dingtalk::time::DAY_MS;

const MOST_ROWS: usize = 20;
const MOST_IDS: usize = 10_000;
const MOST_USERS: usize = 10;
const MOST_DAYS: i64 = 120;
const OLDEST_DAYS: i64 = 365;

/// What is looked for.
struct Wanted<'a> {
    template: &'a str,
    from_ms: i64,
    to_ms: i64,
    users: Vec<String>,
    statuses: Vec<String>,
}

/// The new API.
pub(in super::super) fn new(view: View<'_>, fields: Fields<'_>) -> Result<Good, Refusal> {
    const WRONG: Refusal = Refusal::INVALID_NEW;
    let template = fields.text("processCode").ok_or(WRONG)?;
    if !is_template(view, template) {
        return Err(Refusal::New { status: 400, code: "processCodeError" });
    }
    let from_ms = fields.needed("startTime", WRONG)?;
    let to_ms = fields.whole("endTime", WRONG)?.unwrap_or(view.now_ms);
    check_window(view, from_ms, to_ms, WRONG)?;
    let (cursor, size) = (fields.up_to("nextToken", MOST_IDS, WRONG)?, fields.up_to("maxResults", MOST_ROWS, WRONG)?);
    let users = fields.list("userIds").unwrap_or_default();
    if size == 0 || users.len() > MOST_USERS {
        return Err(WRONG);
    }
    let statuses = fields.list("statuses").unwrap_or_default();
    let wanted = Wanted { template, from_ms, to_ms, users, statuses };
    let (list, next) = page(view, &wanted, cursor, size);
    let mut result = json!({ "list": list });
    if let (Some(next), Value::Object(result)) = (next, &mut result) {
        result.insert("nextToken".to_owned(), Value::from(next.to_string()));
    }
    Ok(Good::Result(json!({ "result": result, "success": true })))
}

/// The old API.
pub(in super::super) fn old(view: View<'_>, fields: Fields<'_>) -> Result<Good, Refusal> {
    const WRONG: Refusal = Refusal::INVALID;
    let template = fields.text("process_code").filter(|template| is_template(view, template)).ok_or(WRONG)?;
    let from_ms = fields.needed("start_time", WRONG)?;
    let to_ms = fields.whole("end_time", WRONG)?.unwrap_or(view.now_ms);
    check_window(view, from_ms, to_ms, WRONG)?;
    let cursor = fields.whole("cursor", WRONG)?.unwrap_or_default();
    let cursor = usize::try_from(cursor).map_err(|_error| WRONG)?;
    let size = fields.whole("size", WRONG)?.unwrap_or(MOST_ROWS as i64);
    let size = usize::try_from(size).ok().filter(|size| (1..=MOST_ROWS).contains(size)).ok_or(WRONG)?;
    let users = fields.split("userid_list").unwrap_or_default();
    let wanted = Wanted { template, from_ms, to_ms, users, statuses: Vec::new() };
    let (list, next) = page(view, &wanted, cursor, size);
    let mut result = json!({ "list": list });
    if let (Some(next), Value::Object(result)) = (next, &mut result) {
        result.insert("next_cursor".to_owned(), Value::from(next));
    }
    Ok(Good::Result(result))
}

/// Templates that nothing was started from are not known to a company; those that exist all begin like this.
fn is_template(view: View<'_>, template: &str) -> bool {
    let used = || view.company.instances().values().any(|instance| instance.process_code == template);
    template.starts_with("PROC-") || used()
}

fn check_window(view: View<'_>, from_ms: i64, to_ms: i64, otherwise: Refusal) -> Result<(), Refusal> {
    let oldest_ms = view.now_ms.saturating_sub(OLDEST_DAYS * DAY_MS);
    let sound = from_ms <= to_ms && to_ms.saturating_sub(from_ms) <= MOST_DAYS * DAY_MS && from_ms >= oldest_ms;
    if sound { Ok(()) } else { Err(otherwise) }
}

/// A page of ids by start time, and where the next one begins.
fn page<'a>(view: View<'a>, wanted: &Wanted<'_>, cursor: usize, size: usize) -> (Vec<&'a str>, Option<usize>) {
    let is_wanted = |instance: &&Instance| {
        let status = instance.status.name();
        is_known(view, instance)
            && instance.process_code == wanted.template
            && (wanted.from_ms..=wanted.to_ms).contains(&instance.created_ms)
            && (wanted.users.is_empty() || wanted.users.contains(&instance.originator))
            && (wanted.statuses.is_empty() || wanted.statuses.iter().any(|wanted| wanted == status))
    };
    let mut found: Vec<&Instance> = view.company.instances().values().filter(is_wanted).collect();
    found.sort_by(|a, b| (a.created_ms, &a.id).cmp(&(b.created_ms, &b.id)));
    found.truncate(MOST_IDS);
    let end = cursor.saturating_add(size);
    let next = (end < found.len()).then_some(end);
    (found.into_iter().skip(cursor).take(size).map(|instance| instance.id.as_str()).collect(), next)
}
