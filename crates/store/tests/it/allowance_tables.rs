//! What is spent of what platforms allow.

use std::collections::BTreeSet;

use common::UnixMillis;
use database::{Connection, Database};
use store::allowances::{self, Key, Numbers, Rows};

use crate::support::{is_file, write};

const NOW: UnixMillis = UnixMillis(1_767_225_600_000);
const DAY_MILLIS: i64 = 86_400_000;

fn key(company: &str, interface: &str, per_millis: i64) -> Key {
    Key { company: company.to_owned(), interface: interface.to_owned(), egress: "203.0.113.7".to_owned(), per_millis }
}

fn spent(micros: i64) -> Numbers {
    Numbers { total_micros: micros, backfill_micros: micros + 1, ..Numbers::default() }
}

/// Adds a microsecond to what is spent of each, in one transaction.
fn spend(conn: &mut Connection, keys: &BTreeSet<Key>) -> database::Result<Rows> {
    let (now, mut rows) = allowances::lock(conn, keys, NOW)?;
    rows.values_mut().for_each(|numbers| numbers.total_micros += 1);
    allowances::save(conn, &rows, now)?;
    Ok(rows)
}

async fn what_is_saved_is_found_again(database: Database) {
    let keys = BTreeSet::from([key("ww1", "user/get", 0), key("ww1", "user/get", 60_000), key("", "user/get", 60_000)]);
    let locked = write(&database, {
        let keys = keys.clone();
        move |conn: &mut Connection| allowances::lock(conn, &keys, NOW)
    })
    .await;
    assert_eq!(locked.1.len(), 3);
    assert!(locked.1.values().all(|numbers| *numbers == Numbers::default()), "nothing is spent yet");
    if is_file(&database).await {
        assert_eq!(locked.0, NOW);
    } else {
        assert!(locked.0 > NOW, "the server's clock counts there, whatever ours says");
    }

    let refused = Numbers { refused_until: NOW.plus_seconds(60), refused_millis: 60_000, ..Numbers::default() };
    let numbers = [(key("ww1", "user/get", 0), refused), (key("ww1", "user/get", 60_000), spent(7))];
    let saved: Rows = numbers.into();
    let expected = saved.clone();
    write(&database, move |conn| allowances::save(conn, &saved, NOW)).await;
    let look = move |conn: &mut Connection| allowances::read(conn, &keys, NOW);
    let (_, found) = database.read("test", look).await.unwrap();
    let found: Rows = found.into_iter().filter(|(key, _)| !key.company.is_empty()).collect();
    assert_eq!(found, expected);
}

async fn other_rows_are_left_alone(database: Database) {
    let one = BTreeSet::from([key("ww1", "user/get", 60_000)]);
    let others = BTreeSet::from([
        key("ww2", "user/get", 60_000),
        key("ww1", "user/list_id", 60_000),
        key("ww1", "user/get", 3_600_000),
    ]);
    let both = [one.clone(), others.clone()];
    write(&database, move |conn| both.iter().try_for_each(|keys| spend(conn, keys).map(drop))).await;
    let again = one.clone();
    write(&database, move |conn| spend(conn, &again)).await;
    let all: BTreeSet<Key> = one.iter().chain(&others).cloned().collect();
    let (_, rows) = database.read("test", move |conn| allowances::read(conn, &all, NOW)).await.unwrap();
    let spent: Vec<i64> = rows.values().map(|numbers| numbers.total_micros).collect();
    assert_eq!(spent, [2, 1, 1, 1]);
}

async fn those_who_spend_at_once_wait_for_each_other(database: Database) {
    let mut spenders = Vec::new();
    for spender in 0..40 {
        let database = database.clone();
        // Some spend two rows, which they share with others in pairs.
        let keys = BTreeSet::from([key("ww1", "user/get", 60_000), key(["", "ww2"][spender % 2], "user/get", 60_000)]);
        spenders.push(tokio::spawn(async move { write(&database, move |conn| spend(conn, &keys)).await }));
    }
    for spender in spenders {
        spender.await.unwrap();
    }
    let keys = BTreeSet::from(["", "ww1", "ww2"].map(|company| key(company, "user/get", 60_000)));
    let (_, rows) = database.read("test", move |conn| allowances::read(conn, &keys, NOW)).await.unwrap();
    let spent: Vec<i64> = rows.values().map(|numbers| numbers.total_micros).collect();
    assert_eq!(spent, [20, 40, 20]);
}

async fn rows_are_pruned_when_nobody_needs_them(database: Database) {
    // On a server its own clock counts.
    let keys = BTreeSet::from([key("ww1", "user/get", 0)]);
    let (now, _) = write(&database, move |conn| allowances::lock(conn, &keys, NOW)).await;
    let row = |company: &str, used_at: UnixMillis, numbers: Numbers| {
        (used_at, Rows::from([(key(company, "user/get", 60_000), numbers)]))
    };
    let long_ago = now.plus_millis(-2 * DAY_MILLIS);
    let later = now.plus_millis(DAY_MILLIS);
    let rows = [
        row("unused", long_ago, spent(long_ago.0 * 1000)),
        row("used", now, spent(long_ago.0 * 1000)),
        row("busy", long_ago, spent(later.0 * 1000)),
        row("refused", long_ago, Numbers { refused_until: later, ..Numbers::default() }),
    ];
    write(&database, move |conn| rows.iter().try_for_each(|(used_at, rows)| allowances::save(conn, rows, *used_at)))
        .await;
    write(&database, |conn| allowances::prune(conn, NOW, DAY_MILLIS)).await;
    let companies = ["unused", "used", "busy", "refused"];
    let keys = BTreeSet::from(companies.map(|company| key(company, "user/get", 60_000)));
    let (_, left) = database.read("test", move |conn| allowances::read(conn, &keys, NOW)).await.unwrap();
    let left: Vec<&str> = left.keys().map(|key| key.company.as_str()).collect();
    assert_eq!(left, ["busy", "refused", "used"]);
}

crate::support::on_both! {
    what_is_saved_is_found_again
    other_rows_are_left_alone
    those_who_spend_at_once_wait_for_each_other
    rows_are_pruned_when_nobody_needs_them
}
