//! What is in the tables already.

use std::collections::{BTreeSet, HashMap};

use common::EntityKey;
use database::{Connection, on_backend};
use diesel::{
    QueryableByName, RunQueryDsl, sql_query,
    sql_types::{BigInt, Text},
};
use serde::Serialize;

use super::{
    Tables,
    wanted::{Content, Wanted},
};

/// A member's row: its id as written there, and the version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MemberRow {
    pub(super) id: String,
    pub(super) version: i64,
}

/// The rows that a batch is about or refers to.
#[derive(Default)]
pub(super) struct Known {
    /// By folded id.
    pub(super) members: HashMap<String, MemberRow>,
    /// Versions by id.
    pub(super) departments: HashMap<String, i64>,
}

impl Known {
    /// The id by which a member is to be referred to: that of its row, or the folded one as long as it has none.
    pub(super) fn member_id(&self, folded: &str) -> String {
        self.members.get(folded).map_or_else(|| folded.to_owned(), |row| row.id.clone())
    }

    /// Whether the entity has a row.
    pub(super) fn has(&self, key: &EntityKey) -> bool {
        match key.kind {
            common::EntityKind::Department => self.departments.contains_key(&*key.id),
            common::EntityKind::Member => self.members.contains_key(&*key.id),
            common::EntityKind::Callback => true,
        }
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

/// A product may have rows of its own without a version, and versions in a narrower type.
pub(super) const DEPARTMENTS: &str = "SELECT id, CAST(coalesce(version, 0) AS bigint) AS version FROM core.departments
    WHERE tenant_id = $1 AND id = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))";

const HIGHEST_VERSION: &str = "SELECT CAST(coalesce(max(version), 0) AS bigint) AS version FROM (
        SELECT max(version) AS version FROM core.departments WHERE tenant_id = $1
        UNION ALL SELECT max(version) FROM core.members WHERE tenant_id = $1
        UNION ALL SELECT max(version) FROM core.attendance WHERE tenant_id = $1
        UNION ALL SELECT max(version) FROM core.approvals WHERE tenant_id = $1) AS versions";

/// Reads the rows of the entities that a batch is about, and of the members that it names as leaders.
pub(super) fn load(c: &mut Connection, tables: &Tables, batch: &[Wanted]) -> database::Result<Known> {
    let mut members: BTreeSet<&str> = BTreeSet::new();
    let mut departments: BTreeSet<&str> = BTreeSet::new();
    for wanted in batch {
        match wanted.key.kind {
            common::EntityKind::Department => departments.insert(&wanted.key.id),
            common::EntityKind::Member => members.insert(&wanted.key.id),
            common::EntityKind::Callback => continue,
        };
        match &wanted.content {
            Content::Department(department) => members.extend(department.leaders.iter().map(String::as_str)),
            Content::Member(member) => {
                members.extend(member.renamed_from.as_deref());
                members.extend(member.manager_id.as_deref());
            }
            Content::Gone | Content::Nothing => {}
        }
    }
    rows(c, tables, &members, &departments)
}

/// The first thing that a change refers to and that has no row.
pub(super) fn missing(c: &mut Connection, tables: &Tables, wanted: &Wanted) -> database::Result<Option<EntityKey>> {
    let of = |kind| wanted.refers_to.iter().filter(move |key| key.kind == kind).map(|key| &*key.id).collect();
    let known = rows(c, tables, &of(common::EntityKind::Member), &of(common::EntityKind::Department))?;
    Ok(wanted.refers_to.iter().find(|key| !known.has(key)).cloned())
}

/// Whether the tables can be read.
pub(super) fn probe(c: &mut Connection, tables: &Tables) -> database::Result<()> {
    let root = [common::ROOT_DEPARTMENT].into();
    rows(c, tables, &BTreeSet::new(), &root).map(drop)
}

/// The highest version of the tenant in any of the tables.
pub(super) fn highest_version(c: &mut Connection, tables: &Tables) -> database::Result<u64> {
    #[derive(QueryableByName)]
    struct Highest {
        #[diesel(sql_type = BigInt)]
        version: i64,
    }
    let query = sql_query(tables.dialect.spell(HIGHEST_VERSION)).bind::<Text, _>(tables.tenant.as_str());
    let highest: Highest = on_backend!(c, c => query.get_result(c))?;
    Ok(u64::try_from(highest.version).unwrap_or_default())
}

fn rows(
    c: &mut Connection,
    tables: &Tables,
    members: &BTreeSet<&str>,
    departments: &BTreeSet<&str>,
) -> database::Result<Known> {
    let member =
        |row: Row| (EntityKey::member(&row.id).id.as_ref().to_owned(), MemberRow { id: row.id, version: row.version });
    Ok(Known {
        members: select(c, tables, tables.dialect.members(), members)?.into_iter().map(member).collect(),
        departments: select(c, tables, DEPARTMENTS, departments)?
            .into_iter()
            .map(|row| (row.id, row.version))
            .collect(),
    })
}

fn select(c: &mut Connection, tables: &Tables, sql: &str, ids: &BTreeSet<&str>) -> database::Result<Vec<Row>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(&str,)> = ids.iter().map(|id| (*id,)).collect();
    let query =
        sql_query(tables.dialect.spell(sql)).bind::<Text, _>(tables.tenant.as_str()).bind::<Text, _>(json(&rows));
    Ok(on_backend!(c, c => query.load(c))?)
}

/// Rows as the JSON text that statements take.
pub(super) fn json<T: Serialize>(rows: &[T]) -> String {
    // Texts, numbers, lists and maps with text keys: JSON can say all of them.
    serde_json::to_string(rows).unwrap_or_default()
}
