//! The company: WeCom's API over it, a little life, and the callbacks about that.

mod manner;

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::options::Options;
use super::secrets::Secrets;
use super::{OpenError, say};
use crate::api::{ApiClock, Era};
use crate::{
    Api, ApiOptions, ApiServer, Callback, Company, CompanyOptions, Dispatcher, DispatcherOptions, Pace, Profile, Script,
};

use manner::Manner;

/// What a bridge knows of it beforehand.
pub(super) struct Known {
    pub(super) tenant: &'static str,
    pub(super) name: &'static str,
    pub(super) corp_id: &'static str,
    /// The extended attribute that holds it.
    pub(super) employee_number: &'static str,
}

pub(super) const KNOWN: Known =
    Known {
        tenant: "sim-wecom", name: "示例制造有限公司", corp_id: "wwsimulated0000001", employee_number: "工号"
    };

/// Levels of departments below the root.
const DEPTH: u32 = 5;
/// Operations that belong together share a second, so that none is stamped far ahead.
const PACE: Pace = Pace::PerSecond(20);
/// The company was there a day before.
const HISTORY_SECONDS: i64 = 86_400;
/// Callbacks of one bit of life that are under way at once.
const AT_ONCE: usize = 4;
/// The gateway may be started after us.
const ASK_AGAIN: Duration = Duration::from_secs(2);

pub(super) struct Wecom {
    api: Api,
    dispatcher: Dispatcher,
    clock: ApiClock,
    seed: u64,
    every: Duration,
    tally: Arc<Tally>,
    _server: ApiServer,
}

/// What became of callbacks.
#[derive(Default)]
struct Tally {
    is_verified: AtomicBool,
    events: AtomicU64,
    requests: AtomicU64,
    unanswered: AtomicU64,
}

impl Wecom {
    pub(super) fn open(
        options: &Options,
        secrets: &Secrets,
        clock: &ApiClock,
        listener: TcpListener,
    ) -> Result<Self, OpenError> {
        let seed = options.seed;
        let company = company(options, clock().div_euclid(1000));
        let mut api_options =
            ApiOptions { seed, keep_records: false, ..ApiOptions::new(&secrets.contact, &secrets.agent) };
        // Created before June 2022, so it sees numbers and mail addresses too (reference wecom 3.7).
        api_options.apps.iter_mut().for_each(|app| app.era = Era::Old);
        let api = Api::new(Arc::new(Mutex::new(company)), api_options, Arc::clone(clock));
        let server = api.listen(listener)?;
        let url = format!("{}/callback/wecom/{}", options.gateway.trim_end_matches('/'), KNOWN.tenant);
        let wall = Arc::clone(clock);
        let dispatcher = Dispatcher::new(
            &url,
            secrets.of_callbacks(KNOWN.corp_id)?,
            DispatcherOptions { seed, ..DispatcherOptions::default() },
            Arc::new(move || wall().div_euclid(1000)),
        )?;
        let (clock, every) = (Arc::clone(clock), options.every);
        Ok(Self { api, dispatcher, clock, seed, every, tally: Arc::default(), _server: server })
    }

    /// Nothing happens before the gateway takes callbacks. Then something does, again and again, and its callbacks are sent by tasks of
    /// their own.
    pub(super) async fn live(&self, under_way: &mut JoinSet<()>) {
        self.verified().await;
        for turn in 0.. {
            sleep(self.every).await;
            while under_way.try_join_next().is_some() {}
            let callbacks = self.happen();
            if let Some(last) = callbacks.last() {
                let manner = Manner::of(self.seed, turn);
                let pause = manner.pause + self.until(last.at_seconds);
                under_way.spawn(deliver(
                    self.dispatcher.clone(),
                    Arc::clone(&self.tally),
                    callbacks,
                    manner.script,
                    pause,
                ));
            }
        }
    }

    pub(super) fn status(&self) -> Value {
        let tally = &self.tally;
        let company = self.api.company();
        json!({
            "departments": company.department_count(),
            "members": company.member_count(),
            "callback_address_accepted": tally.is_verified.load(Ordering::Relaxed),
            "events": tally.events.load(Ordering::Relaxed),
            "requests": tally.requests.load(Ordering::Relaxed),
            "unanswered": tally.unanswered.load(Ordering::Relaxed),
        })
    }

    /// Has the callback address checked, as the console does when it is saved, until it is accepted.
    async fn verified(&self) {
        let mut is_told = false;
        while let Err(error) = self.dispatcher.verify_url().await {
            if !is_told {
                say(format_args!("WeCom waits until the gateway accepts its callback address: {error}"));
                is_told = true;
            }
            sleep(ASK_AGAIN).await;
        }
        self.tally.is_verified.store(true, Ordering::Relaxed);
        say("WeCom's callback address is accepted; its company begins to live");
    }

    fn happen(&self) -> Vec<Callback> {
        let now_seconds = self.now_seconds();
        let mut company = self.api.company();
        let next_seconds = company.now_seconds().saturating_add(1);
        company.set_now_seconds(now_seconds.max(next_seconds));
        company.live(1)
    }

    /// Nobody is told of what has not happened yet.
    fn until(&self, seconds: i64) -> Duration {
        Duration::from_secs(u64::try_from(seconds.saturating_sub(self.now_seconds())).unwrap_or_default())
    }

    fn now_seconds(&self) -> i64 {
        (self.clock)().div_euclid(1000)
    }
}

/// A company whose callbacks carry ids only, as they do for everybody since 2022 (reference wecom 2.1).
fn company(options: &Options, now_seconds: i64) -> Company {
    let mut company = Company::new(CompanyOptions {
        seed: options.seed,
        corp_id: KNOWN.corp_id.to_owned(),
        name: KNOWN.name.to_owned(),
        profile: Profile::Reduced,
        start_seconds: now_seconds.saturating_sub(HISTORY_SECONDS),
        pace: PACE,
        ..CompanyOptions::default()
    });
    let members = usize::try_from(options.members).unwrap_or(usize::MAX);
    company.populate(members, (members / 8).clamp(8, 2000), DEPTH);
    company
}

async fn deliver(dispatcher: Dispatcher, tally: Arc<Tally>, callbacks: Vec<Callback>, script: Script, pause: Duration) {
    sleep(pause).await;
    let script = Script { concurrency: AT_ONCE, ..script };
    let stats = dispatcher.send(&callbacks, &script).await;
    let count = |to: &AtomicU64, more: usize| to.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::Relaxed);
    count(&tally.events, stats.events);
    count(&tally.requests, stats.sent);
    count(&tally.unanswered, stats.failed.len());
    if !stats.failed.is_empty() {
        say(format_args!(
            "WeCom: {} of {} callbacks were not taken, and are not sent again",
            stats.failed.len(),
            stats.events
        ));
    }
}
