//! Rows, read.

use std::collections::BTreeMap;

use diesel::{
    QueryResult, QueryableByName, RunQueryDsl, SqliteConnection, sql_query,
    sql_types::{BigInt, Integer, Nullable, Text},
};
use platform_sim::fold;

use super::{DepartmentRow, MemberRow, Place, Rows};

#[derive(QueryableByName)]
struct Department {
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
    #[diesel(sql_type = Text)]
    leaders: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    deleted_at: Option<i64>,
}

#[derive(QueryableByName)]
struct Member {
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
    #[diesel(sql_type = Text)]
    gender: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    employee_number: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    main_department_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    manager_id: Option<String>,
    #[diesel(sql_type = Text)]
    attributes: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    deleted_at: Option<i64>,
}

#[derive(QueryableByName)]
struct Membership {
    #[diesel(sql_type = Text)]
    member_id: String,
    #[diesel(sql_type = Text)]
    department_id: String,
    #[diesel(sql_type = Integer)]
    is_leader: i32,
    #[diesel(sql_type = BigInt)]
    position: i64,
}

const DEPARTMENTS: &str = "SELECT id, parent_id, name, name_en, position, leaders, deleted_at
    FROM departments WHERE tenant_id = 'acme'";
const MEMBERS: &str = "SELECT id, name, mobile, email, title, gender, status, employee_number, main_department_id,
        manager_id, attributes, deleted_at
    FROM members WHERE tenant_id = 'acme'";
const MEMBERSHIPS: &str = "SELECT member_id, department_id, is_leader, position
    FROM member_departments WHERE tenant_id = 'acme'";

pub(super) fn rows(c: &mut SqliteConnection) -> QueryResult<Rows> {
    let departments: Vec<Department> = sql_query(DEPARTMENTS).load(c)?;
    let members: Vec<Member> = sql_query(MEMBERS).load(c)?;
    let memberships: Vec<Membership> = sql_query(MEMBERSHIPS).load(c)?;
    let mut rows = Rows {
        departments: departments.into_iter().map(|row| (row.id.clone(), department(row))).collect(),
        members: members.into_iter().map(|row| (fold(&row.id), member(row))).collect(),
    };
    for Membership { member_id, department_id, is_leader, position } in memberships {
        let member = rows.members.get_mut(&fold(&member_id)).expect("memberships of members");
        member.places.insert(department_id, Place { leads: is_leader != 0, position });
    }
    Ok(rows)
}

fn department(row: Department) -> DepartmentRow {
    DepartmentRow {
        id: row.id,
        parent: row.parent_id,
        name: row.name,
        name_en: row.name_en,
        position: row.position,
        leaders: serde_json::from_str(&row.leaders).expect("leaders are a list of texts"),
        deleted_at: row.deleted_at,
    }
}

fn member(row: Member) -> MemberRow {
    let mut attributes: BTreeMap<String, String> =
        serde_json::from_str(&row.attributes).expect("attributes are an object of texts");
    attributes.retain(|_, value| !value.is_empty());
    MemberRow {
        id: row.id,
        name: row.name,
        mobile: row.mobile,
        email: row.email,
        title: row.title,
        gender: row.gender,
        status: row.status,
        employee_number: row.employee_number,
        main_department: row.main_department_id,
        manager: row.manager_id,
        attributes,
        places: BTreeMap::new(),
        deleted_at: row.deleted_at,
    }
}
