//! One run, from the first server to the ledger.

use std::{net::TcpListener, sync::Arc, time::Duration};

use platform_sim::{Company, CompanyOptions, Oa, OaOptions, Snapshot, Subject, compare};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{
    curse::{self, Curse},
    ledger::{Ledger, Post, READY_WITHIN_SECONDS},
    load::{COPIES, Load, now_seconds},
    nemesis::{haunt_servers, haunt_services},
    plan::Plan,
    settling::{Scene, Standing},
    site::{Site, has_small_disks},
};
use crate::{Bridge, Deployment, Setup, as_core_sees};

/// What every process has of it.
const BUILD_INFO: &str = "orgbridge_build_info{";
/// The pauses between two deliveries are within this, however long a plan is.
const PAUSES: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(30));
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How many examples of what is not right are kept.
const EXAMPLES: usize = 5;

/// A run that is to be.
#[derive(Debug, Clone)]
pub struct Chaos {
    seed: u64,
    /// At least so many; more if they are over before the plan is.
    callbacks: usize,
    members: usize,
    departments: usize,
    plan: Plan,
    small_disks: bool,
    /// How long it may take until everything agrees, after the last callback.
    patience: Duration,
}

impl Chaos {
    /// About a minute of faults and 2,000 callbacks.
    pub fn short(seed: u64) -> Self {
        Self {
            seed,
            callbacks: 2000,
            members: 250,
            departments: 40,
            plan: Plan::short(seed),
            small_disks: false,
            patience: Duration::from_secs(120),
        }
    }

    /// As long as so many callbacks and so many kills take. Full disks are among the faults where disks can be mounted.
    pub fn long(seed: u64, callbacks: usize, kills: usize) -> Self {
        let small_disks = has_small_disks();
        Self {
            seed,
            callbacks,
            members: 1000,
            departments: 120,
            plan: Plan::long(seed, kills, small_disks),
            small_disks,
            patience: Duration::from_secs(300),
        }
    }

    /// What will happen when, a line each.
    pub fn plan(&self) -> String {
        self.plan.to_string()
    }

    /// Runs it.
    ///
    /// # Panics
    /// When the servers or the processes do not start, and when one does not come back after a fault.
    pub async fn run(&self) -> Ledger {
        let began = Instant::now();
        let site = Arc::new(Site::start(self.small_disks).await);
        let (oa, cursed_oa) = (new_oa(), new_oa());
        let mut company = self.company();
        let import = company.import(self.members, self.departments, 6);
        let curse = Curse::choose(self.seed, &company.snapshot());
        curse.lay_on(&cursed_oa);
        company.keep(curse.subject().clone());
        let setup = Setup {
            deployment: Deployment::Services(site.spread()),
            oa: Some(oa.url()),
            second_oa: Some(cursed_oa.url()),
            gateway_data: site.gateway_data(),
            ..Setup::default()
        };
        let mut bridge = Bridge::start(&setup).await;
        let load = Load::start(&bridge, (company, import), curse.clone(), self.callbacks, self.pause());

        let first = Instant::now();
        let on_servers = tokio::spawn(haunt_servers(Arc::clone(&site), self.plan.on_servers.clone(), first));
        let on_services = haunt_services(&mut bridge, &self.plan.on_services, first).await;
        let toll = on_services.plus(&on_servers.await.expect("a plan that was gone through"));

        let ready_within = Duration::from_secs(READY_WITHIN_SECONDS);
        let ready_after_seconds = seconds_until(ready_within, async || bridge.are_ready().await).await;
        let told = load.finish().await;
        let finished = Instant::now();
        let scene = Scene { bridge: &bridge, told: &told, oa: &oa, cursed_oa: &cursed_oa, curse: &curse };
        let standing = scene.settle(self.patience).await;
        let settled_after_seconds = finished.elapsed().as_secs_f64();

        let telling = bridge.metrics().await.lines().filter(|line| line.starts_with(BUILD_INFO)).count();
        let mut ledger = Ledger {
            seed: self.seed,
            dead: count(&bridge.command(&["dead", "list", "--json"])),
            parked: count(&bridge.command(&["parked", "list", "--json"])),
            foreign_key_errors: site.foreign_key_errors(),
            ended_by_itself: toll.ended_by_itself || bridge.has_ended(),
            silent_processes: bridge.process_count().saturating_sub(telling),
            postgres_was_full: self.plan.fills_postgres(),
            oa: Post::of(&oa),
            cursed_oa: Post::of(&cursed_oa),
            ready_after_seconds,
            settled_after_seconds,
            seconds: began.elapsed().as_secs_f64(),
            told,
            toll,
            curse,
            standing,
            details: Vec::new(),
        };
        if !ledger.complaints().is_empty() {
            ledger.details = details(&mut bridge, &oa, &cursed_oa, &ledger).await;
        }
        ledger
    }

    fn company(&self) -> Company {
        Company::new(CompanyOptions {
            seed: self.seed,
            // What is older than the duplicate memory would be folded at once.
            start_seconds: now_seconds(),
            heralded_share: 0.1,
            reorganises: curse::is_on_member(self.seed),
            leader_share: 0.0,
            ..CompanyOptions::default()
        })
    }

    /// Between two deliveries, so that callbacks last as long as the plan does.
    fn pause(&self) -> Duration {
        let deliveries = self.callbacks * (1 + COPIES as usize) / 2;
        let pause = self.plan.ends() / u32::try_from(deliveries.max(1)).unwrap_or(u32::MAX);
        pause.clamp(PAUSES.0, PAUSES.1)
    }
}

fn new_oa() -> Oa {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let options = OaOptions { keep_plaintexts: false, ..OaOptions::default() };
    Oa::start_with(listener, Bridge::oa_keys(), options).expect("an OA")
}

/// How many rows a command printed as JSON.
fn count(printed: &str) -> usize {
    let rows: Vec<Value> = serde_json::from_str(printed).expect("a list");
    rows.len()
}

/// Nothing if it is not so in time.
async fn seconds_until(patience: Duration, mut is_so: impl AsyncFnMut() -> bool) -> Option<f64> {
    let began = Instant::now();
    while !is_so().await {
        if began.elapsed() > patience {
            return None;
        }
        sleep(LOOK_EVERY).await;
    }
    Some(began.elapsed().as_secs_f64())
}

/// What somebody wants to know who looks for the reason. The files of the processes stay on the disk.
async fn details(bridge: &mut Bridge, oa: &Oa, cursed_oa: &Oa, ledger: &Ledger) -> Vec<String> {
    let truth = &ledger.told.truth;
    let Standing { core, oa: at_oa, cursed_oa: at_cursed_oa, .. } = &ledger.standing;
    let mut details = vec![format!("the files of the processes are in {}", bridge.keep_files().display())];
    if !core.is_right() {
        details.extend(examples("core", &as_core_sees(truth), &bridge.core().snapshot().await));
    }
    if !at_oa.is_right() {
        details.extend(examples("OA", truth, &oa.snapshot()));
    }
    let (differences, received) = (compare(truth, &cursed_oa.snapshot()), cursed_oa.received());
    for stray in &at_cursed_oa.strays {
        let (Subject::Department(id) | Subject::Member(id)) = stray else { continue };
        let its = differences.iter().filter(|difference| difference.id.eq_ignore_ascii_case(id));
        details.extend(its.map(|difference| format!("the OA that never takes one: {difference:?}")));
        let about =
            received.iter().filter(|one| one.subject == *stray || format!("{:?}", one.act).contains(id.as_str()));
        details.extend(about.map(|one| format!("it was told: {one:?}")));
    }
    details.push(bridge.logs());
    details
}

fn examples(whose: &str, truth: &Snapshot, seen: &Snapshot) -> Vec<String> {
    let differences = compare(truth, seen);
    differences.iter().take(EXAMPLES).map(|difference| format!("{whose}: {difference:?}")).collect()
}
