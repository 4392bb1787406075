//! The first sync of a company that is there on both sides: processes killed on the way, and many who ask for it at once.

mod blows;
mod books;
mod platform;
mod product;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    process::{Child, Output, Stdio},
};

use directory::plan::Action;
use serde_json::Value;
use store::runs::{ItemState, PlanItem, Run, RunKind, RunState};
use test_kit::Servers;
use tests::{Bridge, Deployment, Service, Setup, Spread};
use tokio::{task::spawn_blocking, time::sleep};

pub(crate) use self::books::Books;
use self::{
    blows::{Blow, Dice},
    platform::Platform,
    product::Product,
};
use crate::{
    agreement::{core_agrees, nothing_is_left},
    crash_points::SYNCING,
};

/// How often processes are killed in all; by hand more.
const KILLS: usize = 20;
const KILLS_VARIABLE: &str = "ORGBRIDGE_SYNC_KILLS";
/// How often during one first sync.
const KILLS_PER_RUN: usize = 5;
const SEED: u64 = 5;
/// How many ask at once.
const CALLERS: usize = 50;
/// Asks for a run, and says which one it is.
const APPLY: [&str; 6] = ["sync", "apply", "acme", "--yes", "--detach", "--json"];

#[tokio::test(flavor = "multi_thread")]
async fn a_first_sync_that_is_killed_anywhere_comes_to_the_same_end_and_does_nothing_twice() {
    let platform = Platform::start(300, 40);
    let mut dice = Dice::new(SEED);
    let mut left = kills();
    while left > 0 {
        let blows = Blow::draw(&mut dice, left.min(KILLS_PER_RUN));
        left -= blows.len();
        first_sync(&platform, &blows).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_sync_that_crashes_at_every_point_comes_to_the_same_end_and_does_nothing_twice() {
    let platform = Platform::start(60, 10);
    let (mut bridge, product) = before_the_first_sync(&platform).await;
    let books = Books::open(&bridge);
    // Nobody answers it before the one that is to crash.
    bridge.kill_service(Service::Synchronizer);
    books.ask_about(platform.truth.members.keys().next().unwrap()).await;
    let id = run_of(&bridge.command_to_run(&APPLY).output().unwrap());
    for (service, point, nth) in SYNCING {
        bridge.crash_at(*service, point, *nth).await;
        books.leases_run_out(*service).await;
    }
    bridge.launch().await;
    let run = books.ended(&id).await;
    assert_eq!((run.kind, run.state, run.is_complete), (RunKind::First, RunState::Finished, true), "{:?}", run.why);
    core_agrees(&bridge, &product.brought_in_step(&platform.truth)).await;
    everything_is_applied_once(&bridge, &books, &run).await;
    nothing_is_left(&mut bridge);
}

fn kills() -> usize {
    let told = env::var_os(KILLS_VARIABLE).and_then(|kills| kills.into_string().ok()?.parse().ok());
    told.unwrap_or(KILLS)
}

/// A first sync of a company and a product of their own, through these blows.
async fn first_sync(platform: &Platform, blows: &[Blow]) {
    let (mut bridge, product) = before_the_first_sync(platform).await;
    let books = Books::open(&bridge);
    let id = run_of(&bridge.command_to_run(&APPLY).output().unwrap());
    for blow in blows {
        books.reached(&id, blow.step).await;
        // What is drawn is a moment, whatever happens then.
        sleep(blow.after).await;
        bridge.kill_service(blow.service);
        books.leases_run_out(blow.service).await;
        bridge.launch().await;
    }
    let run = books.ended(&id).await;
    assert_eq!((run.kind, run.state, run.is_complete), (RunKind::First, RunState::Finished, true), "{:?}", run.why);
    assert_eq!(books.runs().await.len(), 1, "one run only, whoever took it on");
    core_agrees(&bridge, &product.brought_in_step(&platform.truth)).await;
    everything_is_applied_once(&bridge, &books, &run).await;
    let differences: Value = serde_json::from_str(&bridge.command(&["sync", "diff", "acme", "--json"])).unwrap();
    assert_eq!(differences["count"], 0, "{differences}");
    nothing_is_left(&mut bridge);
}

/// The processes run over a product that knows most of the company under ids of its own.
async fn before_the_first_sync(platform: &Platform) -> (Bridge, Product) {
    // One process of each service: it is the one that holds whatever is held.
    let deployment = Deployment::Services(Spread { replicas: 1, ..Spread::over(Servers::shared()) });
    let setup = Setup { deployment, platform: Some(platform.url()), ..Setup::default() };
    let mut bridge = Bridge::prepare(&setup).await;
    let product = Product::of(&platform.truth);
    product.fill(&platform.truth, bridge.core_url().expect("a server"));
    bridge.launch().await;
    (bridge, product)
}

/// Each item of the plan is applied; each that writes a row did so by one change, which is the last one that wrote it; and there is
/// no change for the product alone that is no item's.
async fn everything_is_applied_once(bridge: &Bridge, books: &Books, run: &Run) {
    let items = books.items(&run.id).await;
    let left: Vec<_> = items.iter().filter(|item| item.planned.state != ItemState::Applied).collect();
    assert!(left.is_empty(), "{} of {} items are not applied: {:?}", left.len(), items.len(), left.first());
    for action in [Action::Link, Action::Create, Action::Update, Action::Disable, Action::Delete] {
        assert!(items.iter().any(|item| item.planned.item.action == action), "nothing to {}", action.as_str());
    }

    let mut versions = BTreeSet::new();
    let mut rows = BTreeMap::new();
    let writes = |item: &&PlanItem| !matches!(item.planned.item.action, Action::Link | Action::Delete);
    for item in items.iter().filter(writes) {
        let version = item.version.expect("a change");
        assert!(versions.insert(version), "two items share version {version}");
        let row = (item.planned.item.kind, item.planned.item.core_id.as_deref().expect("a row").to_owned());
        assert_eq!(rows.insert(row.clone(), version), None, "two items write {row:?}");
    }
    assert_eq!(books.versions_for_the_core_alone().await, versions);
    let written = product::versions(bridge.core_url().expect("a server"));
    let of_items: BTreeMap<_, u64> = written.into_iter().filter(|(row, _)| rows.contains_key(row)).collect();
    assert_eq!(of_items, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_who_ask_for_a_first_sync_at_once_get_one_run() {
    let platform = Platform::start(30, 6);
    let (mut bridge, product) = before_the_first_sync(&platform).await;
    let books = Books::open(&bridge);
    // Without it no run comes to its end: nobody asks too late.
    bridge.kill_service(Service::Sink);
    books.leases_run_out(Service::Sink).await;

    let ask = || bridge.command_to_run(&APPLY).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let callers: Vec<Child> = (0..CALLERS).map(|_| ask()).collect();
    let wait = |caller: Child| caller.wait_with_output().unwrap();
    let answers = spawn_blocking(move || callers.into_iter().map(wait).collect::<Vec<Output>>()).await.unwrap();
    let told: BTreeSet<String> = answers.iter().map(run_of).collect();
    let id = told.first().unwrap().clone();
    assert_eq!((answers.len(), told.len()), (CALLERS, 1), "{told:?}");

    bridge.launch().await;
    let run = books.ended(&id).await;
    assert_eq!((run.kind, run.state), (RunKind::First, RunState::Finished), "{:?}", run.why);
    assert_eq!(books.runs().await.len(), 1);
    core_agrees(&bridge, &product.brought_in_step(&platform.truth)).await;
    everything_is_applied_once(&bridge, &books, &run).await;
    nothing_is_left(&mut bridge);
}

/// The run that somebody was told who asked for one.
fn run_of(answer: &Output) -> String {
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let told: Value = serde_json::from_slice(&answer.stdout).unwrap();
    told["run"].as_str().unwrap().to_owned()
}
