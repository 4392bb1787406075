//! The core product: its tables in memory, what is in them before the first sync, and what its people do to them.

use common::{EntityKey, EntityKind};
use database::{Connection, Database};
use destinations::{
    BuildError, CoreDepartment, CoreMember, Destination, Links, Product as _, TenantFacts,
    sql::{SchemaName, SqlTables},
};
use diesel::connection::SimpleConnection;
use platform_sim::{Member, ROOT, Snapshot};
use service::{TenantFile, tenant::DestinationFile};
use store::links::{self, DecidedBy, Link};
use synchronizer::run::OpenProduct;

use crate::{
    clocks::START,
    dice::Dice,
    seen::Owners,
    stores::{COMPANY, CORP, NUMBER, core, tenant},
    world::World,
};

/// More rows than there ever are.
const ALL: usize = 10_000;

/// See the module.
pub(crate) struct Product {
    rows: Database,
    pub(crate) tables: SqlTables,
}

/// Opens the product for the synchronizer, which looks into it by itself.
pub(crate) struct Opener(pub(crate) Database);

impl OpenProduct for Opener {
    fn open(&self, _tenant: &TenantFile, _file: &DestinationFile) -> Result<Destination, BuildError> {
        Ok(Destination::Batch(Box::new(tables_over(&self.0))))
    }
}

fn tables_over(rows: &Database) -> SqlTables {
    let facts = TenantFacts {
        root_name: COMPANY.to_owned(),
        corp_id: CORP.to_owned(),
        employee_number: NUMBER.to_owned(),
        ..TenantFacts::default()
    };
    SqlTables::over(rows.clone(), SchemaName::default(), tenant(), facts)
}

impl Product {
    pub(crate) fn over(rows: &Database) -> Self {
        Self { rows: rows.clone(), tables: tables_over(rows) }
    }

    /// Opens it for the synchronizer.
    pub(crate) fn opener(&self) -> Opener {
        Opener(self.rows.clone())
    }

    pub(crate) async fn departments(&self) -> Vec<CoreDepartment> {
        self.tables.departments(None, ALL).await.unwrap().rows
    }

    pub(crate) async fn members(&self) -> Vec<CoreMember> {
        self.tables.members(None, ALL).await.unwrap().rows
    }

    pub(crate) async fn execute(&self, sql: String) {
        let run = move |conn: &mut Connection| Ok::<_, database::Error>(conn.sqlite()?.batch_execute(&sql)?);
        self.rows.write("seeds.product", run).await.unwrap();
    }
}

/// Whose the rows of the product are.
pub(crate) async fn owners(world: &World) -> Owners {
    let list = |conn: &mut Connection| -> database::Result<Vec<Link>> {
        let mut found = Vec::new();
        for kind in [EntityKind::Department, EntityKind::Member] {
            found.extend(links::list(conn, &tenant(), &core(), kind, None, ALL as i64)?);
        }
        Ok(found)
    };
    Owners::of_links(world.read(list).await)
}

/// What the product holds before anybody compares it: the departments and most of the members, mostly under ids of its own, some by
/// former names; and a few who left long ago.
struct Before<'a> {
    dice: &'a mut Dice,
    keeps_ids: bool,
    is_personal: bool,
    sql: String,
    /// The row of the root department.
    root: String,
    /// Whose rows they are.
    owners: Vec<(String, EntityKey)>,
    /// What a person said.
    links: Vec<Link>,
}

/// Fills it.
pub(crate) async fn fill(world: &World) {
    let snapshot = world.api.company().snapshot();
    let (sql, root, new_links) = {
        let mut state = world.state();
        let root = if state.dice.once_in(2) { ROOT } else { "HQ" };
        let mut before = Before {
            dice: &mut state.dice,
            keeps_ids: world.habits.keeps_ids,
            is_personal: world.habits.is_personal,
            sql: String::new(),
            root: root.to_owned(),
            owners: Vec::new(),
            links: Vec::new(),
        };
        before.put_departments(&snapshot);
        before.put_members(&snapshot);
        let Before { sql, root, owners, links, .. } = before;
        state.known_rows.extend(owners);
        (sql, root, links)
    };
    let own_root: Links = [(EntityKey::department(ROOT), root)].into_iter().collect();
    destinations::Batch::prepare(&world.product.tables, &own_root).await.unwrap();
    world.product.execute(sql).await;
    world.write(move |conn: &mut Connection| links::set(conn, &tenant(), &core(), &new_links)).await;
}

impl Before<'_> {
    /// The id of a department's row.
    fn place(&self, id: &str) -> String {
        match id {
            ROOT => self.root.clone(),
            _ if self.keeps_ids => id.to_owned(),
            _ => format!("D-{id}"),
        }
    }

    /// Parents first: no department of a company that was never reorganised has a smaller number than its parent.
    fn put_departments(&mut self, snapshot: &Snapshot) {
        let mut departments: Vec<_> = snapshot.departments.values().collect();
        departments.sort_by_key(|department| department.id.parse::<u64>().unwrap());
        for department in departments {
            let is_renamed = !self.keeps_ids && self.dice.once_in(8) && department.id != ROOT;
            let name = if is_renamed { format!("former {}", department.name) } else { department.name.clone() };
            let parent = department.parent.as_deref().map_or("NULL".to_owned(), |parent| quoted(&self.place(parent)));
            let row = [
                quoted("acme"),
                quoted(&self.place(&department.id)),
                parent,
                quoted(&name),
                department.order.map_or("NULL".to_owned(), |order| order.to_string()),
                "0, 0".to_owned(),
            ];
            self.sql.push_str(&format!(
                "INSERT OR IGNORE INTO departments (tenant_id, id, parent_id, name, position, version, source_time) \
                 VALUES ({});",
                row.join(", ")
            ));
        }
    }

    fn put_members(&mut self, snapshot: &Snapshot) {
        for (number, member) in snapshot.members.values().enumerate() {
            if !self.dice.once_in(5) {
                self.put_somebody(number, member);
            }
        }
        for number in 0..self.dice.below(3) {
            let gone = Member { name: format!("Gone {number}"), ..Member::default() };
            self.put(&format!("G-{number}"), &gone);
        }
    }

    fn put_somebody(&mut self, number: usize, member: &Member) {
        let is_same_id = self.keeps_ids && self.dice.once_in(2);
        let id = if is_same_id { member.id.clone() } else { format!("P-{number}") };
        let is_renamed = self.dice.once_in(6);
        let name = if is_renamed { format!("former {}", member.name) } else { member.name.clone() };
        self.put(&id, &Member { name, ..member.clone() });
        let key = EntityKey::member(&member.id);
        let is_evident = is_same_id || self.is_personal || member.attributes.contains_key(NUMBER);
        if !is_evident || self.dice.once_in(8) {
            let (entity, core_id) = (key.clone(), id.clone());
            self.links.push(Link { entity, core_id, decided_by: DecidedBy::Person, since: START });
        }
        self.owners.push((id, key));
    }

    fn put(&mut self, id: &str, member: &Member) {
        let optional = |text: &str| if text.is_empty() { "NULL".to_owned() } else { quoted(text) };
        let mobile = if self.is_personal { member.mobile.as_str() } else { "" };
        let number = member.attributes.get(NUMBER).map_or("", String::as_str);
        let row = [
            quoted("acme"),
            quoted(id),
            quoted(&member.name),
            optional(mobile),
            optional(&member.title),
            quoted("unknown"),
            quoted("active"),
            optional(number),
            "0, 0".to_owned(),
        ];
        self.sql.push_str(&format!(
            "INSERT INTO members (tenant_id, id, name, mobile, title, gender, status, employee_number, version, \
             source_time) VALUES ({});",
            row.join(", ")
        ));
        for (place, department) in member.departments.iter().enumerate() {
            self.sql.push_str(&format!(
                "INSERT INTO member_departments (tenant_id, member_id, department_id, position) \
                 VALUES ('acme', {}, {}, {place});",
                quoted(id),
                quoted(&self.place(department))
            ));
        }
    }
}

/// A text in a statement.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
