//! Taking away for good what was removed long ago.
//!
//! What refers to a row keeps it: what we know of by looking, tables of the product's own by their foreign keys. Who goes may
//! be all that kept another, so it is looked again as long as somebody goes.

use std::collections::{BTreeMap, BTreeSet};

use common::{EntityKey, EntityKind, UnixMillis};
use database::{Connection, on_backend};
use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};

use super::{
    Tables, apply, describe,
    known::{self, json},
    write::run,
};
use crate::{Links, Purged};

/// Statements about one kind of entity. Rows are pairs of an id and the time until which it must have been removed.
struct Statements {
    /// Which of these ids something refers to.
    referred: &'static str,
    delete: &'static str,
    empty: &'static str,
}

const MEMBERS: Statements = Statements {
    referred: "SELECT member_id AS id FROM core.attendance
        WHERE tenant_id = $1 AND member_id = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))
        UNION SELECT applicant_id FROM core.approvals
        WHERE tenant_id = $1 AND applicant_id = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))
        UNION SELECT member_id FROM core.member_departments
        WHERE tenant_id = $1 AND member_id = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))
        UNION SELECT manager_id FROM core.members
        WHERE tenant_id = $1 AND manager_id = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))
        UNION SELECT leader.value FROM core.departments, jsonb_array_elements_text(departments.leaders::jsonb) AS leader
        WHERE tenant_id = $1 AND leader.value = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))",
    delete: "DELETE FROM core.members
        WHERE tenant_id = $1 AND id = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))
            AND deleted_at <= (SELECT max(CAST(value ->> 1 AS bigint)) FROM jsonb_array_elements($2::jsonb))",
    // A name is nothing that could be null.
    empty: "UPDATE core.members SET name = '', mobile = NULL, email = NULL, title = NULL, gender = 'unknown',
            employee_number = NULL, main_department_id = NULL, manager_id = NULL, attributes = '{}'
        WHERE tenant_id = $1 AND id = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))
            AND deleted_at <= (SELECT max(CAST(value ->> 1 AS bigint)) FROM jsonb_array_elements($2::jsonb))",
};

const DEPARTMENTS: Statements = Statements {
    referred: "SELECT parent_id AS id FROM core.departments
        WHERE tenant_id = $1 AND parent_id = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))
        UNION SELECT main_department_id FROM core.members
        WHERE tenant_id = $1
            AND main_department_id = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))
        UNION SELECT department_id FROM core.member_departments
        WHERE tenant_id = $1 AND department_id = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))",
    delete: "DELETE FROM core.departments
        WHERE tenant_id = $1 AND id = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))
            AND deleted_at <= (SELECT max(CAST(value ->> 1 AS bigint)) FROM jsonb_array_elements($2::jsonb))",
    empty: "UPDATE core.departments SET leaders = '[]'
        WHERE tenant_id = $1 AND id = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))
            AND deleted_at <= (SELECT max(CAST(value ->> 1 AS bigint)) FROM jsonb_array_elements($2::jsonb))",
};

/// Purges within the open transaction: members first, who may be all that is in a department.
///
/// # Errors
/// What has nothing to do with any one row.
pub(super) fn purge(
    c: &mut Connection,
    tables: &Tables,
    keys: &[EntityKey],
    links: &Links,
    removed_until: UnixMillis,
) -> database::Result<Vec<Purged>> {
    tables.dialect.lock(c, &tables.tenant)?;
    let known = known::rows(c, tables, keys, links)?;
    let is_due = |deleted_at: Option<i64>| deleted_at.is_some_and(|at| at <= removed_until.0);
    let due = |kind: EntityKind| -> BTreeSet<String> {
        let rows = keys.iter().filter(|key| key.kind == kind && !key.is_root()).filter_map(|key| known.row(key));
        rows.filter(|row| is_due(row.deleted_at)).map(|row| row.id.clone()).collect()
    };
    let members = take_away(c, tables, &MEMBERS, due(EntityKind::Member), removed_until)?;
    let departments = take_away(c, tables, &DEPARTMENTS, due(EntityKind::Department), removed_until)?;
    let fate = |key: &EntityKey| {
        let fates = if key.kind == EntityKind::Member { &members } else { &departments };
        known.row(key).map_or(Purged::Gone, |row| fates.get(&row.id).cloned().unwrap_or(Purged::Kept))
    };
    Ok(keys.iter().map(fate).collect())
}

/// What became of each of these rows.
fn take_away(
    c: &mut Connection,
    tables: &Tables,
    statements: &Statements,
    mut due: BTreeSet<String>,
    removed_until: UnixMillis,
) -> database::Result<BTreeMap<String, Purged>> {
    let mut fates: BTreeMap<String, Purged> = BTreeMap::new();
    let mut held_back: BTreeSet<String> = BTreeSet::new();
    loop {
        let referred = referred(c, tables, statements.referred, &due)?;
        let is_free = |id: &&String| !referred.contains(&id.to_ascii_lowercase()) && !held_back.contains(*id);
        let free: BTreeSet<String> = due.iter().filter(is_free).cloned().collect();
        if free.is_empty() {
            break;
        }
        // The product's own tables are not known; what they refer to cannot be deleted.
        let refused = each(c, tables, statements.delete, &free, removed_until)?;
        for id in free {
            if refused.contains_key(&id) {
                held_back.insert(id);
            } else {
                due.remove(&id);
                fates.insert(id, Purged::Gone);
            }
        }
    }
    let mut refused = each(c, tables, statements.empty, &due, removed_until)?;
    for id in due {
        let fate = refused.remove(&id).map_or(Purged::Emptied, |reason| Purged::Refused { reason });
        fates.insert(id, fate);
    }
    Ok(fates)
}

/// Folded ids of those rows to which something refers.
fn referred(
    c: &mut Connection,
    tables: &Tables,
    sql: &str,
    ids: &BTreeSet<String>,
) -> database::Result<BTreeSet<String>> {
    #[derive(QueryableByName)]
    struct Referred {
        #[diesel(sql_type = Text)]
        id: String,
    }
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows: Vec<(&str,)> = ids.iter().map(|id| (id.as_str(),)).collect();
    let query =
        sql_query(tables.dialect.spell(sql)).bind::<Text, _>(tables.tenant.as_str()).bind::<Text, _>(json(&rows));
    let found: Vec<Referred> = on_backend!(c, c => query.load(c))?;
    Ok(found.into_iter().map(|row| row.id.to_ascii_lowercase()).collect())
}

/// Runs a statement on all of these rows, and one by one where that fails. Returns why some were refused.
fn each(
    c: &mut Connection,
    tables: &Tables,
    sql: &str,
    ids: &BTreeSet<String>,
    removed_until: UnixMillis,
) -> database::Result<BTreeMap<String, String>> {
    let mut refused = BTreeMap::new();
    let rows: Vec<(&str, i64)> = ids.iter().map(|id| (id.as_str(), removed_until.0)).collect();
    let Err(error) = c.transaction(|c| run(c, tables, sql, &rows)) else { return Ok(refused) };
    if !apply::is_about_rows(c, tables, &error) {
        return Err(error);
    }
    for (id, until) in rows {
        let Err(error) = c.transaction(|c| run(c, tables, sql, &[(id, until)])) else { continue };
        if !apply::is_about_rows(c, tables, &error) {
            return Err(error);
        }
        refused.insert(id.to_owned(), describe(&error));
    }
    Ok(refused)
}
