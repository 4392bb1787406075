//! Rows that the product had before us: what the source does not tell of them stays as it is, and so does what else the product
//! has in them. They are updated and never inserted, so columns that the product must have filled are no hindrance.

use std::collections::{BTreeMap, BTreeSet};

use common::{Field, NAMED_ATTRIBUTES};
use database::Connection;
use serde_json::{Value, json};

use super::{
    Tables,
    plan::{DepartmentWrite, MemberWrite, Segment},
    write::{memberships, run},
};

/// Each row is an object; what it does not name stays.
const DEPARTMENTS: &str = "WITH kept AS MATERIALIZED
        (SELECT $1 AS tenant_id, value ->> 'id' AS id, CAST(value ->> 'version' AS bigint) AS version,
             CAST(value ->> 'source_time' AS bigint) AS source_time, value AS told
         FROM jsonb_array_elements($2::jsonb))
    UPDATE core.departments SET version = kept.version, source_time = kept.source_time, deleted_at = NULL,
        parent_id = CASE WHEN told -> 'parent_id' IS NULL THEN departments.parent_id ELSE told ->> 'parent_id' END,
        name = CASE WHEN told -> 'name' IS NULL THEN departments.name ELSE told ->> 'name' END,
        name_en = CASE WHEN told -> 'name_en' IS NULL THEN departments.name_en ELSE told ->> 'name_en' END,
        position = CASE WHEN told -> 'position' IS NULL THEN departments.position
            ELSE CAST(told ->> 'position' AS bigint) END,
        leaders = CASE WHEN told -> 'leaders' IS NULL THEN departments.leaders::jsonb ELSE told -> 'leaders' END
    FROM kept WHERE departments.tenant_id = kept.tenant_id AND departments.id = kept.id
        AND coalesce(departments.version, 0) < kept.version";

/// The same. Attributes are added one by one; whoever comes back has not left.
const MEMBERS: &str = "WITH kept AS MATERIALIZED
        (SELECT $1 AS tenant_id, value ->> 'id' AS id, CAST(value ->> 'version' AS bigint) AS version,
             CAST(value ->> 'source_time' AS bigint) AS source_time, value AS told
         FROM jsonb_array_elements($2::jsonb))
    UPDATE core.members SET version = kept.version, source_time = kept.source_time, deleted_at = NULL,
        name = CASE WHEN told -> 'name' IS NULL THEN members.name ELSE told ->> 'name' END,
        mobile = CASE WHEN told -> 'mobile' IS NULL THEN members.mobile ELSE told ->> 'mobile' END,
        email = CASE WHEN told -> 'email' IS NULL THEN members.email ELSE told ->> 'email' END,
        title = CASE WHEN told -> 'title' IS NULL THEN members.title ELSE told ->> 'title' END,
        gender = CASE WHEN told -> 'gender' IS NULL THEN members.gender ELSE told ->> 'gender' END,
        status = CASE WHEN told -> 'status' IS NOT NULL THEN told ->> 'status'
            WHEN members.status = 'left' THEN 'active' ELSE coalesce(members.status, 'active') END,
        employee_number = CASE WHEN told -> 'employee_number' IS NULL THEN members.employee_number
            ELSE told ->> 'employee_number' END,
        main_department_id = CASE WHEN told -> 'main_department_id' IS NULL THEN members.main_department_id
            ELSE told ->> 'main_department_id' END,
        manager_id = CASE WHEN told -> 'manager_id' IS NULL THEN members.manager_id ELSE told ->> 'manager_id' END,
        attributes = CASE jsonb_typeof(members.attributes::jsonb) WHEN 'object' THEN members.attributes::jsonb ELSE '{}' END \
         || (told -> 'attributes')
    FROM kept WHERE members.tenant_id = kept.tenant_id AND members.id = kept.id
        AND coalesce(members.version, 0) < kept.version";

/// Rows are pairs of a member and a department that it is in, or null when it is in none.
const LEAVE_OTHERS: &str = "DELETE FROM core.member_departments
    WHERE tenant_id = $1 AND member_id = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))
        AND (member_id, department_id) NOT IN
            (SELECT value ->> 0, value ->> 1 FROM jsonb_array_elements($2::jsonb) WHERE value ->> 1 IS NOT NULL)";

/// No pair twice.
const STAY_OR_JOIN: &str =
    "INSERT INTO core.member_departments (tenant_id, member_id, department_id, is_leader, position)
    SELECT $1, value ->> 0, value ->> 1, CAST(value ->> 2 AS boolean), CAST(value ->> 3 AS bigint)
    FROM jsonb_array_elements($2::jsonb) WHERE true
    ON CONFLICT (tenant_id, member_id, department_id)
        DO UPDATE SET is_leader = excluded.is_leader, position = excluded.position";

/// All of them.
pub(super) const STATEMENTS: [&str; 4] = [DEPARTMENTS, MEMBERS, LEAVE_OTHERS, STAY_OR_JOIN];

/// A row as these statements take it.
type Columns = BTreeMap<&'static str, Value>;

/// Writes the departments of a segment that keep what is not told.
pub(super) fn departments(c: &mut Connection, tables: &Tables, segment: &Segment<'_>) -> database::Result<()> {
    let rows: Vec<Columns> = segment.departments.values().filter(|write| write.keeps).map(department).collect();
    run(c, tables, DEPARTMENTS, &rows)
}

/// Writes the members of a segment that keep what is not told.
pub(super) fn members(c: &mut Connection, tables: &Tables, segment: &Segment<'_>) -> database::Result<()> {
    let writes = || segment.members.values().filter(|write| write.keeps);
    let rows: Vec<Columns> = writes().map(member).collect();
    run(c, tables, MEMBERS, &rows)?;
    let moves = || writes().filter(|write| write.member.told.has(Field::Departments));
    let mut pairs: Vec<(&str, Option<&str>)> = moves().map(|write| (write.id.as_str(), None)).collect();
    pairs.extend(moves().flat_map(memberships).map(|(member, department, ..)| (member, Some(department))));
    run(c, tables, LEAVE_OTHERS, &pairs)?;
    let mut seen = BTreeSet::new();
    let stays = moves().flat_map(memberships).filter(|(member, department, ..)| seen.insert((*member, *department)));
    let stays: Vec<_> = stays.collect();
    run(c, tables, STAY_OR_JOIN, &stays)
}

fn department(write: &DepartmentWrite<'_>) -> Columns {
    let d = write.department;
    let told = |field, value| d.told.has(field).then_some(value);
    let columns = [
        ("id", Some(json!(write.id))),
        ("version", Some(json!(write.version))),
        ("source_time", Some(json!(write.source_time))),
        ("parent_id", told(Field::Parent, json!(write.parent_id))),
        ("name", told(Field::Name, json!(d.name))),
        ("name_en", told(Field::NameEn, json!(d.name_en))),
        ("position", told(Field::Order, json!(d.position))),
        ("leaders", told(Field::Leaders, json!(write.leaders))),
    ];
    only_told(columns)
}

fn member(write: &MemberWrite<'_>) -> Columns {
    let m = write.member;
    let told = |field, value| m.told.has(field).then_some(value);
    let columns = [
        ("id", Some(json!(write.id))),
        ("version", Some(json!(write.version))),
        ("source_time", Some(json!(write.source_time))),
        ("name", told(Field::Name, json!(m.name))),
        ("mobile", told(Field::Mobile, json!(m.mobile))),
        // A company's address stands in for one of the member's own.
        ("email", (m.told.has(Field::Email) || m.email.is_some()).then(|| json!(m.email))),
        ("title", told(Field::Title, json!(m.title))),
        ("gender", told(Field::Gender, json!(m.gender))),
        ("status", told(Field::Status, json!(m.status))),
        ("employee_number", m.tells_number.then(|| json!(m.employee_number))),
        ("main_department_id", told(Field::Departments, json!(write.main_department_id))),
        ("manager_id", told(Field::Leaders, json!(write.manager_id))),
        ("attributes", Some(json!(attributes(write)))),
    ];
    only_told(columns)
}

fn only_told<const N: usize>(columns: [(&'static str, Option<Value>); N]) -> Columns {
    columns.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Those that the source tells; one that was emptied is empty, since what is not named stays.
fn attributes<'a>(write: &'a MemberWrite<'_>) -> BTreeMap<&'a str, &'a str> {
    let member = write.member;
    let emptied = NAMED_ATTRIBUTES.into_iter().filter(|(field, _)| member.told.has(*field)).map(|(_, name)| (name, ""));
    emptied.chain(member.attributes.iter().map(|(name, text)| (name.as_str(), text.as_str()))).collect()
}
