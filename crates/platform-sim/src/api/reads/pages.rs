//! `user/list_id`: every member with each of its departments, page by page (reference wecom 3.4).

use std::ops::Bound;

use serde::Serialize;

use super::number;
use crate::Company;
use crate::api::cursor::{Cursors, Position};
use crate::api::refusal::Refusal;
use crate::api::reply::good;
use crate::api::request::Input;

/// The most rows that can be asked for.
const MOST_ROWS: i64 = 10_000;

#[derive(Serialize)]
struct Page<'a> {
    next_cursor: String,
    dept_user: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    userid: &'a str,
    department: u64,
}

/// One page; it costs what it holds. A member's rows may be spread over two pages. Where the last page is full, an
/// empty one follows.
pub(in crate::api) fn list_id(
    company: &Company,
    page_rows: usize,
    cursors: Cursors,
    input: &Input<'_>,
) -> Result<Vec<u8>, Refusal> {
    let body = input.body()?;
    let limit = body.integer("limit")?.unwrap_or(MOST_ROWS);
    if !(1..=MOST_ROWS).contains(&limit) {
        return Err(Refusal::of(40035));
    }
    let most = usize::try_from(limit).unwrap_or(usize::MAX).min(page_rows.max(1));
    let after = match body.text("cursor")?.filter(|cursor| !cursor.is_empty()) {
        Some(cursor) => cursors.read(cursor).ok_or_else(|| Refusal::of(50100))?,
        None => Position { page: 1, ..Position::default() },
    };
    let (dept_user, last) = rows(company, &after, most);
    let next_cursor = last.map(|last| cursors.write(&last)).unwrap_or_default();
    good("ok", Page { next_cursor, dept_user })
}

/// So many rows after a position; where there are as many, also the position of the last of them.
fn rows<'a>(company: &'a Company, after: &Position, most: usize) -> (Vec<Row<'a>>, Option<Position>) {
    let members = company.roster().all();
    let mut rows = Vec::new();
    for (key, member) in members.range::<str, _>((Bound::Included(after.member.as_str()), Bound::Unbounded)) {
        let told = if *key == after.member { after.department } else { 0 };
        let mut departments: Vec<u64> = member.departments.iter().map(|id| number(id)).collect();
        departments.sort_unstable();
        for department in departments.into_iter().filter(|department| *department > told) {
            rows.push(Row { userid: &member.id, department });
            if rows.len() == most {
                let last = Position { page: after.page.saturating_add(1), member: key.clone(), department };
                return (rows, Some(last));
            }
        }
    }
    (rows, None)
}
