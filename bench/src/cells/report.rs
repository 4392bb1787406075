//! What is told of cells: figures, and what they are of what there is.

use serde_json::{Map, Value, json};

use super::{
    World,
    morning::{Outcome, Scenario},
    need::{Need, Sums},
    packing::Cell,
};
use crate::numbers::rounded;

/// Changes are late that took longer.
pub(super) const LATE_SECONDS: usize = 5;

impl Scenario {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Failover { .. } => "failover",
            Self::Import { alone: false, .. } => "import_in_a_shared_lane",
            Self::Import { alone: true, .. } => "import_in_a_lane_of_its_own",
        }
    }
}

/// A cell, without its mornings.
pub(super) fn cell(number: usize, cell: &Cell, world: World<'_>) -> Map<String, Value> {
    let sums = &cell.sums;
    let (processes, first_sync) = (sums.processes(world), sums.first_sync(world));
    let (bytes, bytes_a_year) = sums.database_bytes(world);
    let (wecom, dingtalk) = sums.reconciliation(world);
    let told = json!({
        "cell": number,
        "tenants": sums.tenants, "members": sums.members, "departments": sums.departments,
        "lanes": { "shared": sums.shared_lanes(world), "own": sums.own_lanes },
        "peak_per_second": {
            "callbacks": rounded(sums.load.callbacks), "events": rounded(sums.load.events), "changes": rounded(sums.load.changes),
        },
        "processes": {
            "callback_gateway": processes.gateways as u64, "resolver": processes.resolvers as u64, "sink": processes.sinks as u64,
            "synchronizer": processes.synchronizers as u64,
        },
        "needs": needs(sums, world),
        "fullest": sums.fullest(world).of,
        "database_gigabytes": { "at_first": gigabytes(bytes), "more_each_year": gigabytes(bytes_a_year) },
        "first_sync_hours": {
            "by_wecom": rounded(first_sync.wecom_hours), "by_dingtalk": rounded(first_sync.dingtalk_hours),
            "by_processors": rounded(first_sync.work_hours),
        },
        "reconciliation_over_calls_a_day": { "wecom": rounded(wecom), "dingtalk": rounded(dingtalk) },
    });
    match told {
        Value::Object(told) => told,
        _ => Map::new(),
    }
}

/// What is needed of what there is. Limits of processors and rates are without the headroom.
fn needs(sums: &Sums, world: World<'_>) -> Value {
    let told = |need: Need| {
        let told = json!({
            "value": rounded(need.value), "at_most": rounded(need.limit), "ratio": rounded(need.ratio()),
            "kept": need.ratio() <= 1.0,
        });
        (need.of.to_owned(), told)
    };
    Value::Object(sums.needs(world).into_iter().map(told).collect())
}

/// A morning.
pub(super) fn morning(outcome: &Outcome) -> Value {
    let delays = &outcome.delays;
    json!({
        "events": outcome.came, "changes": outcome.changed, "delivered": outcome.delivered,
        "left": outcome.unresolved + outcome.undelivered, "whole": outcome.is_whole(),
        "most_waiting": outcome.most_waiting, "most_in_a_partition": outcome.most_in_a_partition,
        "postgres_at_most": rounded(outcome.busiest),
        "seconds": {
            "p50": delays.quantile(0.5), "p95": delays.quantile(0.95),
            "p95_of_the_worst_minute": delays.quantile_of_the_worst_minute(0.95), "longest": delays.longest(),
        },
        "later_than_5_seconds": delays.later_than(LATE_SECONDS),
        "import_took_seconds": outcome.imported_after,
    })
}

fn gigabytes(bytes: f64) -> f64 {
    rounded(bytes / 1e9)
}
