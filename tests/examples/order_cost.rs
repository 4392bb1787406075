//! What the worst order costs: processor time and peak memory of `orgbridge serve` from the first callback to the core's
//! agreement, leaves first and root last against natural order.
//!
//! `cargo run --release -p tests --example order_cost -- [MEMBERS DEPARTMENTS DEPTH ROUNDS LEADERS_PERCENT]`; prints one JSON line per run and one with
//! the ratios of medians.

#![expect(clippy::print_stdout, reason = "its result is what it prints")]
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a measuring tool stops where it cannot measure")]

use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};

use platform_sim::{Company, CompanyOptions, Deliveries, Dispatcher, DispatcherOptions, Order, Script, compare};
use tests::{Bridge, Setup, as_core_sees};

/// Kernel ticks of processor time per second, as /proc counts them.
const TICKS_PER_SECOND: f64 = 100.0;

struct Size {
    members: usize,
    departments: usize,
    depth: u32,
    /// Share of members with a direct leader, anywhere in the company.
    leader_share: f64,
}

#[tokio::main]
async fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).map(|text| text.parse().unwrap()).collect();
    let number = |place: usize, default: usize| numbers.get(place).copied().unwrap_or(default);
    let (members, departments) = (number(0, 100_000), number(1, 5_000));
    let size = Size {
        members,
        departments,
        depth: u32::try_from(number(2, 10)).unwrap(),
        leader_share: number(4, 0) as f64 / 100.0,
    };
    let small = Size {
        members: members / 10,
        departments: departments / 10,
        depth: size.depth,
        leader_share: size.leader_share,
    };
    let mut micros: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for _ in 0..number(3, 3) {
        micros.entry("small").or_default().push(run("small, natural", &small, Order::Natural).await);
        micros.entry("natural").or_default().push(run("natural", &size, Order::Natural).await);
        micros.entry("worst").or_default().push(run("worst", &size, Order::Worst).await);
    }
    let median = |name: &str| {
        let mut values = micros.get(name).cloned().unwrap();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap()
    };
    let ratios = serde_json::json!({
        "worst_over_natural": median("worst") / median("natural"),
        "large_over_small": median("natural") / median("small"),
    });
    println!("{ratios}");
}

/// Processor time per event, in microseconds.
async fn run(name: &str, size: &Size, order: Order) -> f64 {
    let mut company = Company::new(CompanyOptions {
        start_seconds: now(),
        leader_share: size.leader_share,
        ..CompanyOptions::default()
    });
    let callbacks = company.import(size.members, size.departments, size.depth);
    let truth = company.snapshot();
    let expected = i64::try_from(truth.members.len() + truth.departments.len()).unwrap();
    let bridge = Bridge::start(&Setup::default()).await;
    let options = DispatcherOptions { deliveries: Deliveries::UntilSuccess, ..DispatcherOptions::default() };
    let dispatcher = Dispatcher::new(&bridge.callback_url(), Bridge::keys(), options, Arc::new(now)).unwrap();
    let before = processor_seconds(&bridge);
    let script = Script { order, concurrency: 64, ..Script::default() };
    let stats = dispatcher.send(&callbacks, &script).await;
    while bridge.core().count().await < expected {
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    // Leaders that were not there yet follow after the last row.
    let mut differences = usize::MAX;
    while differences > 0 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        differences = compare(&as_core_sees(&truth), &bridge.core().snapshot().await).len();
    }
    let used = processor_seconds(&bridge) - before;
    let micros = used * 1e6 / callbacks.len() as f64;
    let line = serde_json::json!({
        "run": name, "events": callbacks.len(), "sending_seconds": stats.seconds, "processor_seconds": used,
        "processor_micros_per_event": micros, "peak_megabytes": peak_megabytes(&bridge), "core_differences": differences,
    });
    println!("{line}");
    micros
}

fn processor_seconds(bridge: &Bridge) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", bridge.process_id().unwrap())).unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks = fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<f64>().unwrap());
    ticks.sum::<f64>() / TICKS_PER_SECOND
}

fn peak_megabytes(bridge: &Bridge) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", bridge.process_id().unwrap())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}
