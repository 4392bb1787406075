//! The other company of the demo: a plant in a simulated DingTalk, whose people, attendance and approvals go to the same core product.

mod day;
mod records;

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Context as _, bail};
use common::{Clock as _, TenantId};
use platform_sim::{
    Keys,
    crypto::{random_aes_key, random_token},
    dingtalk::{
        Channels, Clock, Company, CompanyOptions, Event, FailedList, FailedOptions, Push, PushMeter, PushOptions,
        Script, Sent, Server, ServerParts, Stream, StreamOptions,
        api::{Api, ApiOptions},
    },
};
use tokio::time::{Instant, sleep, timeout};

use super::{clock::DemoClock, core_tables::CoreTables, world::CORE};
use crate::arguments;

/// The tenant.
const TENANT: &str = "plant";
const NAME: &str = "示例制造有限公司第二工厂";
const CLIENT_ID: &str = "dingdemo0000plant";
const DEPARTMENTS: usize = 4;
/// The simulated platform takes ten.
const APPROVALS_PER_SECOND: u32 = 9;
/// The plant was there a day before.
const HISTORY_MILLIS: i64 = 86_400_000;
/// What could not be pushed is listed after so long (reference dingtalk 4.7).
pub(super) const LISTED_AFTER_SECONDS: i64 = 180;
/// A connection takes milliseconds; this is for machines that are very busy.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The plant, and DingTalk's side of it.
pub(super) struct Plant {
    pub(super) tenant: TenantId,
    /// The core product's tables of it.
    core: CoreTables,
    clock: Arc<DemoClock>,
    api: Api,
    stream: Stream,
    channels: Channels,
    meter: PushMeter,
    secrets: Secrets,
    seed: u64,
    server: Server,
}

struct Secrets {
    client: String,
    token: String,
    aes_key: String,
}

impl Plant {
    /// Puts DingTalk on a socket; nobody has connected to it yet.
    pub(super) fn open(
        options: &arguments::Demo,
        core_file: &Path,
        demo_clock: &Arc<DemoClock>,
    ) -> anyhow::Result<Self> {
        let seed = options.seed;
        let secrets = Secrets {
            client: random_token(seed ^ 4),
            token: random_token(seed ^ 5),
            aes_key: random_aes_key(seed ^ 5),
        };
        let tenant: TenantId = TENANT.parse()?;
        let company = Arc::new(Mutex::new(company(options, demo_clock)?));
        let wall = Arc::clone(demo_clock);
        let clock = Clock::following(Arc::new(move || wall.now().0));
        let failed = FailedList::new(FailedOptions::default());
        let meter = PushMeter::new(None);
        let stream_options = StreamOptions { seed, ..StreamOptions::of_app(CLIENT_ID, &secrets.client) };
        let stream = Stream::new(stream_options, clock.clone(), failed.clone(), meter.clone())?;
        let api_options = ApiOptions { seed, keep_records: false, ..ApiOptions::new(CLIENT_ID, &secrets.client) };
        let api = Api::new(company, failed.clone(), api_options, clock.clone());
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("DingTalk's socket")?;
        let parts = ServerParts { streams: vec![stream.clone()], api: Some(Arc::new(api.clone())) };
        let server = Server::start(listener, parts).context("the simulated DingTalk")?;
        let channels = Channels { stream: Some(stream.clone()), push: None, failed, clock };
        let core = CoreTables::at(core_file.to_owned(), tenant.clone());
        Ok(Self { tenant, core, clock: Arc::clone(demo_clock), api, stream, channels, meter, secrets, seed, server })
    }

    /// What the bridge is told of it: events come over Stream, and callbacks are taken, too.
    pub(super) fn tenant_file(&self) -> String {
        let Secrets { client, token, aes_key } = &self.secrets;
        let (url, corp_id) = (self.server.url(), self.api.company().corp_id().to_owned());
        format!(
            "id = {TENANT:?}\nname = {NAME:?}\n\n\
             [dingtalk]\ncorp_id = {corp_id:?}\nclient_id = {CLIENT_ID:?}\nclient_secret = {client:?}\nmode = \"stream\"\n\
             callback_token = {token:?}\ncallback_aes_key = {aes_key:?}\napi_base = {url:?}\noapi_base = {url:?}\n\
             approvals_per_second = {APPROVALS_PER_SECOND}\n\n\
             [[destinations]]\nid = {CORE:?}\nkind = \"sqlite\"\nrole = \"core\"\nurl = {:?}\n",
            format!("sqlite://{}", self.core.file().display()),
        )
    }

    /// Waits until the bridge has connected, and saves its callback address as the console does.
    pub(super) async fn connect(&mut self, gateway: SocketAddr) -> anyhow::Result<()> {
        timeout(PATIENCE, self.stream.connected(1)).await.context("nobody connected to the simulated DingTalk")?;
        let url = format!("http://{gateway}/callback/dingtalk/{}", self.tenant);
        let keys = Keys::new(&self.secrets.token, &self.secrets.aes_key, CLIENT_ID)?;
        let options = PushOptions { seed: self.seed, ..PushOptions::default() };
        let Channels { failed, clock, .. } = &self.channels;
        let push = Push::new(&url, keys, options, clock.clone(), failed.clone(), self.meter.clone())?;
        let started = Instant::now();
        while let Err(fate) = push.check_url().await {
            if started.elapsed() > PATIENCE {
                bail!("DingTalk does not accept the callback address: {fate:?}");
            }
            sleep(LOOK_EVERY).await;
        }
        self.channels.push = Some(push);
        Ok(())
    }

    /// Something happens at the plant, now: time passes with it.
    pub(super) fn happen<T>(&self, what: impl FnOnce(&mut Company) -> T) -> T {
        let mut company = self.api.company();
        let now_ms = self.clock.now().0.max(company.now_ms());
        company.set_now_ms(now_ms);
        let done = what(&mut company);
        self.clock.reach(company.now_ms().div_euclid(1000) + 1);
        done
    }

    /// Sends events as the script says, and waits until all of them were taken or given up on.
    pub(super) async fn deliver(&self, events: &[Event], script: &Script) -> anyhow::Result<Sent> {
        let sent = self.channels.deliver(events, script).await;
        timeout(PATIENCE, self.stream.settled()).await.context("events over Stream were not acknowledged")?;
        Ok(sent)
    }

    /// How many events are in the list of failed pushes.
    pub(super) fn listed(&self) -> usize {
        self.channels.failed.waiting()
    }
}

fn company(options: &arguments::Demo, clock: &DemoClock) -> anyhow::Result<Company> {
    let start_ms = clock.now().0 - HISTORY_MILLIS;
    let name = NAME.to_owned();
    let mut company = Company::new(CompanyOptions { seed: options.seed, name, start_ms, ..CompanyOptions::default() });
    let members = usize::try_from(options.members / 10).unwrap_or(usize::MAX).clamp(8, 40);
    company.populate(DEPARTMENTS, members)?;
    Ok(company)
}
