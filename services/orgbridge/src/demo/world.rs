//! What the demo consists of: a company in WeCom, the bridge, a core product, an OA.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use common::{Clock, DestinationId, TenantId};
use platform_sim::{
    Company, CompanyOptions, Deliveries, Dispatcher, DispatcherOptions, Keys, Oa, Snapshot, WallClock,
    crypto::{random_aes_key, random_token},
};
use service::{Config, Context, Environment, SystemClock, TenantFile};
use store::destinations;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::core_tables::CoreTables;
use crate::{
    all_in_one::{AllInOne, Listening, Service},
    arguments,
};

/// The only tenant.
pub(super) const TENANT: &str = "demo";
/// Its destinations.
pub(super) const CORE: &str = "core";
pub(super) const OA: &str = "oa";

const OA_RECEIVE_ID: &str = "oa-demo";
/// The company's history begins a day ago.
const HISTORY_SECONDS: i64 = 86_400;
/// A handshake takes milliseconds; this is for machines that are very busy.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Everything, running.
pub(super) struct World {
    pub(super) company: Company,
    pub(super) dispatcher: Dispatcher,
    /// Signs with another token.
    pub(super) forger: Dispatcher,
    pub(super) oa: Oa,
    pub(super) core: CoreTables,
    pub(super) context: Context,
    pub(super) listening: Listening,
    pub(super) tenant: TenantId,
    pub(super) config_file: PathBuf,
}

/// The secrets of the demo, from its seed.
struct Secrets {
    token: String,
    aes_key: String,
    oa_token: String,
    oa_aes_key: String,
}

impl Secrets {
    fn new(seed: u64) -> Self {
        Self {
            token: random_token(seed),
            aes_key: random_aes_key(seed),
            oa_token: random_token(!seed),
            oa_aes_key: random_aes_key(!seed),
        }
    }
}

impl World {
    /// Opens it all in a directory. The services run until `stop` is cancelled; the handle tells how they ended.
    pub(super) async fn open(
        options: &arguments::Demo,
        directory: &Path,
        stop: CancellationToken,
    ) -> anyhow::Result<(Self, JoinHandle<anyhow::Result<()>>)> {
        let (secrets, tenant) = (Secrets::new(options.seed), TENANT.parse::<TenantId>()?);
        let start_seconds = SystemClock.now().seconds() - HISTORY_SECONDS;
        let company = Company::new(CompanyOptions { seed: options.seed, start_seconds, ..CompanyOptions::default() });
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("the OA's socket")?;
        let oa = Oa::start(listener, &secrets.oa_token, &secrets.oa_aes_key, OA_RECEIVE_ID).context("the OA")?;

        let config = config(directory)?;
        let all = AllInOne::open(&config, Environment::new(), &Service::BUILT, stop).await?;
        let (context, listening) = (all.context().clone(), all.listening());
        let core_file = directory.join("core.db");
        let file = tenant_file(&company, &secrets, &core_file, &oa);
        let file = TenantFile::parse(&file, directory).map_err(|problems| match problems.first() {
            Some(problem) => anyhow::anyhow!("{problem}"),
            None => anyhow::anyhow!("the tenant file"),
        })?;
        service::tenants::apply(&context.database, &context.sealer, &file, context.clock.now()).await?;
        context.tenants.refresh().await?;
        let config_file = write_config(directory, &config, listening)?;
        let running = tokio::spawn(all.run());

        let Some(gateway) = listening.gateway else { bail!("the gateway does not listen") };
        let url = format!("http://{gateway}/callback/wecom/{tenant}");
        let world = Self {
            dispatcher: dispatcher(&url, &secrets.token, &secrets.aes_key, company.corp_id(), options.seed)?,
            forger: dispatcher(&url, &random_token(options.seed ^ 1), &secrets.aes_key, company.corp_id(), 1)?,
            core: CoreTables::at(core_file, tenant.clone()),
            company,
            oa,
            context,
            listening,
            tenant,
            config_file,
        };
        Ok((world, running))
    }

    /// Waits until the relay's handshake with the OA was answered; returns how long it took.
    pub(super) async fn oa_registered(&self) -> anyhow::Result<Duration> {
        let started = Instant::now();
        let oa: DestinationId = OA.parse()?;
        while started.elapsed() < PATIENCE {
            let (tenant, oa) = (self.tenant.clone(), oa.clone());
            let found = self.context.database.read("demo.handshake", move |conn| destinations::get(conn, &tenant, &oa));
            if found.await?.is_some_and(|found| found.handshake_at.is_some()) {
                return Ok(started.elapsed());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        bail!("the OA did not register within {} s", PATIENCE.as_secs())
    }

    /// Has the simulated WeCom verify the callback address, as saving it there does; returns how long it took.
    pub(super) async fn address_verified(&self) -> anyhow::Result<Duration> {
        let started = Instant::now();
        loop {
            let asked = Instant::now();
            match self.dispatcher.verify_url().await {
                Ok(()) => return Ok(asked.elapsed()),
                // A tenant that was just applied is honoured within two seconds.
                Err(_) if started.elapsed() < PATIENCE => tokio::time::sleep(LOOK_EVERY).await,
                Err(error) => return Err(error).context("WeCom does not accept the callback address"),
            }
        }
    }

    /// The directory as the OA has it.
    pub(super) fn oa_snapshot(&self) -> Snapshot {
        self.oa.snapshot()
    }
}

fn config(directory: &Path) -> anyhow::Result<Config> {
    let mut config = Config::in_directory(directory.join("data"));
    config.callback_gateway.listen.set_port(0);
    config.admin.listen.set_port(0);
    // Destinations on this machine are refused unless somebody allows them.
    config.sink.allowed_networks = vec!["127.0.0.0/8".parse()?];
    Ok(config)
}

/// A configuration with which commands find the demo's database.
fn write_config(directory: &Path, config: &Config, listening: Listening) -> anyhow::Result<PathBuf> {
    let file = directory.join("orgbridge.toml");
    let mut text = format!("data_dir = {:?}\n", config.data_dir);
    if let Some(gateway) = listening.gateway {
        text.push_str(&format!("[callback_gateway]\nlisten = \"{gateway}\"\n"));
    }
    text.push_str(&format!("[admin]\nlisten = \"{}\"\n", listening.admin));
    text.push_str("[sink]\nallowed_networks = [\"127.0.0.0/8\"]\n");
    std::fs::write(&file, text).with_context(|| file.display().to_string())?;
    Ok(file)
}

/// `distinct_seconds`, since this OA takes two equal texts for one message. Without it a member whose leader went and came back
/// is told twice in the same words.
fn tenant_file(company: &Company, secrets: &Secrets, core_file: &Path, oa: &Oa) -> String {
    let name = company.snapshot().departments.get(platform_sim::ROOT).map(|root| root.name.clone()).unwrap_or_default();
    let core_url = format!("sqlite://{}", core_file.display());
    let Secrets { token, aes_key, oa_token, oa_aes_key } = secrets;
    format!(
        "id = {TENANT:?}\nname = {name:?}\n\n\
         [wecom]\ncorp_id = {:?}\ncontact_secret = \"not used by the demo\"\n\
         callback_token = {token:?}\ncallback_aes_key = {aes_key:?}\nemployee_number = \"工号\"\n\n\
         [[destinations]]\nid = {CORE:?}\nkind = \"sqlite\"\nrole = \"core\"\nurl = {core_url:?}\n\n\
         [[destinations]]\nid = {OA:?}\nkind = \"wecom-callback\"\nurl = {:?}\n\
         token = {oa_token:?}\naes_key = {oa_aes_key:?}\nreceive_id = {OA_RECEIVE_ID:?}\n\
         distinct_seconds = true\n",
        company.corp_id(),
        oa.url(),
    )
}

fn dispatcher(url: &str, token: &str, aes_key: &str, corp_id: &str, seed: u64) -> anyhow::Result<Dispatcher> {
    let clock: WallClock = Arc::new(|| SystemClock.now().seconds());
    let options = DispatcherOptions { deliveries: Deliveries::AtMost(3), seed, ..DispatcherOptions::default() };
    let keys = Keys::new(token, aes_key, corp_id)?;
    Dispatcher::new(url, keys, options, clock).context("the simulated WeCom")
}
