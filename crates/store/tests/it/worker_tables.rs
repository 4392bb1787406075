//! Who consumes what.

use common::UnixMillis;
use database::Database;
use store::workers;

use crate::support::{is_file, write};

const NOW: UnixMillis = UnixMillis(1_767_225_600_000);
const PATIENCE_MILLIS: i64 = 6_000;

async fn beat(database: &Database, instance: &'static str, seconds: i64) -> Vec<String> {
    let now = NOW.plus_seconds(seconds);
    write(database, move |conn| workers::beat(conn, "events.shared", instance, now, PATIENCE_MILLIS)).await
}

async fn workers_know_each_other_until_they_leave(database: Database) {
    assert_eq!(beat(&database, "b", 0).await, ["b"]);
    assert_eq!(beat(&database, "a", 1).await, ["a", "b"]);
    write(&database, |conn| workers::beat(conn, "events.big", "c", NOW, PATIENCE_MILLIS)).await;
    write(&database, |conn| workers::leave(conn, "b")).await;
    assert_eq!(beat(&database, "a", 2).await, ["a"]);
}

async fn who_is_not_heard_of_is_forgotten(database: Database) {
    beat(&database, "a", 0).await;
    if is_file(&database).await {
        assert_eq!(beat(&database, "b", 6).await, ["a", "b"]);
        assert_eq!(beat(&database, "b", 7).await, ["b"]);
    } else {
        // The server's clock counts there, whatever ours says.
        assert_eq!(beat(&database, "b", 3_600).await, ["a", "b"]);
        let long_ago = |conn: &mut database::Connection| {
            let database::Connection::Postgres(c) = conn else { return Ok(0) };
            Ok(diesel::RunQueryDsl::execute(diesel::sql_query("UPDATE workers SET seen_at = seen_at - 6001"), c)?)
        };
        write(&database, long_ago).await;
        assert_eq!(beat(&database, "b", 0).await, ["b"]);
    }
}

crate::support::on_both! {
    workers_know_each_other_until_they_leave
    who_is_not_heard_of_is_forgotten
}
