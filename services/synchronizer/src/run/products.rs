//! Core products: how they are opened, and their rows as comparisons know them.

use common::{DestinationId, EntityKey, EntityKind, EntityMap};
use destinations::{
    BuildError, CoreDepartment, CoreMember, Destination, Product, Settings, TenantFacts, Unavailable, sql::Databases,
};
use directory::plan::{DepartmentRow, MemberRow, Membership, Row};
use service::{
    TenantFile,
    tenant::{DestinationFile, DestinationSettings},
};

use super::work::Trouble;

/// Rows read at once.
const PAGE: usize = 1000;

/// Makes destinations of a tenant's file, to look into them.
pub trait OpenProduct: Send + Sync + 'static {
    /// Makes one. Nothing is connected to yet.
    ///
    /// # Errors
    /// Its settings cannot be used.
    fn open(&self, tenant: &TenantFile, file: &DestinationFile) -> Result<Destination, BuildError>;
}

/// The kinds of the `destinations` crate that can be read.
pub struct Products {
    http: outbound::Client,
    databases: Databases,
}

impl Products {
    /// Servers are found as this client finds them.
    pub fn new(http: outbound::Client) -> Self {
        Self { http, databases: Databases::default() }
    }
}

impl OpenProduct for Products {
    fn open(&self, tenant: &TenantFile, file: &DestinationFile) -> Result<Destination, BuildError> {
        let settings = match &file.settings {
            DestinationSettings::Sqlite(sqlite) => Settings::Sqlite { url: sqlite.url.expose().to_owned() },
            DestinationSettings::Postgres(postgres) => {
                Settings::Postgres { url: postgres.url.clone(), schema: postgres.schema.clone() }
            }
            _ => Settings::Other { kind: destinations::Kind::Http },
        };
        let wecom = tenant.wecom.as_ref();
        let facts = TenantFacts {
            root_name: tenant.name.clone(),
            corp_id: wecom.map(|wecom| wecom.corp_id.clone()).unwrap_or_default(),
            employee_number: wecom.map(|wecom| wecom.employee_number.clone()).unwrap_or_default(),
            // Nothing is written there from here.
            wecom: None,
        };
        destinations::build(&tenant.id, &settings, &facts, &self.http, &self.databases)
    }
}

/// A core product of a tenant.
pub(super) struct Core {
    pub(super) id: DestinationId,
    destination: Destination,
}

/// The core products of a tenant that can be read.
pub(super) fn cores(open: &dyn OpenProduct, tenant: &TenantFile) -> Result<Vec<Core>, Trouble> {
    let make = |file: &DestinationFile| {
        let failed = |source| Trouble::Unusable { destination: file.id.clone(), source };
        let destination = open.open(tenant, file).map_err(failed)?;
        Ok(Core { id: file.id.clone(), destination })
    };
    tenant.destinations.iter().filter(|file| file.is_readable_core()).map(make).collect()
}

impl Core {
    pub(super) fn product(&self) -> Result<&dyn Product, Trouble> {
        self.destination.product().ok_or_else(|| self.away(Unavailable::new("it cannot be read")))
    }

    /// Whether it holds nothing that could differ from the source.
    pub(super) async fn is_empty(&self) -> Result<bool, Trouble> {
        self.destination.is_empty().await.map_err(|error| self.away(error))
    }

    pub(super) fn away(&self, source: Unavailable) -> Trouble {
        Trouble::Away { destination: self.id.clone(), source }
    }

    /// Hands all rows to `take`, page by page.
    pub(super) async fn each(&self, mut take: impl FnMut(&Row) + Send) -> Result<(), Trouble> {
        let product = self.product()?;
        let mut after = None;
        loop {
            let page = product.departments(after, PAGE).await.map_err(|error| self.away(error))?;
            page.rows.into_iter().map(department).for_each(|row| take(&row));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        loop {
            let page = product.members(after, PAGE).await.map_err(|error| self.away(error))?;
            page.rows.into_iter().map(member).for_each(|row| take(&row));
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Those of these rows that are there, by what they would be the keys of.
    pub(super) async fn rows(&self, ids: &[(EntityKind, String)]) -> Result<EntityMap<Row>, Trouble> {
        let product = self.product()?;
        let of = |kind| -> Vec<String> {
            ids.iter().filter(|(other, _)| *other == kind).map(|(_, id)| id.clone()).collect()
        };
        let (departments, members) = (of(EntityKind::Department), of(EntityKind::Member));
        let mut found = EntityMap::default();
        if !departments.is_empty() {
            let rows = product.departments_by_id(&departments).await.map_err(|error| self.away(error))?;
            found.extend(rows.into_iter().map(department).map(keyed));
        }
        if !members.is_empty() {
            let rows = product.members_by_id(&members).await.map_err(|error| self.away(error))?;
            found.extend(rows.into_iter().map(member).map(keyed));
        }
        Ok(found)
    }
}

fn keyed(row: Row) -> (EntityKey, Row) {
    (EntityKey::new(row.kind(), row.id()), row)
}

fn department(row: CoreDepartment) -> Row {
    let CoreDepartment { id, parent_id, name, name_en, position, leaders, version, source_time, deleted_at } = row;
    DepartmentRow { id, parent_id, name, name_en, position, leaders, version, source_time, deleted_at }.into()
}

fn member(row: CoreMember) -> Row {
    let membership = |place: destinations::Membership| Membership {
        department_id: place.department_id,
        is_leader: place.is_leader,
        position: place.position,
    };
    MemberRow {
        id: row.id,
        name: row.name,
        mobile: row.mobile,
        email: row.email,
        title: row.title,
        gender: row.gender,
        status: row.status,
        employee_number: row.employee_number,
        main_department_id: row.main_department_id,
        manager_id: row.manager_id,
        attributes: row.attributes,
        departments: row.departments.into_iter().map(membership).collect(),
        version: row.version,
        source_time: row.source_time,
        deleted_at: row.deleted_at,
    }
    .into()
}
