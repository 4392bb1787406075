//! What all of these have in common: the setup, and waiting until DingTalk and the core product agree.

use std::{collections::BTreeSet, env, time::Duration};

use platform_sim::{compare, dingtalk::StreamOptions};
use tests::{
    Bridge, Deployment, DingtalkSetup, Papers, Setup,
    dingtalk::{Oa, Platform, approvals, attendance, comparable, directory},
};
use tokio::time::{Instant, sleep};

/// How long agreement may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(240);
const PAUSE: Duration = Duration::from_millis(200);
/// How many differences a failed test shows.
const SHOWN: usize = 5;

/// A tenant in Stream mode whose failed pushes are asked for all the time.
pub(super) fn setup(deployment: Deployment, platform: &Platform, oa: &Oa) -> Setup {
    let dingtalk = DingtalkSetup { platform: platform.url(), oa: Some(oa.url()), ..DingtalkSetup::default() };
    Setup {
        deployment,
        dingtalk: Some(dingtalk),
        synchronizer: "failed_pushes_every_seconds = 1".to_owned(),
        ..Setup::default()
    }
}

/// What nobody acknowledged comes again soon, and as often as it takes.
pub(super) fn again_soon(options: &mut StreamOptions) {
    options.redelivery = vec![Duration::from_secs(1); 200];
}

/// A number that whoever runs a test by hand may have given.
pub(super) fn told(variable: &str) -> Option<usize> {
    env::var_os(variable).and_then(|number| number.into_string().ok()?.parse().ok())
}

/// Waits until the core's departments and members are the company's.
pub(super) async fn directory_agrees(bridge: &Bridge, platform: &Platform) {
    let differ = async || {
        let truth = platform.look(directory);
        let seen = comparable(bridge.core().snapshot().await);
        compare(&truth, &seen).iter().map(|difference| format!("{difference:?}")).collect::<Vec<String>>()
    };
    agrees("directory", PATIENCE, differ).await;
}

/// Waits until the core's attendance is the company's.
pub(super) async fn attendance_agrees(bridge: &Bridge, platform: &Platform) {
    let differ = async || differences(&platform.look(attendance), &bridge.core().attendance().await);
    agrees("attendance", PATIENCE, differ).await;
}

/// Waits until the core's approvals are the company's. `known` says how exactly times are known.
pub(super) async fn approvals_agree(
    bridge: &Bridge,
    platform: &Platform,
    patience: Duration,
    known: impl Fn(Papers) -> Papers,
) {
    let differ = async || differences(&known(platform.look(approvals)), &known(bridge.core().approvals().await));
    agrees("approvals", patience, differ).await;
}

/// Waits until nothing differs any more.
pub(super) async fn agrees(what: &str, patience: Duration, differ: impl AsyncFn() -> Vec<String>) {
    let deadline = Instant::now() + patience;
    loop {
        let differences = differ().await;
        if differences.is_empty() {
            return;
        }
        let some: Vec<&String> = differences.iter().take(SHOWN).collect();
        let late = Instant::now() > deadline;
        assert!(!late, "{what}: {} differences after {patience:?}, such as {some:#?}", differences.len());
        sleep(PAUSE).await;
    }
}

fn differences(truth: &Papers, seen: &Papers) -> Vec<String> {
    let ids: BTreeSet<&String> = truth.keys().chain(seen.keys()).collect();
    let differ = ids.into_iter().filter(|id| truth.get(*id) != seen.get(*id));
    differ.map(|id| format!("{id}: {:?} is {:?}", truth.get(id), seen.get(id))).collect()
}

/// Waits until an OA was told so much in callbacks of these types; however long that takes, as long as it goes on.
pub(super) async fn was_told(oa: &Oa, is_meant: fn(&str) -> bool, count: usize) {
    let (mut told, mut since) = (0, Instant::now());
    while told < count {
        sleep(PAUSE).await;
        let now = oa.count(is_meant);
        if now > told {
            (told, since) = (now, Instant::now());
        }
        assert!(since.elapsed() < PATIENCE, "the OA was told {told} of {count}, and then nothing any more");
    }
}
