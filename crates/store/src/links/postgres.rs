//! Links in PostgreSQL: whole columns, and one look by the key for each row, see `bulk`.

use common::EntityKey;
use diesel::{
    PgConnection, QueryResult, RunQueryDsl as _, sql_query,
    sql_types::{Array, BigInt, Text},
};

use super::{By, NewRow, Row};

/// Of which tenant and destination.
type Of<'a> = (&'a str, &'a str);

/// The links of entities, and those of rows whose ids are spelled like theirs. Every batch that goes to a core asks this.
pub(super) fn load(c: &mut PgConnection, of: Of<'_>, keys: &[EntityKey]) -> QueryResult<Vec<Row>> {
    let (kinds, ids): (Vec<&str>, Vec<&str>) = keys.iter().map(|key| (key.kind.as_str(), &*key.id)).unzip();
    sql_query(
        "WITH wanted AS (SELECT DISTINCT kind, id FROM unnest($3, $4) AS keys (kind, id))
         SELECT found.kind, found.platform_id, found.core_id, found.decided_by, found.since
         FROM wanted CROSS JOIN LATERAL
           (SELECT * FROM links WHERE tenant = $1 AND destination = $2 AND kind = wanted.kind
              AND platform_id = wanted.id LIMIT 1) AS found
         UNION
         SELECT found.kind, found.platform_id, found.core_id, found.decided_by, found.since
         FROM wanted CROSS JOIN LATERAL
           (SELECT * FROM links WHERE tenant = $1 AND destination = $2 AND kind = wanted.kind
              AND core_key = wanted.id LIMIT 1) AS found",
    )
    .bind::<Text, _>(of.0)
    .bind::<Text, _>(of.1)
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Text>, _>(ids)
    .load(c)
}

/// The links of entities or of rows.
pub(super) fn found(c: &mut PgConnection, of: Of<'_>, kind: &str, ids: Vec<&str>, by: By) -> QueryResult<Vec<Row>> {
    let column = match by {
        By::Entity => "platform_id",
        By::Row => "core_key",
    };
    sql_query(format!(
        "SELECT found.kind, found.platform_id, found.core_id, found.decided_by, found.since
         FROM (SELECT DISTINCT id FROM unnest($4) AS keys (id)) AS wanted CROSS JOIN LATERAL
           (SELECT * FROM links WHERE tenant = $1 AND destination = $2 AND kind = $3 AND {column} = wanted.id
              LIMIT 1) AS found"
    ))
    .bind::<Text, _>(of.0)
    .bind::<Text, _>(of.1)
    .bind::<Text, _>(kind)
    .bind::<Array<Text>, _>(ids)
    .load(c)
}

/// Rows that are not there.
pub(super) fn insert(c: &mut PgConnection, of: Of<'_>, rows: &[NewRow<'_>]) -> QueryResult<usize> {
    sql_query(
        "INSERT INTO links (tenant, destination, kind, platform_id, core_id, core_key, decided_by, since)
         SELECT $1, $2, new.* FROM unnest($3, $4, $5, $6, $7, $8) AS new",
    )
    .bind::<Text, _>(of.0)
    .bind::<Text, _>(of.1)
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.kind).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.platform_id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.core_id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.core_key.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.decided_by).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(rows.iter().map(|row| row.since).collect::<Vec<_>>())
    .execute(c)
}

/// The links of entities go. A row that somebody renames meanwhile is another entity's by then, and stays.
pub(super) fn remove(c: &mut PgConnection, of: Of<'_>, kind: &str, ids: Vec<&str>) -> QueryResult<usize> {
    sql_query(
        "DELETE FROM links WHERE ctid = ANY (ARRAY(
           SELECT found.ctid FROM unnest($4) AS wanted (id) CROSS JOIN LATERAL
             (SELECT ctid FROM links WHERE tenant = $1 AND destination = $2 AND kind = $3 AND platform_id = wanted.id
                LIMIT 1) AS found))
           AND platform_id = ANY ($4)",
    )
    .bind::<Text, _>(of.0)
    .bind::<Text, _>(of.1)
    .bind::<Text, _>(kind)
    .bind::<Array<Text>, _>(ids)
    .execute(c)
}
