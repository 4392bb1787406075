//! A product that had rows before us: they keep their ids and what only the product knows.

use std::collections::BTreeMap;

use common::{Action, EntityKey, Field, Fields};
use destinations::{Batch, Links, Outcome};

use crate::{
    changes::{department, department_with, in_departments, member, member_with, remove_department, remove_member},
    product::{Core, Kind, links, on_each_kind},
};

/// What a row that was removed has as the time of it.
const AT: &str = "1767225600000";

/// A product with tables of its own making: other ids, other columns, no versions. `badge` and `cost_center` must be filled and
/// have a default.
async fn with_rows_of_its_own(kind: Kind) -> Core {
    let core = Core::unprepared(kind);
    let flag = core.either("integer", "boolean");
    let (yes, no) = (core.either("1", "true"), core.either("0", "false"));
    core.execute(&format!(
        "CREATE TABLE departments (tenant_id text NOT NULL, id text NOT NULL, parent_id text, name text, name_en text,
             position integer, leaders json DEFAULT '[]', version integer, source_time bigint, deleted_at bigint,
             cost_center text NOT NULL DEFAULT 'none', PRIMARY KEY (tenant_id, id),
             FOREIGN KEY (tenant_id, parent_id) REFERENCES departments (tenant_id, id) ON UPDATE CASCADE);
         CREATE TABLE members (tenant_id text NOT NULL, id text NOT NULL, name text NOT NULL, mobile text, email text,
             title text, gender text NOT NULL DEFAULT 'unknown', status text, employee_number text,
             main_department_id text, manager_id text, attributes json, version integer DEFAULT 0, source_time bigint,
             deleted_at bigint, badge text NOT NULL DEFAULT 'white', PRIMARY KEY (tenant_id, id),
             FOREIGN KEY (tenant_id, main_department_id) REFERENCES departments (tenant_id, id) ON UPDATE CASCADE);
         CREATE TABLE member_departments (tenant_id text NOT NULL, member_id text NOT NULL, department_id text NOT NULL,
             is_leader {flag}, position bigint, joined text DEFAULT 'today',
             PRIMARY KEY (tenant_id, member_id, department_id),
             FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id) ON UPDATE CASCADE,
             FOREIGN KEY (tenant_id, department_id) REFERENCES departments (tenant_id, id) ON UPDATE CASCADE);
         INSERT INTO departments (tenant_id, id, parent_id, name, cost_center) VALUES
             ('acme', 'HQ', NULL, 'Head office', 'c0'), ('acme', 'D-rd', 'HQ', 'R and D', 'c1'),
             ('acme', '2', 'HQ', 'Sales', 'c2');
         INSERT INTO members (tenant_id, id, name, mobile, email, gender, status, main_department_id, attributes, badge)
             VALUES ('acme', 'P-001', 'Zhang', '139', 'zhang@old.example', 'female', 'left', 'D-rd',
                 '{{\"shoe\": 38, \"alias\": \"Z\"}}', 'gold'),
             ('acme', 'P-002', 'Li', '137', NULL, 'male', 'active', '2', NULL, 'silver');
         INSERT INTO member_departments (tenant_id, member_id, department_id, is_leader, position, joined) VALUES
             ('acme', 'P-001', 'D-rd', {no}, 0, 'in 2019'), ('acme', 'P-001', '2', {yes}, 1, 'in 2020');",
    ))
    .await;
    core
}

/// How the platform's ids and the product's belong together there. The platform's department 2 is not the product's.
fn as_linked() -> Links {
    links(&[("zhangsan", "P-001"), ("lisi", "P-002")], &[("1", "HQ"), ("2", "D-rd"), ("3", "2")])
}

async fn departments(core: &Core, columns: &str) -> Vec<String> {
    core.rows(columns, "departments ORDER BY lower(id)").await
}

async fn rows_of_the_product_are_taken_over_and_keep_what_only_it_knows(kind: Kind) {
    let core = with_rows_of_its_own(kind).await;
    let number = BTreeMap::from([("工号".to_owned(), "A-1".to_owned())]);
    let zhang = in_departments(&["2", "4"])
        .with(Field::Mobile, "13900001111")
        .with(Field::Title, "工程师")
        .with(Field::Leaders, &["lisi"][..])
        .with(Field::Attributes, number);
    core.take_linked(
        vec![
            department_with("1", Fields::new().with(Field::Name, "总公司")),
            department_with("2", Fields::new().with(Field::Name, "研发").with(Field::Parent, "1")),
            department("4", "2"),
            member_with("ZhangSan", zhang),
            member("newcomer", &["4"]),
        ],
        &as_linked(),
    )
    .await;
    assert_eq!(
        departments(&core, "id, parent_id, name, version, cost_center").await,
        ["2|HQ|Sales|-|c2", "4|D-rd|D4|3|none", "D-rd|HQ|研发|2|c1", "HQ|-|总公司|1|c0"]
    );
    assert_eq!(
        core.members("id, name, mobile, email, title, gender, status, employee_number, badge, version").await,
        [
            "newcomer|张三|-|-|-|unknown|active|-|white|5",
            "P-001|张三|13900001111|zhang@old.example|工程师|female|active|A-1|gold|4",
            "P-002|Li|137|-|-|male|active|-|silver|0",
        ]
    );
    assert_eq!(
        core.members("id, main_department_id, manager_id, attributes, deleted_at").await,
        [
            "newcomer|4|-|{}|-".to_owned(),
            "P-001|D-rd|P-002|{\"alias\":\"Z\",\"shoe\":38,\"工号\":\"A-1\"}|-".to_owned(),
            "P-002|2|-|-|-".to_owned(),
        ]
    );
    let columns = "member_id, department_id, CAST(is_leader AS integer), position, joined";
    let mut memberships = core.rows(columns, "member_departments").await;
    memberships.sort();
    assert_eq!(memberships, ["P-001|4|0|1|today", "P-001|D-rd|0|0|in 2019", "newcomer|4|0|0|today"]);
}

async fn what_is_emptied_is_emptied_and_what_is_not_told_stays_for_good(kind: Kind) {
    let core = with_rows_of_its_own(kind).await;
    let emptied = in_departments(&["2"]).with(Field::Mobile, "").with(Field::Alias, "");
    core.take_linked(vec![member_with("zhangsan", emptied.clone())], &as_linked()).await;
    assert_eq!(
        core.members("id, mobile, email, attributes").await,
        [r#"P-001|-|zhang@old.example|{"alias":"","shoe":38}"#, "P-002|137|-|-"]
    );
    core.take_linked(vec![member_with("zhangsan", emptied.with(Field::Email, ""))], &as_linked()).await;
    assert_eq!(core.members("id, email, gender, version").await, ["P-001|-|female|2", "P-002|-|male|0"]);
}

async fn a_name_that_nobody_could_tell_does_not_replace_one_that_is_there(kind: Kind) {
    let core = with_rows_of_its_own(kind).await;
    let mut nameless = [
        member_with("zhangsan", in_departments(&["2"]).with(Field::Name, "zhangsan")),
        department_with("2", Fields::new().with(Field::Name, "2").with(Field::Parent, "1")),
    ];
    for change in &mut nameless {
        if let Action::Upsert { entity, .. } = &mut change.action {
            entity.incomplete = true;
        }
    }
    core.take_linked(nameless.to_vec(), &as_linked()).await;
    assert_eq!(core.members("id, name, version").await, ["P-001|Zhang|1", "P-002|Li|0"]);
    assert_eq!(core.rows("name, version", "departments WHERE id = 'D-rd'").await, ["R and D|2"]);
}

async fn a_main_department_that_is_not_told_stays_if_it_is_one_of_the_members(kind: Kind) {
    let core = with_rows_of_its_own(kind).await;
    core.take_linked(vec![member("zhangsan", &["3", "2"])], &as_linked()).await;
    assert_eq!(core.rows("main_department_id", "members WHERE id = 'P-001'").await, ["D-rd"]);
    core.take_linked(vec![member("zhangsan", &["3", "1"])], &as_linked()).await;
    assert_eq!(core.rows("main_department_id", "members WHERE id = 'P-001'").await, ["2"]);
}

async fn ids_are_the_products_wherever_they_are_written(kind: Kind) {
    let core = Core::new(kind).await;
    let linked = links(&[("boss", "P-Boss"), ("a", "P-a")], &[("2", "rd"), ("3", "2")]);
    core.execute(
        "INSERT INTO departments (tenant_id, id, parent_id, name, version, source_time)
             VALUES ('acme', 'rd', '1', 'x', 0, 0), ('acme', '2', 'rd', 'y', 0, 0);
         INSERT INTO members (tenant_id, id, name, gender, status, version, source_time)
             VALUES ('acme', 'P-Boss', 'b', 'unknown', 'active', 0, 0), ('acme', 'P-a', 'a', 'unknown', 'active', 0, 0);",
    )
    .await;
    let led = Fields::new().with(Field::Name, "D").with(Field::Parent, "2").with(Field::Leaders, &["Boss", "c"][..]);
    core.take_linked(
        vec![
            member("Boss", &["1"]),
            department_with("3", led),
            department("4", "3"),
            member_with(
                "A",
                in_departments(&["3", "4", "2"])
                    .with(Field::MainDepartment, "3")
                    .with(Field::Leads, &["2"][..])
                    .with(Field::Leaders, &["boss"][..]),
            ),
            member_with("c", in_departments(&["3"]).with(Field::Leaders, &["a"][..])),
        ],
        &linked,
    )
    .await;
    assert_eq!(
        core.rows("id, parent_id, leaders", "departments WHERE id <> '1' ORDER BY id").await,
        ["2|rd|[\"P-Boss\",\"c\"]", "4|2|[]", "rd|1|[]"]
    );
    assert_eq!(
        core.members("id, main_department_id, manager_id").await,
        ["c|2|P-a", "P-a|2|P-Boss", "P-Boss|1|-"],
        "nobody has a row under the platform's id"
    );
    assert_eq!(core.memberships().await, ["c|2|0|0", "P-a|2|0|0", "P-a|4|0|1", "P-a|rd|1|2", "P-Boss|1|0|0"]);
    core.take_linked(vec![remove_member("A"), remove_department("3")], &linked).await;
    assert_eq!(
        core.members("id, status, deleted_at").await,
        ["c|active|-".to_owned(), format!("P-a|left|{AT}"), "P-Boss|active|-".to_owned()]
    );
    assert_eq!(core.rows("id, deleted_at", "departments WHERE id = '2'").await, [format!("2|{AT}")]);
}

async fn an_older_version_changes_nothing_in_a_linked_row(kind: Kind) {
    let core = with_rows_of_its_own(kind).await;
    let old = core.numbered(vec![member("zhangsan", &["2"]), remove_member("lisi")]);
    let new = core.numbered(vec![member_with("zhangsan", in_departments(&["3"]).with(Field::Title, "new"))]);
    for batch in [&old, &new, &old, &new] {
        let outcomes = core.tables.apply(batch, &as_linked()).await.unwrap();
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Applied));
    }
    assert_eq!(core.members("id, title, status, version").await, ["P-001|new|active|3", "P-002|-|left|2"]);
    assert_eq!(core.memberships().await, ["P-001|2|0|0"]);
    core.execute("UPDATE members SET version = 90 WHERE id = 'P-001'").await;
    core.take_linked(vec![member("zhangsan", &["2"])], &as_linked()).await;
    assert_eq!(core.members("id, title, version").await, ["P-001|new|90", "P-002|-|2"]);
}

async fn who_comes_back_inherits_nothing_from_the_life_before(kind: Kind) {
    let core = with_rows_of_its_own(kind).await;
    let before = in_departments(&["2"]).with(Field::Mobile, "13900001111");
    core.take_linked(vec![member_with("zhangsan", before), remove_member("zhangsan")], &as_linked()).await;
    assert_eq!(core.members("id, status, mobile").await, ["P-001|left|13900001111", "P-002|active|137"]);
    core.take_linked(vec![member("zhangsan", &["2"])], &as_linked()).await;
    assert_eq!(
        core.members("id, status, mobile, badge, deleted_at").await,
        ["P-001|active|-|gold|-", "P-002|active|137|silver|-"]
    );
}

async fn a_linked_row_that_the_product_lost_is_there_again_under_its_id(kind: Kind) {
    let core = with_rows_of_its_own(kind).await;
    core.execute("DELETE FROM members WHERE id = 'P-002'").await;
    core.take_linked(vec![member("lisi", &["2"]), member_with("lisi", in_departments(&["3"]))], &as_linked()).await;
    assert_eq!(core.members("id, main_department_id, badge").await, ["P-001|D-rd|gold", "P-002|2|white"]);
}

async fn what_several_changes_tell_of_a_row_is_all_there(kind: Kind) {
    let core = with_rows_of_its_own(kind).await;
    let tells = |field| in_departments(&["2"]).with(field, "told");
    core.take_linked(
        vec![
            member_with("zhangsan", tells(Field::Title)),
            member_with("zhangsan", tells(Field::Email)),
            remove_member("lisi"),
            member_with("lisi", tells(Field::Title)),
            member_with("lisi", tells(Field::Email)),
            department_with("3", Fields::new().with(Field::NameEn, "S").with(Field::Parent, "1")),
            department_with("3", Fields::new().with(Field::Order, 7_i64).with(Field::Parent, "2")),
        ],
        &as_linked(),
    )
    .await;
    assert_eq!(
        core.members("id, title, email, mobile, version").await,
        ["P-001|told|told|139|2", "P-002|told|told|-|5"],
        "who came back is not who was there before"
    );
    assert_eq!(core.rows("name, name_en, position, parent_id", "departments WHERE id = '2'").await, ["Sales|S|7|D-rd"]);
}

async fn the_root_is_the_products_own(kind: Kind) {
    let core = with_rows_of_its_own(kind).await;
    core.tables.prepare(&as_linked()).await.unwrap();
    assert_eq!(departments(&core, "id, name").await, ["2|Sales", "D-rd|R and D", "HQ|Head office"]);
    core.take_linked(vec![member("zhangsan", &["1"])], &as_linked()).await;
    assert_eq!(core.memberships().await, ["P-001|HQ|0|0"]);
    assert_eq!(departments(&core, "id").await, ["2", "D-rd", "HQ"], "no second root");
}

async fn an_id_that_a_run_is_at_is_waited_for(kind: Kind) {
    let core = with_rows_of_its_own(kind).await;
    core.execute("UPDATE members SET id = 'zhangsan' WHERE id = 'P-002'").await;
    let at_it = links(&[("core:zhangsan", "zhangsan")], &[("1", "HQ")]);
    let outcomes = core.apply_linked(vec![member("ZhangSan", &["1"])], &at_it).await;
    assert!(matches!(outcomes.as_slice(), [Outcome::Retry { after: None, .. }]), "{outcomes:?}");
    let outcomes = core.apply_linked(vec![member("ZhangSan", &["1"])], &links(&[], &[("1", "HQ")])).await;
    assert_eq!(outcomes, [Outcome::Applied]);
}

async fn an_id_that_a_linked_row_has_is_nobody_elses(kind: Kind) {
    let core = with_rows_of_its_own(kind).await;
    // The product's 2 is the platform's 3; what the platform's 2 is, nobody has said.
    let linked = links(&[("lisi", "zhangsan")], &[("1", "HQ"), ("3", "2")]);
    core.execute("UPDATE members SET id = 'zhangsan' WHERE id = 'P-002'").await;
    let outcomes = core
        .apply_linked(
            vec![
                department("2", "1"),
                department("4", "2"),
                member("a", &["1", "2"]),
                member("ZhangSan", &["1"]),
                member_with("b", in_departments(&["3"]).with(Field::Leaders, &["zhangsan"][..])),
                remove_member("zhangsan"),
                remove_department("2"),
            ],
            &linked,
        )
        .await;
    let missing = || Outcome::Missing { what: Some(EntityKey::department("2")) };
    assert!(matches!(&outcomes[0], Outcome::Rejected { reason } if reason.contains("link")), "{outcomes:?}");
    assert!(matches!(&outcomes[3], Outcome::Rejected { .. }), "{outcomes:?}");
    assert_eq!(outcomes[1..3], [missing(), missing()]);
    assert_eq!(outcomes[4..], [Outcome::Applied, Outcome::Applied, Outcome::Applied]);
    assert_eq!(
        core.members("id, name, status, manager_id").await,
        ["b|张三|active|-", "P-001|Zhang|left|-", "zhangsan|Li|active|-"]
    );
    assert_eq!(core.rows("name, deleted_at", "departments WHERE id = '2'").await, ["Sales|-"]);
}

async fn what_refers_to_a_linked_row_that_is_not_there_misses_the_entity(kind: Kind) {
    let core = Core::new(kind).await;
    let linked = links(&[], &[("2", "rd")]);
    let missing = || Outcome::Missing { what: Some(EntityKey::department("2")) };
    let outcomes = core.apply_linked(vec![member("a", &["2"]), department("3", "2")], &linked).await;
    assert_eq!(outcomes, [missing(), missing()]);
    core.take_linked(vec![department("2", "1"), member("a", &["2"])], &linked).await;
    assert_eq!(core.memberships().await, ["a|rd|0|0"]);
}

on_each_kind!(
    rows_of_the_product_are_taken_over_and_keep_what_only_it_knows,
    what_is_emptied_is_emptied_and_what_is_not_told_stays_for_good,
    a_name_that_nobody_could_tell_does_not_replace_one_that_is_there,
    a_main_department_that_is_not_told_stays_if_it_is_one_of_the_members,
    ids_are_the_products_wherever_they_are_written,
    an_older_version_changes_nothing_in_a_linked_row,
    who_comes_back_inherits_nothing_from_the_life_before,
    a_linked_row_that_the_product_lost_is_there_again_under_its_id,
    what_several_changes_tell_of_a_row_is_all_there,
    the_root_is_the_products_own,
    an_id_that_a_run_is_at_is_waited_for,
    an_id_that_a_linked_row_has_is_nobody_elses,
    what_refers_to_a_linked_row_that_is_not_there_misses_the_entity,
);
