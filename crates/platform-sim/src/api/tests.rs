mod access;
mod accounts;
mod crowd;
mod faults;
mod http;
mod limits;
mod paging;
mod sight;
mod tokens;
mod writes;

use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::{Value, json};

use super::*;
use crate::{CompanyOptions, Member, Profile, ROOT, query};

const CONTACT: &str = "contact-secret";
const APP: &str = "app-secret";
const AGENT: u32 = 1_000_002;
const START_MS: i64 = 1_767_225_600_000;
const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7));

/// An API with a clock that the test moves, called from one address.
struct Stage {
    api: Api,
    now_ms: Arc<AtomicI64>,
    peer: IpAddr,
}

impl Stage {
    /// 甲 (2) with 乙 (3) below it, and 丙 (4); `boss` in 甲 leads it, `Li` in 甲 and 丙 follows `boss`, `zhao` is in 乙.
    fn small() -> Self {
        let mut company = Company::new(CompanyOptions { profile: Profile::Reduced, ..CompanyOptions::default() });
        for (name, parent) in [("甲", ROOT), ("乙", "2"), ("丙", ROOT)] {
            company.create_department(name, parent).expect("legal");
        }
        let boss = Member { leads: vec!["2".to_owned()], ..person("boss", "13800000001", &["2"]) };
        let li = Member { leaders: vec!["boss".to_owned()], ..person("Li", "13800000002", &["2", "4"]) };
        for member in [boss, li, person("zhao", "13800000003", &["3"])] {
            company.create_member(member).expect("legal");
        }
        Self::over(company)
    }

    /// So many members in so many departments.
    fn of(members: usize, departments: usize) -> Self {
        let mut company = Company::new(CompanyOptions::default());
        company.populate(members, departments, 4);
        Self::over(company)
    }

    fn over(company: Company) -> Self {
        let now_ms = Arc::new(AtomicI64::new(START_MS));
        let clock = Arc::clone(&now_ms);
        let clock: ApiClock = Arc::new(move || clock.load(Ordering::SeqCst));
        let api = Api::new(Arc::new(Mutex::new(company)), ApiOptions::new(CONTACT, APP), clock);
        Self { api, now_ms, peer: HOME }
    }

    fn with(self, change: impl FnOnce(&mut ApiOptions)) -> Self {
        self.api.configure(change);
        self
    }

    fn from(&self, peer: &str) -> Self {
        let peer = peer.parse().expect("an address");
        Self { api: self.api.clone(), now_ms: Arc::clone(&self.now_ms), peer }
    }

    fn pass_ms(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    fn call(&self, interface: Interface, query: &str, body: &[u8]) -> Answer {
        let path = format!("/cgi-bin/{interface}");
        self.api.call(&Call { method: interface.method(), path: &path, query, body, peer: self.peer })
    }

    /// A call with a token of its own.
    fn ask(&self, identity: Identity, interface: Interface, parameters: &[(&str, &str)], body: &Value) -> Value {
        self.ask_with(&self.token(identity), interface, parameters, body)
    }

    fn ask_with(&self, token: &str, interface: Interface, parameters: &[(&str, &str)], body: &Value) -> Value {
        let query = in_query(&[&[("access_token", token)][..], parameters].concat());
        parsed(&self.call(interface, &query, body.to_string().as_bytes()))
    }

    fn get(&self, identity: Identity, interface: Interface, parameters: &[(&str, &str)]) -> Value {
        self.ask(identity, interface, parameters, &Value::Null)
    }

    /// A call of the contact sync assistant.
    fn write(&self, interface: Interface, body: &Value) -> Value {
        self.ask(Identity::Contact, interface, &[], body)
    }

    fn token(&self, identity: Identity) -> String {
        let answer = self.ask_for_token(if identity == Identity::Contact { CONTACT } else { APP });
        answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned()
    }

    /// The query of a call without parameters of its own.
    fn token_query(&self, identity: Identity) -> String {
        format!("access_token={}", self.token(identity))
    }

    fn ask_for_token(&self, secret: &str) -> Value {
        let corp_id = CompanyOptions::default().corp_id;
        let query = in_query(&[("corpid", corp_id.as_str()), ("corpsecret", secret)]);
        parsed(&self.call(Interface::GetToken, &query, b""))
    }
}

fn person(id: &str, mobile: &str, departments: &[&str]) -> Member {
    Member {
        id: id.to_owned(),
        name: format!("{id}的名字"),
        mobile: mobile.to_owned(),
        email: format!("{}@corp.example", id.to_lowercase()),
        title: "工程师".to_owned(),
        departments: departments.iter().map(|id| (*id).to_owned()).collect(),
        main_department: departments.first().map(|id| (*id).to_owned()),
        ..Member::default()
    }
}

fn in_query(parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={}", query::encode(value))).collect();
    pairs.join("&")
}

fn parsed(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200);
    serde_json::from_slice(&answer.body).expect("JSON")
}

fn code(answer: &Value) -> i64 {
    answer["errcode"].as_i64().expect("a return code")
}

/// The ids in a list of an answer, sorted.
fn ids(list: &Value, name: &str) -> Vec<String> {
    let text = |row: &Value| row[name].as_str().map_or_else(|| row[name].to_string(), str::to_owned);
    let mut ids: Vec<String> = list.as_array().expect("a list").iter().map(text).collect();
    ids.sort();
    ids
}
