//! What is measured: the real programs on servers of this run.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl, sql_query, sql_types::Integer};
use test_kit::{FreshDatabase, Servers, Vhost};
use tests::{Bridge, Deployment, Service, Setup, Spread};
use tokio::task::spawn_blocking;

use crate::{meter::Roots, output::say, processes::Processes};

/// Where callbacks are posted to, at any of our gateways.
pub(crate) const PATH: &str = "/callback/wecom/acme";
/// Partitions per hop: as many as the built-in configuration has.
pub(crate) const PARTITIONS: u32 = 16;

/// A RabbitMQ and a PostgreSQL that nobody else uses.
pub(crate) struct Stage {
    servers: Arc<Servers>,
    rabbitmq: u32,
    postgres: u32,
}

impl Stage {
    /// Starts both, and has the programs built.
    pub(crate) async fn start() -> Result<Self> {
        say("starting RabbitMQ and PostgreSQL");
        let start = || -> Result<Self> {
            let servers = Servers::start_of_usual_sizes();
            let (rabbitmq, postgres) = (rabbitmq_of(&servers)?, postgres_of(&servers)?);
            Ok(Self { servers: Arc::new(servers), rabbitmq, postgres })
        };
        let started = spawn_blocking(start).await;
        let stage = started.context("they do not start; `scripts/servers install` installs what is missing")??;
        say("building the programs");
        // Whoever first asks for them has them built, which takes minutes, and signatures do not wait.
        drop(stage.bridge().await);
        Ok(stage)
    }

    /// One process of each service on them, with an empty directory.
    pub(crate) async fn bridge(&self) -> Bridge {
        let spread = Spread { replicas: 1, partitions: PARTITIONS, ..Spread::over(Arc::clone(&self.servers)) };
        Bridge::start(&Setup { deployment: Deployment::Services(spread), ..Setup::default() }).await
    }

    /// A gateway and nobody behind it: what it takes over stays in the queues.
    pub(crate) async fn gateway_alone(&self) -> Bridge {
        let mut bridge = self.bridge().await;
        for service in [Service::Sink, Service::Resolver, Service::Synchronizer] {
            bridge.kill_service(service);
        }
        bridge
    }

    /// Whose processor time counts: our programs and both servers.
    pub(crate) fn roots(&self, bridge: &Bridge) -> Roots {
        let mut roots = programs(bridge);
        roots.extend(self.servers_alone());
        roots
    }

    /// Both servers.
    pub(crate) fn servers_alone(&self) -> Roots {
        Roots::from([("rabbitmq", vec![self.rabbitmq]), ("postgres", vec![self.postgres])])
    }

    /// A virtual host of RabbitMQ. It blocks a moment.
    pub(crate) fn vhost(&self) -> Vhost {
        self.servers.vhost()
    }

    /// An empty database of PostgreSQL. It blocks a moment.
    pub(crate) fn database(&self) -> FreshDatabase {
        self.servers.database()
    }
}

/// One `orgbridge serve` as it comes: SQLite and the embedded queue.
pub(crate) async fn embedded() -> Bridge {
    Bridge::start(&Setup::default()).await
}

/// Whose processor time counts where there are no servers.
pub(crate) fn programs(bridge: &Bridge) -> Roots {
    let mut roots = Roots::new();
    for (program, id) in bridge.process_ids() {
        roots.entry(program).or_default().push(id);
    }
    roots
}

/// The Erlang machine says itself which process it is.
fn rabbitmq_of(servers: &Servers) -> Result<u32> {
    let said = servers.rabbitmqctl(&["eval", "os:getpid()."]);
    let digits: String = said.chars().filter(char::is_ascii_digit).collect();
    digits.parse::<u32>().with_context(|| format!("RabbitMQ's process is {said:?}"))
}

/// Each session of PostgreSQL is a child of the postmaster.
fn postgres_of(servers: &Servers) -> Result<u32> {
    #[derive(QueryableByName)]
    struct Session {
        #[diesel(sql_type = Integer)]
        id: i32,
    }
    let database = servers.database();
    let mut connection = PgConnection::establish(database.url()).context("connecting to PostgreSQL")?;
    let session: Session = sql_query("SELECT pg_backend_pid() AS id").get_result(&mut connection)?;
    let session = u32::try_from(session.id)?;
    Processes::now()?.parent(session).context("PostgreSQL's session is no process of this machine")
}
