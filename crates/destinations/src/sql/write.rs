//! The statements that write. Each takes its rows as one JSON text, so its length does not depend on their number, and
//! is one round trip. None writes over a newer version.

use database::{Connection, on_backend};
use diesel::{RunQueryDsl, sql_query, sql_types::Text};
use serde::Serialize;

use super::{
    Tables, keep,
    known::json,
    papers,
    plan::{DepartmentWrite, Gone, MemberWrite, Segment},
    rename::rename,
};

pub(super) const DEPARTMENTS: &str = "INSERT INTO core.departments
        (tenant_id, id, parent_id, name, name_en, position, leaders, version, source_time, deleted_at)
    SELECT $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, CAST(value ->> 4 AS bigint), value -> 5,
        CAST(value ->> 6 AS bigint), CAST(value ->> 7 AS bigint), NULL
    FROM jsonb_array_elements($2::jsonb) WHERE true
    ON CONFLICT (tenant_id, id) DO UPDATE SET parent_id = excluded.parent_id, name = excluded.name,
        name_en = excluded.name_en, position = excluded.position, leaders = excluded.leaders,
        version = excluded.version, source_time = excluded.source_time, deleted_at = NULL
    WHERE coalesce(departments.version, 0) < excluded.version";

pub(super) const MEMBERS: &str = "INSERT INTO core.members
        (tenant_id, id, name, mobile, email, title, gender, status, employee_number, main_department_id, manager_id,
         attributes, version, source_time, deleted_at)
    SELECT $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
        value ->> 8, value ->> 9, value -> 10, CAST(value ->> 11 AS bigint), CAST(value ->> 12 AS bigint), NULL
    FROM jsonb_array_elements($2::jsonb) WHERE true
    ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name, mobile = excluded.mobile, email = excluded.email,
        title = excluded.title, gender = excluded.gender, status = excluded.status,
        employee_number = excluded.employee_number, main_department_id = excluded.main_department_id,
        manager_id = excluded.manager_id, attributes = excluded.attributes, version = excluded.version,
        source_time = excluded.source_time, deleted_at = NULL
    WHERE coalesce(members.version, 0) < excluded.version";

pub(super) const LEAVE_DEPARTMENTS: &str = "DELETE FROM core.member_departments
    WHERE tenant_id = $1 AND member_id = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))";

/// A platform that lists a department twice means it once.
pub(super) const JOIN_DEPARTMENTS: &str =
    "INSERT INTO core.member_departments (tenant_id, member_id, department_id, is_leader, position)
    SELECT $1, value ->> 0, value ->> 1, CAST(value ->> 2 AS boolean), CAST(value ->> 3 AS bigint)
    FROM jsonb_array_elements($2::jsonb) WHERE true ON CONFLICT DO NOTHING";

/// The rows to mark are read first, and bring the tenant along: else SQLite would go through all of the tenant's rows
/// and look for each among the marks.
pub(super) const GONE_MEMBERS: &str = "WITH gone AS MATERIALIZED
        (SELECT $1 AS tenant_id, value ->> 0 AS id, CAST(value ->> 1 AS bigint) AS version,
             CAST(value ->> 2 AS bigint) AS source_time
         FROM jsonb_array_elements($2::jsonb))
    UPDATE core.members SET status = 'left', version = gone.version, source_time = gone.source_time,
        deleted_at = gone.source_time
    FROM gone WHERE members.tenant_id = gone.tenant_id AND members.id = gone.id
        AND coalesce(members.version, 0) < gone.version";

pub(super) const GONE_DEPARTMENTS: &str = "WITH gone AS MATERIALIZED
        (SELECT $1 AS tenant_id, value ->> 0 AS id, CAST(value ->> 1 AS bigint) AS version,
             CAST(value ->> 2 AS bigint) AS source_time
         FROM jsonb_array_elements($2::jsonb))
    UPDATE core.departments SET version = gone.version, source_time = gone.source_time, deleted_at = gone.source_time
    FROM gone WHERE departments.tenant_id = gone.tenant_id AND departments.id = gone.id
        AND coalesce(departments.version, 0) < gone.version";

/// Writes one segment.
pub(super) fn segment(c: &mut Connection, tables: &Tables, segment: &Segment<'_>) -> database::Result<()> {
    rename(c, tables, &segment.renames)?;
    // Parents first. Any order would do, but SQLite looks through all that could refer to a new row while another waits
    // for its parent.
    let mut departments: Vec<_> = segment.departments.values().filter(|write| !write.keeps).collect();
    departments.sort_unstable_by_key(|write| write.version);
    let departments: Vec<_> = departments.into_iter().map(department).collect();
    run(c, tables, DEPARTMENTS, &departments)?;
    keep::departments(c, tables, segment)?;
    members(c, tables, segment)?;
    keep::members(c, tables, segment)?;
    let gone: Vec<_> = segment.gone_members.values().map(mark).collect();
    run(c, tables, GONE_MEMBERS, &gone)?;
    let gone: Vec<(&str,)> = segment.gone_members.values().map(|gone| (gone.id.as_str(),)).collect();
    run(c, tables, LEAVE_DEPARTMENTS, &gone)?;
    let gone: Vec<_> = segment.gone_departments.values().map(mark).collect();
    run(c, tables, GONE_DEPARTMENTS, &gone)?;
    segment.attendance.write(c, tables, &papers::ATTENDANCE)?;
    segment.approvals.write(c, tables, &papers::APPROVALS)
}

fn members(c: &mut Connection, tables: &Tables, segment: &Segment<'_>) -> database::Result<()> {
    let writes = || segment.members.values().filter(|write| !write.keeps);
    let rows: Vec<_> = writes().map(member).collect();
    run(c, tables, MEMBERS, &rows)?;
    let before: Vec<(&str,)> = writes().filter(|write| write.had_row).map(|write| (write.id.as_str(),)).collect();
    run(c, tables, LEAVE_DEPARTMENTS, &before)?;
    let memberships: Vec<_> = writes().flat_map(memberships).collect();
    run(c, tables, JOIN_DEPARTMENTS, &memberships)
}

/// The departments that a member is in: ids of rows, whether it leads it, and its place in the member's list.
pub(super) fn memberships<'a>(write: &'a MemberWrite<'_>) -> impl Iterator<Item = (&'a str, &'a str, i32, usize)> {
    let member_id = write.id.as_str();
    let departments = write.departments.iter().map(|(id, leads)| (&**id, i32::from(*leads)));
    departments.enumerate().map(move |(position, (id, leads))| (member_id, id, leads, position))
}

fn department<'a>(write: &'a DepartmentWrite<'_>) -> impl Serialize + use<'a> {
    let d = write.department;
    let (id, parent_id) = (write.id.as_str(), write.parent_id.as_deref());
    (id, parent_id, &d.name, &d.name_en, d.position, &write.leaders, write.version, write.source_time)
}

fn member<'a>(write: &'a MemberWrite<'_>) -> impl Serialize + use<'a> {
    let m = write.member;
    let person = (&write.id, &m.name, &m.mobile, &m.email, &m.title, &m.gender, &m.status, &m.employee_number);
    let (id, name, mobile, email, title, gender, status, number) = person;
    let (main, manager, version) = (write.main_department_id.as_deref(), &write.manager_id, write.version);
    (id, name, mobile, email, title, gender, status, number, main, manager, &m.attributes, version, write.source_time)
}

fn mark(gone: &Gone) -> (&str, i64, i64) {
    (&gone.id, gone.version, gone.source_time)
}

/// Runs a statement on some rows; none need none.
pub(super) fn run<T: Serialize>(c: &mut Connection, tables: &Tables, sql: &str, rows: &[T]) -> database::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    execute(c, tables, sql, &json(rows))
}

/// Whether all statements of every batch pass when there is nothing to write: then what failed had to do with rows.
/// Tables that are gone, missing rights and a server that only reads fail without rows too.
pub(super) fn passes_without_rows(c: &mut Connection, tables: &Tables) -> bool {
    let own = [DEPARTMENTS, MEMBERS, LEAVE_DEPARTMENTS, JOIN_DEPARTMENTS, GONE_MEMBERS, GONE_DEPARTMENTS];
    let mut every = own.iter().chain(&keep::STATEMENTS).chain(&papers::STATEMENTS);
    c.transaction(|c| every.try_for_each(|sql| execute(c, tables, sql, "[]"))).is_ok()
}

fn execute(c: &mut Connection, tables: &Tables, sql: &str, rows: &str) -> database::Result<()> {
    let query = sql_query(tables.dialect.spell(sql)).bind::<Text, _>(tables.tenant.as_str()).bind::<Text, _>(rows);
    on_backend!(c, c => query.execute(c))?;
    Ok(())
}
