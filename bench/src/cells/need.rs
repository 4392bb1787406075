//! What tenants need of the cell that they live in, and how much of each there is.

use std::ops::Add;

use super::{
    World,
    load::Load,
    population::{Platform, Tenant},
};

/// A lane has at least so many of resolvers, sinks and synchronizers each (k8s/base/lane).
const REPLICAS: f64 = 2.0;
/// Gateways of a cell at least: one in each of three zones (k8s/overlays/production).
const GATEWAYS: f64 = 3.0;
/// Connections to PostgreSQL of people, commands and backups.
const OTHER_CONNECTIONS: f64 = 20.0;
const HOUR: f64 = 3_600.0;
const DAY: f64 = 24.0 * HOUR;
/// For how long keys of events are remembered (`duplicate_memory_seconds`).
const KEYS_KEPT_DAYS: f64 = 14.0;
/// A limit of WeCom's over an hour lets calls through at the pace of the one over a minute until it is so many seconds ahead of its own, and that
/// one is so much faster (decision 13).
const BURST: f64 = HOUR / 4.0;
const MINUTES_PACE: f64 = 2.38;
/// Calls of a pull of DingTalk per department, and members of whom one call more tells (docs/first-sync.md).
const CALLS_PER_DEPARTMENT: f64 = 4.0;
const MEMBERS_PER_PAGE: f64 = 100.0;
/// How long a round of the walk over all departments of a cell may take, in hours. Renames are found by it alone.
const WALK_HOURS: f64 = 6.0;

/// Tenants, added up.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    pub(super) tenants: usize,
    pub(super) members: u64,
    pub(super) departments: u64,
    /// Departments of tenants with WeCom.
    wecom_departments: u64,
    /// Members of tenants with DingTalk.
    dingtalk_members: u64,
    /// Tenants with a lane of their own.
    pub(super) own_lanes: usize,
    /// The greatest number of members of one tenant with DingTalk.
    largest_dingtalk: u64,
    /// The greatest number of departments of one tenant with WeCom.
    widest_wecom: u64,
    pub(super) load: Load,
}

/// How much of something is needed, and how much there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    pub(super) of: &'static str,
    pub(super) value: f64,
    pub(super) limit: f64,
}

/// How long it takes until everybody is known, in hours.
#[derive(Debug, Clone, Copy)]
pub(super) struct FirstSync {
    /// By WeCom's limits.
    pub(super) wecom_hours: f64,
    /// By DingTalk's.
    pub(super) dingtalk_hours: f64,
    /// By the cell's processors.
    pub(super) work_hours: f64,
}

/// The processes of a cell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Processes {
    pub(super) gateways: f64,
    pub(super) resolvers: f64,
    pub(super) sinks: f64,
    pub(super) synchronizers: f64,
}

impl Need {
    pub(super) fn ratio(&self) -> f64 {
        self.value / self.limit
    }
}

impl Processes {
    fn all(&self) -> f64 {
        self.gateways + self.resolvers + self.sinks + self.synchronizers
    }
}

impl Sums {
    pub(super) fn of(tenant: &Tenant, world: World<'_>) -> Self {
        let is_dingtalk = tenant.platform == Platform::Dingtalk;
        let (wecom_departments, dingtalk_members) =
            if is_dingtalk { (0, tenant.members) } else { (tenant.departments, 0) };
        Self {
            tenants: 1,
            members: tenant.members,
            departments: tenant.departments,
            wecom_departments,
            dingtalk_members,
            own_lanes: usize::from(tenant.members >= world.capacity.lane_from),
            largest_dingtalk: dingtalk_members,
            widest_wecom: wecom_departments,
            load: Load::at_the_peak(tenant, world),
        }
    }

    /// Lanes that tenants share.
    pub(super) fn shared_lanes(&self, world: World<'_>) -> usize {
        (self.tenants - self.own_lanes).div_ceil(world.capacity.tenants_per_lane).max(1)
    }

    pub(super) fn lanes(&self, world: World<'_>) -> usize {
        self.shared_lanes(world) + self.own_lanes
    }

    /// How many of each a cell runs: by lanes, and by what they do at the peak.
    pub(super) fn processes(&self, world: World<'_>) -> Processes {
        let capacity = world.capacity;
        let by_work = |rate: f64, micros: f64| (rate * micros / 1e6 / capacity.usable(1.0)).ceil();
        let by_lanes = REPLICAS * self.lanes(world) as f64;
        Processes {
            gateways: by_work(self.load.callbacks, capacity.gateway_micros).max(GATEWAYS),
            resolvers: by_work(self.load.events, capacity.resolver_micros).max(by_lanes),
            sinks: by_work(self.load.changes, capacity.sink_micros).max(by_lanes),
            synchronizers: by_lanes,
        }
    }

    /// All that a cell has an end of.
    pub(super) fn needs(&self, world: World<'_>) -> [Need; 8] {
        let (assumed, capacity) = (world.assumed, world.capacity);
        let (lanes, partitions) = (self.lanes(world) as f64, f64::from(capacity.partitions));
        let need = |of, value, limit| Need { of, value, limit };
        [
            need("tenants", self.tenants as f64, capacity.tenants_per_cell as f64),
            need("members", self.members as f64, capacity.members_per_cell as f64),
            need(
                "postgres_cores",
                self.load.postgres_cores(lanes * partitions, world),
                capacity.usable(capacity.postgres_cores),
            ),
            need(
                "broker_cores",
                self.load.events * capacity.broker_micros / 1e6,
                capacity.usable(capacity.broker_cores),
            ),
            need("queues", 2.0 * (partitions + 1.0) * lanes + 1.0, f64::from(capacity.queues)),
            need(
                "connections",
                self.processes(world).all() * f64::from(capacity.pool_size) + OTHER_CONNECTIONS,
                f64::from(capacity.connections),
            ),
            need("walk_hours", self.wecom_departments as f64 / assumed.wecom_calls / HOUR, WALK_HOURS),
            need("dingtalk_calls", self.load.dingtalk_calls, capacity.usable(assumed.dingtalk_calls)),
        ]
    }

    /// How much of what it needs most is needed.
    pub(super) fn fullest(&self, world: World<'_>) -> Need {
        let [first, rest @ ..] = self.needs(world);
        rest.into_iter().fold(first, |fullest, need| if need.ratio() > fullest.ratio() { need } else { fullest })
    }

    /// Bytes of our database: what there is from the first day on, and what a year adds.
    pub(super) fn database_bytes(&self, world: World<'_>) -> (f64, f64) {
        let (assumed, capacity) = (world.assumed, world.capacity);
        let (members, in_dingtalk) = (self.members as f64, self.dingtalk_members as f64);
        let events = members * assumed.contacts * assumed.events_per_contact
            + in_dingtalk
                * (assumed.punches * assumed.events_per_punch + assumed.approvals * assumed.events_per_approval);
        let entities = (members + self.departments as f64) * capacity.bytes_per_entity;
        let records = in_dingtalk * (assumed.punches * assumed.changes_per_punch + assumed.approvals);
        let yearly = records * assumed.working_days * capacity.bytes_per_record;
        (entities + events * KEYS_KEPT_DAYS * capacity.bytes_per_key, yearly)
    }

    pub(super) fn first_sync(&self, world: World<'_>) -> FirstSync {
        let (assumed, capacity) = (world.assumed, world.capacity);
        // One company may make as many calls as half an address by the minute, and a quarter of it by the hour.
        let alone = wecom_seconds(self.widest_wecom as f64, assumed.wecom_calls / 4.0, MINUTES_PACE * 2.0);
        let together = wecom_seconds(self.wecom_departments as f64, assumed.wecom_calls, MINUTES_PACE);
        let leaders_alone = self.largest_dingtalk as f64 / assumed.dingtalk_app_calls;
        let calls = self.dingtalk_pull_calls() + self.dingtalk_members as f64;
        let work = (self.members + self.departments) as f64 * capacity.first_sync_seconds;
        FirstSync {
            wecom_hours: alone.max(together) / HOUR,
            dingtalk_hours: leaders_alone.max(calls / assumed.dingtalk_calls) / HOUR,
            work_hours: work / capacity.usable(capacity.postgres_cores) / HOUR,
        }
    }

    /// What a reconciliation of everybody each day takes of the calls that an address makes a day: WeCom's, DingTalk's.
    pub(super) fn reconciliation(&self, world: World<'_>) -> (f64, f64) {
        let assumed = world.assumed;
        let wecom = self.wecom_departments as f64 / (assumed.wecom_calls * DAY);
        (wecom, self.dingtalk_pull_calls() / (assumed.dingtalk_calls * DAY))
    }

    fn dingtalk_pull_calls(&self) -> f64 {
        let departments = (self.departments - self.wecom_departments) as f64;
        departments * CALLS_PER_DEPARTMENT + self.dingtalk_members as f64 / MEMBERS_PER_PAGE
    }
}

impl Add for Sums {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            tenants: self.tenants + other.tenants,
            members: self.members + other.members,
            departments: self.departments + other.departments,
            wecom_departments: self.wecom_departments + other.wecom_departments,
            dingtalk_members: self.dingtalk_members + other.dingtalk_members,
            own_lanes: self.own_lanes + other.own_lanes,
            largest_dingtalk: self.largest_dingtalk.max(other.largest_dingtalk),
            widest_wecom: self.widest_wecom.max(other.widest_wecom),
            load: self.load + other.load,
        }
    }
}

/// How long calls to WeCom take of which so many go in a second for long, and that much faster until they are a burst ahead.
fn wecom_seconds(calls: f64, a_second: f64, faster: f64) -> f64 {
    (calls / (a_second * faster)).max(calls / a_second - BURST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_pull_goes_by_the_minutes_limit_and_a_long_one_by_the_hours() {
        let short = wecom_seconds(3_000.0, 133.0, MINUTES_PACE);
        assert!((9.0..10.0).contains(&short), "3,000 calls at 317 a second: {short}");
        let long = wecom_seconds(1_330_000.0, 133.0, MINUTES_PACE);
        assert!((9_099.0..9_101.0).contains(&long), "a burst less than 10,000 s: {long}");
    }
}
