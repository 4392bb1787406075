//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use common::{DestinationId, EntityKind, Platform, Reason, TenantId};
use jiandaoyun::mapping::Zone;
use store::form_records::State;

use crate::{all_in_one::Service, moment::Moment};

/// OrgBridge: keeps a core product and an OA in step with WeCom and DingTalk.
#[derive(Debug, Parser)]
#[command(name = "orgbridge", version, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// Configuration file; ./orgbridge.toml if it is there, else the defaults
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show everything at work against simulated platforms
    Demo(Demo),
    /// Run all services in one process
    Serve {
        /// Only these services
        #[arg(long, value_name = "SERVICE", value_delimiter = ',', value_parser = service)]
        only: Vec<Service>,
    },
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Ask the process that serves by this configuration on this machine whether it is ready
    Health,
    /// Bring the database up to date
    Migrate(Printing),
    /// Apply, list, show and remove tenants
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Departments and members that wait for others, and what is recorded of them
    #[command(subcommand)]
    Parked(ParkedCommand),
    /// What was given up on
    #[command(subcommand)]
    Dead(DeadCommand),
    /// What was sent where, and what was answered
    #[command(subcommand)]
    Deliveries(DeliveriesCommand),
    /// Where changes go: hold deliveries back, let them go on, send again what was lost
    #[command(subcommand)]
    Destination(DestinationCommand),
    /// Compare a tenant's directory with its core product, and bring the product in step
    #[command(subcommand)]
    Sync(SyncCommand),
    /// Which row of a core product is which department or member, and which member is whom another platform knows
    #[command(subcommand)]
    Link(LinkCommand),
    /// How records of a form become members
    #[command(subcommand)]
    Mapping(MappingCommand),
    /// How much is used this month of what a platform counts
    Quota {
        /// The tenant
        #[arg(value_name = "ID")]
        id: TenantId,
        #[command(flatten)]
        printing: Printing,
    },
    /// What a gateway took over while the broker was away
    #[command(subcommand)]
    Spool(SpoolCommand),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// How a list or an object is printed.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Printing {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Demo {
    /// End after the story; exit 0 only if source, core product and OA are equal and nothing is lost
    #[arg(long)]
    pub(crate) once: bool,
    /// How many members the simulated company has
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) members: u32,
    /// Everything random follows from it
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Print one JSON object as the last line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check the configuration, and the tenant files in tenants_dir
    Check,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Create tenants or replace their settings
    Apply {
        /// Tenant files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        printing: Printing,
    },
    /// List tenants
    List(Printing),
    /// Show a tenant, without its secrets
    Show {
        /// The tenant
        #[arg(value_name = "ID")]
        id: TenantId,
        #[command(flatten)]
        printing: Printing,
    },
    /// Look for what keeps a tenant from working, and say what to do
    Doctor {
        /// The tenant
        #[arg(value_name = "ID")]
        id: TenantId,
        #[command(flatten)]
        printing: Printing,
    },
    /// Remove a tenant; what it wrote at destinations stays
    Remove {
        /// The tenant
        #[arg(value_name = "ID")]
        id: TenantId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ParkedCommand {
    /// List what waits, the longest first
    List {
        /// Only of this tenant
        #[arg(long, value_name = "ID")]
        tenant: Option<TenantId>,
        #[command(flatten)]
        printing: Printing,
    },
    /// Show all that is known of something that waits
    Show {
        /// The tenant
        #[arg(long, value_name = "ID")]
        tenant: TenantId,
        /// department, member, attendance, approval or onboarding
        #[arg(value_name = "KIND", value_parser = sent_kind)]
        kind: EntityKind,
        /// Its id
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        printing: Printing,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeadCommand {
    /// List dead letters, the oldest first
    List {
        /// Only of this tenant
        #[arg(long, value_name = "ID")]
        tenant: Option<TenantId>,
        #[command(flatten)]
        printing: Printing,
    },
    /// Show a dead letter with its content
    Show {
        /// The dead letter
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        printing: Printing,
    },
    /// Have dead letters tried again
    Replay(DeadReplay),
    /// Throw a dead letter away
    Discard {
        /// The dead letter
        #[arg(value_name = "ID")]
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DeadReplay {
    /// The dead letters
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    pub(crate) ids: Vec<String>,
    /// All of a tenant
    #[arg(long, requires = "tenant")]
    pub(crate) all: bool,
    /// The tenant
    #[arg(long, value_name = "ID", requires = "all")]
    pub(crate) tenant: Option<TenantId>,
    /// Only those of this reason
    #[arg(long, value_name = "REASON", requires = "all", value_parser = reason)]
    pub(crate) reason: Option<Reason>,
    /// Only those since then: RFC 3339, or 30m, 2h, 7d ago
    #[arg(long, value_name = "TIME", requires = "all")]
    pub(crate) since: Option<Moment>,
    #[command(flatten)]
    pub(crate) printing: Printing,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeliveriesCommand {
    /// List attempts, the newest first
    List {
        /// The tenant
        #[arg(long, value_name = "ID")]
        tenant: TenantId,
        /// Only to this destination
        #[arg(long, value_name = "ID")]
        destination: Option<DestinationId>,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
        #[command(flatten)]
        printing: Printing,
    },
    /// Send again, as it is now, what changed since a version or a time; everything when neither is given
    Replay {
        /// The tenant
        #[arg(long, value_name = "ID")]
        tenant: TenantId,
        /// The destination
        #[arg(long, value_name = "ID")]
        destination: DestinationId,
        /// From this version on
        #[arg(long, value_name = "VERSION", conflicts_with = "since")]
        from: Option<u64>,
        /// Since then: RFC 3339, or 30m, 2h, 7d ago
        #[arg(long, value_name = "TIME")]
        since: Option<Moment>,
        #[command(flatten)]
        printing: Printing,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DestinationCommand {
    /// Deliver nothing until it is resumed; what changes is kept
    Pause(DestinationPlace),
    /// Deliver what was kept, and go on
    Resume(DestinationPlace),
    /// Send again, as it is now, what it may have lost since a version, and remove again what is gone; everything without one
    Reset {
        #[command(flatten)]
        place: DestinationPlace,
        /// From this version on
        #[arg(long, value_name = "VERSION")]
        from: Option<u64>,
        #[command(flatten)]
        printing: Printing,
    },
}

/// A destination of a tenant.
#[derive(Debug, Args)]
pub(crate) struct DestinationPlace {
    /// The tenant
    #[arg(long, value_name = "ID")]
    pub(crate) tenant: TenantId,
    /// The destination
    #[arg(long, value_name = "ID")]
    pub(crate) destination: DestinationId,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SpoolCommand {
    /// Publish to the broker what a gateway that is gone left in its data directory
    Drain {
        /// The data directory
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        #[command(flatten)]
        printing: Printing,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum MappingCommand {
    /// Say what keeps a mapping from being used, and what is odd about it
    Check {
        #[command(flatten)]
        mapping: MappingFile,
        #[command(flatten)]
        printing: Printing,
    },
    /// Show what becomes of a record, field by field
    Preview {
        #[command(flatten)]
        mapping: MappingFile,
        /// The record as the form's API tells it, a JSON object
        #[arg(long, value_name = "RECORD.json")]
        record: PathBuf,
        #[command(flatten)]
        printing: Printing,
    },
    /// List the records of forms that were read, and what became of each
    List {
        /// The tenant
        #[arg(long, value_name = "ID")]
        tenant: TenantId,
        /// Only of this state: seen, sent, created, refused or failed
        #[arg(long, value_name = "STATE", value_parser = state)]
        state: Option<State>,
        #[command(flatten)]
        printing: Printing,
    },
}

/// A mapping in its file, or in those of its halves.
#[derive(Debug, Args)]
pub(crate) struct MappingFile {
    /// The mapping; its source half where the other one is a file of its own
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The target half, where it is a file of its own
    #[arg(long, value_name = "FILE")]
    pub(crate) target: Option<PathBuf>,
    /// Where dates are midnights: the tenant's time zone
    #[arg(long, value_name = "NAME", default_value = "Asia/Shanghai", value_parser = zone)]
    pub(crate) time_zone: Zone,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SyncCommand {
    /// Make a plan and show it; nothing is changed
    Plan {
        /// The tenant
        #[arg(value_name = "ID")]
        id: TenantId,
        #[command(flatten)]
        printing: Printing,
    },
    /// Apply a plan: the one that waits, else a new one
    Apply(SyncApply),
    /// Allow a run that removes so much that a person is asked
    Allow {
        /// The run
        #[arg(value_name = "RUN")]
        run: String,
    },
    /// Refuse a run that waits; nothing of it is done
    Reject {
        /// The run
        #[arg(value_name = "RUN")]
        run: String,
    },
    /// Show how the tenant's last run stands
    Status {
        /// The tenant
        #[arg(value_name = "ID")]
        id: TenantId,
        #[command(flatten)]
        printing: Printing,
    },
    /// Show what differs now
    Diff {
        /// The tenant
        #[arg(value_name = "ID")]
        id: TenantId,
        #[command(flatten)]
        printing: Printing,
    },
    /// Bring rows back to what they were before a run, and leave the product alone until it is resumed
    Undo {
        /// The run
        #[arg(value_name = "RUN")]
        run: String,
    },
    /// Let runs look after a destination again
    Resume {
        /// The tenant
        #[arg(value_name = "ID")]
        id: TenantId,
        /// The destination
        #[arg(long, value_name = "ID")]
        destination: DestinationId,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SyncApply {
    /// The tenant
    #[arg(value_name = "ID")]
    pub(crate) id: TenantId,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    /// Do not wait for the end
    #[arg(long)]
    pub(crate) detach: bool,
    #[command(flatten)]
    pub(crate) printing: Printing,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LinkCommand {
    /// Say that a row is a department or member, or that a person of another platform is a member
    Set {
        #[command(flatten)]
        place: LinkPlace,
        /// The id of the row
        #[arg(value_name = "ROW", required_unless_present = "person")]
        core_id: Option<String>,
        /// The id of the member that the person is
        #[arg(long, value_name = "ID", requires = "person", required_unless_present = "core_id")]
        member: Option<String>,
    },
    /// List links
    List {
        /// The tenant
        #[arg(long, value_name = "ID")]
        tenant: TenantId,
        /// Only of this destination
        #[arg(long, value_name = "ID")]
        destination: Option<DestinationId>,
        /// The people of this platform instead: dingtalk
        #[arg(long, value_name = "NAME", value_parser = platform, conflicts_with = "destination")]
        platform: Option<Platform>,
        #[command(flatten)]
        printing: Printing,
    },
    /// Take a link away; with a row, say that it is not this department or member
    Remove {
        #[command(flatten)]
        place: LinkPlace,
        /// The id of the row
        #[arg(value_name = "ROW")]
        core_id: Option<String>,
    },
}

/// A department or member at a destination; or a person of another platform.
#[derive(Debug, Args)]
pub(crate) struct LinkPlace {
    /// The tenant
    #[arg(long, value_name = "ID")]
    tenant: TenantId,
    /// The destination
    #[arg(long, value_name = "ID", required_unless_present = "person")]
    destination: Option<DestinationId>,
    /// department or member
    #[arg(value_name = "KIND", value_parser = directory_kind, required_unless_present = "person")]
    kind: Option<EntityKind>,
    /// Its id at the platform
    #[arg(value_name = "ID", required_unless_present = "person")]
    platform_id: Option<String>,
    /// The other platform: dingtalk
    #[arg(long, value_name = "NAME", value_parser = platform, requires = "person")]
    platform: Option<Platform>,
    /// The person's id there
    #[arg(long, value_name = "ID", requires = "platform")]
    #[arg(conflicts_with_all = ["destination", "kind", "platform_id", "core_id"])]
    person: Option<String>,
}

/// Whom a link is about.
#[derive(Debug)]
pub(crate) enum Linked {
    /// A department or member at a destination.
    Entity(EntityPlace),
    /// Somebody whom another platform than that of the tenant's directory knows.
    Person(PersonPlace),
}

/// A department or member at a destination.
#[derive(Debug)]
pub(crate) struct EntityPlace {
    pub(crate) tenant: TenantId,
    pub(crate) destination: DestinationId,
    pub(crate) kind: EntityKind,
    /// Its id at the platform.
    pub(crate) platform_id: String,
}

/// A person of another platform.
#[derive(Debug)]
pub(crate) struct PersonPlace {
    pub(crate) tenant: TenantId,
    pub(crate) platform: Platform,
    /// The id there.
    pub(crate) id: String,
}

impl LinkPlace {
    /// Whom it is about; `None` where neither is told whole, which is refused before.
    pub(crate) fn linked(self) -> Option<Linked> {
        let Self { tenant, destination, kind, platform_id, platform, person } = self;
        Some(match (person, platform) {
            (Some(id), Some(platform)) => Linked::Person(PersonPlace { tenant, platform, id }),
            _ => Linked::Entity(EntityPlace {
                tenant,
                destination: destination?,
                kind: kind?,
                platform_id: platform_id?,
            }),
        })
    }
}

fn service(name: &str) -> Result<Service, String> {
    let names = || Service::ALL.map(Service::name).join(", ");
    Service::from_name(name).ok_or_else(|| format!("must be one of {}", names()))
}

fn state(name: &str) -> Result<State, &'static str> {
    name.parse().map_err(|_unknown| "must be seen, sent, created, refused or failed")
}

fn zone(name: &str) -> Result<Zone, &'static str> {
    Zone::named(name).ok_or("must be a time zone without summer time, such as Asia/Shanghai")
}

fn directory_kind(name: &str) -> Result<EntityKind, &'static str> {
    match name.parse() {
        Ok(kind @ (EntityKind::Department | EntityKind::Member)) => Ok(kind),
        _ => Err("must be department or member"),
    }
}

/// Whose people may be others than those of the directory: those whose attendance and approvals are carried.
fn platform(name: &str) -> Result<Platform, &'static str> {
    Platform::from_name(name).filter(|platform| *platform == Platform::Dingtalk).ok_or("must be dingtalk")
}

fn sent_kind(name: &str) -> Result<EntityKind, &'static str> {
    match name.parse() {
        Ok(EntityKind::AttendanceDay | EntityKind::Callback) | Err(_) => {
            Err("must be department, member, attendance, approval or onboarding")
        }
        Ok(kind) => Ok(kind),
    }
}

fn reason(name: &str) -> Result<Reason, String> {
    let names = || Reason::ALL.map(Reason::as_str).join(", ");
    Reason::from_name(name).ok_or_else(|| format!("must be one of {}", names()))
}
