//! Transactions: what is kept, what is not, and who waits for whom.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use database::{Constraint, Database, DirectoryLock, DirectoryLockError, Error, Options, on_backend};
use diesel::prelude::*;

use crate::support::{add, all, file, fresh, memory, words};

#[tokio::test]
async fn what_is_written_is_read_after_reopening() {
    let (directory, database) = fresh();
    database.write("test", |conn| add(conn, "a")).await.unwrap();
    assert_eq!(database.read("test", all).await.unwrap(), ["a"]);
    drop(database);
    let again = Database::open(&file(&directory)).unwrap();
    assert_eq!(again.read("test", all).await.unwrap(), ["a"]);
}

#[tokio::test]
async fn an_error_undoes_the_whole_write() {
    for database in [fresh().1, memory(), memory().inline()] {
        let result: database::Result<()> = database
            .write("test", |conn| {
                add(conn, "a")?;
                add(conn, "a")
            })
            .await;
        assert_eq!(result.unwrap_err().constraint(), Some(Constraint::Unique));
        assert!(database.read("test", all).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_panic_undoes_the_whole_write_and_spares_the_connection() {
    for database in [fresh().1, memory(), memory().inline()] {
        let result: database::Result<()> = database
            .write("test", |conn| {
                add(conn, "a")?;
                conn.transaction(|conn| -> database::Result<()> {
                    add(conn, "b")?;
                    panic!("on purpose")
                })
            })
            .await;
        assert!(matches!(result, Err(Error::Panicked)));
        database.write("test", |conn| add(conn, "c")).await.unwrap();
        assert_eq!(database.read("test", all).await.unwrap(), ["c"]);
    }
}

#[tokio::test]
async fn a_failed_savepoint_leaves_the_rest() {
    let (_directory, database) = fresh();
    let write = database.write("test", |conn| {
        add(conn, "a")?;
        let inner: database::Result<()> = conn.transaction(|conn| {
            add(conn, "b")?;
            add(conn, "a")
        });
        assert!(inner.is_err());
        add(conn, "c")
    });
    write.await.unwrap();
    assert_eq!(database.read("test", all).await.unwrap(), ["a", "c"]);
}

#[tokio::test]
async fn a_read_cannot_write() {
    for database in [fresh().1, memory()] {
        assert!(database.read("test", |conn| add(conn, "a")).await.is_err());
        database.write("test", |conn| add(conn, "b")).await.unwrap();
        assert_eq!(database.read("test", all).await.unwrap(), ["b"]);
    }
}

#[tokio::test]
async fn constraints_are_told_apart() {
    let (_directory, database) = fresh();
    for (sql, kind) in [
        ("INSERT INTO words (word, likes) VALUES ('a', 'nobody')", Constraint::ForeignKey),
        ("INSERT INTO words (word) VALUES (NULL)", Constraint::NotNull),
        ("INSERT INTO words (word, length) VALUES ('a', 0)", Constraint::Check),
    ] {
        let broken = database.write("test", move |conn| -> database::Result<usize> {
            Ok(on_backend!(conn, c => diesel::sql_query(sql).execute(c))?)
        });
        assert_eq!(broken.await.unwrap_err().constraint(), Some(kind), "{sql}");
    }
}

#[tokio::test]
async fn the_error_of_the_work_comes_through() {
    #[derive(Debug, PartialEq)]
    enum Mine {
        Own,
        Database,
    }
    impl From<Error> for Mine {
        fn from(_: Error) -> Self {
            Self::Database
        }
    }
    let database = memory();
    assert_eq!(database.write("test", |_| Err::<(), _>(Mine::Own)).await, Err(Mine::Own));
    let missing = database.read("test", |conn| {
        let found = on_backend!(conn, c => words::table.select(words::word).first::<String>(c));
        found.map_err(|error| Mine::from(Error::from(error)))
    });
    assert_eq!(missing.await, Err(Mine::Database));
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_take_turns_while_readers_go_on() {
    let (_directory, database) = fresh();
    let inside = Arc::new(AtomicU32::new(0));
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let holding = tokio::spawn({
        let (database, inside) = (database.clone(), Arc::clone(&inside));
        async move {
            let hold = database.write("test", move |conn| -> database::Result<()> {
                inside.fetch_add(1, Ordering::SeqCst);
                add(conn, "slow")?;
                tell.send(()).unwrap();
                wait.recv().unwrap();
                inside.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            });
            hold.await.unwrap();
        }
    });
    told.recv().await.unwrap();
    let second = tokio::spawn({
        let (database, inside) = (database.clone(), Arc::clone(&inside));
        async move {
            let write = database.write("test", move |conn| {
                assert_eq!(inside.load(Ordering::SeqCst), 0, "two writers at once");
                add(conn, "next")
            });
            write.await.unwrap();
        }
    });
    assert!(database.read("test", all).await.unwrap().is_empty(), "a reader sees what is committed, without waiting");
    tokio::time::sleep(Duration::from_millis(20)).await;
    release.send(()).unwrap();
    holding.await.unwrap();
    second.await.unwrap();
    assert_eq!(database.read("test", all).await.unwrap(), ["next", "slow"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_nobody_goes_on_with_keeps_no_other_waiting() {
    let (_directory, database) = fresh();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let holding = tokio::spawn({
        let database = database.clone();
        async move {
            let hold = database.write("test", move |conn| -> database::Result<()> {
                tell.send(()).unwrap();
                wait.recv().unwrap();
                add(conn, "first")
            });
            hold.await.unwrap();
        }
    });
    told.recv().await.unwrap();
    // It stands in the queue, and is not polled again before the next one is through.
    let mut left_alone = Box::pin(database.write("test", |conn| add(conn, "left alone")));
    tokio::select! {
        biased;
        _ = &mut left_alone => panic!("two writers at once"),
        () = std::future::ready(()) => {}
    }
    let next = database.write("test", |conn| add(conn, "next"));
    release.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(30), next).await.expect("it waits for whom nobody polls").unwrap();
    left_alone.await.unwrap();
    holding.await.unwrap();
    assert_eq!(database.read("test", all).await.unwrap(), ["first", "left alone", "next"]);
}

#[tokio::test]
async fn two_processes_with_one_file_take_turns_too() {
    let (directory, first) = fresh();
    let second = Database::open(&file(&directory)).unwrap();
    let writes = (0..20).map(|number| {
        let database = if number % 2 == 0 { first.clone() } else { second.clone() };
        tokio::spawn(async move { database.write("test", move |conn| add(conn, &format!("w{number:02}"))).await })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.unwrap().unwrap();
    }
    assert_eq!(second.read("test", all).await.unwrap().len(), 20);
}

#[test]
fn other_addresses_are_refused() {
    for url in ["", "words.db", "sqlite://", "postgres:nonsense", "mysql://localhost/x", "sqlite:memory"] {
        assert!(matches!(Database::open(&Options::new(url)), Err(Error::Url)), "{url}");
    }
    let blocked = tempfile::NamedTempFile::new().unwrap();
    let below = Options::new(format!("sqlite://{}/words.db", blocked.path().display()));
    assert!(matches!(Database::open(&below), Err(Error::Unavailable(_))));
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let (directory, _database) = fresh();
    for name in ["words.db", "words.db-wal"] {
        let mode = directory.path().join("deep/er").join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
}

#[test]
fn a_directory_belongs_to_one_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data");
    let lock = DirectoryLock::acquire(&path).unwrap();
    assert!(matches!(DirectoryLock::acquire(&path), Err(DirectoryLockError::Taken { .. })));
    drop(lock);
    DirectoryLock::acquire(&path).unwrap();
}
