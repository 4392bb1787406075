//! How services are spread over processes, and where their data are.

use std::{net::SocketAddr, path::Path, sync::Arc};

use test_kit::{FreshDatabase, Servers, Vhost};

use crate::Core;

/// Any key will do, as long as all processes have the same.
const MASTER_KEY: &str = "b3JnYnJpZGdlIGVuZC10by1lbmQgdGVzdHMga2V5IDE=";
const CORE_SCHEMA: &str = "core";

/// A service that has a program of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// What must be pulled.
    Synchronizer,
    /// What platforms push.
    CallbackGateway,
    /// Duplicates out, order restored.
    Resolver,
    /// Delivers changes to destinations.
    Sink,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Synchronizer, Self::CallbackGateway, Self::Resolver, Self::Sink];

    /// The name of its program.
    pub const fn program(self) -> &'static str {
        match self {
            Self::Synchronizer => "synchronizer",
            Self::CallbackGateway => "callback-gateway",
            Self::Resolver => "resolver",
            Self::Sink => "sink",
        }
    }
}

/// How the services are spread over processes.
#[derive(Debug, Clone, Default)]
pub enum Deployment {
    /// One `orgbridge serve` on SQLite and the embedded queue.
    #[default]
    AllInOne,
    /// Each service in processes of its own, on RabbitMQ and PostgreSQL.
    Services(Spread),
}

/// Services in processes of their own.
#[derive(Debug, Clone)]
pub struct Spread {
    /// What they run on.
    pub servers: Arc<Servers>,
    /// How many processes of each service there are.
    pub replicas: usize,
    /// How many partitions each hop has.
    pub partitions: u32,
    /// Where RabbitMQ is reached instead, such as a proxy in front of it.
    pub broker: Option<SocketAddr>,
    /// Where PostgreSQL is reached instead, by the processes and not by [`Core`].
    pub database: Option<SocketAddr>,
    /// How much a gateway's spool may hold, if that is not as it comes.
    pub spool_max_bytes: Option<u64>,
}

impl Spread {
    /// Two processes of each service.
    #[must_use]
    pub fn over(servers: Arc<Servers>) -> Self {
        Self { servers, replicas: 2, partitions: 4, broker: None, database: None, spool_max_bytes: None }
    }
}

impl Deployment {
    /// Two processes of each service, over the servers of this test run.
    #[must_use]
    pub fn services() -> Self {
        Self::Services(Spread::over(Servers::shared()))
    }
}

/// Where the data are.
pub(crate) enum Storage {
    /// In files beside the configuration.
    Files,
    /// On servers.
    Servers(Box<OnServers>),
}

/// What is this test's own on the servers.
pub(crate) struct OnServers {
    pub(crate) spread: Spread,
    pub(crate) vhost: Vhost,
    database: FreshDatabase,
    core: FreshDatabase,
}

impl OnServers {
    pub(crate) fn database_url(&self) -> &str {
        self.database.url()
    }

    pub(crate) fn core_url(&self) -> &str {
        self.core.url()
    }

    fn broker_url(&self) -> String {
        by_way_of(self.spread.broker, self.spread.servers.broker(), self.vhost.url())
    }

    /// The URL of one of the databases as the processes are told it.
    fn told_url(&self, database: &FreshDatabase) -> String {
        by_way_of(self.spread.database, self.spread.servers.postgres(), database.url())
    }
}

/// A URL in which a server is reached somewhere else.
fn by_way_of(instead: Option<SocketAddr>, server: SocketAddr, url: &str) -> String {
    instead.map_or_else(|| url.to_owned(), |instead| url.replace(&server.to_string(), &instead.to_string()))
}

impl Storage {
    /// Empty storage.
    pub(crate) fn new(deployment: &Deployment) -> Self {
        match deployment {
            Deployment::AllInOne => Self::Files,
            Deployment::Services(spread) => Self::Servers(Box::new(OnServers {
                vhost: spread.servers.vhost(),
                database: spread.servers.database(),
                core: spread.servers.database(),
                spread: spread.clone(),
            })),
        }
    }

    /// The sections of `orgbridge.toml` that tell a process of it.
    pub(crate) fn sections(&self, data: &Path) -> String {
        match self {
            Self::Files => format!(
                "[database]\nurl = \"sqlite://{data}/orgbridge.db\"\n\
                 [secrets]\nmaster_key = {{ file = \"{data}/master.key\" }}\n",
                data = data.display()
            ),
            Self::Servers(own) => {
                let spool = own.spread.spool_max_bytes.map(|bytes| format!("spool_max_bytes = {bytes}\n"));
                format!(
                    "[database]\nurl = \"{}\"\npool_size = 4\n[broker]\nurl = \"{}\"\npartitions = {}\n{}\
                     [secrets]\nmaster_key = \"{MASTER_KEY}\"\n",
                    own.told_url(&own.database),
                    own.broker_url(),
                    own.spread.partitions,
                    spool.unwrap_or_default()
                )
            }
        }
    }

    /// The core product's tables.
    pub(crate) fn core(&self, directory: &Path) -> Core {
        match self {
            Self::Files => Core::in_file(directory.join("core.db")),
            Self::Servers(own) => Core::on_server(own.core.url(), CORE_SCHEMA),
        }
    }

    /// Kind and place of the tenant's core destination.
    pub(crate) fn core_destination(&self, directory: &Path) -> String {
        match self {
            Self::Files => format!("kind = \"sqlite\"\nurl = \"sqlite://{}\"\n", directory.join("core.db").display()),
            Self::Servers(own) => {
                let url = own.told_url(&own.core);
                format!("kind = \"postgres\"\nurl = \"{url}\"\nschema = \"{CORE_SCHEMA}\"\n")
            }
        }
    }
}
