//! The queue's messages: they wake couriers and save them reading the outbox.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError, RwLock},
};

use async_trait::async_trait;
use broker::{Delivery, Failure, Handler};
use common::{Change, TenantId};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::sync::mpsc;

/// A tenant's changes as its couriers share them.
pub(crate) type Batch = Arc<Vec<Change>>;

/// Who gets a tenant's changes.
#[derive(Clone, Default)]
pub(crate) struct Routes(Arc<RwLock<HashMap<TenantId, Vec<mpsc::Sender<Batch>>>>>);

impl Routes {
    /// Replaces all of them.
    pub(crate) fn replace(&self, routes: HashMap<TenantId, Vec<mpsc::Sender<Batch>>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = routes;
    }

    /// Whether any courier of a tenant has room.
    fn has_room(&self, tenant: &TenantId) -> bool {
        let routes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        routes.get(tenant).into_iter().flatten().any(|courier| courier.capacity() > 0)
    }

    /// Hands changes to the couriers of a tenant. One that has no room reads the outbox when it gets there.
    fn hand_over(&self, tenant: &TenantId, changes: Vec<Change>) {
        let routes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let changes = Arc::new(changes);
        for courier in routes.get(tenant).into_iter().flatten() {
            if courier.try_send(Arc::clone(&changes)).is_err() {
                tracing::trace!(tenant.id = %tenant, "a courier has no room; it will read the outbox");
            }
        }
    }
}

/// Takes changes from the queue.
pub(crate) struct ChangeHandler(Routes);

impl ChangeHandler {
    pub(crate) const fn new(routes: Routes) -> Self {
        Self(routes)
    }
}

/// What must be known of a change to see whether anybody wants it.
#[derive(Deserialize)]
struct Head {
    tenant: TenantId,
}

fn read<T: DeserializeOwned>(delivery: &Delivery) -> Option<T> {
    match serde_json::from_slice(&delivery.payload) {
        Ok(read) => Some(read),
        Err(error) => {
            tracing::warn!(
                category = ?error.classify(),
                size_bytes = delivery.payload.len(),
                "a message of the queue is no change; the outbox has it if it ever was one"
            );
            None
        }
    }
}

#[async_trait]
impl Handler for ChangeHandler {
    /// Acknowledges at once: the outbox has everything until every destination has passed it.
    async fn handle(&self, batch: &[Delivery]) -> Result<(), Failure> {
        let mut by_tenant: BTreeMap<TenantId, Vec<&Delivery>> = BTreeMap::new();
        for delivery in batch {
            if let Some(Head { tenant }) = read(delivery) {
                by_tenant.entry(tenant).or_default().push(delivery);
            }
        }
        for (tenant, deliveries) in by_tenant {
            // Couriers that are behind read the outbox anyway: then reading the whole messages is in vain.
            if self.0.has_room(&tenant) {
                self.0.hand_over(&tenant, deliveries.into_iter().filter_map(read).collect());
            }
        }
        Ok(())
    }

    async fn bury(&self, _delivery: &Delivery) -> Result<(), Failure> {
        Ok(())
    }
}
