//! One company among many: what WeCom and we know of each other, and an OA of its own.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use platform_sim::{
    Company, CompanyOptions, Deliveries, Dispatcher, DispatcherOptions, Keys, Oa, OaOptions,
    crypto::{random_aes_key, random_token},
};

/// How long WeCom waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The address of a platform that nobody answers for: callbacks carry all there is to know.
const NOWHERE: &str = "http://127.0.0.1:9";

/// A tenant with its surroundings.
#[derive(Debug)]
pub(crate) struct Customer {
    pub(crate) id: String,
    pub(crate) oa: Oa,
    seed: u64,
    corp_id: String,
    to_us: Pair,
    to_oa: Pair,
}

/// What callbacks are signed and encrypted with.
#[derive(Debug)]
struct Pair {
    token: String,
    aes_key: String,
}

impl Pair {
    fn new(seed: u64) -> Self {
        Self { token: random_token(seed), aes_key: random_aes_key(seed) }
    }

    fn keys(&self, corp_id: &str) -> Keys {
        Keys::new(&self.token, &self.aes_key, corp_id).expect("good keys")
    }
}

impl Customer {
    /// The one of that number. All that is random of it follows from number and seed.
    pub(crate) fn new(number: usize, seed: u64) -> Self {
        let seed = seed * 1_000_000 + u64::try_from(number).unwrap();
        let corp_id = format!("wwtrial{number:011}");
        let (to_us, to_oa) = (Pair::new(seed), Pair::new(seed + 500_000));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let options = OaOptions { keep_plaintexts: false, ..OaOptions::default() };
        let oa = Oa::start_with(listener, to_oa.keys(&corp_id), options).expect("an OA");
        Self { id: format!("tenant-{number}"), oa, seed, corp_id, to_us, to_oa }
    }

    /// Its tenant file; `core` is kind and place of the core product.
    pub(crate) fn file(&self, core: &str) -> String {
        let Self { id, oa, corp_id, to_us, to_oa, .. } = self;
        format!(
            "id = \"{id}\"\nname = \"示例制造有限公司\"\n\
             [wecom]\ncorp_id = \"{corp_id}\"\ncontact_secret = \"contact-secret\"\napi_base = \"{NOWHERE}\"\n\
             callback_token = \"{}\"\ncallback_aes_key = \"{}\"\n\
             [[destinations]]\nid = \"core\"\nrole = \"core\"\n{core}\
             [[destinations]]\nid = \"oa\"\nkind = \"wecom-callback\"\nurl = \"{}\"\n\
             token = \"{}\"\naes_key = \"{}\"\nreceive_id = \"{corp_id}\"\n",
            to_us.token,
            to_us.aes_key,
            oa.url(),
            to_oa.token,
            to_oa.aes_key,
        )
    }

    /// A company whose clock starts now: what is older than the duplicate memory would be folded at once. Such a share of its members
    /// are told of before they are created.
    pub(crate) fn company(&self, heralded_share: f64) -> Company {
        Company::new(CompanyOptions {
            seed: self.seed,
            corp_id: self.corp_id.clone(),
            start_seconds: now_seconds(),
            heralded_share,
            ..CompanyOptions::default()
        })
    }

    /// WeCom's pushing side towards one gateway, which tries once. Its connections are kept open, as an Ingress does.
    pub(crate) fn dispatcher(&self, gateway: SocketAddr) -> Dispatcher {
        let url = format!("http://{gateway}/callback/wecom/{}", self.id);
        let options = DispatcherOptions {
            timeout: TIMEOUT,
            deliveries: Deliveries::AtMost(1),
            seed: self.seed,
            ..DispatcherOptions::default()
        };
        Dispatcher::new(&url, self.to_us.keys(&self.corp_id), options, Arc::new(now_seconds)).expect("a client")
    }
}

fn now_seconds() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}
