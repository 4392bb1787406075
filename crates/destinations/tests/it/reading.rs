//! What is read of a product.

use std::collections::BTreeMap;

use common::{Field, Fields, UnixMillis};
use destinations::{CoreDepartment, CoreMember, Counts, Membership, Product};

use crate::{
    changes::{department, department_with, in_departments, member, member_with, remove_department, remove_member},
    product::{Core, Kind, on_each_kind},
};

const AT: UnixMillis = UnixMillis(1_767_225_600_000);

/// All departments, and how many came with each page.
async fn departments(core: &Core, limit: usize) -> (Vec<CoreDepartment>, Vec<usize>) {
    let (mut rows, mut sizes, mut after) = (vec![], vec![], None);
    loop {
        let page = core.tables.departments(after, limit).await.unwrap();
        sizes.push(page.rows.len());
        rows.extend(page.rows);
        after = page.next;
        if after.is_none() {
            return (rows, sizes);
        }
    }
}

/// The same of members.
async fn members(core: &Core, limit: usize) -> (Vec<CoreMember>, Vec<usize>) {
    let (mut rows, mut sizes, mut after) = (vec![], vec![], None);
    loop {
        let page = core.tables.members(after, limit).await.unwrap();
        sizes.push(page.rows.len());
        rows.extend(page.rows);
        after = page.next;
        if after.is_none() {
            return (rows, sizes);
        }
    }
}

fn of_member(row: &CoreMember) -> String {
    let departments: Vec<String> =
        row.departments.iter().map(|m| format!("{}{}", m.department_id, if m.is_leader { "*" } else { "" })).collect();
    format!("{}: {}", row.id, departments.join(" "))
}

async fn pages_give_every_row_once_with_all_departments_of_a_member(kind: Kind) {
    let core = Core::new(kind).await;
    core.take((2..=7).map(|id| department(&id.to_string(), "1")).collect()).await;
    let with = |id: &str, departments: &[&str], leads: &[&str]| {
        member_with(id, in_departments(departments).with(Field::Leads, leads))
    };
    core.take(vec![
        with("m1", &["2"], &[]),
        with("M2", &["7", "3", "5"], &["3"]),
        with("m3", &[], &[]),
        with("m4", &["4", "2"], &["2", "4"]),
        with("m5", &["1"], &[]),
        with("m6", &["6", "1"], &[]),
        with("m7", &["5", "6", "7"], &["5"]),
        member("m8", &["2"]),
        remove_member("m8"),
    ])
    .await;
    let (rows, sizes) = departments(&core, 3).await;
    assert_eq!(sizes, [3, 3, 1]);
    assert_eq!(rows.iter().map(|row| &*row.id).collect::<Vec<_>>(), ["1", "2", "3", "4", "5", "6", "7"]);
    let (rows, sizes) = members(&core, 3).await;
    assert_eq!(sizes, [3, 3, 2]);
    let mut rows: Vec<String> = rows.iter().map(of_member).collect();
    rows.sort_by_key(|row| row.to_lowercase());
    assert_eq!(
        rows,
        ["m1: 2", "M2: 7 3* 5", "m3: ", "m4: 4* 2*", "m5: 1", "m6: 6 1", "m7: 5* 6 7", "m8: "],
        "in the order of the member's list"
    );
    assert_eq!(members(&core, 4).await.1, [4, 4, 0], "a full page may be the last");
    assert_eq!(members(&core, 0).await.1.len(), 9, "a page holds a row at least");
}

async fn every_column_comes_back_as_it_was_written(kind: Kind) {
    let core = Core::new(kind).await;
    let numbers = BTreeMap::from([("工号".to_owned(), "A-0042".to_owned())]);
    let fields = in_departments(&["2", "1"])
        .with(Field::Leads, &["1"][..])
        .with(Field::MainDepartment, "2")
        .with(Field::Leaders, &["boss"][..])
        .with(Field::Title, "工程师")
        .with(Field::Mobile, "13900001111")
        .with(Field::Gender, "female")
        .with(Field::Email, "z@corp.example")
        .with(Field::Status, "inactive")
        .with(Field::Attributes, numbers.clone());
    let first = department_with(
        "2",
        Fields::new()
            .with(Field::Name, "研发")
            .with(Field::NameEn, "R&D")
            .with(Field::Parent, "1")
            .with(Field::Order, 4_294_967_295_i64)
            .with(Field::Leaders, &["boss"][..]),
    );
    core.take(vec![member("Boss", &["1"]), first, member_with("ZhangSan", fields), department("3", "2")]).await;
    core.take(vec![remove_department("3")]).await;
    let found = core.tables.departments_by_id(&["2".to_owned(), "9".to_owned()]).await.unwrap();
    let expected = CoreDepartment {
        id: "2".to_owned(),
        parent_id: Some("1".to_owned()),
        name: "研发".to_owned(),
        name_en: Some("R&D".to_owned()),
        position: Some(4_294_967_295),
        leaders: vec!["Boss".to_owned()],
        version: 2,
        source_time: Some(AT),
        deleted_at: None,
    };
    assert!(found == [expected], "{found:?}");
    let gone = core.tables.departments_by_id(&["3".to_owned()]).await.unwrap();
    assert_eq!(gone.iter().map(|row| (row.version, row.deleted_at)).collect::<Vec<_>>(), [(5, Some(AT))]);
    let found = core.tables.members_by_id(&["ZhangSan".to_owned()]).await.unwrap();
    let place = |id: &str, is_leader, position| Membership { department_id: id.to_owned(), is_leader, position };
    let expected = CoreMember {
        id: "ZhangSan".to_owned(),
        name: "张三".to_owned(),
        mobile: Some("13900001111".to_owned()),
        email: Some("z@corp.example".to_owned()),
        title: Some("工程师".to_owned()),
        gender: Some("female".to_owned()),
        status: Some("inactive".to_owned()),
        employee_number: Some("A-0042".to_owned()),
        main_department_id: Some("2".to_owned()),
        manager_id: Some("Boss".to_owned()),
        attributes: numbers,
        departments: vec![place("2", false, 0), place("1", true, 1)],
        version: 3,
        source_time: Some(AT),
        deleted_at: None,
    };
    assert!(found == [expected], "{found:?}");
    assert!(core.tables.members_by_id(&[]).await.unwrap().is_empty());
}

async fn rows_that_a_product_filled_as_it_liked_are_read(kind: Kind) {
    let core = Core::unprepared(kind);
    let flag = core.either("integer", "boolean");
    core.execute(&format!(
        "CREATE TABLE departments (tenant_id text, id text, parent_id text, name text, name_en text, position integer,
             leaders json, version integer, source_time bigint, deleted_at bigint, PRIMARY KEY (tenant_id, id));
         CREATE TABLE members (tenant_id text, id text, name text, mobile text, email text, title text, gender text,
             status text, employee_number text, main_department_id text, manager_id text, attributes json,
             version integer, source_time bigint, deleted_at bigint, PRIMARY KEY (tenant_id, id));
         CREATE TABLE member_departments (tenant_id text, member_id text, department_id text, is_leader {flag},
             position integer, PRIMARY KEY (tenant_id, member_id, department_id));
         INSERT INTO departments (tenant_id, id) VALUES ('acme', 'a'), ('globex', 'b');
         INSERT INTO departments (tenant_id, id, leaders) VALUES ('acme', 'c', '[\"x\", 7]'), ('acme', 'd', '{{}}');
         INSERT INTO members (tenant_id, id, attributes) VALUES ('acme', 'm', '{{\"size\": 42, \"nick\": \"M\"}}');
         INSERT INTO members (tenant_id, id) VALUES ('acme', 'n');
         INSERT INTO member_departments (tenant_id, member_id, department_id)
             VALUES ('acme', 'm', 'a'), ('globex', 'm', 'b');",
    ))
    .await;
    let (rows, _) = departments(&core, 10).await;
    let rows: Vec<_> = rows.iter().map(|row| (&*row.id, &*row.name, row.leaders.join("+"), row.version)).collect();
    let row = |id, leaders: &str| (id, "", leaders.to_owned(), 0);
    assert_eq!(rows, [row("a", ""), row("c", "x+7"), row("d", "")]);
    let (rows, _) = members(&core, 10).await;
    let attributes = BTreeMap::from([("nick".to_owned(), "M".to_owned()), ("size".to_owned(), "42".to_owned())]);
    assert_eq!(rows.iter().map(of_member).collect::<Vec<_>>(), ["m: a", "n: "]);
    assert_eq!(rows.iter().map(|row| row.attributes.clone()).collect::<Vec<_>>(), [attributes, BTreeMap::new()]);
    assert!(rows.iter().all(|row| row.gender.is_none() && row.status.is_none() && row.version == 0));
}

async fn reading_counts_and_puts_no_root_there(kind: Kind) {
    let core = Core::unprepared(kind);
    assert_eq!(core.tables.count().await, Ok(Counts::default()));
    assert_eq!(departments(&core, 5).await.1, [0]);
    assert_eq!(core.rows("count(*)", "departments").await, ["0"]);
    core.prepare().await.unwrap();
    let counts = core.tables.count().await.unwrap();
    assert!(counts.is_empty(), "{counts:?}: the root alone");
    core.take(vec![department("2", "1"), member("a", &["2"]), member("b", &["2"]), remove_member("b")]).await;
    let counts = core.tables.count().await.unwrap();
    assert_eq!(counts, Counts { departments: 1, members: 2 });
    assert!(!counts.is_empty());
}

on_each_kind!(
    pages_give_every_row_once_with_all_departments_of_a_member,
    every_column_comes_back_as_it_was_written,
    rows_that_a_product_filled_as_it_liked_are_read,
    reading_counts_and_puts_no_root_there,
);

#[test]
fn what_is_read_does_not_print_who_it_is() {
    let member = CoreMember {
        id: "m".to_owned(),
        name: "canary".to_owned(),
        mobile: Some("canary".to_owned()),
        email: Some("canary".to_owned()),
        title: Some("canary".to_owned()),
        gender: None,
        status: None,
        employee_number: Some("canary".to_owned()),
        main_department_id: None,
        manager_id: None,
        attributes: BTreeMap::from([("canary".to_owned(), "canary".to_owned())]),
        departments: vec![],
        version: 1,
        source_time: None,
        deleted_at: None,
    };
    let shown = format!("{member:?}");
    assert!(shown.contains("\"m\"") && !shown.contains("canary"), "{shown}");
}
