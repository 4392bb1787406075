//! Members (reference dingtalk 4.5).

use std::cmp::Reverse;

use serde_json::{Map, Value, json};

use super::departments::is_in;
use super::{check_language, known};
use crate::dingtalk::api::desk::View;
use crate::dingtalk::api::refusal::Refusal;
use crate::dingtalk::api::reply::Good;
use crate::dingtalk::api::request::Fields;
use crate::dingtalk::{Member, Post};

const LONGEST_USERID: usize = 64;
const ORDERS: [&str; 5] = ["entry_asc", "entry_desc", "modify_asc", "modify_desc", "custom"];

/// A member of which the app may see details.
pub(super) fn visible<'a>(view: View<'a>, userid: &str) -> Result<&'a Member, Refusal> {
    if userid.len() > LONGEST_USERID {
        return Err(Refusal::Old(33_012));
    }
    let member = view.company.member(userid).filter(|member| member.readable_from_ms <= view.now_ms);
    let member = member.ok_or(Refusal::Old(60_121))?;
    if member.in_scope { Ok(member) } else { Err(Refusal::Old(50_002)) }
}

pub(in super::super) fn get(view: View<'_>, fields: Fields<'_>) -> Result<Good, Refusal> {
    check_language(fields)?;
    let member = visible(view, fields.text("userid").ok_or(Refusal::INVALID)?)?;
    let mut details = common(view, member);
    put(&mut details, "manager_userid", &member.manager);
    details.insert("real_authed".to_owned(), Value::from(true));
    details.insert("senior".to_owned(), Value::from(false));
    let order = |post: &Post| json!({ "dept_id": post.department, "order": post.order });
    let leader = |post: &Post| json!({ "dept_id": post.department, "leader": post.leader });
    details.insert("dept_order_list".to_owned(), member.posts.iter().map(order).collect());
    details.insert("leader_in_dept".to_owned(), member.posts.iter().map(leader).collect());
    Ok(Good::Result(Value::Object(details)))
}

/// The members directly in a department, page by page. The cursor is a place in the list as it is then.
pub(in super::super) fn list(view: View<'_>, fields: Fields<'_>) -> Result<Good, Refusal> {
    const WRONG: Refusal = Refusal::INVALID_LIST;
    check_language(fields)?;
    let department = super::visible(view, fields.needed("dept_id", WRONG)?)?.id;
    let cursor = fields.up_to("cursor", usize::MAX, WRONG)?;
    let size = fields.up_to("size", view.options.page_rows, WRONG)?;
    let known_order = fields.text("order_field").is_none_or(|order| ORDERS.contains(&order));
    if size == 0 || !known_order {
        return Err(WRONG);
    }
    let members = in_department(view, department);
    let mut seen = members.iter().filter(|member| member.in_scope).skip(cursor);
    let rows: Vec<Value> = seen.by_ref().take(size).map(|member| row(view, member, department)).collect();
    let mut page = Map::from_iter([("list".to_owned(), Value::Array(rows))]);
    let has_more = seen.next().is_some();
    page.insert("has_more".to_owned(), Value::from(has_more));
    if has_more {
        page.insert("next_cursor".to_owned(), Value::from(cursor.saturating_add(size)));
    }
    Ok(Good::Result(Value::Object(page)))
}

/// All ids directly in a department; whatever the app's scope is.
pub(in super::super) fn list_id(view: View<'_>, fields: Fields<'_>) -> Result<Good, Refusal> {
    let department = known(view, fields.needed("dept_id", Refusal::INVALID)?)?.id;
    let ids: Vec<&str> = in_department(view, department).into_iter().map(|member| member.userid.as_str()).collect();
    Ok(Good::Result(json!({ "userid_list": ids })))
}

pub(in super::super) fn get_by_mobile(view: View<'_>, fields: Fields<'_>) -> Result<Good, Refusal> {
    let mobile = fields.text("mobile").ok_or(Refusal::INVALID)?;
    if mobile.len() != 11 || !mobile.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::Old(40_104));
    }
    let found = view.company.members().values().find(|member| member.mobile == mobile);
    let member = visible(view, &found.ok_or(Refusal::Old(60_121))?.userid)?;
    Ok(Good::Result(json!({ "userid": member.userid })))
}

/// Those that the API knows by now, the greatest order value first.
fn in_department(view: View<'_>, department: i64) -> Vec<&Member> {
    let order = |member: &Member| {
        member.posts.iter().find(|post| post.department == department).map(|post| post.order).unwrap_or_default()
    };
    let here = |member: &&Member| is_in(member, department) && member.readable_from_ms <= view.now_ms;
    let mut members: Vec<_> = view.company.members().values().filter(here).collect();
    members.sort_by(|a, b| (Reverse(order(a)), &a.userid).cmp(&(Reverse(order(b)), &b.userid)));
    members
}

/// A row of `user/list`: order and leadership are of that department.
fn row(view: View<'_>, member: &Member, department: i64) -> Value {
    let mut details = common(view, member);
    if let Some(post) = member.posts.iter().find(|post| post.department == department) {
        details.insert("dept_order".to_owned(), Value::from(post.order));
        details.insert("leader".to_owned(), Value::from(post.leader));
    }
    Value::Object(details)
}

/// What both interfaces tell. What has no value, or may not be seen, is missing.
fn common(view: View<'_>, member: &Member) -> Map<String, Value> {
    let mut details = Map::new();
    let texts = [
        ("userid", &member.userid),
        ("unionid", &member.unionid),
        ("name", &member.name),
        ("avatar", &member.avatar),
        ("telephone", &member.telephone),
        ("job_number", &member.job_number),
        ("title", &member.title),
        ("work_place", &member.work_place),
        ("remark", &member.remark),
    ];
    for (name, text) in texts {
        put(&mut details, name, text);
    }
    if view.app.sees_contact_details {
        put(&mut details, "mobile", &member.mobile);
        put(&mut details, "email", &member.email);
        put(&mut details, "org_email", &member.org_email);
        if !member.mobile.is_empty() {
            put(&mut details, "state_code", "86");
        }
    }
    if !member.extension.is_empty() {
        put(&mut details, "extension", &json!(member.extension).to_string());
    }
    details.insert("hide_mobile".to_owned(), Value::from(false));
    details.insert("dept_id_list".to_owned(), member.departments().map(Value::from).collect());
    details.insert("hired_date".to_owned(), Value::from(member.hired_ms));
    details.insert("active".to_owned(), Value::from(member.active));
    details.insert("admin".to_owned(), Value::from(member.admin));
    details.insert("boss".to_owned(), Value::from(false));
    details.insert("exclusive_account".to_owned(), Value::from(false));
    details
}

fn put(details: &mut Map<String, Value>, name: &str, text: &str) {
    if !text.is_empty() {
        details.insert(name.to_owned(), Value::from(text));
    }
}
