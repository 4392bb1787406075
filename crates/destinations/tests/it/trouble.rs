//! What the tables refuse, and tables that cannot be used.

use common::{Action, Callback, EntityKey, Field, Fields, UnixMillis};
use database::{Database, Options, on_backend};
use destinations::{Batch, Outcome, TenantFacts, sqlite::SqliteTables};
use diesel::connection::SimpleConnection;

use crate::support::{Core, department, in_departments, member, member_with, remove_member, renamed};

fn missing(key: EntityKey) -> Outcome {
    Outcome::Missing { what: Some(key) }
}

#[tokio::test]
async fn what_refers_to_nothing_is_missing_and_the_rest_goes_on() {
    let core = Core::new().await;
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

#[tokio::test]
async fn a_refused_update_leaves_the_row_and_its_departments_as_they_were() {
    let core = Core::new().await;
    core.take(vec![member("a", &["1"])]).await;
    assert_eq!(core.apply(vec![member("a", &["9"])]).await, [missing(EntityKey::department("9"))]);
    let rename = core.apply(vec![renamed("a", "b", in_departments(&["9"]))]).await;
    assert_eq!(rename, [missing(EntityKey::department("9"))]);
    assert_eq!(core.members("id, version").await, ["a|1"]);
    assert_eq!(core.memberships().await, ["a|1|0|0"]);
}

#[tokio::test]
async fn rules_of_the_product_refuse_single_rows() {
    let core = Core::new().await;
    core.execute(
        "CREATE UNIQUE INDEX one_mobile ON members (mobile);
         CREATE TRIGGER no_mallory BEFORE INSERT ON members WHEN new.id = 'mallory'
             BEGIN SELECT raise(ABORT, 'not in this house'); END;",
    )
    .await;
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

#[tokio::test]
async fn a_row_that_others_refer_to_and_must_go_is_refused_with_a_reason() {
    let core = Core::new().await;
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

#[tokio::test]
async fn callbacks_are_not_for_tables() {
    let core = Core::new().await;
    let mut change = member("a", &["1"]);
    assert!(core.tables.takes(&change));
    change.entity = EntityKey::new(common::EntityKind::Callback, "x");
    change.action =
        Action::Callback(Callback { name: "x".to_owned(), at: UnixMillis(0), content: "<xml/>".to_owned() });
    assert!(!core.tables.takes(&change));
    core.take(vec![change]).await;
}

#[tokio::test]
async fn somebody_elses_tables_are_left_alone() {
    let core = Core::unprepared();
    core.execute("CREATE TABLE members (id integer PRIMARY KEY, nickname text)").await;
    let refused = core.tables.prepare().await.unwrap_err();
    assert!(refused.reason.contains("members") && refused.reason.contains("tenant_id"), "{refused}");
    assert!(core.tables.apply(&[member("a", &["1"])]).await.is_err());
    assert!(core.tables.probe().await.is_err());
    assert_eq!(core.rows("name", "sqlite_schema").await, ["members"], "nothing is made halfway");
}

/// Tables as a product may have made them from the contract: without folding of case.
#[tokio::test]
async fn tables_that_were_there_before_are_used_as_they_are() {
    let core = Core::unprepared();
    core.execute(
        "CREATE TABLE departments (tenant_id text, id text, parent_id text, name text, name_en text, position bigint,
             leaders json, version bigint, source_time bigint, deleted_at bigint,
             ours text DEFAULT 'x', PRIMARY KEY (tenant_id, id),
             FOREIGN KEY (tenant_id, parent_id) REFERENCES departments (tenant_id, id));
         CREATE TABLE members (tenant_id text, id text, name text, mobile text, email text, title text, gender text,
             status text, employee_number text, main_department_id text, manager_id text, attributes json,
             version bigint, source_time bigint, deleted_at bigint, PRIMARY KEY (tenant_id, id));
         CREATE TABLE member_departments (tenant_id text, member_id text, department_id text, is_leader integer,
             position bigint,
             PRIMARY KEY (tenant_id, member_id, department_id),
             FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id) ON UPDATE CASCADE,
             FOREIGN KEY (tenant_id, department_id) REFERENCES departments (tenant_id, id));",
    )
    .await;
    core.tables.prepare().await.unwrap();
    let led = Fields::new().with(Field::Name, "D").with(Field::Parent, "1").with(Field::Leaders, &["zhangsan"][..]);
    core.take(vec![member("ZhangSan", &["1"]), crate::support::department_with("2", led)]).await;
    core.take(vec![
        member_with("zhangsan", in_departments(&["1"]).with(Field::Title, "x")),
        member_with("b", in_departments(&["2"]).with(Field::Leaders, &["zhangsan"][..])),
    ])
    .await;
    assert_eq!(core.members("id, title, manager_id").await, ["ZhangSan|x|-", "b|-|ZhangSan"]);
    core.take(vec![renamed("zhangsan", "Zhang.San", in_departments(&["1"])), remove_member("B")]).await;
    assert_eq!(core.members("id, status, manager_id").await, ["Zhang.San|active|-", "b|left|Zhang.San"]);
    assert_eq!(core.rows("leaders", "departments WHERE id = '2'").await, [r#"["Zhang.San"]"#]);
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_or_is_none_of_sqlites_is_unavailable_until_it_is_mended() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("core.db");
    std::fs::write(
        &path,
        "this is no database, this is a text of more than a hundred bytes, as long as a header is; ".repeat(3),
    )
    .unwrap();
    let core =
        SqliteTables::at(format!("sqlite://{}", path.display()), "acme".parse().unwrap(), TenantFacts::default());
    assert!(core.probe().await.is_err());
    std::fs::remove_file(&path).unwrap();
    core.probe().await.unwrap();
    assert_eq!(core.highest_version().await, Ok(0));
}

#[tokio::test]
async fn a_lock_held_by_somebody_else_applies_nothing_and_passes() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", directory.path().join("core.db").display());
    let core = SqliteTables::at(url.clone(), "acme".parse().unwrap(), TenantFacts::default());
    core.prepare().await.unwrap();
    let other = Database::open(&Options::new(url)).unwrap();
    let (locked, is_locked) = tokio::sync::oneshot::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let holder = tokio::spawn(async move {
        other
            .write("test", move |c| {
                on_backend!(c, c => c.batch_execute("SELECT 1"))?;
                locked.send(()).unwrap();
                released.recv().unwrap();
                Ok::<_, database::Error>(())
            })
            .await
    });
    is_locked.await.unwrap();
    let mut change = member("a", &["1"]);
    change.version = 1;
    let refused = core.apply(std::slice::from_ref(&change)).await.unwrap_err();
    assert!(refused.reason.contains("busy"), "{refused}");
    release.send(()).unwrap();
    holder.await.unwrap().unwrap();
    assert_eq!(core.apply(&[change]).await, Ok(vec![Outcome::Applied]));
}
