//! Tenants whose destinations collect, since nobody knows yet whether a core product among them holds rows of its own. Where none
//! does, everything is delivered from the first event on. Else the first sync decides, which a person asks for: an event before it would
//! make a second person of somebody whom the product knows by another id.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use common::{DestinationId, TenantId};
use database::Connection;
use service::{Context, Tenant};
use store::{runs, tenants};
use tokio::{task::JoinSet, time::Instant};

use crate::Build;

/// A product that did not answer is asked again after so long.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// The destinations that collect, by tenant.
pub(crate) type Collecting = BTreeMap<TenantId, BTreeSet<DestinationId>>;

/// Looks into core products, beside the couriers: one that does not answer holds up nobody.
pub(crate) struct Gate {
    context: Context,
    build: Arc<dyn Build>,
    /// Tenants that need no look, by the revision at which that was found.
    known: BTreeMap<TenantId, Known>,
    looks: JoinSet<Look>,
}

/// What is known of a tenant that collects.
struct Known {
    revision: i64,
    /// When it is to be looked at again; `None`: not before it is applied anew.
    again: Option<Instant>,
}

/// A look at one tenant.
struct Look {
    tenant: TenantId,
    found: anyhow::Result<Found>,
}

/// What was found.
enum Found {
    /// All are empty, and it was said so.
    Empty,
    /// This one is not.
    Rows(DestinationId),
}

impl Gate {
    pub(crate) fn new(context: Context, build: Arc<dyn Build>) -> Self {
        Self { context, build, known: BTreeMap::new(), looks: JoinSet::new() }
    }

    /// Takes in what was found since the last call, and begins to look at those of our tenants of which some destinations collect.
    pub(crate) fn look(&mut self, collecting: &Collecting, tenants: &[Arc<Tenant>]) {
        while let Some(ended) = self.looks.try_join_next() {
            match ended {
                Ok(look) => self.take(look),
                Err(_) => {
                    tracing::error!("looking into a core product panicked; the process stops");
                    self.context.stop.cancel();
                }
            }
        }
        self.known.retain(|tenant, _| collecting.contains_key(tenant));
        for tenant in tenants {
            let (id, revision) = (&tenant.file.id, tenant.revision);
            let Some(waiting) = collecting.get(id) else { continue };
            let is_known =
                |known: &Known| known.revision == revision && known.again.is_none_or(|again| Instant::now() < again);
            if !self.known.get(id).is_some_and(is_known) {
                self.known.insert(id.clone(), Known { revision, again: None });
                let (context, build, tenant) = (self.context.clone(), Arc::clone(&self.build), Arc::clone(tenant));
                let waiting = waiting.clone();
                self.looks.spawn(async move {
                    let found = find(&context, build.as_ref(), &tenant, &waiting).await;
                    Look { tenant: tenant.file.id.clone(), found }
                });
            }
        }
    }

    fn take(&mut self, Look { tenant, found }: Look) {
        match found {
            Ok(Found::Empty) => {
                tracing::info!(tenant.id = %tenant, "its core products hold no rows: everything is delivered from now on");
            }
            Ok(Found::Rows(destination)) => {
                tracing::warn!(tenant.id = %tenant, destination.id = %destination, "it holds rows of its own: nothing is delivered before the first sync, see `orgbridge sync plan`");
            }
            Err(error) => {
                tracing::warn!(tenant.id = %tenant, error = %format!("{error:#}"), "not known yet whether its core products are empty: nothing is delivered");
                if let Some(known) = self.known.get_mut(&tenant) {
                    known.again = Some(Instant::now() + AGAIN_AFTER);
                }
            }
        }
    }
}

async fn find(
    context: &Context,
    build: &dyn Build,
    tenant: &Tenant,
    waiting: &BTreeSet<DestinationId>,
) -> anyhow::Result<Found> {
    let products = tenant.file.destinations.iter().filter(|file| file.is_readable_core() && waiting.contains(&file.id));
    for file in products {
        let destination = build.build(tenant, file).with_context(|| file.id.to_string())?;
        if !destination.is_empty().await.with_context(|| file.id.to_string())? {
            return Ok(Found::Rows(file.id.clone()));
        }
    }
    let (id, revision) = (tenant.file.id.clone(), tenant.revision);
    let start = move |conn: &mut Connection| -> database::Result<()> {
        // What was looked at must still be what is declared.
        let is_same = tenants::get(conn, &id)?.is_some_and(|row| row.revision == revision);
        if is_same { runs::start_all(conn, &id) } else { Ok(()) }
    };
    context.database.write("sink.gate", start).await?;
    Ok(Found::Empty)
}
