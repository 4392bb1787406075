//! The parts of a process over a directory of its own.

use std::{path::Path, sync::Arc};

use broker::Embedded;
use common::{Clock, Secret, UnixMillis};
use database::{Database, Options};
use service::{Context, Parts, TenantFile};
use store::Sealer;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::TestClock;

/// 2026-01-01T00:00:00Z, when tests take place.
const NOW: UnixMillis = UnixMillis::from_seconds(1_767_225_600);

/// A process without services: an embedded database and queue, a clock that the test moves.
pub struct Stage {
    /// What services are given.
    pub context: Context,
    /// Its clock.
    pub clock: Arc<TestClock>,
    queue: Embedded,
    master_key: Secret,
    directory: TempDir,
}

impl Stage {
    /// A fresh one.
    ///
    /// # Panics
    /// When a temporary directory cannot be used.
    pub async fn open() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        Self::over(directory, Sealer::new_master_key(), Arc::new(TestClock::at(NOW))).await
    }

    /// The same data, opened anew: what a process finds after a crash.
    ///
    /// # Panics
    /// When the data cannot be opened.
    pub async fn reopen(self) -> Self {
        self.stop().await;
        let Self { directory, clock, master_key, .. } = self;
        Self::over(directory, master_key, clock).await
    }

    /// Applies a tenant file and lets the process know.
    ///
    /// # Panics
    /// When the file is refused.
    pub async fn apply(&self, tenant: &str) {
        let file = TenantFile::parse(tenant, self.directory.path()).expect("a good tenant file");
        let now = self.clock.now();
        service::tenants::apply(&self.context.database, &self.context.sealer, &file, now).await.expect("applied");
        self.context.tenants.refresh().await.expect("refreshed");
    }

    /// Where its files are.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Stops what runs on it and waits for it.
    pub async fn stop(&self) {
        self.context.stop.cancel();
        self.context.finish_tasks(std::time::Duration::from_secs(20)).await;
        self.queue.close().await;
    }

    async fn over(directory: TempDir, master_key: Secret, clock: Arc<TestClock>) -> Self {
        let file = |name: &str| Options::new(format!("sqlite://{}", directory.path().join(name).display()));
        let database = Database::open(&file("orgbridge.db")).expect("a database");
        database.migrate(store::migrations()).expect("migrated");
        let queue = Embedded::open(Database::open(&file("queue.db")).expect("a queue file"), 16).expect("a queue");
        let context = Context::assemble(Parts {
            database,
            broker: Arc::new(queue.clone()),
            clock: clock.clone(),
            sealer: Sealer::new(&master_key).expect("a master key"),
            stop: CancellationToken::new(),
            instance: service::new_instance(),
            needs_database: true,
        })
        .await
        .expect("a context");
        Self { context, clock, queue, master_key, directory }
    }
}
