//! What one cell can do. What is measured says where; what is not says that it is assumed.

/// Processor time per event, in microseconds: docs/performance.md, "The pipeline", the services' line of 356 µs.
const GATEWAY_MICROS: f64 = 44.0;
const RESOLVER_MICROS: f64 = 42.0;
const SINK_MICROS: f64 = 35.0;
/// RabbitMQ's 51 µs of the same line, for an event and its change.
const BROKER_MICROS: f64 = 51.0;
/// PostgreSQL's 175 µs of the same line are of the resolver's transactions, of the sink's and of the core product. How they are shared out is
/// assumed: the sum is measured.
const POSTGRES_MICROS_PER_EVENT: f64 = 105.0;
const POSTGRES_MICROS_PER_CHANGE: f64 = 70.0;
/// What a transaction costs beside its rows, in microseconds of PostgreSQL: half a dozen statements and a commit. It hardly shows in full batches,
/// which the pipeline measures, and is most of the cost of small ones. Assumed.
const POSTGRES_MICROS_PER_TURN: f64 = 800.0;
const POSTGRES_MICROS_PER_ROUND: f64 = 1_000.0;
/// How long a transaction of the resolver takes at least, in milliseconds: the statements' way there and back, and the disk. Assumed.
const TURN_MILLIS: f64 = 10.0;
/// Events a second of one partition: what one tenant's contacts made of two cores (docs/performance.md, "The pipeline"). One courier does as much.
const STREAM_EVENTS: u64 = 5_600;
/// Processor time of a first sync per department and member, in seconds, of everything: 58 s of two cores for 105,000 (docs/performance.md).
const FIRST_SYNC_SECONDS: f64 = 0.0011;
/// Tenants of a cell: as many as were tried in one installation (docs/operating/sizing.md).
const TENANTS_PER_CELL: usize = 2_000;
/// Members of a cell: a first sync of one more zero than was tried, and a database that is restored within hours. Assumed.
const MEMBERS_PER_CELL: u64 = 2_500_000;
/// Tenants of a lane that many share: each destination in SQL is a pool of three threads in every sink of the lane (docs/reliability.md).
const TENANTS_PER_LANE: usize = 500;
/// Who has so many members gets a lane of their own. Assumed.
const LANE_FROM: u64 = 50_000;
/// Quorum queues of one RabbitMQ. Assumed.
const QUEUES: u32 = 1_000;
/// PostgreSQL's `max_connections`. Assumed.
const CONNECTIONS: u32 = 1_000;
/// Bytes of a department or a member in our database, with indexes. Assumed, until it is measured: docs/operating/sizing.md.
const BYTES_PER_ENTITY: f64 = 3_000.0;
/// The same of an attendance record or an approval, which the mirror keeps for ever.
const BYTES_PER_RECORD: f64 = 1_500.0;
/// The same of an event's keys, which are kept for `duplicate_memory_seconds`.
const BYTES_PER_KEY: f64 = 250.0;

/// What can be said of a cell.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Capacity {
    /// Processors of PostgreSQL
    #[arg(long, default_value_t = 16.0)]
    pub(super) postgres_cores: f64,
    /// Processors of RabbitMQ
    #[arg(long, default_value_t = 8.0)]
    pub(super) broker_cores: f64,
    /// Share of processors and rates that is left free at the peak
    #[arg(long, default_value_t = 0.4)]
    pub(super) headroom: f64,
    /// Tenants of a cell
    #[arg(long, default_value_t = TENANTS_PER_CELL)]
    pub(super) tenants_per_cell: usize,
    /// Members of a cell
    #[arg(long, default_value_t = MEMBERS_PER_CELL)]
    pub(super) members_per_cell: u64,
    /// Tenants of a lane that many share
    #[arg(long, default_value_t = TENANTS_PER_LANE)]
    pub(super) tenants_per_lane: usize,
    /// Members from which on a tenant has a lane of its own
    #[arg(long, default_value_t = LANE_FROM)]
    pub(super) lane_from: u64,
    /// Partitions of a hop and lane
    #[arg(long, default_value_t = 16)]
    pub(super) partitions: u32,
    /// Queues of RabbitMQ
    #[arg(long, default_value_t = QUEUES)]
    pub(super) queues: u32,
    /// Connections of a process to PostgreSQL
    #[arg(long, default_value_t = 8)]
    pub(super) pool_size: u32,
    /// Connections that PostgreSQL takes
    #[arg(long, default_value_t = CONNECTIONS)]
    pub(super) connections: u32,
    /// Events of a batch
    #[arg(long, default_value_t = 256)]
    pub(super) batch: u64,
    /// Events a second of one partition
    #[arg(long, default_value_t = STREAM_EVENTS)]
    pub(super) stream_events: u64,
    /// Milliseconds of a transaction of the resolver
    #[arg(long, default_value_t = TURN_MILLIS)]
    pub(super) turn_millis: f64,
    /// Microseconds of a gateway per callback
    #[arg(long, default_value_t = GATEWAY_MICROS)]
    pub(super) gateway_micros: f64,
    /// Microseconds of a resolver per event
    #[arg(long, default_value_t = RESOLVER_MICROS)]
    pub(super) resolver_micros: f64,
    /// Microseconds of a sink per change
    #[arg(long, default_value_t = SINK_MICROS)]
    pub(super) sink_micros: f64,
    /// Microseconds of RabbitMQ per event
    #[arg(long, default_value_t = BROKER_MICROS)]
    pub(super) broker_micros: f64,
    /// Microseconds of PostgreSQL per event
    #[arg(long, default_value_t = POSTGRES_MICROS_PER_EVENT)]
    pub(super) postgres_micros_per_event: f64,
    /// Microseconds of PostgreSQL per change
    #[arg(long, default_value_t = POSTGRES_MICROS_PER_CHANGE)]
    pub(super) postgres_micros_per_change: f64,
    /// Microseconds of PostgreSQL per transaction of the resolver
    #[arg(long, default_value_t = POSTGRES_MICROS_PER_TURN)]
    pub(super) postgres_micros_per_turn: f64,
    /// Microseconds of PostgreSQL per batch of the sink
    #[arg(long, default_value_t = POSTGRES_MICROS_PER_ROUND)]
    pub(super) postgres_micros_per_round: f64,
    /// Seconds of processor time of a first sync per department and member
    #[arg(long, default_value_t = FIRST_SYNC_SECONDS)]
    pub(super) first_sync_seconds: f64,
    /// Bytes of a department or member in PostgreSQL
    #[arg(long, default_value_t = BYTES_PER_ENTITY)]
    pub(super) bytes_per_entity: f64,
    /// Bytes of an attendance record or approval in PostgreSQL
    #[arg(long, default_value_t = BYTES_PER_RECORD)]
    pub(super) bytes_per_record: f64,
    /// Bytes of an event's keys in PostgreSQL
    #[arg(long, default_value_t = BYTES_PER_KEY)]
    pub(super) bytes_per_key: f64,
}

impl Capacity {
    /// What is used of something at the peak, where the rest is left free.
    pub(super) fn usable(&self, all: f64) -> f64 {
        all * (1.0 - self.headroom)
    }

    /// Transactions a second that one partition makes at most.
    pub(super) fn turns(&self) -> f64 {
        1_000.0 / self.turn_millis
    }
}
