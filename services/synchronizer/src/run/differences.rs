//! What differs now: the same comparison, read only.

use std::sync::Arc;

use common::{DestinationId, EntityKind, UnixMillis};
use database::Database;
use directory::plan::{Action, Item, Row};
use futures::future::BoxFuture;
use serde_json::Value;
use service::{TenantFile, config::SynchronizerConfig};

use super::{
    products::{Core, OpenProduct, cores},
    sides::{self, Images, Rules},
    work::Trouble,
};

/// Items looked at at once.
const PAGE: usize = 500;

/// One column that differs, or a row that is too much or missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// At which destination.
    pub at: DestinationId,
    /// Of what.
    pub kind: EntityKind,
    /// The platform's id; the row's where no entity belongs to it.
    pub id: Arc<str>,
    /// The column; `id` where one side has nothing.
    pub field: &'static str,
    /// What the source tells, in the destination's ids.
    pub source: Value,
    /// What the destination holds.
    pub destination: Value,
}

/// What differs between a tenant's mirror and its core products at this moment. What a person must decide on is not counted.
/// The mirror is taken to be whole.
///
/// # Errors
/// A product or our database does not answer.
pub fn differences<'a>(
    database: &'a Database,
    tenant: &'a TenantFile,
    products: &'a dyn OpenProduct,
    config: &'a SynchronizerConfig,
    now: UnixMillis,
) -> BoxFuture<'a, Result<Vec<Difference>, Trouble>> {
    Box::pin(async move {
        let rules = Rules { is_complete: true, now, delete_after_seconds: config.delete_after_seconds };
        let mut found = Vec::new();
        for core in cores(products, tenant)? {
            let compared = sides::compare(database, tenant, &core, rules).await?;
            for page in compared.plan.items().chunks(PAGE) {
                let images = Images::of(database, &tenant.id, &core, &compared.plan, page).await?;
                for (item, (before, after)) in page.iter().zip(images.into_pairs()) {
                    tell(&core, item, before.as_ref(), after.as_ref(), &mut found);
                }
            }
        }
        Ok(found)
    })
}

fn tell(core: &Core, item: &Item, before: Option<&Row>, after: Option<&Row>, found: &mut Vec<Difference>) {
    let Some(id) = item.id.as_ref().or(item.core_id.as_ref()) else { return };
    let mut differs = |field, source, destination| {
        let (at, id) = (core.id.clone(), Arc::clone(id));
        found.push(Difference { at, kind: item.kind, id, field, source, destination });
    };
    let of_row = || item.core_id.as_deref().map_or(Value::Null, Value::from);
    match item.action {
        Action::Create => differs("id", of_row(), Value::Null),
        Action::Disable => differs("id", Value::Null, of_row()),
        Action::Update => {
            for column in item.why.columns.iter() {
                let field = column.as_str();
                differs(field, value(after, field), value(before, field));
            }
        }
        Action::Link | Action::Delete | Action::Unsure | Action::Impossible => {}
    }
}

fn value(row: Option<&Row>, field: &str) -> Value {
    let row = row.and_then(|row| serde_json::to_value(row).ok());
    row.and_then(|row| row.get(field).cloned()).unwrap_or_default()
}
