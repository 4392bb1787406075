//! Migrations: once, under a lock, all or nothing.

use database::{Database, Error, Options};

use crate::support::{add, all, bad, file, new, old, since};

#[test]
fn a_second_run_applies_nothing() {
    let database = Database::open(&Options::new("sqlite::memory:")).unwrap();
    assert_eq!(database.migrate(old()).unwrap(), ["0001-words"]);
    assert!(database.migrate(old()).unwrap().is_empty());
    assert_eq!(database.migrate(new()).unwrap(), ["0002-more"]);
}

#[test]
fn a_program_works_on_a_newer_database_until_that_lacks_what_the_program_uses() {
    let database = Database::open(&Options::new("sqlite::memory:")).unwrap();
    database.migrate(new()).unwrap();
    assert!(database.migrate(old()).unwrap().is_empty());
    database.migrate(since()).unwrap();
    assert!(database.migrate(new()).unwrap().is_empty());
    assert!(matches!(database.migrate(old()), Err(Error::Newer { version }) if version.starts_with("0003")));
}

#[tokio::test]
async fn a_failing_migration_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::open(&file(&directory)).unwrap();
    assert!(matches!(database.migrate(bad()), Err(Error::Migration { name, .. }) if name == "0002-broken"));
    assert!(database.read("test", all).await.is_err(), "the first of them was undone as well");
    assert_eq!(database.migrate(new()).unwrap().len(), 2);
    database.write("test", |conn| add(conn, "a")).await.unwrap();
}

#[test]
fn many_that_start_at_once_migrate_once() {
    let directory = tempfile::tempdir().unwrap();
    let options = file(&directory);
    let starts: Vec<_> = (0..4)
        .map(|_| {
            let options = options.clone();
            std::thread::spawn(move || Database::open(&options).unwrap().migrate(new()).unwrap().len())
        })
        .collect();
    let mut applied: Vec<usize> = starts.into_iter().map(|start| start.join().unwrap()).collect();
    applied.sort_unstable();
    assert_eq!(applied, [0, 0, 0, 2]);
}
