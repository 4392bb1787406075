//! The core product's tables, read as a directory.

mod papers;

use std::{collections::BTreeMap, path::PathBuf};

use database::{Connection, Database, Options, on_backend};
use diesel::{
    RunQueryDsl,
    sql_types::{BigInt, Integer, Nullable, Text},
};
use platform_sim::{Department, Gender, Member, Snapshot, Status};

pub use self::papers::{Paper, Papers};
pub(crate) use self::papers::{details, paper};

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

/// A tenant's rows in the core product's tables.
#[derive(Debug, Clone)]
pub struct Core {
    url: String,
    rows: Rows,
    /// Where it is a file, which must not be made by looking at it.
    file: Option<PathBuf>,
}

/// Whose rows, and where.
#[derive(Debug, Clone)]
struct Rows {
    /// What stands before the tables' names.
    prefix: String,
    tenant: String,
}

impl Rows {
    fn of_acme(prefix: String) -> Self {
        Self { prefix, tenant: "acme".to_owned() }
    }
}

impl Core {
    pub(crate) fn in_file(path: PathBuf) -> Self {
        Self { url: format!("sqlite://{}", path.display()), rows: Rows::of_acme(String::new()), file: Some(path) }
    }

    /// In a schema of a database of PostgreSQL; of the tenant `acme`, unless it is told otherwise.
    pub fn on_server(url: &str, schema: &str) -> Self {
        Self { url: url.to_owned(), rows: Rows::of_acme(format!("{schema}.")), file: None }
    }

    /// The same tables, and another tenant's rows.
    #[must_use]
    pub fn of(mut self, tenant: &str) -> Self {
        tenant.clone_into(&mut self.rows.tenant);
        self
    }

    /// Reads the live rows; an empty directory while there are no tables yet, or no database.
    ///
    /// # Panics
    /// When a row is not what the contract says.
    pub async fn snapshot(&self) -> Snapshot {
        self.read("test.core", snapshot).await
    }

    /// How many live members and departments there are; none while there are no tables yet, or no database.
    pub async fn count(&self) -> i64 {
        self.read("test.count", count).await
    }

    async fn read<T: Default + Send + 'static>(
        &self,
        what: &'static str,
        query: impl FnOnce(&mut Connection, &Rows) -> database::Result<T> + Send + 'static,
    ) -> T {
        if self.file.as_ref().is_some_and(|file| !file.exists()) {
            return T::default();
        }
        let Ok(database) = Database::open(&Options { pool_size: 1, ..Options::new(&self.url) }) else {
            return T::default();
        };
        let rows = self.rows.clone();
        database.read(what, move |conn| query(conn, &rows)).await.unwrap_or_default()
    }
}

/// What of the truth the core's tables can hold: the first of several leaders.
#[must_use]
pub fn as_core_sees(truth: &Snapshot) -> Snapshot {
    let mut truth = truth.clone();
    truth.members.values_mut().for_each(|member| member.leaders.truncate(1));
    truth
}

fn count(conn: &mut Connection, Rows { prefix, tenant }: &Rows) -> database::Result<i64> {
    #[derive(diesel::QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let query = format!(
        "SELECT (SELECT count(*) FROM {prefix}departments WHERE tenant_id = '{tenant}' AND deleted_at IS NULL) + \
         (SELECT count(*) FROM {prefix}members WHERE tenant_id = '{tenant}' AND deleted_at IS NULL) AS count"
    );
    let counts: Vec<Count> = on_backend!(conn, c => diesel::sql_query(query).load(c))?;
    Ok(counts.first().map_or(0, |row| row.count))
}

fn snapshot(conn: &mut Connection, Rows { prefix, tenant }: &Rows) -> database::Result<Snapshot> {
    let query = format!(
        "SELECT id, parent_id, name, position FROM {prefix}departments \
         WHERE tenant_id = '{tenant}' AND deleted_at IS NULL"
    );
    let departments: Vec<DepartmentRow> = on_backend!(conn, c => diesel::sql_query(query).load(c))?;
    let query = format!(
        "SELECT id, name, mobile, email, title, gender, status, main_department_id, manager_id, \
         CAST(attributes AS text) AS attributes FROM {prefix}members WHERE tenant_id = '{tenant}' AND deleted_at IS NULL"
    );
    let members: Vec<MemberRow> = on_backend!(conn, c => diesel::sql_query(query).load(c))?;
    let query = format!(
        "SELECT member_id, department_id, CASE WHEN is_leader THEN 1 ELSE 0 END AS is_leader \
         FROM {prefix}member_departments WHERE tenant_id = '{tenant}' ORDER BY position"
    );
    let memberships: Vec<MembershipRow> = on_backend!(conn, c => diesel::sql_query(query).load(c))?;
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
