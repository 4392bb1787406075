//! What is left of rows that were removed long ago.

use std::collections::BTreeMap;

use common::{EntityKey, Field, Fields, UnixMillis};
use destinations::{Links, Product, Purged};

use crate::{
    changes::{department, department_with, in_departments, member, member_with, remove_department, remove_member},
    product::{Core, Kind, links, on_each_kind},
};

/// When all removals of these tests were.
const REMOVED: UnixMillis = UnixMillis(1_767_225_600_000);

async fn purge_until(core: &Core, keys: &[EntityKey], links: &Links, until: UnixMillis) -> Vec<Purged> {
    core.tables.purge(keys, links, until).await.unwrap()
}

async fn purge(core: &Core, keys: &[EntityKey]) -> Vec<Purged> {
    purge_until(core, keys, &Links::default(), REMOVED).await
}

fn people(ids: &[&str]) -> Vec<EntityKey> {
    ids.iter().map(|id| EntityKey::member(id)).collect()
}

fn places(ids: &[&str]) -> Vec<EntityKey> {
    ids.iter().map(|id| EntityKey::department(id)).collect()
}

async fn what_was_removed_goes_after_the_grace_time_and_not_before(kind: Kind) {
    let core = Core::new(kind).await;
    core.take(vec![member("a", &["1"]), member("B", &["1"]), member("c", &["1"])]).await;
    core.take(vec![remove_member("a"), remove_member("b"), remove_member("c"), member("c", &["1"])]).await;
    let keys = people(&["a", "b", "c", "never-seen"]);
    let early = purge_until(&core, &keys, &Links::default(), REMOVED.plus_millis(-1)).await;
    assert_eq!(early, [Purged::Kept, Purged::Kept, Purged::Kept, Purged::Gone]);
    assert_eq!(core.members("id, status").await, ["a|left", "B|left", "c|active"]);
    for _ in 0..2 {
        assert_eq!(purge(&core, &keys).await, [Purged::Gone, Purged::Gone, Purged::Kept, Purged::Gone]);
        assert_eq!(core.members("id, status").await, ["c|active"]);
    }
    assert!(purge(&core, &[]).await.is_empty());
}

async fn a_member_to_whom_something_refers_is_emptied_until_it_does_no_more(kind: Kind) {
    let core = Core::new(kind).await;
    let numbers = BTreeMap::from([("工号".to_owned(), "A-0042".to_owned())]);
    let all = in_departments(&["2"])
        .with(Field::Leaders, &["boss"][..])
        .with(Field::Title, "工程师")
        .with(Field::Mobile, "13900001111")
        .with(Field::Gender, "female")
        .with(Field::Email, "z@corp.example")
        .with(Field::Attributes, numbers);
    core.take(vec![department("2", "1"), member("boss", &["2"]), member_with("a", all), remove_member("a")]).await;
    core.execute(
        "INSERT INTO attendance (tenant_id, record_id, member_id, kind, version) VALUES ('acme', 'r', 'a', 'punch', 0)",
    )
    .await;
    for _ in 0..2 {
        assert_eq!(purge(&core, &people(&["a"])).await, [Purged::Emptied]);
        let row = core.rows("name, mobile, email, title, gender, employee_number", "members WHERE id = 'a'").await;
        assert_eq!(row, ["|-|-|-|unknown|-"]);
        let row = core.rows("main_department_id, manager_id, attributes, status, version", "members WHERE id = 'a'");
        assert_eq!(row.await, ["-|-|{}|left|4"]);
    }
    core.execute("DELETE FROM attendance").await;
    assert_eq!(purge(&core, &people(&["a"])).await, [Purged::Gone]);
    assert_eq!(core.members("id").await, ["boss"]);
}

async fn managers_leaders_and_applicants_are_referred_to(kind: Kind) {
    let core = Core::new(kind).await;
    let led = Fields::new().with(Field::Name, "D").with(Field::Parent, "1").with(Field::Leaders, &["leader"][..]);
    core.take(vec![
        member("manager", &["1"]),
        member("leader", &["1"]),
        member("applicant", &["1"]),
        member("nobody", &["1"]),
        department_with("2", led),
        member_with("a", in_departments(&["1"]).with(Field::Leaders, &["manager"][..])),
        remove_member("manager"),
        remove_member("leader"),
        remove_member("applicant"),
        remove_member("nobody"),
    ])
    .await;
    core.execute(
        "INSERT INTO approvals (tenant_id, instance_id, applicant_id, status, result, version)
         VALUES ('acme', 'p', 'applicant', 'running', 'none', 0)",
    )
    .await;
    let emptied = || Purged::Emptied;
    let keys = people(&["manager", "leader", "applicant", "nobody"]);
    assert_eq!(purge(&core, &keys).await, [emptied(), emptied(), emptied(), Purged::Gone]);
    assert_eq!(core.members("id, name").await, ["a|张三", "applicant|", "leader|", "manager|"]);
}

async fn a_tree_of_departments_goes_with_all_that_is_gone_in_it(kind: Kind) {
    let core = Core::new(kind).await;
    core.take(vec![
        department("2", "1"),
        department("3", "2"),
        department("4", "3"),
        department("5", "1"),
        department("6", "5"),
        member("a", &["4"]),
        member("b", &["6"]),
        remove_member("a"),
        remove_member("b"),
        remove_department("4"),
        remove_department("3"),
        remove_department("2"),
        remove_department("5"),
    ])
    .await;
    let mut keys = places(&["2", "3", "4", "5", "6", "1"]);
    keys.extend(people(&["a", "b"]));
    let (gone, kept) = (|| Purged::Gone, || Purged::Kept);
    // 6 was not removed, and is in 5.
    let expected = [gone(), gone(), gone(), Purged::Emptied, kept(), kept(), gone(), gone()];
    assert_eq!(purge(&core, &keys).await, expected);
    assert_eq!(core.rows("id", "departments ORDER BY id").await, ["1", "5", "6"]);
    assert_eq!(core.members("id").await, Vec::<String>::new());
}

async fn a_table_of_the_product_keeps_the_row_that_it_refers_to(kind: Kind) {
    let core = Core::new(kind).await;
    core.take(vec![department("2", "1"), member("a", &["1"]), member("b", &["1"])]).await;
    core.take(vec![remove_member("a"), remove_member("b"), remove_department("2")]).await;
    core.execute(
        "CREATE TABLE lockers (tenant_id text, holder text, department text,
             FOREIGN KEY (tenant_id, holder) REFERENCES members (tenant_id, id),
             FOREIGN KEY (tenant_id, department) REFERENCES departments (tenant_id, id));
         INSERT INTO lockers VALUES ('acme', 'a', '2');",
    )
    .await;
    let mut keys = people(&["a", "b"]);
    keys.extend(places(&["2"]));
    assert_eq!(purge(&core, &keys).await, [Purged::Emptied, Purged::Gone, Purged::Emptied]);
    assert_eq!(core.members("id, name").await, ["a|"]);
    assert_eq!(core.rows("id, name", "departments WHERE id = '2'").await, ["2|D2"], "a department's name is nobody's");
}

async fn a_rule_of_the_product_keeps_a_row_as_it_is_and_the_rest_goes(kind: Kind) {
    let core = Core::new(kind).await;
    core.take(vec![member("a", &["1"]), member("b", &["1"]), remove_member("a"), remove_member("b")]).await;
    let stays = core.either(
        "CREATE TRIGGER stays BEFORE DELETE ON members WHEN old.id = 'a'
             BEGIN SELECT raise(ABORT, 'for the auditors'); END;
         CREATE TRIGGER as_it_is BEFORE UPDATE ON members WHEN old.id = 'a'
             BEGIN SELECT raise(ABORT, 'for the auditors'); END;",
        "CREATE FUNCTION stays() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'for the auditors'; END $$;
         CREATE TRIGGER stays BEFORE DELETE OR UPDATE ON members FOR EACH ROW WHEN (old.id = 'a')
             EXECUTE FUNCTION stays();",
    );
    core.execute(stays).await;
    let fates = purge(&core, &people(&["a", "b"])).await;
    let [Purged::Refused { reason }, Purged::Gone] = &fates[..] else { panic!("{fates:?}") };
    assert!(reason.contains("for the auditors"), "{reason}");
    assert_eq!(core.members("id, name").await, ["a|张三"]);
}

async fn linked_rows_are_purged_by_what_they_are(kind: Kind) {
    let core = Core::new(kind).await;
    core.execute(
        "INSERT INTO members (tenant_id, id, name, gender, status, version, source_time) VALUES
             ('acme', 'P-1', 'x', 'unknown', 'active', 0, 0), ('acme', 'a', 'somebody else', 'unknown', 'active', 0, 0)",
    )
    .await;
    let linked = links(&[("a", "P-1"), ("b", "a")], &[]);
    core.take_linked(vec![member("a", &["1"]), member("b", &["1"]), remove_member("a")], &linked).await;
    assert_eq!(purge_until(&core, &people(&["a", "b"]), &linked, REMOVED).await, [Purged::Gone, Purged::Kept]);
    assert_eq!(core.members("id").await, ["a"]);
}

on_each_kind!(
    what_was_removed_goes_after_the_grace_time_and_not_before,
    a_member_to_whom_something_refers_is_emptied_until_it_does_no_more,
    managers_leaders_and_applicants_are_referred_to,
    a_tree_of_departments_goes_with_all_that_is_gone_in_it,
    a_table_of_the_product_keeps_the_row_that_it_refers_to,
    a_rule_of_the_product_keeps_a_row_as_it_is_and_the_rest_goes,
    linked_rows_are_purged_by_what_they_are,
);
