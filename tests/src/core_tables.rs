//! The core product's tables, read as a directory.

use std::{collections::BTreeMap, path::Path};

use database::{Connection, Database, Options, on_backend};
use diesel::{
    RunQueryDsl,
    sql_types::{BigInt, Integer, Nullable, Text},
};
use platform_sim::{Department, Gender, Member, Snapshot, Status};

#[derive(diesel::QueryableByName)]
struct DepartmentRow {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Nullable<Text>)]
    parent_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    position: Option<i64>,
}

#[derive(diesel::QueryableByName)]
struct MemberRow {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
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
    main_department_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    manager_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    attributes: Option<String>,
}

#[derive(diesel::QueryableByName)]
struct MembershipRow {
    #[diesel(sql_type = Text)]
    member_id: String,
    #[diesel(sql_type = Text)]
    department_id: String,
    #[diesel(sql_type = Integer)]
    is_leader: i32,
}

/// Reads the live rows of the core product's tables; an empty directory while there are no tables yet.
///
/// # Panics
/// When a row is not what the contract says.
pub async fn read_core(path: &Path) -> Snapshot {
    if !path.exists() {
        return Snapshot::default();
    }
    let options = Options::new(format!("sqlite://{}", path.display()));
    let Ok(database) = Database::open(&options) else { return Snapshot::default() };
    database.read("test.core", snapshot).await.unwrap_or_default()
}

/// How many live members and departments the core's tables hold.
///
/// # Panics
/// When the tables cannot be read.
pub async fn count_core(path: &Path) -> i64 {
    #[derive(diesel::QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let options = Options::new(format!("sqlite://{}", path.display()));
    let database = Database::open(&options).expect("the core's tables");
    let count = |conn: &mut Connection| -> database::Result<i64> {
        let counts: Vec<Count> = on_backend!(conn, c => diesel::sql_query(
            "SELECT (SELECT count(*) FROM departments WHERE deleted_at IS NULL) + \
             (SELECT count(*) FROM members WHERE deleted_at IS NULL) AS count"
        ).load(c))?;
        Ok(counts.first().map_or(0, |row| row.count))
    };
    database.read("test.count", count).await.unwrap_or_default()
}

/// What of the truth the core's tables can hold: the first of several leaders.
#[must_use]
pub fn as_core_sees(truth: &Snapshot) -> Snapshot {
    let mut truth = truth.clone();
    truth.members.values_mut().for_each(|member| member.leaders.truncate(1));
    truth
}

fn snapshot(conn: &mut Connection) -> database::Result<Snapshot> {
    let departments: Vec<DepartmentRow> = on_backend!(conn, c => diesel::sql_query(
        "SELECT id, parent_id, name, position FROM departments WHERE tenant_id = 'acme' AND deleted_at IS NULL"
    ).load(c))?;
    let members: Vec<MemberRow> = on_backend!(conn, c => diesel::sql_query(
        "SELECT id, name, mobile, email, title, gender, status, main_department_id, manager_id, attributes \
         FROM members WHERE tenant_id = 'acme' AND deleted_at IS NULL"
    ).load(c))?;
    let memberships: Vec<MembershipRow> = on_backend!(conn, c => diesel::sql_query(
        "SELECT member_id, department_id, is_leader FROM member_departments WHERE tenant_id = 'acme' ORDER BY position"
    ).load(c))?;
    let mut snapshot = Snapshot::default();
    for row in departments {
        let department = Department {
            id: row.id.clone(),
            name: row.name.unwrap_or_default(),
            parent: row.parent_id,
            order: row.position.and_then(|position| position.try_into().ok()),
        };
        snapshot.departments.insert(row.id, department);
    }
    for row in members {
        snapshot.members.insert(platform_sim::fold(&row.id), member(row));
    }
    for row in memberships {
        let member =
            snapshot.members.get_mut(&platform_sim::fold(&row.member_id)).expect("memberships of live members only");
        if row.is_leader != 0 {
            member.leads.push(row.department_id.clone());
        }
        member.departments.push(row.department_id);
    }
    Ok(snapshot)
}

fn member(row: MemberRow) -> Member {
    let attributes: BTreeMap<String, String> =
        serde_json::from_str(row.attributes.as_deref().unwrap_or("{}")).expect("attributes are an object of texts");
    Member {
        id: row.id,
        name: row.name.unwrap_or_default(),
        departments: Vec::new(),
        main_department: row.main_department_id,
        leads: Vec::new(),
        leaders: row.manager_id.into_iter().collect(),
        title: row.title.unwrap_or_default(),
        mobile: row.mobile.unwrap_or_default(),
        email: row.email.unwrap_or_default(),
        gender: match row.gender.as_deref() {
            Some("male") => Gender::Male,
            Some("female") => Gender::Female,
            _ => Gender::Unknown,
        },
        status: match row.status.as_deref() {
            Some("disabled") => Status::Disabled,
            Some("inactive") => Status::Inactive,
            Some("left") => Status::Left,
            _ => Status::Active,
        },
        attributes,
    }
}
