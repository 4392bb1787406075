//! What each command does. All but `serve`, `health`, `demo`, `spool` and `mapping check` and `preview` act on the database alone, so that they
//! work while a `serve` runs.

mod check;
mod dead;
mod deliveries;
mod destination;
mod doctor;
mod health;
mod link;
mod lost;
mod mapping;
mod migrate;
mod parked;
mod people;
mod quota;
mod replay;
mod serve;
mod spool;
mod sync;
mod tenants;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use common::{Clock, TenantId, UnixMillis};
use database::Database;
use serde_json::{Value, json};
use service::{Config, Environment, SystemClock, TenantFile};
use store::Sealer;
use tokio::runtime::Runtime;

use crate::{
    Output,
    arguments::{
        Arguments, Command, ConfigCommand, DeadCommand, DeliveriesCommand, DestinationCommand, LinkCommand, Linked,
        MappingCommand, ParkedCommand, SpoolCommand, SyncCommand, TenantCommand,
    },
    demo,
    failure::Failure,
    help, texts,
};

/// Read when no `--config` is given, if it is there.
const DEFAULT_FILE: &str = "orgbridge.toml";

type Done = Result<(), Failure>;

/// Does what the arguments say.
pub(crate) fn execute(arguments: Arguments, environment: Environment, output: &mut Output<'_>) -> Done {
    let source = Source::new(arguments.config, environment);
    match arguments.command {
        Command::Demo(options) => demo::run(&options, &source.environment, output),
        Command::Serve { only } => serve::serve(source, &only, output),
        Command::Config(ConfigCommand::Check) => check::check(&source, output),
        Command::Health => health::health(&source, output),
        Command::Migrate(printing) => migrate::migrate(&source, printing, output),
        Command::Spool(SpoolCommand::Drain { directory, printing }) => {
            spool::drain(&source, &directory, printing, output)
        }
        Command::Completions { shell } => completions(shell, output),
        Command::Tenant(command) => {
            let (desk, runtime) = open(source)?;
            runtime.block_on(tenant(&desk, command, output))
        }
        Command::Parked(command) => {
            let (desk, runtime) = open(source)?;
            runtime.block_on(parked(&desk, command, output))
        }
        Command::Dead(command) => {
            let (desk, runtime) = open(source)?;
            runtime.block_on(dead(&desk, command, output))
        }
        Command::Deliveries(command) => {
            let (desk, runtime) = open(source)?;
            runtime.block_on(deliveries(&desk, command, output))
        }
        Command::Destination(command) => {
            let (desk, runtime) = open(source)?;
            runtime.block_on(destination(&desk, command, output))
        }
        Command::Sync(command) => {
            let (desk, runtime) = open(source)?;
            runtime.block_on(synchronise(&desk, command, output))
        }
        Command::Link(command) => {
            let (desk, runtime) = open(source)?;
            runtime.block_on(links(&desk, command, output))
        }
        Command::Mapping(MappingCommand::Check { mapping, printing }) => mapping::check(&mapping, printing, output),
        Command::Mapping(MappingCommand::Preview { mapping, record, printing }) => {
            mapping::preview(&mapping, &record, printing, output)
        }
        Command::Mapping(MappingCommand::List { tenant, state, printing }) => {
            let (desk, runtime) = open(source)?;
            runtime.block_on(mapping::list(&desk, tenant, state, printing, output))
        }
        Command::Quota { id, printing } => {
            let (desk, runtime) = open(source)?;
            runtime.block_on(quota::quota(&desk, id, printing, output))
        }
    }
}

async fn tenant(desk: &Desk, command: TenantCommand, output: &mut Output<'_>) -> Done {
    match command {
        TenantCommand::Apply { files, printing } => tenants::apply(desk, &files, printing, output).await,
        TenantCommand::List(printing) => tenants::list(desk, printing, output).await,
        TenantCommand::Show { id, printing } => tenants::show(desk, id, printing, output).await,
        TenantCommand::Doctor { id, printing } => doctor::doctor(desk, id, printing, output).await,
        TenantCommand::Remove { id } => tenants::remove(desk, id, output).await,
    }
}

async fn parked(desk: &Desk, command: ParkedCommand, output: &mut Output<'_>) -> Done {
    match command {
        ParkedCommand::List { tenant, printing } => parked::list(desk, tenant, printing, output).await,
        ParkedCommand::Show { tenant, kind, id, printing } => {
            parked::show(desk, tenant, (kind, &id), printing, output).await
        }
    }
}

async fn dead(desk: &Desk, command: DeadCommand, output: &mut Output<'_>) -> Done {
    match command {
        DeadCommand::List { tenant, printing } => dead::list(desk, tenant, printing, output).await,
        DeadCommand::Show { id, printing } => dead::show(desk, id, printing, output).await,
        DeadCommand::Replay(wish) => dead::replay(desk, wish, output).await,
        DeadCommand::Discard { id } => dead::discard(desk, id, output).await,
    }
}

async fn deliveries(desk: &Desk, command: DeliveriesCommand, output: &mut Output<'_>) -> Done {
    match command {
        DeliveriesCommand::List { tenant, destination, limit, printing } => {
            deliveries::list(desk, (tenant, destination), limit, printing, output).await
        }
        DeliveriesCommand::Replay { tenant, destination, from, since, printing } => {
            let start = lost::Start::new(from, since);
            deliveries::replay(desk, (tenant, destination), start, printing, output).await
        }
    }
}

async fn destination(desk: &Desk, command: DestinationCommand, output: &mut Output<'_>) -> Done {
    match command {
        DestinationCommand::Pause(place) => destination::pause(desk, place, output).await,
        DestinationCommand::Resume(place) => destination::resume(desk, place, output).await,
        DestinationCommand::Reset { place, from, printing } => {
            destination::reset(desk, place, from, printing, output).await
        }
    }
}

async fn synchronise(desk: &Desk, command: SyncCommand, output: &mut Output<'_>) -> Done {
    match command {
        SyncCommand::Plan { id, printing } => sync::plan(desk, id, printing, output).await,
        SyncCommand::Apply(wish) => sync::apply(desk, wish, output).await,
        SyncCommand::Allow { run } => sync::allow(desk, run, output).await,
        SyncCommand::Reject { run } => sync::reject(desk, run, output).await,
        SyncCommand::Status { id, printing } => sync::status(desk, id, printing, output).await,
        SyncCommand::Diff { id, printing } => sync::diff(desk, id, printing, output).await,
        SyncCommand::Undo { run } => sync::undo(desk, run, output).await,
        SyncCommand::Resume { id, destination } => sync::resume(desk, (id, destination), output).await,
    }
}

async fn links(desk: &Desk, command: LinkCommand, output: &mut Output<'_>) -> Done {
    // What is neither was refused with the command line.
    let neither = || Failure::Wrong(Vec::new());
    match command {
        LinkCommand::Set { place, core_id, member } => match place.linked().ok_or_else(neither)? {
            Linked::Entity(place) => link::set(desk, place, core_id.ok_or_else(neither)?, output).await,
            Linked::Person(place) => people::set(desk, place, member.ok_or_else(neither)?, output).await,
        },
        LinkCommand::List { tenant, platform: Some(platform), printing, .. } => {
            people::list(desk, (tenant, platform), printing, output).await
        }
        LinkCommand::List { tenant, destination, platform: None, printing } => {
            link::list(desk, (tenant, destination), printing, output).await
        }
        LinkCommand::Remove { place, core_id } => match place.linked().ok_or_else(neither)? {
            Linked::Entity(place) => link::remove(desk, place, core_id, output).await,
            Linked::Person(place) => people::remove(desk, place, output).await,
        },
    }
}

fn completions(shell: clap_complete::Shell, output: &mut Output<'_>) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut help::command(output.language), "orgbridge", &mut script);
    output.out().write_all(&script)?;
    Ok(output.out().flush()?)
}

/// Where settings come from.
struct Source {
    /// `None` where there is no file: the defaults hold.
    file: Option<PathBuf>,
    environment: Environment,
}

impl Source {
    fn new(given: Option<PathBuf>, environment: Environment) -> Self {
        let default = || Some(PathBuf::from(DEFAULT_FILE)).filter(|file| file.exists());
        Self { file: given.or_else(default), environment }
    }

    fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    fn config(&self) -> Result<Config, Failure> {
        Ok(Config::load(self.file(), &self.environment)?)
    }
}

/// What commands work with.
struct Desk {
    database: Database,
    sealer: Sealer,
    environment: Environment,
    config: Config,
}

impl Desk {
    fn now(&self) -> UnixMillis {
        SystemClock.now()
    }

    /// The tenant must be there.
    async fn expect_tenant(&self, id: &TenantId, output: &Output<'_>) -> Done {
        let wanted = id.clone();
        let row = self.database.read("tenants.get", move |conn| store::tenants::get(conn, &wanted)).await?;
        match row.filter(|row| row.removed_at.is_none()) {
            Some(_) => Ok(()),
            None => Err(Failure::say(texts::no_tenant(output.language, id))),
        }
    }

    /// The tenant as it was applied.
    async fn file(&self, id: &TenantId, output: &Output<'_>) -> Result<TenantFile, Failure> {
        let file = service::tenants::load(&self.database, &self.sealer, id).await;
        let file = file.with_context(|| format!("reading what was applied of {id}"))?;
        file.ok_or_else(|| Failure::say(texts::no_tenant(output.language, id)))
    }
}

fn open(source: Source) -> Result<(Desk, Runtime), Failure> {
    let config = source.config()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
    let (database, sealer) = service::open_store(&config)?;
    Ok((Desk { database, sealer, environment: source.environment, config }, runtime))
}

/// An entity as the contract's lists show it.
fn entity_json(key: &common::EntityKey) -> Value {
    json!({ "kind": key.kind.as_str(), "id": &*key.id })
}
