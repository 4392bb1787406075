//! Reading what a product holds, its own rows included. Nothing is required of those but the columns.

use std::collections::{BTreeMap, HashMap};

use common::{ROOT_DEPARTMENT, UnixMillis};
use database::{Connection, on_backend};
use diesel::{
    QueryableByName, RunQueryDsl, sql_query,
    sql_types::{BigInt, Integer, Nullable, Text},
};
use serde_json::Value;

use super::{Tables, known::json};
use crate::{CoreDepartment, CoreMember, Counts, Membership};

const DEPARTMENTS: &str = "SELECT id, parent_id, coalesce(name, '') AS name, name_en,
        CAST(position AS bigint) AS position, CAST(leaders AS text) AS leaders,
        CAST(coalesce(version, 0) AS bigint) AS version, CAST(source_time AS bigint) AS source_time,
        CAST(deleted_at AS bigint) AS deleted_at
    FROM core.departments WHERE tenant_id = $1 AND ";

const MEMBERS: &str = "SELECT id, coalesce(name, '') AS name, mobile, email, title, gender, status, employee_number,
        main_department_id, manager_id, CAST(attributes AS text) AS attributes,
        CAST(coalesce(version, 0) AS bigint) AS version, CAST(source_time AS bigint) AS source_time,
        CAST(deleted_at AS bigint) AS deleted_at
    FROM core.members WHERE tenant_id = $1 AND ";

const MEMBERSHIPS: &str = "SELECT member_id, department_id, coalesce(CAST(is_leader AS integer), 0) AS is_leader,
        CAST(coalesce(position, 0) AS bigint) AS position
    FROM core.member_departments
    WHERE tenant_id = $1 AND member_id = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))
    ORDER BY 4, 2";

const COUNT: &str = "SELECT
        (SELECT count(*) FROM core.departments WHERE tenant_id = $1 AND id <> $2) AS departments,
        (SELECT count(*) FROM core.members WHERE tenant_id = $1) AS members";

/// Which rows to read.
pub(super) enum Part {
    /// The next ones after an id, in the database's own order of ids, so that its index serves.
    After { id: Option<String>, limit: usize },
    /// Those with these ids.
    Ids(Vec<String>),
}

impl Part {
    /// The condition, the text that is its second parameter, and how many rows there are at most.
    fn condition(&self) -> (&'static str, String, i64) {
        match self {
            Self::After { id: None, limit } => ("id >= $2 ORDER BY id LIMIT $3", String::new(), most(*limit)),
            Self::After { id: Some(id), limit } => ("id > $2 ORDER BY id LIMIT $3", id.clone(), most(*limit)),
            Self::Ids(ids) => {
                let ids: Vec<(&str,)> = ids.iter().map(|id| (id.as_str(),)).collect();
                let those = "id = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))
                    ORDER BY id LIMIT $3";
                (those, json(&ids), i64::MAX)
            }
        }
    }
}

fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[derive(QueryableByName)]
struct DepartmentRow {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Nullable<Text>)]
    parent_id: Option<String>,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    name_en: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    position: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    leaders: Option<String>,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    source_time: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    deleted_at: Option<i64>,
}

#[derive(QueryableByName)]
struct MemberRow {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    mobile: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    email: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    title: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    gender: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    status: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    employee_number: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    main_department_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    manager_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    attributes: Option<String>,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    source_time: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    deleted_at: Option<i64>,
}

#[derive(QueryableByName)]
struct MembershipRow {
    #[diesel(sql_type = Text)]
    member_id: String,
    #[diesel(sql_type = Text)]
    department_id: String,
    #[diesel(sql_type = Integer)]
    is_leader: i32,
    #[diesel(sql_type = BigInt)]
    position: i64,
}

/// Reads departments.
pub(super) fn departments(c: &mut Connection, tables: &Tables, part: &Part) -> database::Result<Vec<CoreDepartment>> {
    let (condition, parameter, limit) = part.condition();
    let query = sql_query(tables.dialect.spell(&format!("{DEPARTMENTS}{condition}")))
        .bind::<Text, _>(tables.tenant.as_str())
        .bind::<Text, _>(parameter)
        .bind::<BigInt, _>(limit);
    let rows: Vec<DepartmentRow> = on_backend!(c, c => query.load(c))?;
    Ok(rows.into_iter().map(DepartmentRow::read).collect())
}

/// Reads members with their departments.
pub(super) fn members(c: &mut Connection, tables: &Tables, part: &Part) -> database::Result<Vec<CoreMember>> {
    let (condition, parameter, limit) = part.condition();
    let query = sql_query(tables.dialect.spell(&format!("{MEMBERS}{condition}")))
        .bind::<Text, _>(tables.tenant.as_str())
        .bind::<Text, _>(parameter)
        .bind::<BigInt, _>(limit);
    let rows: Vec<MemberRow> = on_backend!(c, c => query.load(c))?;
    let mut departments = memberships(c, tables, &rows)?;
    let theirs = |row: MemberRow| {
        let departments = departments.remove(&row.id.to_ascii_lowercase()).unwrap_or_default();
        row.read(departments)
    };
    Ok(rows.into_iter().map(theirs).collect())
}

/// The departments of these members, by folded id of the member: SQLite's rows may spell it otherwise.
fn memberships(
    c: &mut Connection,
    tables: &Tables,
    members: &[MemberRow],
) -> database::Result<HashMap<String, Vec<Membership>>> {
    let ids: Vec<(&str,)> = members.iter().map(|row| (row.id.as_str(),)).collect();
    let query = sql_query(tables.dialect.spell(MEMBERSHIPS))
        .bind::<Text, _>(tables.tenant.as_str())
        .bind::<Text, _>(json(&ids));
    let rows: Vec<MembershipRow> = on_backend!(c, c => query.load(c))?;
    let mut found: HashMap<String, Vec<Membership>> = HashMap::new();
    for MembershipRow { member_id, department_id, is_leader, position } in rows {
        let membership = Membership { department_id, is_leader: is_leader != 0, position };
        found.entry(member_id.to_ascii_lowercase()).or_default().push(membership);
    }
    Ok(found)
}

/// Counts the tenant's rows.
pub(super) fn count(c: &mut Connection, tables: &Tables) -> database::Result<Counts> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = BigInt)]
        departments: i64,
        #[diesel(sql_type = BigInt)]
        members: i64,
    }
    let query =
        sql_query(tables.dialect.spell(COUNT)).bind::<Text, _>(tables.tenant.as_str()).bind::<Text, _>(ROOT_DEPARTMENT);
    let found: Found = on_backend!(c, c => query.get_result(c))?;
    let unsigned = |count: i64| u64::try_from(count).unwrap_or_default();
    Ok(Counts { departments: unsigned(found.departments), members: unsigned(found.members) })
}

impl DepartmentRow {
    fn read(self) -> CoreDepartment {
        CoreDepartment {
            id: self.id,
            parent_id: self.parent_id,
            name: self.name,
            name_en: self.name_en,
            position: self.position,
            leaders: texts(self.leaders),
            version: u64::try_from(self.version).unwrap_or_default(),
            source_time: self.source_time.map(UnixMillis),
            deleted_at: self.deleted_at.map(UnixMillis),
        }
    }
}

impl MemberRow {
    fn read(self, departments: Vec<Membership>) -> CoreMember {
        CoreMember {
            id: self.id,
            name: self.name,
            mobile: self.mobile,
            email: self.email,
            title: self.title,
            gender: self.gender,
            status: self.status,
            employee_number: self.employee_number,
            main_department_id: self.main_department_id,
            manager_id: self.manager_id,
            attributes: texts_by_name(self.attributes),
            departments,
            version: u64::try_from(self.version).unwrap_or_default(),
            source_time: self.source_time.map(UnixMillis),
            deleted_at: self.deleted_at.map(UnixMillis),
        }
    }
}

/// A JSON list; what is none says nothing.
fn texts(list: Option<String>) -> Vec<String> {
    let list: Vec<Value> = list.and_then(|list| serde_json::from_str(&list).ok()).unwrap_or_default();
    list.into_iter().map(text).collect()
}

/// A JSON object; what is none says nothing.
fn texts_by_name(object: Option<String>) -> BTreeMap<String, String> {
    let object: BTreeMap<String, Value> =
        object.and_then(|object| serde_json::from_str(&object).ok()).unwrap_or_default();
    object.into_iter().map(|(name, value)| (name, text(value))).collect()
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}
