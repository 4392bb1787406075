use std::{path::Path, sync::Arc};

use broker::Embedded;
use common::Clock;
use database::{Options, Synchronous};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{Context, Environment, Parts, TenantBook};

const KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
const NOW: UnixMillis = UnixMillis(1_767_225_600_000);

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> UnixMillis {
        NOW
    }
}

fn memory() -> Database {
    let options = Options { pool_size: 1, synchronous: Synchronous::Normal, ..Options::new("sqlite::memory:") };
    Database::open(&options).unwrap()
}

fn store_in_memory() -> (Database, Sealer) {
    let database = memory();
    database.migrate(store::migrations()).unwrap();
    (database, Sealer::new(&Sealer::new_master_key()).unwrap())
}

fn file(token: &str) -> TenantFile {
    let text = format!(
        "id = \"acme\"\n[wecom]\ncorp_id = \"ww1\"\ncontact_secret = \"s\"\ncallback_token = \"{token}\"\n\
         callback_aes_key = \"{KEY}\"\n[[destinations]]\nid = \"core\"\nkind = \"sqlite\"\nrole = \"core\"\n\
         url = \"sqlite://core.db\"\n"
    );
    TenantFile::parse(&text, Path::new("")).unwrap()
}

#[tokio::test]
async fn applying_the_same_file_again_changes_nothing() {
    let (database, sealer) = store_in_memory();
    let first = apply(&database, &sealer, &file("one"), NOW).await.unwrap();
    assert_eq!(first, Applied { revision: 1, created: true, changed: true });
    let again = apply(&database, &sealer, &file("one"), NOW).await.unwrap();
    assert_eq!(again, Applied { revision: 1, created: false, changed: false });
    let other = apply(&database, &sealer, &file("two"), NOW).await.unwrap();
    assert_eq!(other, Applied { revision: 2, created: false, changed: true });
    assert_eq!(load(&database, &sealer, &"acme".parse().unwrap()).await.unwrap(), Some(file("two")));
}

#[tokio::test]
async fn a_core_that_can_be_compared_with_a_platform_collects_until_it_is_looked_at() {
    let alone = "id = \"alone\"\n[[destinations]]\nid = \"core\"\nkind = \"sqlite\"\nrole = \"core\"\nurl = \"sqlite://core.db\"\n";
    let alone = TenantFile::parse(alone, Path::new("")).unwrap();
    let (database, sealer) = store_in_memory();
    for file in [file("one"), alone] {
        apply(&database, &sealer, &file, NOW).await.unwrap();
    }
    let rows = database.read("test", |conn| store::destinations::list(conn, None)).await.unwrap();
    let states: Vec<(&str, &str)> = rows.iter().map(|row| (row.tenant.as_str(), row.state.as_str())).collect();
    assert_eq!(states, [("acme", "collecting"), ("alone", "active")]);
}

#[tokio::test]
async fn the_book_follows_what_is_applied_and_keeps_the_previous_keys() {
    let (database, sealer) = store_in_memory();
    let book = TenantBook::new(database.clone(), Arc::new(sealer.clone()));
    let id: TenantId = "acme".parse().unwrap();
    assert!(!book.refresh().await.unwrap());
    apply(&database, &sealer, &file("one"), NOW).await.unwrap();
    assert!(book.refresh().await.unwrap());
    assert!(!book.refresh().await.unwrap());
    assert!(book.get(&id).unwrap().previous_callback.is_none());

    apply(&database, &sealer, &file("two"), NOW).await.unwrap();
    book.refresh().await.unwrap();
    let tenant = book.get(&id).unwrap();
    let previous = tenant.previous_callback.as_ref().unwrap();
    let wecom = previous.wecom.as_ref().unwrap();
    assert_eq!((wecom.token.expose(), wecom.aes_key.expose()), ("one", KEY));
    assert!(previous.dingtalk.is_none());
    assert_eq!(previous.until, NOW.plus_seconds(600));
    assert_eq!(tenant.file, file("two"));

    assert!(remove(&database, &id, NOW).await.unwrap());
    book.refresh().await.unwrap();
    assert!(book.get(&id).is_none());
    assert!(!remove(&database, &id, NOW).await.unwrap());
    let back = apply(&database, &sealer, &file("two"), NOW).await.unwrap();
    assert!(back.created && back.changed);
    book.refresh().await.unwrap();
    assert!(book.get(&id).is_some());
}

#[tokio::test]
async fn the_previous_keys_of_one_platform_outlast_a_change_of_the_others() {
    let both = |wecom: &str, dingtalk: &str| {
        let text = format!(
            "id = \"acme\"\ndirectory = \"wecom\"\n[wecom]\ncorp_id = \"ww1\"\ncontact_secret = \"s\"\n\
             callback_token = \"{wecom}\"\ncallback_aes_key = \"{KEY}\"\n[dingtalk]\ncorp_id = \"d\"\n\
             client_id = \"c\"\nclient_secret = \"s\"\nmode = \"http\"\ncallback_token = \"{dingtalk}\"\ncallback_aes_key = \"{KEY}\"\n"
        );
        TenantFile::parse(&text, Path::new("")).unwrap()
    };
    let (database, sealer) = store_in_memory();
    let book = TenantBook::new(database.clone(), Arc::new(sealer.clone()));
    let rotations = [("w1", "d1", 0), ("w2", "d1", 0), ("w2", "d2", 300), ("w2", "d3", 1200)];
    for (wecom, dingtalk, seconds) in rotations {
        apply(&database, &sealer, &both(wecom, dingtalk), NOW.plus_seconds(seconds)).await.unwrap();
        book.refresh().await.unwrap();
        let tenant = book.get(&"acme".parse().unwrap()).unwrap();
        let token = |pair: Option<&CallbackPair>| pair.map(|pair| pair.token.expose().to_owned());
        let previous = tenant.previous_callback.as_ref();
        let held = previous.map(|held| (token(held.wecom.as_ref()), token(held.dingtalk.as_ref()), held.until));
        let text = |token: &str| Some(token.to_owned());
        let expected = match (wecom, dingtalk) {
            ("w2", "d1") => Some((text("w1"), None, NOW.plus_seconds(600))),
            ("w2", "d2") => Some((text("w1"), text("d1"), NOW.plus_seconds(900))),
            // WeCom's are too old by then.
            ("w2", "d3") => Some((None, text("d2"), NOW.plus_seconds(1800))),
            _ => None,
        };
        assert_eq!(held, expected, "{wecom} {dingtalk}");
    }
}

#[tokio::test]
async fn an_app_of_dingtalk_is_one_tenants_until_that_is_removed_or_has_another() {
    let of = |id: &str, client_id: &str| {
        let text =
            format!("id = \"{id}\"\n[dingtalk]\ncorp_id = \"d\"\nclient_id = \"{client_id}\"\nclient_secret = \"s\"\n");
        TenantFile::parse(&text, Path::new("")).unwrap()
    };
    let (database, sealer) = store_in_memory();
    let apply = |file: TenantFile| {
        let (database, sealer) = (database.clone(), sealer.clone());
        async move { apply(&database, &sealer, &file, NOW).await }
    };
    assert!(apply(of("acme", "app1")).await.unwrap().created);
    let refused = apply(of("globex", "app1")).await.unwrap_err();
    assert!(matches!(&refused, ApplyError::ClientIdTaken { owner } if owner.as_str() == "acme"), "{refused}");
    assert!(load(&database, &sealer, &"globex".parse().unwrap()).await.unwrap().is_none());
    assert!(!apply(of("acme", "app1")).await.unwrap().changed, "it is its own");

    apply(of("acme", "app2")).await.unwrap();
    assert!(apply(of("globex", "app1")).await.unwrap().created);
    assert!(apply(of("acme", "app1")).await.is_err());
    assert!(remove(&database, &"globex".parse().unwrap(), NOW).await.unwrap());
    assert!(apply(of("acme", "app1")).await.unwrap().changed);
}

#[tokio::test]
async fn a_tenant_sealed_under_a_lost_master_key_can_be_applied_anew() {
    let (database, lost) = store_in_memory();
    apply(&database, &lost, &file("one"), NOW).await.unwrap();
    let sealer = Sealer::new(&Sealer::new_master_key()).unwrap();
    let book = TenantBook::new(database.clone(), Arc::new(sealer.clone()));
    book.refresh().await.unwrap();
    assert!(book.get(&"acme".parse().unwrap()).is_none());
    assert!(apply(&database, &sealer, &file("one"), NOW).await.unwrap().changed);
    book.refresh().await.unwrap();
    assert!(book.get(&"acme".parse().unwrap()).is_some());
}

#[tokio::test]
async fn files_of_the_directory_are_applied_when_they_change() {
    let (database, sealer) = store_in_memory();
    let stop = CancellationToken::new();
    let parts = Parts {
        broker: Arc::new(Embedded::open(memory(), 1).unwrap()),
        database,
        clock: Arc::new(Stopped),
        sealer,
        stop: stop.clone(),
        instance: crate::new_instance(),
        needs_database: true,
    };
    let ctx = Context::assemble(parts).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("broken.toml"), "id = ").unwrap();
    std::fs::write(directory.path().join("note.txt"), "no tenant").unwrap();
    std::fs::write(directory.path().join("acme.toml"), "id = \"acme\"\nname = \"one\"").unwrap();
    TenantsDirectory::start(&ctx, directory.path().to_owned(), Environment::new()).await.unwrap();
    named(&ctx, "one").await;
    std::fs::write(directory.path().join("acme.toml"), "id = \"acme\"\nname = \"longer\"").unwrap();
    named(&ctx, "longer").await;
    assert_eq!(ctx.tenants.snapshot().iter().count(), 1);
    stop.cancel();
    assert!(ctx.finish_tasks(std::time::Duration::from_secs(5)).await);
}

async fn named(ctx: &Context, name: &str) {
    let mut changes = ctx.tenants.watch();
    let found = changes.wait_for(|snapshot| snapshot.get("acme").is_some_and(|tenant| tenant.file.name == name));
    tokio::time::timeout(std::time::Duration::from_secs(10), found).await.expect(name).unwrap();
}
