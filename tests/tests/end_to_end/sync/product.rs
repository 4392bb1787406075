//! A core product that has tables of its own making, and knows most of a company under ids of its own.

use std::collections::BTreeMap;

use common::EntityKind;
use diesel::{
    Connection as _, PgConnection, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    sql_query,
    sql_types::{BigInt, Text},
};
use platform_sim::{Department, Member, ROOT, Snapshot, fold};

/// The product knows four out of so many members and departments.
const ONE_UNKNOWN_IN: usize = 5;
/// One member out of so many has another position there than in the company.
const ONE_CHANGED_IN: usize = 20;
/// So many left the company long ago.
const LEFT: usize = 4;

const TABLES: &str = "
    CREATE SCHEMA core;
    CREATE TABLE core.departments (
        tenant_id text NOT NULL, id text NOT NULL, parent_id text, name text NOT NULL, name_en text,
        position bigint, leaders jsonb NOT NULL DEFAULT '[]', version bigint NOT NULL DEFAULT 0,
        source_time bigint NOT NULL DEFAULT 0, deleted_at bigint,
        PRIMARY KEY (tenant_id, id),
        FOREIGN KEY (tenant_id, parent_id) REFERENCES core.departments (tenant_id, id)
    );
    CREATE TABLE core.members (
        tenant_id text NOT NULL, id text NOT NULL, name text NOT NULL, mobile text, email text, title text,
        gender text NOT NULL, status text NOT NULL, employee_number text, main_department_id text, manager_id text,
        attributes jsonb NOT NULL DEFAULT '{}', version bigint NOT NULL DEFAULT 0,
        source_time bigint NOT NULL DEFAULT 0, deleted_at bigint,
        PRIMARY KEY (tenant_id, id),
        FOREIGN KEY (tenant_id, main_department_id) REFERENCES core.departments (tenant_id, id)
    );
    CREATE TABLE core.member_departments (
        tenant_id text NOT NULL, member_id text NOT NULL, department_id text NOT NULL,
        is_leader boolean NOT NULL DEFAULT false, position bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (tenant_id, member_id, department_id),
        FOREIGN KEY (tenant_id, member_id) REFERENCES core.members (tenant_id, id),
        FOREIGN KEY (tenant_id, department_id) REFERENCES core.departments (tenant_id, id)
    );";

/// Somebody who was disabled so long ago that the row is to be deleted.
const FORMER: &str = "INSERT INTO core.members (tenant_id, id, name, gender, status, deleted_at)
    VALUES ('acme', 'L-former', '早已离职', 'unknown', 'left', 1)";

/// What the product calls those that it knows.
pub(super) struct Product {
    /// By the platform's id.
    departments: BTreeMap<String, String>,
    /// By the platform's id, folded.
    members: BTreeMap<String, String>,
}

/// Rows of the three tables as SQL has them.
#[derive(Default)]
struct Rows {
    departments: Vec<String>,
    members: Vec<String>,
    memberships: Vec<String>,
}

impl Product {
    /// One that knows the older departments, all above them included, and most members.
    pub(super) fn of(truth: &Snapshot) -> Self {
        let mut ids: Vec<&String> = truth.departments.keys().collect();
        ids.sort_by_key(|id| id.parse::<u64>().unwrap());
        ids.truncate(ids.len() - ids.len() / ONE_UNKNOWN_IN);
        let own = |id: &&String| if *id == ROOT { "HQ".to_owned() } else { format!("D-{id}") };
        let known = truth.members.keys().enumerate().filter(|(number, _)| number % ONE_UNKNOWN_IN != 0);
        Self {
            departments: ids.iter().map(|id| ((*id).clone(), own(id))).collect(),
            members: known.map(|(number, id)| (id.clone(), format!("P-{number}"))).collect(),
        }
    }

    /// Makes its tables and fills them.
    pub(super) fn fill(&self, truth: &Snapshot, url: &str) {
        let rows = self.rows(truth);
        let mut product = PgConnection::establish(url).unwrap();
        product.batch_execute(TABLES).unwrap();
        for (table, rows) in [
            ("departments (tenant_id, id, parent_id, name)", rows.departments),
            (
                "members (tenant_id, id, name, mobile, email, title, gender, status, main_department_id, attributes)",
                rows.members,
            ),
            ("member_departments (tenant_id, member_id, department_id, position)", rows.memberships),
        ] {
            // All at once: a row may refer to one behind it.
            product.batch_execute(&format!("INSERT INTO core.{table} VALUES {}", rows.join(", "))).unwrap();
        }
        product.batch_execute(FORMER).unwrap();
    }

    fn rows(&self, truth: &Snapshot) -> Rows {
        let mut rows = Rows::default();
        for (id, own) in &self.departments {
            let department = &truth.departments[id];
            let parent = department.parent.as_ref().map(|parent| self.departments[parent].as_str());
            rows.department(own, parent, &department.name);
        }
        for (number, (id, own)) in self.members.iter().enumerate() {
            let mut member = truth.members[id].clone();
            let known = member.departments.iter().filter_map(|id| self.departments.get(id).cloned());
            let mut departments: Vec<String> = known.collect();
            if departments.is_empty() {
                departments.push(self.departments[ROOT].clone());
            }
            if number % ONE_CHANGED_IN == 0 {
                member.title = "以前的职务".to_owned();
            }
            rows.member(own, &member, &departments);
        }
        rows.department("D-closed", Some("HQ"), "已撤销的部门");
        for number in 0..LEFT {
            let (name, mobile) = (format!("离职 {number}"), format!("1990000000{number}"));
            let left = Member { name, mobile, ..Member::default() };
            rows.member(&format!("L-{number}"), &left, &["D-closed".to_owned()]);
        }
        rows
    }

    /// What it shows once it is in step with the company: whom it knew it still calls as it did.
    pub(super) fn brought_in_step(&self, truth: &Snapshot) -> Snapshot {
        let called = |id: &String| self.departments.get(id).unwrap_or(id).clone();
        let department = |department: &Department| {
            let id = called(&department.id);
            let parent = department.parent.as_ref().map(called);
            (id.clone(), Department { id, parent, ..department.clone() })
        };
        let member = |(key, member): (&String, &Member)| {
            let id = self.members.get(key).unwrap_or(&member.id).clone();
            let departments = member.departments.iter().map(called).collect();
            let main_department = member.main_department.as_ref().map(called);
            (fold(&id), Member { id, departments, main_department, ..member.clone() })
        };
        Snapshot {
            departments: truth.departments.values().map(department).collect(),
            members: truth.members.iter().map(member).collect(),
        }
    }
}

impl Rows {
    fn department(&mut self, id: &str, parent: Option<&str>, name: &str) {
        let parent = parent.map_or_else(|| "NULL".to_owned(), text);
        self.departments.push(format!("('acme', {}, {parent}, {})", text(id), text(name)));
    }

    fn member(&mut self, id: &str, member: &Member, departments: &[String]) {
        let filled = |value: &String| if value.is_empty() { "NULL".to_owned() } else { text(value) };
        self.members.push(format!(
            "('acme', {}, {}, {}, {}, {}, '{}', '{}', {}, {})",
            text(id),
            text(&member.name),
            filled(&member.mobile),
            filled(&member.email),
            filled(&member.title),
            member.gender,
            member.status,
            text(&departments[0]),
            text(&serde_json::to_string(&member.attributes).unwrap()),
        ));
        for (position, department) in departments.iter().enumerate() {
            self.memberships.push(format!("('acme', {}, {}, {position})", text(id), text(department)));
        }
    }
}

/// A text as SQL has it.
fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

#[derive(QueryableByName)]
struct Written {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

/// The version that last wrote each row.
pub(super) fn versions(url: &str) -> BTreeMap<(EntityKind, String), u64> {
    let query = "SELECT 'department' AS kind, id, version FROM core.departments
                 UNION ALL SELECT 'member', id, version FROM core.members";
    let mut product = PgConnection::establish(url).unwrap();
    let rows: Vec<Written> = sql_query(query).load(&mut product).unwrap();
    let version = |row: Written| ((row.kind.parse().unwrap(), row.id), u64::try_from(row.version).unwrap());
    rows.into_iter().map(version).collect()
}
