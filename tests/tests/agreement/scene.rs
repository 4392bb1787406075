//! One tenant, `acme`, in one process: a company behind a simulated API on a socket, a core product in a file, and the services
//! between them.

mod looking;
mod runs;

pub(crate) use looking::nothing_of;

use std::{
    fmt::Debug,
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use broker::{Lane, Outgoing};
use common::{Clock, DestinationId, Event, Hop, TenantId, UnixMillis};
use database::Connection;
use outbound::{Guard, Unlimited};
use platform_sim::{Api, ApiOptions, ApiServer, Callback, Company, CompanyOptions, Oa, Profile, api::Era};
use service::config::SynchronizerConfig;
use sink::{Built, Sink};
use synchronizer::Synchronizer;
use test_kit::Stage;
use tokio::task::JoinHandle;

use crate::{
    copy::NUMBER,
    product::{Core, Rows},
};

/// The app's agent id.
pub(crate) const AGENT: u32 = 1_000_002;

const CONTACT: &str = "contact-secret";
const APP: &str = "app-secret";
const AES_KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
const OA_TOKEN: &str = "oa-token";
const OA_ID: &str = "wwoa";
/// Longer than any test: after the first pull, directories are compared when a test asks for it.
const NEVER_SECONDS: u64 = 100 * 365 * 86_400;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

pub(crate) struct Scene {
    pub(crate) stage: Stage,
    pub(crate) api: Api,
    pub(crate) core: Core,
    _server: ApiServer,
    api_base: String,
    /// The OA's section of the tenant's file.
    oa: String,
    /// The core held rows before anybody heard of it.
    is_filled: bool,
    running: Vec<JoinHandle<()>>,
}

/// A company whose callbacks carry ids only.
pub(crate) fn company(seed: u64) -> Company {
    let profile = Profile::Reduced;
    Company::new(CompanyOptions { seed, profile, reuse_member_ids: false, ..CompanyOptions::default() })
}

pub(crate) fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

pub(crate) fn core_id() -> DestinationId {
    "core".parse().unwrap()
}

impl Scene {
    /// Nobody has heard of the tenant yet. The clock shows a moment after the company's last change, and the app sees every field.
    pub(crate) async fn over(company: Company) -> Self {
        let stage = Stage::open().await;
        let clock = Arc::clone(&stage.clock);
        let after = company.now_seconds() - clock.now().seconds() + 120;
        clock.advance_seconds(after.max(0));
        let mut options = ApiOptions::new(CONTACT, APP);
        options.app_mut(AGENT).unwrap().era = Era::Old;
        let api = Api::new(Arc::new(Mutex::new(company)), options, Arc::new(move || clock.now().0));
        let server = api.listen(TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
        let core = Core::at(stage.directory().join("core.db"));
        let api_base = server.url();
        Self { stage, api, core, _server: server, api_base, oa: String::new(), is_filled: false, running: Vec::new() }
    }

    /// The same, where the core holds these rows already.
    pub(crate) async fn over_filled(company: Company, rows: &Rows) -> Self {
        let mut scene = Self::over(company).await;
        scene.core.fill(rows);
        scene.is_filled = true;
        scene
    }

    /// The platform is asked through somebody else.
    pub(crate) fn ask_at(&mut self, url: String) {
        self.api_base = url;
    }

    /// The tenant is applied, and everything works from now on.
    pub(crate) async fn start(&mut self) {
        self.apply().await;
        let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let http = outbound::Client::new(guard, REQUEST_TIMEOUT).unwrap();
        let (config, context) = (service::Config::default(), || self.stage.context.clone());
        let resolver = resolver::run(config.resolver, lanes(), context());
        let timing = sink::Timing { watch_every: Duration::from_millis(50), ..sink::Timing::default() };
        let sink = Sink::new(config.sink, lanes(), context(), Arc::new(Built::new(http.clone()))).with_timing(timing);
        let timing = synchronizer::Timing {
            look_every: Duration::from_millis(20),
            runs_every: Duration::from_millis(50),
            walk_every: Duration::from_secs(3600),
            ..synchronizer::Timing::default()
        };
        let pulls = Synchronizer::new(synchronizer_config(), lanes(), context(), http, Arc::new(Unlimited));
        self.running = vec![started(resolver), started(sink.run()), started(pulls.with_timing(timing).run())];
    }

    /// An OA is added, and gets what exists already.
    pub(crate) async fn add(&mut self, oa: &Oa) {
        self.oa = format!(
            r#"
[[destinations]]
id = "oa"
kind = "wecom-callback"
url = "{}"
token = "{OA_TOKEN}"
aes_key = "{AES_KEY}"
receive_id = "{OA_ID}"
backfill = true
"#,
            oa.url()
        );
        self.apply().await;
    }

    /// Ends everything in good order.
    pub(crate) async fn end(self) {
        self.stage.context.stop.cancel();
        for running in self.running {
            running.await.unwrap();
        }
        self.stage.stop().await;
    }

    pub(crate) fn now(&self) -> UnixMillis {
        self.stage.clock.now()
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.stage.clock.advance_seconds(seconds);
    }

    /// Something happens at the company now, each step in a second of its own; afterwards it is a moment later than that.
    pub(crate) fn happens<T>(&self, change: impl FnOnce(&mut Company) -> T) -> T {
        let now = self.now().seconds();
        let (done, last) = {
            let mut company = self.api.company();
            company.set_now_seconds(now + 1);
            let done = change(&mut company);
            (done, company.now_seconds())
        };
        self.pass(last - now + 5);
        done
    }

    /// Callbacks as the gateway takes them over.
    pub(crate) async fn tell(&self, callbacks: &[Callback]) {
        let corp_id = self.api.company().corp_id().to_owned();
        let events = callbacks
            .iter()
            .flat_map(|callback| wecom::normalise(&tenant(), &corp_id, &callback.plaintext, self.now(), None).unwrap());
        let events: Vec<Event> = events.collect();
        for piece in events.chunks(256) {
            let messages = piece.iter().map(|event| Outgoing::new("acme", event.to_cloud_event())).collect();
            self.stage.context.broker.publish(Hop::Events, &Lane::shared(), messages).await.unwrap();
        }
    }

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> database::Result<T> + Send + 'static,
    ) -> T {
        self.stage.context.database.read("test", work).await.unwrap()
    }

    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> database::Result<T> + Send + 'static,
    ) -> T {
        self.stage.context.database.write("test", work).await.unwrap()
    }

    async fn apply(&self) {
        let corp_id = self.api.company().corp_id().to_owned();
        let (api_base, core, oa) = (&self.api_base, self.core.url(), &self.oa);
        self.stage
            .apply(&format!(
                r#"
id = "acme"
name = "示例制造有限公司"
[wecom]
corp_id = "{corp_id}"
contact_secret = "{CONTACT}"
agent_secret = "{APP}"
callback_token = "tok"
callback_aes_key = "{AES_KEY}"
employee_number = "{NUMBER}"
api_base = "{api_base}"
[[destinations]]
id = "core"
kind = "sqlite"
url = "{core}"
role = "core"
{oa}
"#
            ))
            .await;
    }
}

/// An OA on a socket, strict in everything.
pub(crate) fn oa() -> Oa {
    Oa::start(TcpListener::bind("127.0.0.1:0").unwrap(), OA_TOKEN, AES_KEY, OA_ID).unwrap()
}

pub(crate) fn synchronizer_config() -> SynchronizerConfig {
    SynchronizerConfig { reconcile_every_seconds: NEVER_SECONDS, ..SynchronizerConfig::default() }
}

fn lanes() -> Vec<Lane> {
    vec![Lane::shared()]
}

fn started<E: Debug>(service: impl Future<Output = Result<(), E>> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(async move { service.await.unwrap() })
}
