//! Questions in PostgreSQL: whole columns as arrays, see `bulk`.

use std::collections::BTreeMap;

use common::{EntityKey, UnixMillis};
use diesel::{
    PgConnection, QueryResult, RunQueryDsl, sql_query,
    sql_types::{Array, BigInt, Integer, Text},
};
use directory::Why;

use super::{ANSWERS_LATER_BY_MILLIS, Row};

/// New questions; of those that are open the newer time counts, and any other reason than a hint.
pub(super) fn ask(
    c: &mut PgConnection,
    tenant: &str,
    now: i64,
    asked: &[(&EntityKey, (Why, UnixMillis))],
) -> QueryResult<usize> {
    let kinds: Vec<&str> = asked.iter().map(|(about, _)| about.kind.as_str()).collect();
    let ids: Vec<&str> = asked.iter().map(|(about, _)| &*about.id).collect();
    let whys: Vec<&str> = asked.iter().map(|(_, (why, _))| why.as_str()).collect();
    let times: Vec<i64> = asked.iter().map(|(_, (_, at))| at.0).collect();
    sql_query(
        "INSERT INTO questions (tenant, kind, id, why, asked_at, next_attempt, attempts, about_at)
         SELECT $1, new.kind, new.id, new.why, $2, $2, 0, new.about_at
         FROM unnest($3, $4, $5, $6) AS new (kind, id, why, about_at)
         ON CONFLICT (tenant, kind, id) DO UPDATE SET
           about_at = greatest(questions.about_at, excluded.about_at),
           absent_since = CASE WHEN questions.about_at < excluded.about_at THEN NULL ELSE questions.absent_since END,
           why = CASE WHEN questions.why = 'hint' THEN excluded.why ELSE questions.why END
           WHERE questions.about_at < excluded.about_at OR (questions.why = 'hint' AND excluded.why <> 'hint')",
    )
    .bind::<Text, _>(tenant)
    .bind::<BigInt, _>(now)
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Text>, _>(ids)
    .bind::<Array<Text>, _>(whys)
    .bind::<Array<BigInt>, _>(times)
    .execute(c)
}

/// Takes due questions. Those that somebody else is taking, or writing, at this moment are left out, so nobody waits for anybody.
pub(super) fn claim(
    c: &mut PgConnection,
    tenant: &str,
    kinds: Vec<&str>,
    (now, until): (i64, i64),
    limit: i64,
) -> QueryResult<Vec<Row>> {
    sql_query(
        "WITH due AS MATERIALIZED (
           SELECT kind, id FROM questions WHERE tenant = $1 AND next_attempt <= $2 AND kind = ANY ($5)
           ORDER BY next_attempt, kind, id LIMIT $3 FOR UPDATE SKIP LOCKED)
         UPDATE questions AS q SET next_attempt = $4 FROM due
         WHERE q.tenant = $1 AND q.kind = due.kind AND q.id = due.id
         RETURNING q.kind, q.id, q.why, q.about_at, q.asked_at, q.attempts, q.absent_since",
    )
    .bind::<Text, _>(tenant)
    .bind::<BigInt, _>(now)
    .bind::<BigInt, _>(limit)
    .bind::<BigInt, _>(until)
    .bind::<Array<Text>, _>(kinds)
    .load(c)
}

/// Closes the questions whose answers are late enough. One that is being claimed at this very moment may be missed: then it is
/// asked once more.
pub(super) fn close(
    c: &mut PgConnection,
    tenant: &str,
    answers: &BTreeMap<&EntityKey, UnixMillis>,
) -> QueryResult<usize> {
    let (kinds, ids, times) = columns(answers);
    sql_query(
        "DELETE FROM questions WHERE ctid = ANY (ARRAY(
           SELECT found.ctid FROM unnest($2, $3, $4) AS answer (kind, id, told_at)
           CROSS JOIN LATERAL
             (SELECT q.ctid, q.about_at FROM questions q
              WHERE q.tenant = $1 AND q.kind = answer.kind AND q.id = answer.id LIMIT 1) AS found
           WHERE found.about_at <= answer.told_at - $5))",
    )
    .bind::<Text, _>(tenant)
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Text>, _>(ids)
    .bind::<Array<BigInt>, _>(times)
    .bind::<BigInt, _>(ANSWERS_LATER_BY_MILLIS)
    .execute(c)
}

/// Puts questions off, each to a time.
pub(super) fn postpone(
    c: &mut PgConnection,
    tenant: &str,
    later: &BTreeMap<&EntityKey, UnixMillis>,
    attempts: i32,
) -> QueryResult<usize> {
    let (kinds, ids, times) = columns(later);
    sql_query(
        "UPDATE questions AS q SET next_attempt = new.next_attempt, attempts = q.attempts + $5
         FROM unnest($2, $3, $4) AS new (kind, id, next_attempt)
         WHERE q.tenant = $1 AND q.kind = new.kind AND q.id = new.id",
    )
    .bind::<Text, _>(tenant)
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Text>, _>(ids)
    .bind::<Array<BigInt>, _>(times)
    .bind::<Integer, _>(attempts)
    .execute(c)
}

fn columns<'a>(times: &BTreeMap<&'a EntityKey, UnixMillis>) -> (Vec<&'static str>, Vec<&'a str>, Vec<i64>) {
    let kinds = times.keys().map(|about| about.kind.as_str()).collect();
    let ids = times.keys().map(|about| &*about.id).collect();
    let times = times.values().map(|at| at.0).collect();
    (kinds, ids, times)
}
