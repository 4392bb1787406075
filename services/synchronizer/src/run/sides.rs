//! Feeding a comparison: the mirror from one snapshot of our database, the product page by page.

use common::{Entity, EntityKey, EntityKind, EntityMap, TenantId, UnixMillis};
use database::{Connection, Database};
use directory::plan::{Comparison, Item, Options, Plan, Row};
use service::TenantFile;
use store::{
    links, outbox,
    records::{self, ParkedFilter},
};

use super::{image, products::Core, work::Trouble};

/// Records and links read at once.
const PAGE: i64 = 1000;

/// What a comparison is made under.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// The source was pulled, and is whole.
    pub(super) is_complete: bool,
    pub(super) now: UnixMillis,
    pub(super) delete_after_seconds: u64,
}

/// What differs, and of which version of the mirror.
pub(super) struct Compared {
    pub(super) plan: Plan,
    pub(super) version: u64,
}

/// Compares the mirror with a product.
pub(super) async fn compare(
    database: &Database,
    tenant: &TenantFile,
    core: &Core,
    rules: Rules,
) -> Result<Compared, Trouble> {
    let wecom = tenant.wecom.as_ref();
    let options = Options {
        source_complete: rules.is_complete,
        destination_complete: true,
        now: rules.now,
        delete_after_seconds: rules.delete_after_seconds,
        root_name: tenant.name.clone(),
        employee_number: wecom.map(|wecom| wecom.employee_number.clone()).unwrap_or_default(),
    };
    let (of, destination) = (tenant.id.clone(), core.id.clone());
    let read = move |conn: &mut Connection| -> database::Result<(Comparison, u64)> {
        let is_settled = !is_any_unsent(conn, &of)?;
        let complete = options.source_complete && is_settled;
        let mut comparison = Comparison::new(Options { source_complete: complete, ..options });
        tell_mirror(conn, &of, &mut comparison)?;
        for kind in [EntityKind::Department, EntityKind::Member] {
            tell_links(conn, &of, &destination, kind, &mut comparison)?;
        }
        Ok((comparison, outbox::last_version(conn, &of)?))
    };
    let (mut comparison, version) = database.read("runs.mirror", read).await?;
    core.each(|row| comparison.destination(row)).await?;
    Ok(Compared { plan: comparison.plan(), version })
}

/// Whether a department or member is known of that cannot be sent yet: its row must not be taken for nobody's. What was given up on does not
/// hold up the others for ever; its own row is looked at again when it is applied.
fn is_any_unsent(conn: &mut Connection, tenant: &TenantId) -> database::Result<bool> {
    let all = ParkedFilter { since_at_most: UnixMillis(i64::MAX), asked: None, given_up: Some(false), limit: i64::MAX };
    Ok(records::parked(conn, tenant, all)?.iter().any(|(key, row)| key.kind.is_directory() && !row.record.is_live()))
}

fn tell_mirror(conn: &mut Connection, tenant: &TenantId, comparison: &mut Comparison) -> database::Result<()> {
    let mut after: Option<EntityKey> = None;
    loop {
        let page = records::live_after(conn, tenant, after.as_ref(), PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(last.clone());
        for (key, row) in &page {
            if let Some(sent) = &row.record.sent {
                comparison.source(key, &sent.entity);
            }
        }
    }
}

fn tell_links(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &common::DestinationId,
    kind: EntityKind,
    comparison: &mut Comparison,
) -> database::Result<()> {
    let mut after: Option<String> = None;
    loop {
        let page = links::list(conn, tenant, destination, kind, after.as_deref(), PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(last.entity.id.as_ref().to_owned());
        for link in page.iter().filter(|link| !image::is_nobodys(&link.entity)) {
            comparison.link(&link.entity, &link.core_id, true);
        }
    }
    for (key, core_id) in links::rejected(conn, tenant, destination, kind)? {
        comparison.reject(&key, &core_id);
    }
    Ok(())
}

/// The rows of some items as they are and as they are to be.
pub(super) struct Images(Vec<(Option<Row>, Option<Row>)>);

impl Images {
    /// Looks at the rows and entities again that these items are about.
    pub(super) async fn of(
        database: &Database,
        tenant: &TenantId,
        core: &Core,
        plan: &Plan,
        items: &[Item],
    ) -> Result<Self, Trouble> {
        let ids: Vec<(EntityKind, String)> =
            items.iter().filter_map(|item| Some((item.kind, item.core_id.as_deref()?.to_owned()))).collect();
        let rows = core.rows(&ids).await?;
        let keys: Vec<EntityKey> = items.iter().filter_map(Item::key).collect();
        let of = tenant.clone();
        let read = move |conn: &mut Connection| records::load(conn, &of, &keys);
        let found = database.read("runs.entities", read).await?;
        let entities: EntityMap<Entity> =
            found.into_iter().filter_map(|(key, row)| Some((key, row.record.sent?.entity))).collect();
        let image = |item: &Item| {
            let before = item.core_id.as_deref().and_then(|id| rows.get(&EntityKey::new(item.kind, id)));
            let entity = item.key().and_then(|key| entities.get(&key));
            (before.cloned(), plan.after(item, entity, before))
        };
        Ok(Self(items.iter().map(image).collect()))
    }

    /// In the order of the items: before, after.
    pub(super) fn into_pairs(self) -> Vec<(Option<Row>, Option<Row>)> {
        self.0
    }
}
