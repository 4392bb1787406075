//! What is in the tables already, and whose it is.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
};

use common::{EntityKey, EntityKind};
use database::{Connection, on_backend};
use diesel::{
    QueryableByName, RunQueryDsl, sql_query,
    sql_types::{BigInt, Nullable, Text},
};
use serde::Serialize;

use super::{
    Tables,
    wanted::{Content, Member, Wanted},
};
use crate::Links;

/// A row, as far as decisions need it.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub(super) struct Row {
    /// As it is written there.
    #[diesel(sql_type = Text)]
    pub(super) id: String,
    #[diesel(sql_type = BigInt)]
    pub(super) version: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(super) deleted_at: Option<i64>,
    /// Of a member.
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) main_department_id: Option<String>,
}

/// The rows that a batch is about or refers to.
pub(super) struct Known {
    pub(super) links: Links,
    /// By folded id of the row. Databases fold the letters A to Z.
    members: HashMap<String, Row>,
    /// By id of the row.
    departments: HashMap<String, Row>,
}

impl Known {
    /// The row of a department or member: the linked one, else the one with its id, unless that is another's. Of nothing else is it
    /// known whether there is one.
    pub(super) fn row(&self, key: &EntityKey) -> Option<&Row> {
        let linked = self.links.core_id(key);
        if linked.is_none() && self.links.is_taken(key.kind, &key.id) {
            return None;
        }
        match key.kind {
            EntityKind::Department => self.departments.get(linked.unwrap_or(&key.id)),
            EntityKind::Member => match linked {
                Some(row) => self.members.get(&row.to_ascii_lowercase()),
                None => self.members.get(&*key.id),
            },
            _ => None,
        }
    }

    /// A row is there now, or looks like this now.
    pub(super) fn put(&mut self, kind: EntityKind, row: Row) {
        match kind {
            EntityKind::Department => drop(self.departments.insert(row.id.clone(), row)),
            EntityKind::Member => drop(self.members.insert(row.id.to_ascii_lowercase(), row)),
            _ => {}
        }
    }

    /// A member's row is there no more under this id: it goes on under another one, or goes into the one that has that.
    pub(super) fn move_member(&mut self, from: &str, to: &str) {
        if let Some(row) = self.members.remove(&from.to_ascii_lowercase()) {
            let moved = Row { id: to.to_owned(), ..row };
            self.members.entry(to.to_ascii_lowercase()).or_insert(moved);
        }
    }

    /// Whether the row was there before us, so that what the source does not tell of it stays. One that was removed comes back as
    /// somebody new.
    pub(super) fn keeps(&self, key: &EntityKey) -> bool {
        let is_linked = self.links.core_id(key).is_some();
        is_linked && self.row(key).is_some_and(|row| row.version == 0 || row.deleted_at.is_none())
    }

    /// The id of a department's row, there or not.
    pub(super) fn department_id<'a>(&self, id: &'a str) -> Cow<'a, str> {
        match self.links.linked(EntityKind::Department, id) {
            Some(row) => Cow::Owned(row.to_owned()),
            None => Cow::Borrowed(id),
        }
    }

    /// The id by which a member is to be referred to: that of its row, or its own as long as it has none. `None` when that is
    /// another's.
    pub(super) fn member_id(&self, id: &str) -> Option<String> {
        let (row, otherwise) = match self.links.linked(EntityKind::Member, id) {
            Some(linked) => (self.members.get(&linked.to_ascii_lowercase()), linked),
            None if self.links.is_taken(EntityKind::Member, id) => return None,
            None => (self.members.get(id), id),
        };
        Some(row.map_or(otherwise, |row| row.id.as_str()).to_owned())
    }

    /// The id that a member's new row gets.
    pub(super) fn new_member_id(&self, key: &EntityKey, member: &Member) -> String {
        self.links.core_id(key).unwrap_or_else(|| member.row_id(key)).to_owned()
    }
}

/// A product may have rows of its own without a version, and versions in a narrower type.
pub(super) const DEPARTMENTS: &str = "SELECT id, CAST(coalesce(version, 0) AS bigint) AS version,
        CAST(deleted_at AS bigint) AS deleted_at, CAST(NULL AS text) AS main_department_id
    FROM core.departments
    WHERE tenant_id = $1 AND id = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))";

const HIGHEST_VERSION: &str = "SELECT CAST(coalesce(max(version), 0) AS bigint) AS version FROM (
        SELECT max(version) AS version FROM core.departments WHERE tenant_id = $1
        UNION ALL SELECT max(version) FROM core.members WHERE tenant_id = $1
        UNION ALL SELECT max(version) FROM core.attendance WHERE tenant_id = $1
        UNION ALL SELECT max(version) FROM core.approvals WHERE tenant_id = $1) AS versions";

/// Ids to look for.
struct Ids<'a> {
    links: &'a Links,
    members: BTreeSet<Cow<'a, str>>,
    departments: BTreeSet<Cow<'a, str>>,
}

impl<'a> Ids<'a> {
    const fn new(links: &'a Links) -> Self {
        Self { links, members: BTreeSet::new(), departments: BTreeSet::new() }
    }

    /// An entity's own id, and that of the row that it is linked with. The own one too: after a rename within the batch, the link
    /// may be another's.
    fn add(&mut self, kind: EntityKind, id: &'a str) {
        let linked = self.links.linked(kind, id);
        match kind {
            EntityKind::Department => {
                self.departments.insert(Cow::Borrowed(id));
                self.departments.extend(linked.map(Cow::Borrowed));
            }
            EntityKind::Member => {
                self.members.insert(Cow::Borrowed(id));
                self.members.extend(linked.map(|row| Cow::Owned(row.to_ascii_lowercase())));
            }
            _ => {}
        }
    }

    fn select(&self, c: &mut Connection, tables: &Tables) -> database::Result<Known> {
        let members = select(c, tables, tables.dialect.members(), &self.members)?;
        let departments = select(c, tables, DEPARTMENTS, &self.departments)?;
        Ok(Known {
            links: self.links.clone(),
            members: members.into_iter().map(|row| (row.id.to_ascii_lowercase(), row)).collect(),
            departments: departments.into_iter().map(|row| (row.id.clone(), row)).collect(),
        })
    }
}

/// Reads the rows of the departments and members that a batch is about, and of the members that it names as leaders or as whose an
/// attendance record or approval is.
pub(super) fn load(c: &mut Connection, tables: &Tables, batch: &[Wanted], links: &Links) -> database::Result<Known> {
    let mut ids = Ids::new(links);
    for wanted in batch {
        ids.add(wanted.key.kind, &wanted.key.id);
        match &wanted.content {
            Content::Department(department) => {
                department.leaders.iter().for_each(|leader| ids.add(EntityKind::Member, leader));
            }
            Content::Member(member) => {
                let former = member.renamed_from.as_ref().map(|key| &*key.id);
                former.into_iter().chain(member.manager_id.as_deref()).for_each(|id| ids.add(EntityKind::Member, id));
            }
            Content::Attendance(paper) | Content::Approval(paper) => {
                paper.member.iter().for_each(|member| ids.add(member.kind, &member.id));
            }
            Content::Gone | Content::Nothing => {}
        }
    }
    ids.select(c, tables)
}

/// Reads the rows of some entities.
pub(super) fn rows(c: &mut Connection, tables: &Tables, keys: &[EntityKey], links: &Links) -> database::Result<Known> {
    let mut ids = Ids::new(links);
    keys.iter().for_each(|key| ids.add(key.kind, &key.id));
    ids.select(c, tables)
}

/// The first thing that a change refers to and that has no row.
pub(super) fn missing(
    c: &mut Connection,
    tables: &Tables,
    wanted: &Wanted,
    links: &Links,
) -> database::Result<Option<EntityKey>> {
    let known = rows(c, tables, &wanted.refers_to, links)?;
    let is_there = |key: &EntityKey| !key.kind.is_directory() || known.row(key).is_some();
    Ok(wanted.refers_to.iter().find(|key| !is_there(key)).cloned())
}

/// Whether the tables can be read.
pub(super) fn probe(c: &mut Connection, tables: &Tables) -> database::Result<()> {
    rows(c, tables, &[EntityKey::department(common::ROOT_DEPARTMENT)], &Links::default()).map(drop)
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

fn select(c: &mut Connection, tables: &Tables, sql: &str, ids: &BTreeSet<Cow<'_, str>>) -> database::Result<Vec<Row>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(&str,)> = ids.iter().map(|id| (&**id,)).collect();
    let query =
        sql_query(tables.dialect.spell(sql)).bind::<Text, _>(tables.tenant.as_str()).bind::<Text, _>(json(&rows));
    Ok(on_backend!(c, c => query.load(c))?)
}

/// Rows as the JSON text that statements take.
pub(super) fn json<T: Serialize>(rows: &[T]) -> String {
    // Texts, numbers, lists and maps with text keys: JSON can say all of them.
    serde_json::to_string(rows).unwrap_or_default()
}
