//! Tables in SQLite files.

use std::time::Duration;

use database::{Database, Options, on_backend};
use destinations::{
    Batch, Destination, Links, Outcome, Settings, TenantFacts, build,
    sql::{Databases, SqlTables},
};
use diesel::connection::SimpleConnection;

use crate::changes::member;

#[tokio::test]
async fn tenants_share_a_file_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/new/core.db", directory.path().display());
    let http = outbound::Client::new(outbound::Guard::new(vec![]), Duration::from_secs(1)).unwrap();
    let mut found = vec![];
    for tenant in ["acme", "globex"] {
        let facts = TenantFacts { root_name: tenant.to_owned(), ..TenantFacts::default() };
        let built = build(
            &tenant.parse().unwrap(),
            &Settings::Sqlite { url: url.clone() },
            &facts,
            &http,
            &Databases::default(),
        )
        .unwrap();
        let Destination::Batch(core) = built else { panic!("tables take batches") };
        found.push(core.highest_version().await);
        let mut change = member("a", &["1"]);
        change.version = 7;
        assert_eq!(core.apply(&[change], &Links::default()).await, Ok(vec![Outcome::Applied]));
        found.push(core.highest_version().await);
        core.probe().await.unwrap();
    }
    assert_eq!(found, [Ok(0), Ok(7), Ok(0), Ok(7)]);
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
    let url = format!("sqlite://{}", path.display());
    let core = SqlTables::in_file(url, "acme".parse().unwrap(), TenantFacts::default());
    assert!(core.probe().await.is_err());
    std::fs::remove_file(&path).unwrap();
    core.probe().await.unwrap();
    assert_eq!(core.highest_version().await, Ok(0));
}

#[tokio::test]
async fn a_lock_held_by_somebody_else_applies_nothing_and_passes() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", directory.path().join("core.db").display());
    let core = SqlTables::in_file(url.clone(), "acme".parse().unwrap(), TenantFacts::default());
    core.prepare(&Links::default()).await.unwrap();
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
    let refused = core.apply(std::slice::from_ref(&change), &Links::default()).await.unwrap_err();
    assert!(refused.reason.contains("busy"), "{refused}");
    release.send(()).unwrap();
    holder.await.unwrap().unwrap();
    assert_eq!(core.apply(&[change], &Links::default()).await, Ok(vec![Outcome::Applied]));
}
