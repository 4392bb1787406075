//! What the tables refuse, and tables that cannot be used.

use common::{Action, Callback, EntityKey, Field, Fields, Platform, UnixMillis};
use destinations::{Batch, Outcome};

use crate::{
    changes::{
        department, department_with, in_departments, member, member_with, remove_department, remove_member, renamed,
    },
    product::{Core, Kind, on_each_kind},
};

fn missing(key: EntityKey) -> Outcome {
    Outcome::Missing { what: Some(key) }
}

async fn what_refers_to_nothing_is_missing_and_the_rest_goes_on(kind: Kind) {
    let core = Core::new(kind).await;
    let outcomes = core
        .apply(vec![
            department("3", "2"),
            member("a", &["1"]),
            member("b", &["1", "9"]),
            department("4", "3"),
            department("2", "1"),
            member("c", &["2"]),
            remove_member("a"),
        ])
        .await;
    let applied = || Outcome::Applied;
    assert_eq!(
        outcomes,
        [
            missing(EntityKey::department("2")),
            applied(),
            missing(EntityKey::department("9")),
            missing(EntityKey::department("3")),
            applied(),
            applied(),
            applied(),
        ]
    );
    assert_eq!(core.members("id, status, version").await, ["a|left|7", "c|active|6"]);
    assert_eq!(core.memberships().await, ["c|2|0|0"]);
}

async fn a_refused_update_leaves_the_row_and_its_departments_as_they_were(kind: Kind) {
    let core = Core::new(kind).await;
    core.take(vec![member("a", &["1"])]).await;
    assert_eq!(core.apply(vec![member("a", &["9"])]).await, [missing(EntityKey::department("9"))]);
    let rename = core.apply(vec![renamed("a", "b", in_departments(&["9"]))]).await;
    assert_eq!(rename, [missing(EntityKey::department("9"))]);
    assert_eq!(core.members("id, version").await, ["a|1"]);
    assert_eq!(core.memberships().await, ["a|1|0|0"]);
}

async fn rules_of_the_product_refuse_single_rows(kind: Kind) {
    let core = Core::new(kind).await;
    core.execute("CREATE UNIQUE INDEX one_mobile ON members (mobile)").await;
    let no_mallory = core.either(
        "CREATE TRIGGER no_mallory BEFORE INSERT ON members WHEN new.id = 'mallory'
             BEGIN SELECT raise(ABORT, 'not in this house'); END;",
        "CREATE FUNCTION no_mallory() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'not in this house'; END $$;
         CREATE TRIGGER no_mallory BEFORE INSERT ON members FOR EACH ROW WHEN (new.id = 'mallory')
             EXECUTE FUNCTION no_mallory();",
    );
    core.execute(no_mallory).await;
    let with_mobile = |id: &str| member_with(id, in_departments(&["1"]).with(Field::Mobile, "13900001111"));
    let outcomes =
        core.apply(vec![with_mobile("a"), with_mobile("b"), member("mallory", &["1"]), member("c", &["1"])]).await;
    let [Outcome::Applied, Outcome::Rejected { reason }, Outcome::Retry { reason: house, .. }, Outcome::Applied] =
        &outcomes[..]
    else {
        panic!("{outcomes:?}")
    };
    assert!(reason.contains("unique") && !reason.contains("13900001111"), "{reason}");
    assert!(house.contains("not in this house"), "{house}");
}

async fn a_row_that_others_refer_to_and_must_go_is_refused_with_a_reason(kind: Kind) {
    let core = Core::new(kind).await;
    core.take(vec![member("old", &["1"]), member("new", &["1"])]).await;
    core.execute(
        "CREATE TABLE lockers (tenant_id text, holder text,
             FOREIGN KEY (tenant_id, holder) REFERENCES members (tenant_id, id));
         INSERT INTO lockers VALUES ('acme', 'old');",
    )
    .await;
    let outcomes = core.apply(vec![renamed("old", "new", in_departments(&["1"]))]).await;
    assert!(matches!(&outcomes[..], [Outcome::Rejected { reason }] if reason.contains("foreign")), "{outcomes:?}");
    assert_eq!(core.members("id").await, ["new", "old"]);
}

async fn callbacks_are_not_for_tables(kind: Kind) {
    let core = Core::new(kind).await;
    let mut change = member("a", &["1"]);
    assert!(core.tables.takes(&change));
    change.entity = EntityKey::new(common::EntityKind::Callback, "x");
    let (name, content) = ("x".to_owned(), "<xml/>".to_owned());
    change.action = Action::Callback(Callback { name, at: UnixMillis(0), content, platform: Platform::Wecom });
    assert!(!core.tables.takes(&change));
    core.take(vec![change]).await;
}

async fn somebody_elses_tables_are_left_alone(kind: Kind) {
    let core = Core::unprepared(kind);
    core.execute("CREATE TABLE members (id integer PRIMARY KEY, nickname text)").await;
    let refused = core.prepare().await.unwrap_err();
    assert!(refused.reason.contains("members") && refused.reason.contains("tenant_id"), "{refused}");
    assert!(core.send(&[member("a", &["1"])]).await.is_err());
    assert!(core.tables.probe().await.is_err());
    assert_eq!(core.tables_there().await, ["members"], "nothing is made halfway");
}

/// Tables as a product may have made them from the contract: without folding of case, with a row that has no version.
async fn tables_that_were_there_before_are_used_as_they_are(kind: Kind) {
    let core = Core::unprepared(kind);
    let flag = core.either("integer", "boolean");
    core.execute(&format!(
        "CREATE TABLE departments (tenant_id text, id text, parent_id text, name text, name_en text, position bigint,
             leaders json, version integer, source_time bigint, deleted_at bigint,
             ours text DEFAULT 'x', PRIMARY KEY (tenant_id, id),
             FOREIGN KEY (tenant_id, parent_id) REFERENCES departments (tenant_id, id));
         CREATE TABLE members (tenant_id text, id text, name text, mobile text, email text, title text, gender text,
             status text, employee_number text, main_department_id text, manager_id text, attributes json,
             version bigint, source_time bigint, deleted_at bigint, PRIMARY KEY (tenant_id, id));
         CREATE TABLE member_departments (tenant_id text, member_id text, department_id text, is_leader {flag},
             position bigint,
             PRIMARY KEY (tenant_id, member_id, department_id),
             FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id) ON UPDATE CASCADE,
             FOREIGN KEY (tenant_id, department_id) REFERENCES departments (tenant_id, id));
         INSERT INTO departments (tenant_id, id, name) VALUES ('acme', '2', 'from before');",
    ))
    .await;
    core.prepare().await.unwrap();
    let led = Fields::new().with(Field::Name, "D").with(Field::Parent, "1").with(Field::Leaders, &["zhangsan"][..]);
    core.take(vec![member("ZhangSan", &["1"]), department_with("2", led)]).await;
    core.take(vec![
        member_with("zhangsan", in_departments(&["1"]).with(Field::Title, "x")),
        member_with("b", in_departments(&["2"]).with(Field::Leaders, &["zhangsan"][..])),
    ])
    .await;
    assert_eq!(core.members("id, title, manager_id").await, ["b|-|ZhangSan", "ZhangSan|x|-"]);
    core.take(vec![renamed("zhangsan", "Zhang.San", in_departments(&["1"])), remove_member("B")]).await;
    assert_eq!(core.members("id, status, manager_id").await, ["b|left|Zhang.San", "Zhang.San|active|-"]);
    assert_eq!(core.rows("leaders", "departments WHERE id = '2'").await, [r#"["Zhang.San"]"#]);
}

async fn tables_that_vanish_are_made_again(kind: Kind) {
    let core = Core::new(kind).await;
    core.take(vec![member("a", &["1"])]).await;
    core.execute("DROP TABLE member_departments").await;
    let update = core.numbered(vec![member("a", &["1"]), member("b", &["1"])]);
    let refused = core.send(&update).await.unwrap_err();
    assert!(refused.reason.contains("member_departments"), "{refused}");
    assert_eq!(core.members("id, version").await, ["a|1"], "none of the batch is there");
    assert_eq!(core.send(&update).await, Ok(vec![Outcome::Applied, Outcome::Applied]));
    assert_eq!(core.memberships().await, ["a|1|0|0", "b|1|0|0"]);
}

async fn the_database_keeps_a_second_spelling_of_an_id_out(kind: Kind) {
    let core = Core::new(kind).await;
    core.take(vec![member("ZhangSan", &["1"])]).await;
    let doubled = "INSERT INTO members (tenant_id, id, name, gender, status, version, source_time)
        VALUES ('acme', 'ZHANGSAN', 'x', 'unknown', 'active', 1, 0)";
    let refused = core.try_to(doubled).await.unwrap_err();
    assert_eq!(refused.constraint(), Some(database::Constraint::Unique), "{refused}");
    core.execute(&doubled.replace("'acme'", "'globex'")).await;
}

async fn a_newer_row_that_somebody_else_wrote_is_not_written_over(kind: Kind) {
    let core = Core::new(kind).await;
    core.take(vec![department("2", "1"), member("a", &["2"])]).await;
    core.execute("UPDATE members SET version = 90, name = 'x'; UPDATE departments SET version = 91 WHERE id = '2'")
        .await;
    core.take(vec![member("a", &["1"]), remove_department("2"), remove_member("a")]).await;
    assert_eq!(core.members("name, status, version").await, ["x|active|90"]);
    assert_eq!(core.memberships().await, ["a|2|0|0"]);
    assert_eq!(core.rows("version, deleted_at", "departments WHERE id = '2'").await, ["91|-"]);
}

on_each_kind!(
    what_refers_to_nothing_is_missing_and_the_rest_goes_on,
    a_refused_update_leaves_the_row_and_its_departments_as_they_were,
    rules_of_the_product_refuse_single_rows,
    a_row_that_others_refer_to_and_must_go_is_refused_with_a_reason,
    callbacks_are_not_for_tables,
    somebody_elses_tables_are_left_alone,
    tables_that_were_there_before_are_used_as_they_are,
    tables_that_vanish_are_made_again,
    the_database_keeps_a_second_spelling_of_an_id_out,
    a_newer_row_that_somebody_else_wrote_is_not_written_over,
);
