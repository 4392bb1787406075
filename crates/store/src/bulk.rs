//! What every event writes, in PostgreSQL: whole columns as arrays, so that one short statement takes any number of rows, where a
//! list of rows would be a long one with thousands of parameters. SQLite has no arrays, and is as fast with lists.

use diesel::{
    PgConnection, QueryResult, RunQueryDsl, sql_query,
    sql_types::{Array, BigInt, Bool, Nullable, Text},
};

/// Rows of `event_keys`; those that are there stay as they are.
pub(crate) fn event_keys(
    c: &mut PgConnection,
    tenant: &str,
    at: i64,
    (keys, events): (Vec<&str>, Vec<&str>),
) -> QueryResult<usize> {
    sql_query(
        "INSERT INTO event_keys (tenant, key, event, at)
         SELECT $1, key, event, $2 FROM unnest($3, $4) AS new (key, event) ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(tenant)
    .bind::<BigInt, _>(at)
    .bind::<Array<Text>, _>(keys)
    .bind::<Array<Text>, _>(events)
    .execute(c)
}

/// The columns of `records`.
#[derive(Default)]
pub(crate) struct Records<'a> {
    pub(crate) kind: Vec<&'a str>,
    pub(crate) id: Vec<&'a str>,
    pub(crate) body: Vec<String>,
    pub(crate) inside: Vec<Option<String>>,
    pub(crate) parked_since: Vec<Option<i64>>,
    pub(crate) asked: Vec<bool>,
    pub(crate) given_up: Vec<bool>,
}

/// Rows of `records`, new or changed; no key twice.
pub(crate) fn records(c: &mut PgConnection, tenant: &str, rows: Records<'_>) -> QueryResult<usize> {
    sql_query(
        "INSERT INTO records (tenant, kind, id, body, inside, parked_since, asked, given_up)
         SELECT $1, new.* FROM unnest($2, $3, $4, $5, $6, $7, $8) AS new
         ON CONFLICT (tenant, kind, id) DO UPDATE SET body = excluded.body, inside = excluded.inside,
           parked_since = excluded.parked_since, asked = excluded.asked, given_up = excluded.given_up",
    )
    .bind::<Text, _>(tenant)
    .bind::<Array<Text>, _>(rows.kind)
    .bind::<Array<Text>, _>(rows.id)
    .bind::<Array<Text>, _>(rows.body)
    .bind::<Array<Nullable<Text>>, _>(rows.inside)
    .bind::<Array<Nullable<BigInt>>, _>(rows.parked_since)
    .bind::<Array<Bool>, _>(rows.asked)
    .bind::<Array<Bool>, _>(rows.given_up)
    .execute(c)
}

/// The columns of `waiting`.
#[derive(Default)]
pub(crate) struct Waiting<'a> {
    pub(crate) on_kind: Vec<&'a str>,
    pub(crate) on_id: Vec<&'a str>,
    pub(crate) kind: Vec<&'a str>,
    pub(crate) id: Vec<&'a str>,
    pub(crate) why: Vec<&'a str>,
}

/// Rows of `waiting` that are to be there.
pub(crate) fn wait(c: &mut PgConnection, tenant: &str, rows: Waiting<'_>) -> QueryResult<usize> {
    sql_query(
        "INSERT INTO waiting (tenant, on_kind, on_id, kind, id, why)
         SELECT $1, new.* FROM unnest($2, $3, $4, $5, $6) AS new ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(tenant)
    .bind::<Array<Text>, _>(rows.on_kind)
    .bind::<Array<Text>, _>(rows.on_id)
    .bind::<Array<Text>, _>(rows.kind)
    .bind::<Array<Text>, _>(rows.id)
    .bind::<Array<Text>, _>(rows.why)
    .execute(c)
}

/// Rows of `waiting` that are to go: one statement, whatever they wait for.
pub(crate) fn wait_no_more(c: &mut PgConnection, tenant: &str, rows: Waiting<'_>) -> QueryResult<usize> {
    sql_query(
        "DELETE FROM waiting w USING unnest($2, $3, $4, $5, $6) AS gone (on_kind, on_id, kind, id, why)
         WHERE w.tenant = $1 AND w.on_kind = gone.on_kind AND w.on_id = gone.on_id
           AND w.kind = gone.kind AND w.id = gone.id AND w.why = gone.why",
    )
    .bind::<Text, _>(tenant)
    .bind::<Array<Text>, _>(rows.on_kind)
    .bind::<Array<Text>, _>(rows.on_id)
    .bind::<Array<Text>, _>(rows.kind)
    .bind::<Array<Text>, _>(rows.id)
    .bind::<Array<Text>, _>(rows.why)
    .execute(c)
}

/// New rows of `outbox`.
pub(crate) fn outbox(
    c: &mut PgConnection,
    tenant: &str,
    now: i64,
    (versions, bodies): (Vec<i64>, Vec<&str>),
) -> QueryResult<usize> {
    sql_query(
        "INSERT INTO outbox (tenant, version, body, created_at)
         SELECT $1, version, body, $2 FROM unnest($3, $4) AS new (version, body)",
    )
    .bind::<Text, _>(tenant)
    .bind::<BigInt, _>(now)
    .bind::<Array<BigInt>, _>(versions)
    .bind::<Array<Text>, _>(bodies)
    .execute(c)
}
