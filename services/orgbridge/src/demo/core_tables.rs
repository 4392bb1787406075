//! The core product's side of the demo: reads its tables as the product would, and says what the platform calls its rows.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use common::{DestinationId, EntityKey, EntityKind, TenantId};
use database::{Connection, Database, Options, on_backend};
use diesel::{
    QueryableByName, RunQueryDsl, sql_query,
    sql_types::{BigInt, Bool, Nullable, Text},
};
use platform_sim::{Department, Gender, Member, Snapshot, Status, fold};
use store::links;

use super::world::{CORE, World};

/// Links read at once.
const PAGE: i64 = 1000;

/// The tables of one tenant.
pub(super) struct CoreTables {
    file: PathBuf,
    tenant: TenantId,
}

/// The platform's ids of linked rows, by what the rows would be the keys of.
#[derive(Default)]
struct Names(BTreeMap<EntityKey, Arc<str>>);

#[derive(QueryableByName)]
struct DepartmentRow {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Nullable<Text>)]
    parent_id: Option<String>,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    position: Option<i64>,
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
    #[diesel(sql_type = Text)]
    gender: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    main_department_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    manager_id: Option<String>,
    #[diesel(sql_type = Text)]
    attributes: String,
}

#[derive(QueryableByName)]
struct MembershipRow {
    #[diesel(sql_type = Text)]
    member_id: String,
    #[diesel(sql_type = Text)]
    department_id: String,
    #[diesel(sql_type = Bool)]
    is_leader: bool,
}

const DEPARTMENTS: &str = "SELECT id, parent_id, name, position FROM departments \
    WHERE tenant_id = ?1 AND deleted_at IS NULL";
const MEMBERS: &str = "SELECT id, name, mobile, email, title, gender, status, main_department_id, manager_id, attributes \
    FROM members WHERE tenant_id = ?1 AND deleted_at IS NULL";
const MEMBERSHIPS: &str = "SELECT member_id, department_id, is_leader FROM member_departments \
    WHERE tenant_id = ?1 ORDER BY member_id, position";

impl CoreTables {
    pub(super) fn at(file: PathBuf, tenant: TenantId) -> Self {
        Self { file, tenant }
    }

    /// The database's file.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// The database, as the product opens it.
    pub(super) fn open(&self) -> database::Result<Database> {
        Database::open(&Options::new(format!("sqlite://{}", self.file.display())))
    }

    /// The directory as the product has it.
    async fn snapshot(&self, names: Names) -> anyhow::Result<Snapshot> {
        let tenant = self.tenant.clone();
        Ok(self.open()?.read("core.snapshot", move |conn| read(conn, &tenant, &names)).await?)
    }
}

impl World {
    /// The directory as the core product has it, with the platform's ids.
    pub(super) async fn core_snapshot(&self) -> anyhow::Result<Snapshot> {
        let (tenant, core): (_, DestinationId) = (self.tenant.clone(), CORE.parse()?);
        let names = move |conn: &mut Connection| Names::load(conn, &tenant, &core);
        self.core.snapshot(self.context.database.read("demo.links", names).await?).await
    }
}

impl Names {
    fn load(conn: &mut Connection, tenant: &TenantId, core: &DestinationId) -> database::Result<Self> {
        let mut names = Self::default();
        for kind in [EntityKind::Department, EntityKind::Member] {
            let mut after: Option<Arc<str>> = None;
            loop {
                let page = links::list(conn, tenant, core, kind, after.as_deref(), PAGE)?;
                let Some(last) = page.last() else { break };
                after = Some(Arc::clone(&last.entity.id));
                let real = page.into_iter().filter(|link| !synchronizer::run::is_placeholder(&link.entity));
                names.0.extend(real.map(|link| (EntityKey::new(kind, &link.core_id), link.entity.id)));
            }
        }
        Ok(names)
    }

    /// What the platform calls a row; one that we made has its id.
    fn of(&self, kind: EntityKind, row: &str) -> String {
        self.0.get(&EntityKey::new(kind, row)).map_or_else(|| row.to_owned(), |id| id.as_ref().to_owned())
    }

    fn department(&self, row: &str) -> String {
        self.of(EntityKind::Department, row)
    }
}

fn read(conn: &mut Connection, tenant: &TenantId, names: &Names) -> database::Result<Snapshot> {
    let of = tenant.as_str();
    let departments: Vec<DepartmentRow> = on_backend!(conn, c => sql_query(DEPARTMENTS).bind::<Text, _>(of).load(c))?;
    let members: Vec<MemberRow> = on_backend!(conn, c => sql_query(MEMBERS).bind::<Text, _>(of).load(c))?;
    let memberships: Vec<MembershipRow> = on_backend!(conn, c => sql_query(MEMBERSHIPS).bind::<Text, _>(of).load(c))?;
    let mut snapshot = Snapshot::default();
    for row in departments {
        let order = row.position.and_then(|position| u64::try_from(position).ok());
        let parent = row.parent_id.map(|parent| names.department(&parent));
        let department = Department { id: names.department(&row.id), name: row.name, parent, order };
        snapshot.departments.insert(department.id.clone(), department);
    }
    let mut by_member: BTreeMap<String, Vec<MembershipRow>> = BTreeMap::new();
    for row in memberships {
        by_member.entry(fold(&row.member_id)).or_default().push(row);
    }
    for row in members {
        let within = by_member.remove(&fold(&row.id)).unwrap_or_default();
        let member = row.into_member(&within, names);
        snapshot.members.insert(fold(&member.id), member);
    }
    Ok(snapshot)
}

impl MemberRow {
    fn into_member(self, within: &[MembershipRow], names: &Names) -> Member {
        let named = |leading: bool| {
            let rows = within.iter().filter(move |row| row.is_leader || !leading);
            rows.map(|row| names.department(&row.department_id)).collect()
        };
        Member {
            departments: named(false),
            leads: named(true),
            id: names.of(EntityKind::Member, &self.id),
            name: self.name,
            main_department: self.main_department_id.map(|main| names.department(&main)),
            leaders: self.manager_id.iter().map(|manager| names.of(EntityKind::Member, manager)).collect(),
            title: self.title.unwrap_or_default(),
            mobile: self.mobile.unwrap_or_default(),
            email: self.email.unwrap_or_default(),
            gender: match self.gender.as_str() {
                "male" => Gender::Male,
                "female" => Gender::Female,
                _ => Gender::Unknown,
            },
            status: match self.status.as_str() {
                "active" => Status::Active,
                "disabled" => Status::Disabled,
                "inactive" => Status::Inactive,
                _ => Status::Left,
            },
            attributes: serde_json::from_str(&self.attributes).unwrap_or_default(),
        }
    }
}
