//! Many companies, each with a directory of its own at one platform.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    time::Duration,
};

use platform_sim::{
    Api, ApiOptions, ApiServer, Company, CompanyOptions, Deliveries, Dispatcher, DispatcherOptions, Keys,
    api::{self, Era, Limits},
    crypto::{random_aes_key, random_token},
};

use crate::{
    fleet::Fleet,
    newcomers::{Speaker, now_micros},
};

const CONTACT_SECRET: &str = "contact-secret";
const APP_SECRET: &str = "app-secret";
/// The address of a platform that nobody answers for.
const NOWHERE: &str = "http://127.0.0.1:9";
/// Levels of departments.
const DEPTH: u32 = 3;
/// How long WeCom waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// All tenants. The platform stops answering when this is dropped.
pub(super) struct Crowd {
    residents: Vec<Resident>,
    platform: Option<ApiServer>,
}

/// One tenant as WeCom knows it.
struct Resident {
    id: String,
    corp_id: String,
    token: String,
    aes_key: String,
    seed: u64,
    company: Arc<Mutex<Company>>,
}

impl Crowd {
    /// So many, with so many members and departments each; the platform answers for all of them, or is not there.
    pub(super) fn gather(count: usize, size: (usize, usize), has_platform: bool) -> Self {
        let residents: Vec<Resident> = (1..=count).map(|number| Resident::new(number, size)).collect();
        let platform = has_platform.then(|| {
            let crowd = api::Crowd::new(residents.iter().map(Resident::api)).expect("somebody");
            crowd.listen(TcpListener::bind("127.0.0.1:0").expect("a port")).expect("a platform")
        });
        Self { residents, platform }
    }

    /// The tenants' files by id.
    pub(super) fn files(&self, fleet: &Fleet) -> impl Iterator<Item = (String, String)> {
        let core = fleet.core_destination();
        let api_base = self.platform.as_ref().map_or_else(|| NOWHERE.to_owned(), ApiServer::url);
        self.residents.iter().map(move |resident| (resident.id.clone(), resident.file(&api_base, &core)))
    }

    /// How many rows the core product is to have before anybody tells of anything.
    pub(super) fn rows(&self) -> i64 {
        let rows = |resident: &Resident| {
            let company = resident.company.lock().unwrap();
            i64::try_from(company.department_count() + company.member_count()).unwrap()
        };
        if self.platform.is_some() { self.residents.iter().map(rows).sum() } else { 0 }
    }

    /// What tells of newcomers of so many tenants.
    pub(super) fn speakers(&self, count: usize, gateways: &[SocketAddr]) -> impl Iterator<Item = Arc<Speaker>> {
        self.residents.iter().take(count).map(move |resident| {
            let dispatchers = gateways.iter().map(|gateway| resident.dispatcher(*gateway)).collect();
            Speaker::new(&resident.id, Arc::clone(&resident.company), dispatchers)
        })
    }
}

impl Resident {
    fn new(number: usize, (members, departments): (usize, usize)) -> Self {
        let seed = u64::try_from(number).unwrap();
        let corp_id = format!("wwcrowd{number:011}");
        let mut company = Company::new(CompanyOptions {
            seed,
            corp_id: corp_id.clone(),
            start_seconds: now_micros() / 1_000_000,
            leader_share: 0.0,
            ..CompanyOptions::default()
        });
        company.populate(members, departments, DEPTH);
        Self {
            id: format!("tenant-{number}"),
            token: random_token(seed),
            aes_key: random_aes_key(seed),
            company: Arc::new(Mutex::new(company)),
            corp_id,
            seed,
        }
    }

    /// As fast as it can be, and without limits of its own: what is measured is us.
    fn api(&self) -> Api {
        let mut options = ApiOptions::new(CONTACT_SECRET, APP_SECRET);
        (options.seed, options.limits, options.keep_records) = (self.seed, Limits::none(), false);
        // It sees everything of members.
        options.apps.iter_mut().for_each(|app| app.era = Era::Old);
        Api::new(Arc::clone(&self.company), options, Arc::new(|| now_micros() / 1000))
    }

    fn file(&self, api_base: &str, core: &str) -> String {
        let Self { id, corp_id, token, aes_key, .. } = self;
        format!(
            "id = \"{id}\"\n\
             [wecom]\ncorp_id = \"{corp_id}\"\ncontact_secret = \"{CONTACT_SECRET}\"\nagent_secret = \"{APP_SECRET}\"\n\
             api_base = \"{api_base}\"\ncallback_token = \"{token}\"\ncallback_aes_key = \"{aes_key}\"\n\
             [[destinations]]\nid = \"core\"\nrole = \"core\"\n{core}"
        )
    }

    fn dispatcher(&self, gateway: SocketAddr) -> Dispatcher {
        let url = format!("http://{gateway}/callback/wecom/{}", self.id);
        let keys = Keys::new(&self.token, &self.aes_key, &self.corp_id).expect("good keys");
        let deliveries = Deliveries::AtMost(1);
        let options =
            DispatcherOptions { timeout: TIMEOUT, deliveries, seed: self.seed, ..DispatcherOptions::default() };
        Dispatcher::new(&url, keys, options, Arc::new(|| now_micros() / 1_000_000)).expect("a client")
    }
}
