//! A core product's file, as its owner sees it: tables of its own making, and plain SQL.

mod insert;
mod read;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use common::EntityKind;
use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection};
use platform_sim::{Department, Gender, Member, Snapshot, Status, fold};

/// A core product's file.
pub(crate) struct Core {
    path: PathBuf,
}

/// All rows of the tenant, but for what only tells who wrote them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    pub(crate) departments: BTreeMap<String, DepartmentRow>,
    /// By folded id.
    pub(crate) members: BTreeMap<String, MemberRow>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DepartmentRow {
    pub(crate) id: String,
    pub(crate) parent: Option<String>,
    pub(crate) name: String,
    pub(crate) name_en: Option<String>,
    pub(crate) position: Option<i64>,
    pub(crate) leaders: Vec<String>,
    pub(crate) deleted_at: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct MemberRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) mobile: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) gender: String,
    pub(crate) status: String,
    pub(crate) employee_number: Option<String>,
    pub(crate) main_department: Option<String>,
    pub(crate) manager: Option<String>,
    /// By name; empty ones left out.
    pub(crate) attributes: BTreeMap<String, String>,
    /// By department.
    pub(crate) places: BTreeMap<String, Place>,
    pub(crate) deleted_at: Option<i64>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) leads: bool,
    pub(crate) position: i64,
}

/// The platform's ids of rows that have ids of their own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Links(BTreeMap<(EntityKind, String), String>);

impl Core {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite://{}", self.path.display())
    }

    /// Makes the tables and puts rows into them, as they were before anybody heard of us.
    pub(crate) fn fill(&self, rows: &Rows) {
        self.execute(include_str!("product/tables.sql"));
        self.execute(&insert::statements(rows));
    }

    /// Somebody does something by hand; all of it or nothing. References are looked at when it is done.
    pub(crate) fn execute(&self, sql: &str) {
        let statements = format!("BEGIN IMMEDIATE; PRAGMA defer_foreign_keys = ON; {sql}; COMMIT;");
        self.open().batch_execute(&statements).unwrap();
    }

    /// The rows as they are; none while there are no tables.
    pub(crate) fn rows(&self) -> Rows {
        self.open().transaction(read::rows).unwrap_or_default()
    }

    /// Copies the file.
    pub(crate) fn back_up(&self, to: &Path) {
        self.open().batch_execute(&format!("VACUUM INTO '{}'", to.display())).unwrap();
    }

    /// The rows are those of a copy again.
    pub(crate) fn restore(&self, from: &Path) {
        let tables = ["member_departments", "members", "departments"];
        let mut sql = tables.map(|table| format!("DELETE FROM main.{table};")).concat();
        for table in tables {
            sql.push_str(&format!("INSERT INTO main.{table} SELECT * FROM copy.{table};"));
        }
        let statements = format!(
            "ATTACH '{}' AS copy; BEGIN IMMEDIATE; PRAGMA defer_foreign_keys = ON; {sql} COMMIT; DETACH copy;",
            from.display()
        );
        self.open().batch_execute(&statements).unwrap();
    }

    fn open(&self) -> SqliteConnection {
        let mut connection = SqliteConnection::establish(self.path.to_str().unwrap()).unwrap();
        connection.batch_execute("PRAGMA busy_timeout = 30000").unwrap();
        connection
    }
}

impl Rows {
    /// Who is there, as the platform calls them.
    pub(crate) fn directory(&self, links: &Links) -> Snapshot {
        let mut directory = Snapshot::default();
        for row in self.departments.values().filter(|row| row.deleted_at.is_none()) {
            let department = Department {
                id: links.department(&row.id),
                name: row.name.clone(),
                parent: row.parent.as_ref().map(|parent| links.department(parent)),
                order: row.position.and_then(|position| position.try_into().ok()),
            };
            let other = directory.departments.insert(department.id.clone(), department);
            assert_eq!(other, None, "two rows of one department");
        }
        for row in self.members.values().filter(|row| row.deleted_at.is_none()) {
            let member = row.member(links);
            let other = directory.members.insert(fold(&member.id), member);
            assert_eq!(other, None, "two rows of one member");
        }
        directory
    }
}

impl MemberRow {
    fn member(&self, links: &Links) -> Member {
        let mut places: Vec<(&String, &Place)> = self.places.iter().collect();
        places.sort_by_key(|(_, place)| place.position);
        let led = places.iter().filter(|(_, place)| place.leads).map(|(id, _)| links.department(id));
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Member {
            id: links.member(&self.id),
            name: self.name.clone(),
            leads: led.collect(),
            departments: places.iter().map(|(id, _)| links.department(id)).collect(),
            main_department: self.main_department.as_ref().map(|main| links.department(main)),
            leaders: self.manager.iter().map(|manager| links.member(manager)).collect(),
            title: text(&self.title),
            mobile: text(&self.mobile),
            email: text(&self.email),
            gender: match self.gender.as_str() {
                "male" => Gender::Male,
                "female" => Gender::Female,
                _ => Gender::Unknown,
            },
            status: match self.status.as_str() {
                "disabled" => Status::Disabled,
                "inactive" => Status::Inactive,
                "left" => Status::Left,
                _ => Status::Active,
            },
            attributes: self.attributes.clone(),
        }
    }
}

impl Links {
    pub(crate) fn add(&mut self, kind: EntityKind, platform_id: &str, core_id: &str) {
        self.0.insert((kind, fold(core_id)), platform_id.to_owned());
    }

    fn department(&self, core_id: &str) -> String {
        self.platform_id(EntityKind::Department, core_id)
    }

    fn member(&self, core_id: &str) -> String {
        self.platform_id(EntityKind::Member, core_id)
    }

    /// A row without a link has the platform's id.
    fn platform_id(&self, kind: EntityKind, core_id: &str) -> String {
        self.0.get(&(kind, fold(core_id))).map_or(core_id, String::as_str).to_owned()
    }
}
