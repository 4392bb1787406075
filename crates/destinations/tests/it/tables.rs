//! What the tables hold after changes.

use std::collections::BTreeMap;

use common::{Field, Fields};
use destinations::{Batch, Outcome};

use crate::{
    changes::{
        department, department_with, in_departments, member, member_with, remove_department, remove_member, renamed,
    },
    product::{Core, Kind, on_each_kind},
};

const AT: &str = "1767225600000";

async fn tables_are_as_in_the_contract_and_the_root_is_there(kind: Kind) {
    let core = Core::new(kind).await;
    core.prepare().await.unwrap();
    assert_eq!(
        core.columns("departments").await,
        "tenant_id id parent_id name name_en position leaders version source_time deleted_at"
    );
    assert_eq!(
        core.columns("members").await,
        "tenant_id id name mobile email title gender status employee_number main_department_id manager_id attributes \
         version source_time deleted_at"
    );
    assert_eq!(core.columns("member_departments").await, "tenant_id member_id department_id is_leader position");
    assert_eq!(
        core.columns("attendance").await,
        "tenant_id record_id member_id work_date kind check_type planned_at checked_at result source details version"
    );
    assert_eq!(
        core.columns("approvals").await,
        "tenant_id instance_id template title applicant_id status result started_at finished_at details version"
    );
    let root = core.rows("tenant_id, id, parent_id, name, leaders, version", "departments").await;
    assert_eq!(root, ["acme|1|-|ACME|[]|0"]);
}

async fn the_root_keeps_the_tenants_name_until_its_own_is_known(kind: Kind) {
    let core = Core::new(kind).await;
    let mut nameless = department_with("1", Fields::new());
    if let common::Action::Upsert { entity, .. } = &mut nameless.action {
        entity.incomplete = true;
        entity.fields.set(Field::Name, "1");
    }
    core.take(vec![nameless]).await;
    assert_eq!(core.rows("name", "departments").await, ["ACME"]);
    core.take(vec![department_with("1", Fields::new().with(Field::Name, "总公司"))]).await;
    core.prepare().await.unwrap();
    assert_eq!(core.rows("name, parent_id", "departments").await, ["总公司|-"]);
}

async fn fields_go_to_their_columns(kind: Kind) {
    let core = Core::new(kind).await;
    let numbers = BTreeMap::from([("工号".to_owned(), "A-0042".to_owned()), ("t\"x".to_owned(), String::new())]);
    let fields = in_departments(&["3", "2", "3"])
        .with(Field::Leads, &["2"][..])
        .with(Field::MainDepartment, "2")
        .with(Field::Leaders, &["boss", "other"][..])
        .with(Field::Title, "工程师")
        .with(Field::Mobile, "13900001111")
        .with(Field::Gender, "female")
        .with(Field::Email, "")
        .with(Field::BizMail, "z@corp.example")
        .with(Field::Status, "inactive")
        .with(Field::Alias, "Spring 'n' \\")
        .with(Field::Avatar, "")
        .with(Field::Attributes, numbers);
    let first = department_with(
        "2",
        Fields::new()
            .with(Field::Name, "研发")
            .with(Field::NameEn, "R&D")
            .with(Field::Parent, "1")
            .with(Field::Order, 4_294_967_295_i64)
            .with(Field::Leaders, &["boss", "nobody"][..]),
    );
    core.take(vec![member("Boss", &["1"]), first, department("3", "2"), member_with("ZhangSan", fields)]).await;
    let departments = core
        .rows(
            "id, parent_id, name, name_en, position, leaders, version, source_time, deleted_at",
            "departments WHERE id > '1' ORDER BY id",
        )
        .await;
    assert_eq!(
        departments,
        [format!("2|1|研发|R&D|4294967295|[\"Boss\",\"nobody\"]|2|{AT}|-"), format!("3|2|D3|-|-|[]|3|{AT}|-"),]
    );
    let people = core.members("id, name, mobile, email, title, gender, status, employee_number").await;
    assert_eq!(
        people,
        ["Boss|张三|-|-|-|unknown|active|-", "ZhangSan|张三|13900001111|z@corp.example|工程师|female|inactive|A-0042",]
    );
    let rest = core.members("main_department_id, manager_id, attributes, version, source_time, deleted_at").await;
    let attributes = r#"{"alias":"Spring 'n' \\","biz_mail":"z@corp.example","t\"x":"","工号":"A-0042"}"#;
    assert_eq!(rest, [format!("1|-|{{}}|1|{AT}|-"), format!("2|Boss|{attributes}|4|{AT}|-")]);
    assert_eq!(core.memberships().await, ["Boss|1|0|0", "ZhangSan|3|0|0", "ZhangSan|2|1|1"]);
}

async fn a_number_of_its_own_field_goes_before_one_among_the_attributes(kind: Kind) {
    let core = Core::new(kind).await;
    let among = |number: &str| BTreeMap::from([("工号".to_owned(), number.to_owned())]);
    let with = |fields: Fields| fields.with(Field::EmployeeNumber, "D-7");
    core.take(vec![
        member_with("a", with(in_departments(&["1"]))),
        member_with("b", with(in_departments(&["1"]).with(Field::Attributes, among("A-1")))),
        member_with("c", in_departments(&["1"]).with(Field::EmployeeNumber, "").with(Field::Attributes, among("A-1"))),
    ])
    .await;
    assert_eq!(core.members("id, employee_number").await, ["a|D-7", "b|D-7", "c|A-1"]);
    core.take(vec![member_with("a", in_departments(&["1"]).with(Field::EmployeeNumber, ""))]).await;
    assert_eq!(core.members("id, employee_number").await, ["a|-", "b|D-7", "c|A-1"]);
}

async fn the_main_department_is_one_of_the_members(kind: Kind) {
    let core = Core::new(kind).await;
    core.take(vec![
        department("2", "1"),
        member_with("a", in_departments(&["2", "1"]).with(Field::MainDepartment, "7")),
        member_with("b", in_departments(&["1", "2"]).with(Field::MainDepartment, "2")),
        member_with("c", in_departments(&["2"])),
        member_with("d", Fields::new()),
    ])
    .await;
    assert_eq!(core.members("id, main_department_id, name").await, ["a|2|张三", "b|2|张三", "c|2|张三", "d|-|d"]);
}

async fn an_update_replaces_departments_and_an_older_version_changes_nothing(kind: Kind) {
    let core = Core::new(kind).await;
    let first = core.numbered(vec![department("2", "1"), member("a", &["1", "2"])]);
    core.send(&first).await.unwrap();
    let second = core.numbered(vec![member_with("a", in_departments(&["2"]).with(Field::Title, "new"))]);
    for batch in [&second, &first, &second] {
        let outcomes = core.send(batch).await.unwrap();
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Applied));
        assert_eq!(core.members("id, title, version").await, ["a|new|3"]);
        assert_eq!(core.memberships().await, ["a|2|0|0"]);
    }
    assert_eq!(core.tables.highest_version().await, Ok(3));
}

async fn an_equal_version_does_not_touch_departments(kind: Kind) {
    let core = Core::new(kind).await;
    let batch = core.numbered(vec![member("a", &["1"])]);
    core.send(&batch).await.unwrap();
    core.execute("DELETE FROM member_departments").await;
    core.send(&batch).await.unwrap();
    assert_eq!(
        core.memberships().await,
        Vec::<String>::new(),
        "what a product edited stays until a newer version comes"
    );
}

async fn a_removal_keeps_the_row_and_a_return_revives_it(kind: Kind) {
    let core = Core::new(kind).await;
    core.take(vec![department("2", "1"), member("a", &["2"]), member("b", &["2"])]).await;
    core.take(vec![remove_member("A"), remove_member("b"), remove_department("2"), remove_member("never-seen")]).await;
    let gone = format!("|left|{AT}|2");
    assert_eq!(
        core.members("id, status, deleted_at, main_department_id").await,
        [format!("a{gone}"), format!("b{gone}")]
    );
    assert_eq!(core.memberships().await, Vec::<String>::new());
    let department_row = format!("2|{AT}|6");
    assert_eq!(core.rows("id, deleted_at, version", "departments WHERE id = '2'").await, [department_row]);
    core.take(vec![department("2", "1"), member("a", &["2"])]).await;
    assert_eq!(core.members("id, status, deleted_at").await, ["a|active|-".to_owned(), format!("b|left|{AT}")]);
    assert_eq!(core.rows("id, deleted_at", "departments WHERE id = '2'").await, ["2|-"]);
    assert_eq!(core.memberships().await, ["a|2|0|0"]);
}

async fn one_batch_may_hold_the_whole_life_of_an_entity(kind: Kind) {
    let core = Core::new(kind).await;
    core.take(vec![
        department("2", "1"),
        department("3", "2"),
        member("a", &["3"]),
        member("b", &["3"]),
        member("a", &["2"]),
        remove_member("b"),
        remove_department("3"),
        department("4", "1"),
        department("2", "4"),
        member("b", &["4"]),
        member("a", &[]),
        remove_member("a"),
    ])
    .await;
    assert_eq!(
        core.rows("id, parent_id, deleted_at", "departments WHERE id > '1' ORDER BY id").await,
        ["2|4|-".to_owned(), format!("3|2|{AT}"), "4|1|-".to_owned()]
    );
    assert_eq!(core.members("id, status, version").await, ["a|left|12", "b|active|10"]);
    assert_eq!(core.memberships().await, ["b|4|0|0"]);
}

async fn ids_of_members_match_whatever_their_case(kind: Kind) {
    let core = Core::new(kind).await;
    core.take(vec![member("ZhangSan", &["1"])]).await;
    core.take(vec![
        member("zhangsan", &["1"]),
        member_with("b", in_departments(&["1"]).with(Field::Leaders, &["zhangsan"][..])),
    ])
    .await;
    assert_eq!(core.members("id, manager_id, version").await, ["b|ZhangSan|3", "ZhangSan|-|2"]);
    core.take(vec![remove_member("ZHANGSAN")]).await;
    assert_eq!(core.members("id, status").await, ["b|active", "ZhangSan|left"]);
}

async fn ids_with_other_letters_match_too(kind: Kind) {
    let core = Core::new(kind).await;
    core.take(vec![member("Élodie", &["1"])]).await;
    core.take(vec![member("ÉLODIE", &["1"])]).await;
    assert_eq!(core.members("id, version").await, ["élodie|2"]);
}

async fn a_rename_takes_the_row_along_with_all_that_refers_to_it(kind: Kind) {
    let core = Core::new(kind).await;
    let led_by_old = in_departments(&["1"]).with(Field::Leaders, &["old"][..]);
    let led = Fields::new().with(Field::Name, "D").with(Field::Parent, "1").with(Field::Leaders, &["x", "old"][..]);
    core.take(vec![member("Old", &["1"]), member_with("b", led_by_old), department_with("2", led)]).await;
    core.execute(
        "INSERT INTO attendance (tenant_id, record_id, member_id, kind, version)
             VALUES ('acme', 'r', 'Old', 'punch', 0);
         INSERT INTO approvals (tenant_id, instance_id, applicant_id, status, result, version)
             VALUES ('acme', 'p', 'Old', 'running', 'none', 0);",
    )
    .await;
    let rename = core.numbered(vec![renamed("old", "New", in_departments(&["1", "2"]))]);
    for _ in 0..2 {
        assert_eq!(core.send(&rename).await, Ok(vec![Outcome::Applied]));
        assert_eq!(core.members("id, manager_id, version").await, ["b|New|2", "New|-|4"]);
        assert_eq!(core.memberships().await, ["b|1|0|0", "New|1|0|0", "New|2|0|1"]);
        assert_eq!(core.rows("leaders", "departments WHERE id = '2'").await, [r#"["x","New"]"#]);
        assert_eq!(core.rows("member_id", "attendance").await, ["New"]);
        assert_eq!(core.rows("applicant_id", "approvals").await, ["New"]);
    }
}

async fn a_rename_onto_an_id_that_has_a_row_merges_the_two(kind: Kind) {
    let core = Core::new(kind).await;
    let led_by_old = in_departments(&["1"]).with(Field::Leaders, &["old"][..]);
    core.take(vec![department("2", "1"), member("old", &["1"]), member("New", &["1"]), member_with("b", led_by_old)])
        .await;
    core.execute(
        "INSERT INTO attendance (tenant_id, record_id, member_id, kind, version)
         VALUES ('acme', 'r', 'old', 'punch', 0)",
    )
    .await;
    core.take(vec![renamed("old", "new", in_departments(&["2"]))]).await;
    assert_eq!(core.members("id, manager_id, version").await, ["b|New|4", "New|-|5"]);
    assert_eq!(core.memberships().await, ["b|1|0|0", "New|2|0|0"]);
    assert_eq!(core.rows("member_id", "attendance").await, ["New"]);
}

async fn renames_follow_each_other_within_a_batch(kind: Kind) {
    let core = Core::new(kind).await;
    let led_by = |id: &'static str| in_departments(&["1"]).with(Field::Leaders, &[id][..]);
    core.take(vec![
        member("a", &["1"]),
        member_with("x", led_by("a")),
        renamed("a", "b", in_departments(&["1"])),
        renamed("b", "c", in_departments(&["1"])),
        member("a", &["1"]),
        member_with("y", led_by("c")),
        renamed("a", "A2", in_departments(&["1"])),
        renamed("never-seen", "d", in_departments(&["1"])),
        renamed("D", "D", in_departments(&["1"])),
    ])
    .await;
    assert_eq!(core.members("id, manager_id, version").await, ["A2|-|7", "c|-|4", "D|-|9", "x|c|2", "y|c|6"]);
}

async fn a_repeated_rename_leaves_a_new_owner_of_the_old_id_alone(kind: Kind) {
    let core = Core::new(kind).await;
    core.take(vec![member("a", &["1"])]).await;
    let rename = core.numbered(vec![renamed("a", "b", in_departments(&["1"]))]);
    core.send(&rename).await.unwrap();
    core.take(vec![member("a", &["1"])]).await;
    core.send(&rename).await.unwrap();
    assert_eq!(core.members("id, version").await, ["a|3", "b|2"]);
}

async fn a_rename_that_is_there_takes_away_what_came_under_the_old_id_since(kind: Kind) {
    let core = Core::new(kind).await;
    core.take(vec![department("2", "1")]).await;
    let first = core.numbered(vec![member("Old", &["1"])]);
    let rename = core.numbered(vec![renamed("old", "New", in_departments(&["1", "2"]))]);
    for batch in [&rename, &first] {
        assert_eq!(core.send(batch).await, Ok(vec![Outcome::Applied]));
    }
    assert_eq!(core.members("id, version").await, ["New|3", "Old|2"]);
    let led_by_old = in_departments(&["1"]).with(Field::Leaders, &["old"][..]);
    let led = Fields::new().with(Field::Name, "D").with(Field::Parent, "1").with(Field::Leaders, &["x", "old"][..]);
    core.take(vec![member_with("b", led_by_old), department_with("3", led)]).await;
    core.execute(
        "INSERT INTO attendance (tenant_id, record_id, member_id, kind, version)
             VALUES ('acme', 'r', 'Old', 'punch', 0);
         INSERT INTO approvals (tenant_id, instance_id, applicant_id, status, result, version)
             VALUES ('acme', 'p', 'Old', 'running', 'none', 0);",
    )
    .await;
    for _ in 0..2 {
        assert_eq!(core.send(&rename).await, Ok(vec![Outcome::Applied]));
        assert_eq!(core.members("id, manager_id, version").await, ["b|New|4", "New|-|3"]);
        assert_eq!(core.memberships().await, ["b|1|0|0", "New|1|0|0", "New|2|0|1"]);
        assert_eq!(core.rows("leaders", "departments WHERE id = '3'").await, [r#"["x","New"]"#]);
        assert_eq!(core.rows("member_id", "attendance").await, ["New"]);
        assert_eq!(core.rows("applicant_id", "approvals").await, ["New"]);
    }
}

async fn a_thousand_changes_are_one_batch(kind: Kind) {
    let core = Core::new(kind).await;
    let mut changes: Vec<_> = (2..=100).map(|id| department(&id.to_string(), &(id / 2).to_string())).collect();
    changes.extend((0..900).map(|id| member(&format!("m{id}"), &[&(1 + id % 100).to_string()])));
    changes.push(remove_member("m0"));
    core.take(changes).await;
    assert_eq!(core.rows("count(*)", "departments").await, ["100"]);
    assert_eq!(core.rows("count(*)", "members").await, ["900"]);
    assert_eq!(core.rows("count(*)", "member_departments").await, ["899"]);
    assert_eq!(core.tables.highest_version().await, Ok(1000));
}

on_each_kind!(
    tables_are_as_in_the_contract_and_the_root_is_there,
    the_root_keeps_the_tenants_name_until_its_own_is_known,
    fields_go_to_their_columns,
    a_number_of_its_own_field_goes_before_one_among_the_attributes,
    the_main_department_is_one_of_the_members,
    an_update_replaces_departments_and_an_older_version_changes_nothing,
    an_equal_version_does_not_touch_departments,
    a_removal_keeps_the_row_and_a_return_revives_it,
    one_batch_may_hold_the_whole_life_of_an_entity,
    ids_of_members_match_whatever_their_case,
    ids_with_other_letters_match_too,
    a_rename_takes_the_row_along_with_all_that_refers_to_it,
    a_rename_onto_an_id_that_has_a_row_merges_the_two,
    renames_follow_each_other_within_a_batch,
    a_repeated_rename_leaves_a_new_owner_of_the_old_id_alone,
    a_rename_that_is_there_takes_away_what_came_under_the_old_id_since,
    a_thousand_changes_are_one_batch,
);
