//! What every event writes and every page of a pull looks up, in PostgreSQL: whole columns as arrays, so that one short statement takes any number of rows, where a
//! list of rows would be a long one with thousands of parameters. SQLite has no arrays, and is as fast with lists.
//!
//! Rows are looked up one by one within a statement (`LATERAL .. LIMIT 1`), by the whole primary key. As a condition on a list the
//! server would be free to go through all of a tenant's rows and look for each in the list, and does so as long as it has no
//! statistics of a table that just filled, or has a plan from that time.

use std::collections::BTreeMap;

use diesel::{
    Connection as _, PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    pg::Pg,
    result::{DatabaseErrorKind, Error},
    sql_query,
    sql_types::{Array, BigInt, Bool, Nullable, Text},
};

/// Rows of `event_keys`; those that are there stay as they are.
pub(crate) fn event_keys(
    c: &mut PgConnection,
    tenant: &str,
    at: i64,
    (keys, events): (Vec<&str>, Vec<&str>),
) -> QueryResult<usize> {
    insert_new(c, |c, conflict| {
        sql_query(format!(
            "INSERT INTO event_keys (tenant, key, event, at)
             SELECT $1, key, event, $2 FROM unnest($3, $4) AS new (key, event) {conflict}"
        ))
        .bind::<Text, _>(tenant)
        .bind::<BigInt, _>(at)
        .bind::<Array<Text>, _>(&keys)
        .bind::<Array<Text>, _>(&events)
        .execute(c)
    })
}

/// Inserts rows that are not there, as their writer knows; some may be there all the same. A statement that minds conflicts costs
/// nearly twice as much, since the server notes and confirms each row singly.
fn insert_new(
    c: &mut PgConnection,
    insert: impl Fn(&mut PgConnection, &str) -> QueryResult<usize>,
) -> QueryResult<usize> {
    match c.transaction(|c| insert(c, "")) {
        Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => insert(c, "ON CONFLICT DO NOTHING"),
        result => result,
    }
}

/// Those of `keys` that are in `event_keys`, with their events.
pub(crate) fn remembered(c: &mut PgConnection, tenant: &str, keys: &[&str]) -> QueryResult<BTreeMap<String, String>> {
    #[derive(QueryableByName)]
    struct Remembered {
        #[diesel(sql_type = Text)]
        key: String,
        #[diesel(sql_type = Text)]
        event: String,
    }
    let rows: Vec<Remembered> = sql_query(
        "SELECT found.key, found.event FROM unnest($2) AS wanted (key)
         CROSS JOIN LATERAL
           (SELECT key, event FROM event_keys WHERE tenant = $1 AND key = wanted.key LIMIT 1) AS found",
    )
    .bind::<Text, _>(tenant)
    .bind::<Array<Text>, _>(keys)
    .load(c)?;
    Ok(rows.into_iter().map(|row| (row.key, row.event)).collect())
}

/// Those rows of `records` that exist.
pub(crate) fn load_records<R>(
    c: &mut PgConnection,
    tenant: &str,
    kinds: Vec<&str>,
    ids: Vec<&str>,
) -> QueryResult<Vec<R>>
where
    R: QueryableByName<Pg> + 'static,
{
    sql_query(
        "SELECT found.kind, found.id, found.body, found.parked_since, found.asked, found.given_up, found.version
         FROM (SELECT DISTINCT kind, id FROM unnest($2, $3) AS keys (kind, id)) AS wanted
         CROSS JOIN LATERAL
           (SELECT * FROM records WHERE tenant = $1 AND kind = wanted.kind AND id = wanted.id LIMIT 1) AS found",
    )
    .bind::<Text, _>(tenant)
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Text>, _>(ids)
    .load(c)
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
    pub(crate) version: Vec<i64>,
}

/// Rows of `records`, new or changed; no key twice.
pub(crate) fn records(c: &mut PgConnection, tenant: &str, rows: Records<'_>) -> QueryResult<usize> {
    sql_query(
        "INSERT INTO records (tenant, kind, id, body, inside, parked_since, asked, given_up, version)
         SELECT $1, new.* FROM unnest($2, $3, $4, $5, $6, $7, $8, $9) AS new
         ON CONFLICT (tenant, kind, id) DO UPDATE SET body = excluded.body, inside = excluded.inside,
           parked_since = excluded.parked_since, asked = excluded.asked, given_up = excluded.given_up,
           version = excluded.version",
    )
    .bind::<Text, _>(tenant)
    .bind::<Array<Text>, _>(rows.kind)
    .bind::<Array<Text>, _>(rows.id)
    .bind::<Array<Text>, _>(rows.body)
    .bind::<Array<Nullable<Text>>, _>(rows.inside)
    .bind::<Array<Nullable<BigInt>>, _>(rows.parked_since)
    .bind::<Array<Bool>, _>(rows.asked)
    .bind::<Array<Bool>, _>(rows.given_up)
    .bind::<Array<BigInt>, _>(rows.version)
    .execute(c)
}

/// Notes in rows of `records`, which exist, that they were asked for.
pub(crate) fn mark_asked(c: &mut PgConnection, tenant: &str, kinds: Vec<&str>, ids: Vec<&str>) -> QueryResult<usize> {
    sql_query(
        // By place: nobody else writes rows of a tenant that is locked.
        "UPDATE records SET asked = TRUE WHERE ctid = ANY (ARRAY(
           SELECT found.ctid FROM unnest($2, $3) AS marked (kind, id)
           CROSS JOIN LATERAL
             (SELECT ctid FROM records r WHERE r.tenant = $1 AND r.kind = marked.kind AND r.id = marked.id LIMIT 1) AS found))",
    )
    .bind::<Text, _>(tenant)
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Text>, _>(ids)
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

/// Those of some ids for which somebody waits, each once.
pub(crate) fn awaited(c: &mut PgConnection, tenant: &str, kind: &str, ids: Vec<&str>) -> QueryResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct Awaited {
        #[diesel(sql_type = Text)]
        id: String,
    }
    let rows: Vec<Awaited> = sql_query(
        "SELECT wanted.id FROM unnest($3) AS wanted (id)
         CROSS JOIN LATERAL
           (SELECT 1 FROM waiting WHERE tenant = $1 AND on_kind = $2 AND on_id = wanted.id LIMIT 1) AS found",
    )
    .bind::<Text, _>(tenant)
    .bind::<Text, _>(kind)
    .bind::<Array<Text>, _>(ids)
    .load(c)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Those of some ids of which a pull has learned something, with what.
pub(crate) fn snapshot_rows(
    c: &mut PgConnection,
    tenant: &str,
    kind: &str,
    ids: Vec<&str>,
) -> QueryResult<Vec<(String, String)>> {
    #[derive(QueryableByName)]
    struct Learned {
        #[diesel(sql_type = Text)]
        id: String,
        #[diesel(sql_type = Text)]
        body: String,
    }
    let rows: Vec<Learned> = sql_query(
        "SELECT wanted.id, found.body FROM unnest($3) AS wanted (id)
         CROSS JOIN LATERAL
           (SELECT body FROM snapshot_rows WHERE tenant = $1 AND kind = $2 AND id = wanted.id LIMIT 1) AS found",
    )
    .bind::<Text, _>(tenant)
    .bind::<Text, _>(kind)
    .bind::<Array<Text>, _>(ids)
    .load(c)?;
    Ok(rows.into_iter().map(|row| (row.id, row.body)).collect())
}

/// Rows of `waiting` that are to be there.
pub(crate) fn wait(c: &mut PgConnection, tenant: &str, rows: &Waiting<'_>) -> QueryResult<usize> {
    insert_new(c, |c, conflict| {
        sql_query(format!(
            "INSERT INTO waiting (tenant, on_kind, on_id, kind, id, why)
             SELECT $1, new.* FROM unnest($2, $3, $4, $5, $6) AS new {conflict}"
        ))
        .bind::<Text, _>(tenant)
        .bind::<Array<Text>, _>(&rows.on_kind)
        .bind::<Array<Text>, _>(&rows.on_id)
        .bind::<Array<Text>, _>(&rows.kind)
        .bind::<Array<Text>, _>(&rows.id)
        .bind::<Array<Text>, _>(&rows.why)
        .execute(c)
    })
}

/// Rows of `waiting` that are to go: one statement, whatever they wait for.
pub(crate) fn wait_no_more(c: &mut PgConnection, tenant: &str, rows: Waiting<'_>) -> QueryResult<usize> {
    sql_query(
        // By place: nobody else writes rows of a tenant that is locked.
        "DELETE FROM waiting WHERE ctid = ANY (ARRAY(
           SELECT found.ctid FROM unnest($2, $3, $4, $5, $6) AS gone (on_kind, on_id, kind, id, why)
           CROSS JOIN LATERAL
             (SELECT ctid FROM waiting w WHERE w.tenant = $1 AND w.on_kind = gone.on_kind AND w.on_id = gone.on_id
                AND w.kind = gone.kind AND w.id = gone.id AND w.why = gone.why LIMIT 1) AS found))",
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

/// Ids, bodies and doubts of those rows of `taken` that exist.
pub(crate) fn taken(
    c: &mut PgConnection,
    (tenant, destination): (&str, &str),
    kind: &str,
    ids: Vec<&str>,
) -> QueryResult<Vec<(String, String, Option<String>)>> {
    #[derive(QueryableByName)]
    struct Taken {
        #[diesel(sql_type = Text)]
        id: String,
        #[diesel(sql_type = Text)]
        body: String,
        #[diesel(sql_type = Nullable<Text>)]
        doubt: Option<String>,
    }
    let rows: Vec<Taken> = sql_query(
        "SELECT found.id, found.body, found.doubt FROM unnest($4) AS wanted (id)
         CROSS JOIN LATERAL
           (SELECT id, body, doubt FROM taken
            WHERE tenant = $1 AND destination = $2 AND kind = $3 AND id = wanted.id LIMIT 1) AS found",
    )
    .bind::<Text, _>(tenant)
    .bind::<Text, _>(destination)
    .bind::<Text, _>(kind)
    .bind::<Array<Text>, _>(ids)
    .load(c)?;
    Ok(rows.into_iter().map(|row| (row.id, row.body, row.doubt)).collect())
}
