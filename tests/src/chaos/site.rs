//! What the processes stand on, and the means to disturb it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use test_kit::{Proxy, Server, Servers};
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep},
};

use super::fault::{Disk, Fault, OnServer};
use crate::{Ballast, SmallDisk, Spread};

/// Enough for PostgreSQL and what a run writes, and soon full of something else.
const POSTGRES_MEGABYTES: u32 = 512;
/// Enough for a spool, of which the log alone may have 64 MB before it is copied back.
const SPOOL_MEGABYTES: u32 = 192;
/// How long PostgreSQL may take to come back when there is room again.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(500);

/// A RabbitMQ and a PostgreSQL of our own, the lines to them, and perhaps small disks.
pub(super) struct Site {
    servers: Arc<Servers>,
    to_rabbitmq: Proxy,
    to_postgres: Proxy,
    spool: Option<SmallDisk>,
}

impl Site {
    /// Starts everything. Small disks can be had where [`has_small_disks`] says so.
    pub(super) async fn start(small_disks: bool) -> Self {
        let start =
            move || if small_disks { Servers::start_on_small_disk(POSTGRES_MEGABYTES) } else { Servers::start() };
        let servers = spawn_blocking(start).await.expect("servers");
        let spool = if small_disks { SmallDisk::mount(SPOOL_MEGABYTES) } else { None };
        Self {
            to_rabbitmq: Proxy::start([servers.broker()]).await,
            to_postgres: Proxy::start([servers.postgres()]).await,
            servers: Arc::new(servers),
            spool,
        }
    }

    /// Two processes of each service, which reach the servers by our lines only.
    pub(super) fn spread(&self) -> Spread {
        Spread {
            broker: Some(self.to_rabbitmq.address()),
            database: Some(self.to_postgres.address()),
            ..Spread::over(Arc::clone(&self.servers))
        }
    }

    /// Where the first gateway keeps its files, if that is a small disk.
    pub(super) fn gateway_data(&self) -> Option<PathBuf> {
        self.spool.as_ref().map(|disk| disk.path().to_owned())
    }

    /// How often PostgreSQL refused something since a foreign key forbade it, by its log.
    pub(super) fn foreign_key_errors(&self) -> usize {
        self.servers.postgres_log().lines().filter(|line| line.contains("violates foreign key")).count()
    }

    /// Lets something happen, and undoes it after its time.
    pub(super) async fn suffer(&self, fault: &Fault<OnServer>) {
        match fault.what {
            OnServer::Kill(server) => {
                self.blocking(move |servers| servers.kill(server)).await;
                sleep(fault.lasts).await;
                self.blocking(move |servers| servers.start_again(server)).await;
            }
            OnServer::Stop(server) => {
                self.blocking(move |servers| servers.pause(server)).await;
                sleep(fault.lasts).await;
                self.blocking(move |servers| servers.resume(server)).await;
            }
            OnServer::Cut(server) => self.line(server).cut(),
            OnServer::Hole(server) => {
                self.line(server).black_hole(true);
                sleep(fault.lasts).await;
                self.line(server).black_hole(false);
            }
            OnServer::Alarm => {
                self.blocking(|servers| servers.disk_alarm(true)).await;
                sleep(fault.lasts).await;
                self.blocking(|servers| servers.disk_alarm(false)).await;
            }
            OnServer::Restart(shutdown) => self.blocking(move |servers| servers.restart_postgres(shutdown)).await,
            OnServer::Terminate => self.blocking(Servers::terminate_sessions).await,
            OnServer::FullDisk(Disk::Postgres) => {
                let ballast = fill(self.servers.postgres_disk()).await;
                sleep(fault.lasts).await;
                drop(ballast);
                self.postgres_comes_back().await;
            }
            OnServer::FullDisk(Disk::Spool) => {
                let Some(disk) = self.gateway_data() else { return };
                self.to_rabbitmq.black_hole(true);
                let ballast = fill(disk).await;
                sleep(fault.lasts).await;
                drop(ballast);
                self.to_rabbitmq.black_hole(false);
            }
        }
    }

    fn line(&self, to: Server) -> &Proxy {
        match to {
            Server::RabbitMq => &self.to_rabbitmq,
            Server::Postgres => &self.to_postgres,
        }
    }

    /// Without room for its log of changes it gives up by itself. Whoever runs it starts it again.
    async fn postgres_comes_back(&self) {
        let end = Instant::now() + PATIENCE;
        loop {
            self.blocking(|servers| servers.start_again(Server::Postgres)).await;
            let servers = Arc::clone(&self.servers);
            if spawn_blocking(move || servers.postgres_answers()).await.expect("an answer") {
                return;
            }
            assert!(Instant::now() < end, "PostgreSQL does not come back though there is room again");
            sleep(PAUSE).await;
        }
    }

    async fn blocking(&self, work: impl FnOnce(&Servers) + Send + 'static) {
        let servers = Arc::clone(&self.servers);
        spawn_blocking(move || work(&servers)).await.expect("what was asked of the servers");
    }
}

/// Whether disks can be mounted here.
pub(super) fn has_small_disks() -> bool {
    SmallDisk::mount(1).is_some()
}

async fn fill(directory: PathBuf) -> Ballast {
    spawn_blocking(move || Ballast::fill(&directory)).await.expect("a full disk")
}
