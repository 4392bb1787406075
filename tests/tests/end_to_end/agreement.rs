//! Waiting until source, core product and OA agree.

use std::{sync::Arc, time::Duration};

use platform_sim::{
    Company, CompanyOptions, Deliveries, Difference, Dispatcher, DispatcherOptions, Oa, Snapshot, compare,
};
use tests::{Bridge, as_core_sees};

/// How long agreement may take after the last callback.
const PATIENCE: Duration = Duration::from_secs(120);

/// A company whose clock starts now: what is older than the duplicate memory would be folded at once.
pub(crate) fn company(seed: u64) -> Company {
    Company::new(CompanyOptions {
        seed,
        start_seconds: now_seconds(),
        heralded_share: 0.1,
        ..CompanyOptions::default()
    })
}

/// WeCom's pushing side, which repeats until it is answered: what is answered nowhere is nobody's loss.
pub(crate) fn dispatcher(bridge: &Bridge) -> Dispatcher {
    let options = DispatcherOptions {
        deliveries: Deliveries::UntilSuccess,
        pause: Duration::from_millis(100),
        ..DispatcherOptions::default()
    };
    Dispatcher::new(&bridge.callback_url(), Bridge::keys(), options, Arc::new(now_seconds)).unwrap()
}

pub(crate) fn oa() -> Oa {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    Oa::start_with(listener, Bridge::oa_keys(), platform_sim::OaOptions::default()).unwrap()
}

/// Waits until the core's live rows are the truth.
pub(crate) async fn core_agrees(bridge: &Bridge, truth: &Snapshot) {
    let truth = as_core_sees(truth);
    agrees("core", async || compare(&truth, &bridge.core().snapshot().await)).await;
}

/// Waits until the OA's directory is the truth, and looks whether it got there without a step out of order.
pub(crate) async fn oa_agrees(oa: &Oa, truth: &Snapshot) {
    agrees("OA", async || compare(truth, &oa.snapshot())).await;
    assert!(oa.violations().is_empty(), "{:?}", oa.violations());
}

async fn agrees(whose: &str, differ: impl AsyncFn() -> Vec<Difference>) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let differences = differ().await;
        if differences.is_empty() {
            return;
        }
        let some: Vec<&Difference> = differences.iter().take(5).collect();
        let late = tokio::time::Instant::now() > deadline;
        assert!(!late, "{whose}: {} differences after {PATIENCE:?}, such as {some:?}", differences.len());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Waits until the OA has got so many callbacks verbatim that are not about departments or members, and none of them twice.
pub(crate) async fn others_arrive(oa: &Oa, count: usize) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while oa.others().len() < count && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(oa.others().len(), count, "other callbacks arrive verbatim, once");
}

/// Nothing is left over: nothing parked, nothing dead; and no process gave up.
pub(crate) fn nothing_is_left(bridge: &mut Bridge) {
    assert!(!bridge.has_ended(), "a process ended by itself");
    assert_eq!(bridge.command(&["parked", "list", "--json"]).trim(), "[]");
    assert_eq!(bridge.command(&["dead", "list", "--json"]).trim(), "[]");
}

#[expect(clippy::disallowed_methods, reason = "signatures of a real process need the real time")]
pub(crate) fn now_seconds() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    now.as_secs().try_into().unwrap()
}
