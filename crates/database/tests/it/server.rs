//! The same door to a PostgreSQL server.

use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use common::Disposition;
use database::{Connection, Constraint, Database, Error, Options, on_backend};
use diesel::{
    Connection as _, PgConnection,
    connection::SimpleConnection,
    prelude::{QueryableByName, RunQueryDsl},
    sql_query,
    sql_types::Integer,
};

use crate::support::{add, all};

#[expect(clippy::disallowed_methods, reason = "where the server is, is told to tests by their environment")]
fn address() -> String {
    std::env::var("ORGBRIDGE_TEST_POSTGRES").expect("a server: ./scripts/test starts one")
}

/// A database with one small table in a schema of its own, on the server that `scripts/test` starts.
fn fresh() -> Database {
    static SCHEMAS: AtomicU32 = AtomicU32::new(0);
    let server = address();
    let schema = format!("door_{}_{}", std::process::id(), SCHEMAS.fetch_add(1, Ordering::Relaxed));
    let mut connection = PgConnection::establish(&server).unwrap();
    connection
        .batch_execute(&format!(
            "DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema};
             CREATE TABLE {schema}.words (word text PRIMARY KEY, length bigint, likes text REFERENCES {schema}.words)"
        ))
        .unwrap();
    let url = format!("{server}?options=-csearch_path%3D{schema}");
    Database::open(&Options { pool_size: 3, ..Options::new(url) }).unwrap()
}

#[tokio::test]
async fn an_error_or_a_panic_undoes_the_whole_write() {
    let database = fresh();
    let twice = |conn: &mut Connection| add(conn, "a").and_then(|()| add(conn, "a"));
    assert_eq!(database.write("test", twice).await.unwrap_err().constraint(), Some(Constraint::Unique));
    let panicking = |conn: &mut Connection| -> database::Result<()> {
        add(conn, "b")?;
        conn.transaction(|_| panic!("on purpose"))
    };
    assert!(matches!(database.write("test", panicking).await, Err(Error::Panicked)));
    database.write("test", |conn| add(conn, "c")).await.unwrap();
    assert_eq!(database.read("test", all).await.unwrap(), ["c"]);
}

#[tokio::test]
async fn a_read_sees_one_snapshot_and_cannot_write() {
    let database = fresh();
    let other = database.clone();
    let look_twice = move |conn: &mut Connection| {
        let before = all(conn)?;
        tokio::runtime::Handle::current().block_on(other.write("test", |conn| add(conn, "a")))?;
        Ok::<_, Error>((before, all(conn)?))
    };
    assert_eq!(database.read("test", look_twice).await.unwrap(), (vec![], vec![]));
    assert_eq!(database.read("test", all).await.unwrap(), ["a"]);
    let refused = database.read("test", |conn| add(conn, "b")).await.unwrap_err();
    assert!(matches!(refused, Error::Unavailable(_)), "{refused:?}");
}

#[derive(QueryableByName)]
struct Process {
    #[diesel(sql_type = Integer)]
    id: i32,
}

fn own_process(conn: &mut Connection) -> database::Result<i32> {
    let query = sql_query("SELECT pg_backend_pid() AS id");
    Ok(on_backend!(conn, c => query.get_result::<Process>(c))?.id)
}

#[tokio::test]
async fn connections_that_the_server_closed_while_idle_are_not_noticed_by_callers() {
    let database = fresh();
    let all_at_once = Arc::new(Barrier::new(3));
    let idle: Vec<_> = (0..3)
        .map(|_| {
            let (database, all_at_once) = (database.clone(), Arc::clone(&all_at_once));
            tokio::spawn(async move {
                let stay = move |conn: &mut Connection| {
                    all_at_once.wait();
                    own_process(conn)
                };
                database.read("test", stay).await.unwrap()
            })
        })
        .collect();
    let mut processes = Vec::new();
    for process in idle {
        processes.push(process.await.unwrap());
    }
    let mut killer = PgConnection::establish(&address()).unwrap();
    for process in processes {
        sql_query(format!("SELECT pg_terminate_backend({process}, 5000)")).execute(&mut killer).unwrap();
    }
    for word in ["a", "b", "c", "d"] {
        database.write("test", move |conn| add(conn, word)).await.unwrap();
    }
}

#[tokio::test]
async fn a_connection_that_is_lost_in_the_middle_is_reported_and_replaced() {
    let database = fresh();
    let suicide = |conn: &mut Connection| {
        add(conn, "a")?;
        let process = own_process(conn)?;
        on_backend!(conn, c => sql_query(format!("SELECT pg_terminate_backend({process})")).execute(c))?;
        add(conn, "b")
    };
    let lost = database.write("test", suicide).await.unwrap_err();
    assert!(matches!(lost.disposition(), Disposition::Retry { .. }), "{lost:?}");
    database.write("test", |conn| add(conn, "c")).await.unwrap();
    assert_eq!(database.read("test", all).await.unwrap(), ["c"]);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_soon() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let database = Database::open(&Options::new(format!("postgres://nobody:secret@127.0.0.1:{port}/none"))).unwrap();
    let began = Instant::now();
    let error = database.read("test", all).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(15));
    assert!(!format!("{error:?}").contains("secret"));
}

#[tokio::test]
async fn text_that_the_server_cannot_hold_is_a_fault_of_the_text() {
    let database = fresh();
    let error = database.write("test", |conn| add(conn, "a\0b")).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Fatal, "{error:?}");
    database.write("test", |conn| add(conn, "a")).await.unwrap();
}
