//! Tables on a PostgreSQL server.

use std::time::Duration;

use common::Secret;
use database::{Database, Options, on_backend};
use destinations::{
    Batch, BuildError, Destination, Links, Outcome, Settings, TenantFacts, build,
    sql::{BadAddress, BadSchemaName, Databases, SqlTables},
};
use diesel::{RunQueryDsl, sql_query, sql_types::Text};
use outbound::{Client, Guard};

use crate::{
    changes::{department, in_departments, member, remove_member, renamed},
    product::{Core, Kind, random_schema, server_url},
};

/// A destination as a tenant's file describes it, where these networks are allowed.
fn built(tenant: &str, url: &str, schema: &str, networks: &[&str]) -> Result<Box<dyn Batch>, BuildError> {
    built_among(&Databases::default(), tenant, url, schema, networks)
}

/// The same among others.
fn built_among(
    databases: &Databases,
    tenant: &str,
    url: &str,
    schema: &str,
    networks: &[&str],
) -> Result<Box<dyn Batch>, BuildError> {
    let networks = networks.iter().map(|network| network.parse().unwrap()).collect();
    let http = Client::new(Guard::new(networks), Duration::from_secs(1)).unwrap();
    let settings = Settings::Postgres { url: Secret::new(url), schema: schema.to_owned() };
    match build(&tenant.parse().unwrap(), &settings, &TenantFacts::default(), &http, databases)? {
        Destination::Batch(core) => Ok(core),
        _ => panic!("tables take batches"),
    }
}

#[tokio::test]
async fn types_are_those_of_the_contract() {
    let core = Core::new(Kind::Postgres).await;
    let rest = format!(
        "information_schema.columns WHERE table_schema = '{}' AND data_type <> 'text'
         ORDER BY table_name, ordinal_position",
        core.schema.as_str()
    );
    assert_eq!(
        core.rows("table_name, column_name, data_type", &rest).await,
        [
            "approvals|started_at|bigint",
            "approvals|finished_at|bigint",
            "approvals|details|jsonb",
            "approvals|version|bigint",
            "attendance|planned_at|bigint",
            "attendance|checked_at|bigint",
            "attendance|details|jsonb",
            "attendance|version|bigint",
            "departments|position|bigint",
            "departments|leaders|jsonb",
            "departments|version|bigint",
            "departments|source_time|bigint",
            "departments|deleted_at|bigint",
            "member_departments|is_leader|boolean",
            "member_departments|position|bigint",
            "members|attributes|jsonb",
            "members|version|bigint",
            "members|source_time|bigint",
            "members|deleted_at|bigint",
        ]
    );
}

#[tokio::test]
async fn a_schema_of_any_name_is_made_and_used() {
    let core = Core::in_schema(Kind::Postgres, random_schema("We\"ird; DROP TABLE core.组"));
    core.take(vec![department("2", "1"), member("a", &["2"]), member("b", &["1"])]).await;
    core.take(vec![renamed("a", "c", in_departments(&["1"])), remove_member("b")]).await;
    assert_eq!(core.members("id, status, version").await, ["b|left|5", "c|active|4"]);
    assert_eq!(core.tables.highest_version().await, Ok(5));
}

#[tokio::test]
async fn tenants_share_a_server_and_nothing_else() {
    let core = Core::unprepared(Kind::Postgres);
    let mut found = vec![];
    for tenant in ["acme", "globex"] {
        let tables = built(tenant, &server_url(), core.schema.as_str(), &["0.0.0.0/0", "::/0"]).unwrap();
        found.push(tables.highest_version().await);
        let mut change = member("a", &["1"]);
        change.version = 7;
        assert_eq!(tables.apply(&[change], &Links::default()).await, Ok(vec![Outcome::Applied]));
        found.push(tables.highest_version().await);
        tables.probe().await.unwrap();
    }
    assert_eq!(found, [Ok(0), Ok(7), Ok(0), Ok(7)]);
    assert_eq!(core.rows("tenant_id, id", "members ORDER BY tenant_id").await, ["acme|a", "globex|a"]);
}

#[tokio::test]
async fn tenants_share_a_few_connections() {
    let core = Core::new(Kind::Postgres).await;
    let databases = Databases::default();
    let name = core.schema.as_str().to_lowercase();
    let url = server_url();
    let url = format!("{url}{}application_name={name}", if url.contains('?') { '&' } else { '?' });
    let mut tasks = vec![];
    for number in 0..40 {
        let (tenant, schema) = (format!("tenant-{number}"), core.schema.as_str());
        let tables = built_among(&databases, &tenant, &url, schema, &["0.0.0.0/0", "::/0"]).unwrap();
        let change = core.numbered(vec![member("a", &["1"])]);
        let apply = async move { (tables.apply(&change, &Links::default()).await, tables) };
        tasks.push(tokio::spawn(apply));
    }
    // Nothing is closed while somebody may come back to it.
    let mut open = vec![];
    for task in tasks {
        let (outcome, tables) = task.await.unwrap();
        assert_eq!(outcome, Ok(vec![Outcome::Applied]));
        open.push(tables);
    }
    assert_eq!(core.rows("count(*)", "members WHERE id = 'a'").await, ["40"]);
    let connections = format!("pg_stat_activity WHERE application_name = '{name}'");
    let count: usize = core.rows("count(*)", &connections).await[0].parse().unwrap();
    assert!((1..=8).contains(&count), "{count} connections");
}

#[tokio::test]
async fn tenants_that_start_at_once_make_the_tables_once() {
    let core = Core::unprepared(Kind::Postgres);
    let mut tasks = vec![];
    for number in 0..4 {
        let database = Database::open(&Options::new(server_url())).unwrap();
        let tenant = format!("tenant-{number}").parse().unwrap();
        let tables = SqlTables::over(database, core.schema.clone(), tenant, TenantFacts::default());
        tasks.push(tokio::spawn(async move { tables.prepare(&Links::default()).await }));
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(core.rows("count(*)", "departments").await, ["4"]);
}

#[tokio::test]
async fn while_another_sender_is_at_it_nothing_is_applied() {
    let core = Core::new(Kind::Postgres).await;
    let name = format!("orgbridge: changes of acme in {}", core.schema.as_str());
    let other = Database::open(&Options::new(server_url())).unwrap();
    let (locked, is_locked) = tokio::sync::oneshot::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let holder = tokio::spawn(async move {
        other
            .write("test", move |c| {
                let lock = sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))").bind::<Text, _>(name);
                on_backend!(c, c => lock.execute(c))?;
                locked.send(()).unwrap();
                released.recv().unwrap();
                Ok::<_, database::Error>(())
            })
            .await
    });
    is_locked.await.unwrap();
    let changes = core.numbered(vec![member("a", &["1"])]);
    let refused = core.send(&changes).await.unwrap_err();
    assert!(refused.reason.contains("busy"), "{refused}");
    core.tables.probe().await.unwrap();
    release.send(()).unwrap();
    holder.await.unwrap().unwrap();
    assert_eq!(core.send(&changes).await, Ok(vec![Outcome::Applied]));
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_before_anything_is_connected_to() {
    let refused = |url: &str, schema: &str| built("acme", url, schema, &["10.0.0.0/8"]).err();
    assert!(refused("postgres://u:p@10.0.0.1/db", "").is_none());
    let loopback = refused("postgres://u:p@127.0.0.1/db", "core");
    assert!(matches!(loopback, Some(BuildError::Server(BadAddress::Refused(_)))), "{loopback:?}");
    assert_eq!(refused("sqlite://core.db", "core"), Some(BuildError::Server(BadAddress::Unreadable)));
    assert_eq!(refused("postgres://10.0.0.1/db", "pg_core"), Some(BuildError::Schema(BadSchemaName)));
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_unavailable_and_its_password_is_not_told() {
    // Nobody listens at port 1.
    let url = "postgres://nobody:canary@127.0.0.1:1/canary";
    let tables = built("acme", url, "core", &["127.0.0.0/8"]).unwrap();
    let refused = tables.probe().await.unwrap_err();
    assert!(!refused.reason.contains("canary"), "{refused}");
}
