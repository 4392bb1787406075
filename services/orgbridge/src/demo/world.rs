//! What the demo consists of: a company in WeCom with its API, its plant in DingTalk, a form for new hires in Jiandaoyun, the bridge, a
//! core product that knew the company before, an OA.

mod settings;

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use common::{Clock, DestinationId, TenantId};
use platform_sim::{
    Api, ApiOptions, ApiServer, Company, CompanyOptions, Deliveries, Dispatcher, DispatcherOptions, Keys, Oa,
    OaOptions, Pace, Profile, Snapshot, WallClock, api::Era, crypto::random_token,
};
use service::{Context, Environment, TenantFile};
use store::destinations;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{clock::DemoClock, core_tables::CoreTables, hires::HireForm, older_copy, plant::Plant};
use crate::{
    all_in_one::{AllInOne, Listening, Service},
    arguments,
};
use settings::{Place, Secrets, config, name_of, write_config};

/// The tenant of the company; its plant is one of its own.
pub(super) const TENANT: &str = "demo";
/// Its destinations.
pub(super) const CORE: &str = "core";
pub(super) const OA: &str = "oa";
/// The extended attribute that holds it.
pub(super) const EMPLOYEE_NUMBER: &str = "工号";
/// Levels of departments below the root.
pub(super) const DEPTH: u32 = 5;
/// Many things happen in one second where somebody imports a file.
pub(super) const IMPORT: Pace = Pace::PerSecond(20);

/// The company was there a day before.
const HISTORY_SECONDS: i64 = 86_400;
/// A handshake takes milliseconds; this is for machines that are very busy.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Everything, running.
pub(super) struct World {
    pub(super) clock: Arc<DemoClock>,
    /// WeCom's side of the company.
    pub(super) api: Api,
    pub(super) dispatcher: Dispatcher,
    /// Signs with another token.
    pub(super) forger: Dispatcher,
    pub(super) oa: Oa,
    pub(super) plant: Plant,
    pub(super) hires: HireForm,
    pub(super) core: CoreTables,
    /// How much the core product knew before.
    pub(super) known_before: older_copy::Size,
    pub(super) context: Context,
    pub(super) listening: Listening,
    pub(super) tenant: TenantId,
    pub(super) config_file: PathBuf,
    _server: ApiServer,
}

impl World {
    /// Opens it all in a directory. The services run until `stop` is cancelled; the handle tells how they ended.
    pub(super) async fn open(
        options: &arguments::Demo,
        directory: &Path,
        stop: CancellationToken,
    ) -> anyhow::Result<(Self, JoinHandle<anyhow::Result<()>>)> {
        let (secrets, tenant) = (Secrets::new(options.seed), TENANT.parse::<TenantId>()?);
        let clock = Arc::new(DemoClock::in_the_morning());
        let company = company(options, &clock);
        let (corp_id, before) = (company.corp_id().to_owned(), company.snapshot());
        let (api, server) = serve(company, &secrets, &clock)?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("the OA's socket")?;
        // A leader comes when it comes, also after those who follow: nobody waits for one.
        let like_others = OaOptions { strict_leaders: false, ..OaOptions::default() };
        let oa = Oa::start_with(listener, secrets.of_oa()?, like_others).context("the OA")?;
        let core_file = directory.join("core.db");
        let known_before = older_copy::write(&core_file, &tenant, &before).await.context("the core product")?;
        let plant = Plant::open(options, &core_file, &clock)?;
        let hires = HireForm::open(options.seed, &clock, directory)?;

        let config = config(directory)?;
        let all =
            AllInOne::open_by(Arc::clone(&clock) as _, &config, Environment::new(), &Service::BUILT, stop).await?;
        let (context, listening) = (all.context().clone(), all.listening());
        let place = Place {
            corp_id: &corp_id,
            name: &name_of(&before),
            api_base: &server.url(),
            core_file: &core_file,
            oa: &oa,
        };
        for file in [secrets.tenant_file(&place) + &hires.sections(), plant.tenant_file()] {
            apply(&context, &file, directory).await?;
        }
        let config_file = write_config(directory, &config, listening)?;
        let running = tokio::spawn(all.run());

        let Some(gateway) = listening.gateway else { bail!("the gateway does not listen") };
        let url = format!("http://{gateway}/callback/wecom/{tenant}");
        let dispatcher = |token: &str, seed| {
            let keys = Keys::new(token, &secrets.aes_key, &corp_id)?;
            dispatcher(&url, keys, seed, Arc::clone(&clock))
        };
        let world = Self {
            dispatcher: dispatcher(&secrets.token, options.seed)?,
            forger: dispatcher(&random_token(options.seed ^ 1), 1)?,
            core: CoreTables::at(core_file, tenant.clone()),
            clock,
            api,
            oa,
            plant,
            hires,
            known_before,
            context,
            listening,
            tenant,
            config_file,
            _server: server,
        };
        Ok((world, running))
    }

    /// Something happens at the company, now: time passes with it.
    pub(super) fn happen<T>(&self, what: impl FnOnce(&mut Company) -> T) -> T {
        let mut company = self.api.company();
        let now = self.clock.now().seconds().max(company.now_seconds()) + 1;
        company.set_now_seconds(now);
        let done = what(&mut company);
        self.clock.reach(company.now_seconds() + 1);
        done
    }

    /// How many departments and members the company has, the root included.
    pub(super) fn size(&self) -> (usize, usize) {
        let company = self.api.company();
        (company.department_count(), company.member_count())
    }

    /// The company as it is.
    pub(super) fn source(&self) -> Snapshot {
        self.api.company().snapshot()
    }

    /// Waits until the relay's handshake with the OA was answered.
    pub(super) async fn oa_registered(&self) -> anyhow::Result<()> {
        let started = Instant::now();
        let oa: DestinationId = OA.parse()?;
        while started.elapsed() < PATIENCE {
            let (tenant, oa) = (self.tenant.clone(), oa.clone());
            let found = self.context.database.read("demo.handshake", move |conn| destinations::get(conn, &tenant, &oa));
            if found.await?.is_some_and(|found| found.handshake_at.is_some()) {
                return Ok(());
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

/// A company whose callbacks carry ids only, as they do for everybody since 2022 (reference wecom 2.1).
fn company(options: &arguments::Demo, clock: &DemoClock) -> Company {
    let start_seconds = clock.now().seconds() - HISTORY_SECONDS;
    let (seed, profile) = (options.seed, Profile::Reduced);
    let mut company =
        Company::new(CompanyOptions { seed, profile, start_seconds, pace: IMPORT, ..CompanyOptions::default() });
    let members = usize::try_from(options.members).unwrap_or(usize::MAX);
    company.populate(members, departments_for(members), DEPTH);
    company.set_pace(Pace::OwnSecond);
    company
}

/// How many departments so many members make.
pub(super) fn departments_for(members: usize) -> usize {
    (members / 8).clamp(usize::try_from(DEPTH).unwrap_or_default() + 1, 2000)
}

/// Puts WeCom's API on a socket. Its app was created before June 2022 and sees numbers and mail addresses too (reference wecom 3.7):
/// so all fields can be compared.
fn serve(company: Company, secrets: &Secrets, clock: &Arc<DemoClock>) -> anyhow::Result<(Api, ApiServer)> {
    let mut options = ApiOptions { keep_records: false, ..ApiOptions::new(&secrets.contact, &secrets.agent) };
    options.apps.iter_mut().for_each(|app| app.era = Era::Old);
    let clock = Arc::clone(clock);
    let api = Api::new(Arc::new(Mutex::new(company)), options, Arc::new(move || clock.now().0));
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("the API's socket")?;
    let server = api.listen(listener).context("the simulated API")?;
    Ok((api, server))
}

async fn apply(context: &Context, file: &str, directory: &Path) -> anyhow::Result<()> {
    let file = TenantFile::parse(file, directory).map_err(|problems| match problems.first() {
        Some(problem) => anyhow::anyhow!("{problem}"),
        None => anyhow::anyhow!("the tenant file"),
    })?;
    service::tenants::apply(&context.database, &context.sealer, &file, context.clock.now()).await?;
    context.tenants.refresh().await?;
    Ok(())
}

fn dispatcher(url: &str, keys: Keys, seed: u64, clock: Arc<DemoClock>) -> anyhow::Result<Dispatcher> {
    let clock: WallClock = Arc::new(move || clock.now().seconds());
    let options = DispatcherOptions { deliveries: Deliveries::AtMost(3), seed, ..DispatcherOptions::default() };
    Dispatcher::new(url, keys, options, clock).context("the simulated WeCom")
}
