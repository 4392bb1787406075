//! All services in one process: a table of services, opened once and supervised together.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use broker::Lane;
use common::Clock;
use futures::future::BoxFuture;
use outbound::Guard;
use serde::{Deserialize, Serialize};
use service::{
    Config, Context, Environment, Inhabitants, Running, SystemClock,
    admin::{self, DatabaseFacts},
    open_by, process, supervise,
    tenants::TenantsDirectory,
};
use tokio_util::sync::CancellationToken;

/// In the data directory while the process runs: who listens where, for scripts that chose port 0.
const LISTENING_FILE: &str = "listening.json";

/// A service by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// What platforms push.
    CallbackGateway,
    /// Duplicates out, order restored.
    Resolver,
    /// Delivers changes to destinations.
    Sink,
    /// What must be pulled.
    Synchronizer,
    /// The operators' page.
    Console,
}

impl Service {
    /// All services of the design.
    pub const ALL: [Self; 5] = [Self::CallbackGateway, Self::Resolver, Self::Sink, Self::Synchronizer, Self::Console];
    /// Those that are built by now.
    pub const BUILT: [Self; 4] = [Self::CallbackGateway, Self::Resolver, Self::Sink, Self::Synchronizer];

    /// Its name at the command line and in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CallbackGateway => "callback-gateway",
            Self::Resolver => "resolver",
            Self::Sink => "sink",
            Self::Synchronizer => "synchronizer",
            Self::Console => "console",
        }
    }

    /// Reads the name; `None` when there is no such service.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }

    /// Whether it is built by now.
    pub fn is_built(self) -> bool {
        Self::BUILT.contains(&self)
    }
}

/// Where a process listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listening {
    /// The callback gateway; `None` where it does not run here.
    pub gateway: Option<SocketAddr>,
    /// Health and metrics.
    pub admin: SocketAddr,
}

/// A process that is ready to run: everything is open and bound, nothing works yet.
pub struct AllInOne {
    context: Context,
    listening: Listening,
    listening_file: PathBuf,
    services: Vec<Running>,
    admin: TcpListener,
    facts: DatabaseFacts,
}

impl AllInOne {
    /// Takes the data directory, opens and migrates the database, binds the sockets of the chosen services. Tenants of
    /// `tenants_dir` are watched from now on; `environment` answers `{ env = .. }` in their files.
    ///
    /// # Errors
    /// What could not be opened or bound, and why; among others when another process serves the same data directory.
    pub async fn open(
        config: &Config,
        environment: Environment,
        only: &[Service],
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        Self::open_by(Arc::new(SystemClock), config, environment, only, stop).await
    }

    /// The same, and its time is another clock's.
    ///
    /// # Errors
    /// Those of [`AllInOne::open`].
    pub fn open_by<'a>(
        clock: Arc<dyn Clock>,
        config: &'a Config,
        environment: Environment,
        only: &'a [Service],
        stop: CancellationToken,
    ) -> BoxFuture<'a, anyhow::Result<Self>> {
        Box::pin(async move {
            // The directory first: who starts a second `serve` is to hear of that, not of a port that is taken.
            let inhabitants = Inhabitants { gateway: only.contains(&Service::CallbackGateway), ..Inhabitants::ALL };
            let context = open_by(clock, config, inhabitants, stop).await?;
            let admin = process::bind("admin.listen", config.admin.listen)?;
            let mut listening = Listening { gateway: None, admin: admin.local_addr().context("admin.listen")? };
            if let Some(path) = config.tenants_dir.clone() {
                TenantsDirectory::start(&context, path, environment).await.context("reading the tenants")?;
            }
            let mut services = Vec::with_capacity(only.len());
            for service in only {
                services.extend(start(*service, config, &context, &mut listening)?);
            }
            // One resolver is in every installation: what a scrape asks the database is told by it alone.
            let facts =
                if only.contains(&Service::Resolver) { DatabaseFacts::Exported } else { DatabaseFacts::LeftOut };
            let listening_file = config.data_dir.join(LISTENING_FILE);
            write_listening(&listening_file, &listening).with_context(|| listening_file.display().to_string())?;
            Ok(Self { context, listening, listening_file, services, admin, facts })
        })
    }

    /// What exists once in the process.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Where it listens.
    pub fn listening(&self) -> Listening {
        self.listening
    }

    /// Runs until the stop token is cancelled, and returns when everything in hand is finished.
    ///
    /// # Errors
    /// The first fault of a service, which also stops the others.
    pub fn run(self) -> BoxFuture<'static, anyhow::Result<()>> {
        Box::pin(async move {
            let Self { context, listening, listening_file, services, admin, facts } = self;
            let names: Vec<&str> = services.iter().map(Running::name).collect();
            let gateway = listening.gateway.map(|address| address.to_string()).unwrap_or_default();
            tracing::info!(services = names.join(","), gateway, admin = %listening.admin, instance = context.instance, "started");
            // It outlives the services, so that readiness can be asked for while they drain.
            let admin_stop = CancellationToken::new();
            let admin = tokio::spawn(admin::serve(admin, context.clone(), facts, admin_stop.clone()));
            let result = supervise(services, &context, process::GRACE).await;
            admin_stop.cancel();
            let admin = admin.await.context("the admin server panicked")?;
            process::close(&context).await;
            if let Err(error) = fs::remove_file(&listening_file) {
                tracing::debug!(%error, path = %listening_file.display(), "cannot remove");
            }
            tracing::info!("stopped");
            result.and(admin)
        })
    }
}

/// [`AllInOne::open`] and [`AllInOne::run`]; `listening` is called in between.
///
/// # Errors
/// Those of both.
pub async fn serve(
    config: &Config,
    environment: Environment,
    only: &[Service],
    stop: CancellationToken,
    listening: impl FnOnce(Listening),
) -> anyhow::Result<()> {
    let all = AllInOne::open(config, environment, only, stop).await?;
    listening(all.listening());
    all.run().await
}

/// The table: how each service is made from its section and the context. `None` where it is not built yet.
fn start(
    service: Service,
    config: &Config,
    context: &Context,
    listening: &mut Listening,
) -> anyhow::Result<Option<Running>> {
    let (name, context) = (service.name(), context.clone());
    let lanes: Vec<Lane> = config.broker.lanes.iter().map(|lane| Lane::new(lane)).collect();
    Ok(Some(match service {
        Service::CallbackGateway => {
            let mut section = config.callback_gateway.clone();
            // An embedded queue has one process only: nobody else could take over meanwhile.
            if config.broker.url.expose() == "embedded" {
                section.drain_seconds = 0;
            }
            let listener = process::bind("callback_gateway.listen", section.listen)?;
            listening.gateway = Some(listener.local_addr().context("callback_gateway.listen")?);
            let platforms = Guard::new(config.synchronizer.allowed_networks.clone());
            Running::new(name, callback_gateway::run(section, platforms, listener, context))
        }
        Service::Resolver => Running::new(name, resolver::run(config.resolver.clone(), lanes, context)),
        Service::Sink => {
            let platforms = Guard::new(config.synchronizer.allowed_networks.clone());
            Running::new(name, sink::run(config.sink.clone(), platforms, lanes, context))
        }
        Service::Synchronizer => {
            let products = Guard::new(config.sink.allowed_networks.clone());
            Running::new(name, synchronizer::run(config.synchronizer.clone(), products, lanes, context))
        }
        Service::Console => return Ok(None),
    }))
}

/// Where a process listens that serves from this data directory now; `None` where none does.
pub(crate) fn listening_in(data_dir: &Path) -> Option<Listening> {
    serde_json::from_str(&fs::read_to_string(data_dir.join(LISTENING_FILE)).ok()?).ok()
}

/// Where health and metrics are asked for on this machine: of the process that serves from the same data directory, else of the one that the
/// same configuration is for.
pub(crate) fn admin_here(config: &Config) -> SocketAddr {
    reachable(listening_in(&config.data_dir).map_or(config.admin.listen, |listening| listening.admin))
}

/// Who listens on all addresses is found on this machine's own.
pub(crate) fn reachable(address: SocketAddr) -> SocketAddr {
    let own = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(own, address.port())
}

/// Never seen half-written.
fn write_listening(file: &PathBuf, listening: &Listening) -> io::Result<()> {
    let draft = file.with_extension("json.new");
    fs::write(&draft, serde_json::to_string(listening)?)?;
    fs::rename(&draft, file)
}

#[cfg(test)]
mod tests {
    use super::reachable;

    #[test]
    fn who_listens_everywhere_is_found_here() {
        let found = |address: &str| reachable(address.parse().unwrap()).to_string();
        assert_eq!(found("0.0.0.0:8080"), "127.0.0.1:8080");
        assert_eq!(found("[::]:8080"), "[::1]:8080");
        assert_eq!(found("10.0.0.7:8080"), "10.0.0.7:8080");
    }
}
