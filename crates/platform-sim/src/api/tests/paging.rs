//! `user/list_id`, page by page.

use super::*;

/// A member's id and one of its departments.
type Row = (String, u64);

fn page(stage: &Stage, cursor: &str, limit: usize) -> (Vec<Row>, String) {
    let answer = stage.write(Interface::UserListId, &json!({"cursor": cursor, "limit": limit}));
    assert_eq!(code(&answer), 0);
    let row = |row: &Value| {
        (row["userid"].as_str().expect("an id").to_owned(), row["department"].as_u64().expect("a department"))
    };
    let rows = answer["dept_user"].as_array().expect("rows").iter().map(row).collect();
    (rows, answer["next_cursor"].as_str().expect("a cursor").to_owned())
}

fn all(stage: &Stage, limit: usize, mut between: impl FnMut(usize)) -> Vec<Row> {
    let (mut rows, mut cursor) = page(stage, "", limit);
    let mut pages = 1;
    while !cursor.is_empty() {
        between(pages);
        let (more, next) = page(stage, &cursor, limit);
        rows.extend(more);
        cursor = next;
        pages += 1;
    }
    rows
}

fn truth(stage: &Stage) -> Vec<Row> {
    let members = stage.api.company().snapshot().members;
    let rows = members.values().flat_map(|member| {
        member.departments.iter().map(move |id| (member.id.clone(), id.parse::<u64>().expect("a number")))
    });
    let mut rows: Vec<Row> = rows.collect();
    rows.sort();
    rows
}

#[test]
fn pages_of_any_size_tell_every_membership_once() {
    let stage = Stage::of(200, 30);
    for limit in [1, 7, 100, 10_000] {
        let mut rows = all(&stage, limit, |_pages| {});
        rows.sort();
        assert_eq!(rows, truth(&stage), "{limit}");
    }
}

#[test]
fn a_full_last_page_is_followed_by_an_empty_one() {
    let stage = Stage::small();
    let (rows, cursor) = page(&stage, "", 4);
    assert!(rows.len() == 4 && !cursor.is_empty());
    assert_eq!(page(&stage, &cursor, 4), (Vec::new(), String::new()));
    assert_eq!(page(&stage, "", 5).1, "");
}

#[test]
fn what_stays_where_it_is_is_told_once_however_the_rest_changes() {
    let stage = Stage::of(300, 20);
    let mut stayed = truth(&stage);
    let rows = all(&stage, 25, |_pages| {
        stage.api.company().live(20);
        let now = truth(&stage);
        stayed.retain(|row| now.contains(row));
    });
    assert!(stayed.len() > 50, "{}", stayed.len());
    for row in &stayed {
        let told = rows.iter().filter(|told| *told == row).count();
        assert_eq!(told, 1, "{row:?}");
    }
    assert!(rows.iter().all(|row| rows.iter().filter(|other| *other == row).count() == 1));
}

#[test]
fn a_member_renamed_behind_the_cursor_is_missed() {
    let stage = Stage::small();
    let (rows, cursor) = page(&stage, "", 1);
    assert_eq!(rows[0].0, "boss");
    stage.api.company().rename_member("zhao", "aaa").expect("legal");
    let (rest, _cursor) = page(&stage, &cursor, 100);
    assert_eq!(rest.iter().map(|row| row.0.as_str()).collect::<Vec<_>>(), ["Li", "Li"]);
}

#[test]
fn a_cursor_that_is_not_ours_or_too_old_is_refused() {
    let stage = Stage::small();
    let (_rows, cursor) = page(&stage, "", 1);
    let ask = |cursor: &str| code(&stage.write(Interface::UserListId, &json!({"cursor": cursor})));
    let lower = cursor.to_lowercase();
    for bad in ["x", "MTIz", "==", &cursor[1..], lower.as_str()] {
        assert_eq!(ask(bad), 50100, "{bad}");
    }
    assert_eq!(ask(&cursor), 0);
    stage.api.break_cursors();
    assert_eq!(ask(&cursor), 50100);
}

#[test]
fn a_page_has_one_to_ten_thousand_rows_and_never_more_than_the_platform_likes() {
    let stage = Stage::small().with(|options| options.page_rows = 2);
    let ask = |limit: i64| code(&stage.write(Interface::UserListId, &json!({"limit": limit})));
    assert_eq!([0, -1, 10_001, 1, 10_000].map(ask), [40035, 40035, 40035, 0, 0]);
    assert_eq!(page(&stage, "", 100).0.len(), 2);
    assert_eq!(code(&stage.write(Interface::UserListId, &json!({"limit": "5"}))), 40058);
}

#[test]
fn ten_thousand_members_are_told_in_the_time_that_their_rows_take() {
    let stage = Stage::of(10_000, 500);
    let mut rows = all(&stage, 1_000, |_pages| {});
    rows.sort();
    assert_eq!(rows, truth(&stage));
    assert_eq!(stage.api.tally(Interface::UserListId).calls as usize, rows.len() / 1_000 + 1);
}
