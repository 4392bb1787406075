//! The applied tenants, in memory, so that no request asks the database for one.

use std::{collections::HashMap, sync::Arc, time::Duration};

use broker::Lane;
use common::{Secret, TenantId, UnixMillis};
use database::{Connection, Database};
use futures::future::BoxFuture;
use serde_json::Value;
use store::Sealer;
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    health::{Health, Readiness},
    tenant::TenantFile,
    tenants::{CallbackPair, Replaced},
};

/// How often the store is asked whether a tenant changed: a key that was just applied is honoured within 2 s.
const REFRESH_EVERY: Duration = Duration::from_millis(500);

/// A tenant as it was applied.
#[derive(Debug)]
pub struct Tenant {
    /// Its file.
    pub file: TenantFile,
    /// The lane of its events and changes.
    pub lane: Lane,
    /// Grows with every apply.
    pub revision: i64,
    /// When it was last applied.
    pub applied_at: UnixMillis,
    /// The callback keys before their last change.
    pub previous_callback: Option<PreviousCallback>,
}

/// Callback keys that are honoured for a while after they were replaced.
#[derive(Debug, Clone)]
pub struct PreviousCallback {
    /// WeCom's, where those were replaced.
    pub wecom: Option<CallbackPair>,
    /// DingTalk's, where those were replaced.
    pub dingtalk: Option<CallbackPair>,
    /// The secret of Jiandaoyun's pushes, where that was replaced.
    pub jiandaoyun: Option<Secret>,
    /// How long they hold.
    pub until: UnixMillis,
}

/// All applied tenants at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The newest revision in it.
    pub revision: i64,
    tenants: HashMap<String, Arc<Tenant>>,
}

impl Snapshot {
    /// The tenant of that id.
    pub fn get(&self, id: &str) -> Option<&Arc<Tenant>> {
        self.tenants.get(id)
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Tenant>> {
        self.tenants.values()
    }
}

/// Knows all applied tenants; cheap to clone.
#[derive(Clone)]
pub struct TenantBook(Arc<Inner>);

struct Inner {
    database: Database,
    sealer: Arc<Sealer>,
    current: watch::Sender<Arc<Snapshot>>,
    refreshing: Mutex<()>,
}

impl TenantBook {
    /// An empty book; [`TenantBook::refresh`] fills it.
    pub fn new(database: Database, sealer: Arc<Sealer>) -> Self {
        let current = watch::Sender::new(Arc::default());
        Self(Arc::new(Inner { database, sealer, current, refreshing: Mutex::new(()) }))
    }

    /// What is known at the moment.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0.current.borrow())
    }

    /// One tenant.
    pub fn get(&self, id: &TenantId) -> Option<Arc<Tenant>> {
        self.0.current.borrow().get(id.as_str()).cloned()
    }

    /// Tells of every change; the value is the new snapshot.
    pub fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.0.current.subscribe()
    }

    /// Looks at the store; `true` when something had changed. A tenant that cannot be read stays as it was.
    ///
    /// # Errors
    /// Those of the database.
    pub fn refresh(&self) -> BoxFuture<'_, database::Result<bool>> {
        Box::pin(async move {
            let _alone = self.0.refreshing.lock().await;
            let before = self.snapshot();
            let since = before.revision;
            let changed = self.0.database.read("tenants.changed", move |conn| changed(conn, since)).await?;
            let Some(newest) = changed.iter().map(|row| row.revision).max() else { return Ok(false) };
            let mut tenants = before.tenants.clone();
            for row in changed {
                if row.removed_at.is_some() {
                    tenants.remove(row.id.as_str());
                    continue;
                }
                let id = row.id.clone();
                match read(row, &self.0.sealer) {
                    Ok(tenant) => drop(tenants.insert(id.to_string(), Arc::new(tenant))),
                    Err(error) => {
                        tracing::error!(tenant.id = %id, error = %format!("{error:#}"), "cannot read a tenant")
                    }
                }
            }
            self.0.current.send_replace(Arc::new(Snapshot { revision: newest, tenants }));
            Ok(true)
        })
    }

    /// Refreshes until told to stop, and says in `health` whether the database answers.
    pub async fn keep_fresh(self, health: Health, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(REFRESH_EVERY)).await.is_some() {
            let readiness = match self.refresh().await {
                Ok(_) => Readiness::Ready,
                Err(error) => Readiness::NotReady(format!("the database does not answer: {}", error.label())),
            };
            health.set("database", readiness);
        }
    }
}

fn changed(conn: &mut Connection, since: i64) -> database::Result<Vec<store::tenants::Tenant>> {
    // The cheap question first: almost always nothing has changed.
    if store::tenants::revision(conn)? == since { Ok(Vec::new()) } else { store::tenants::changed_since(conn, since) }
}

fn read(row: store::tenants::Tenant, sealer: &Sealer) -> anyhow::Result<Tenant> {
    let document: Value = serde_json::from_str(&row.document)?;
    let file = TenantFile::from_document(&row.id, document, sealer, &row.data_key)?;
    let previous = match (&row.previous_callback, row.previous_until) {
        (Some(sealed), Some(until)) => {
            match Replaced::open(sealer, &row.data_key, &row.id, sealed) {
                Ok(Replaced { wecom, dingtalk, jiandaoyun }) => {
                    Some(PreviousCallback { wecom, dingtalk, jiandaoyun, until })
                }
                Err(_) => {
                    // They were sealed with a key that is gone; the present ones count.
                    tracing::warn!(tenant.id = %row.id, "the former callback keys cannot be read and are not honoured");
                    None
                }
            }
        }
        _ => None,
    };
    Ok(Tenant {
        lane: Lane::new(&row.lane),
        file,
        revision: row.revision,
        applied_at: row.applied_at,
        previous_callback: previous,
    })
}
