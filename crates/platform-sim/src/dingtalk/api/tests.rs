//! The API called directly.

mod approvals;
mod attendance;
mod batches;
mod contacts;
mod envelopes;
mod faults;
mod limits;
mod tokens;
mod truth;
mod users;

use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Value, json};

use super::*;
use crate::dingtalk::{CompanyOptions, FailedOptions, Matter, NewMember, Shift, Verdict, time};
use crate::query;

const CLIENT: &str = "dingclientid0001";
const SECRET: &str = "client-secret-0001";
const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));
/// 2026-09-21 09:00 in China, a Monday, when the company begins.
const START_MS: i64 = 1_789_952_400_000;
const MONDAY: &str = "2026-09-21";
const HOUR_MS: i64 = 3_600_000;

/// An API over 生产部 with 一车间 below it, and 仓库; with a clock that the test moves, called from one address.
struct Stage {
    api: Api,
    clock: Clock,
    failed: FailedList,
    peer: IpAddr,
    /// 生产部, 一车间 and 仓库.
    departments: [i64; 3],
    /// One in 生产部 and 仓库, one in 一车间.
    people: [String; 2],
}

impl Stage {
    /// Without limits: most tests let the clock stand.
    fn new() -> Self {
        Self::with_company(CompanyOptions::default())
    }

    fn with_company(options: CompanyOptions) -> Self {
        // What happens at a time can be read at that time.
        let mut company = Company::new(CompanyOptions { pace_ms: 0, ..options });
        let mut department = |name: &str, parent: i64| company.create_department(name, parent).expect("legal").0;
        let production = department("生产部", crate::dingtalk::ROOT);
        let departments = [production, department("一车间", production), department("仓库", crate::dingtalk::ROOT)];
        let hire =
            |company: &mut Company, posts: &[i64]| company.hire(NewMember::in_departments(posts)).expect("legal").0;
        let people = [hire(&mut company, &[departments[0], departments[2]]), hire(&mut company, &[departments[1]])];
        let clock = Clock::manual(START_MS + HOUR_MS);
        let failed = FailedList::new(FailedOptions { page: 2, delay: Duration::ZERO });
        let options = ApiOptions { limits: Limits::none(), ..ApiOptions::new(CLIENT, SECRET) };
        let api = Api::new(Arc::new(Mutex::new(company)), failed.clone(), options, clock.clone());
        Self { api, clock, failed, peer: HOME, departments, people }
    }

    fn with(self, change: impl FnOnce(&mut ApiOptions)) -> Self {
        self.api.configure(change);
        self
    }

    fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Something happens in the company at the clock's time.
    fn happens<T>(&self, what: impl FnOnce(&mut Company) -> T) -> T {
        let mut company = self.api.company();
        company.set_now_ms(self.clock.now_ms());
        what(&mut company)
    }

    fn send(&self, method: &str, path: &str, query: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let headers: Vec<(String, String)> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (headers, body) = (headers.as_slice(), body.as_bytes());
        self.api.call(&Call { method, path, query, headers, body, peer: self.peer })
    }

    fn token(&self) -> String {
        let query = format!("appkey={CLIENT}&appsecret={SECRET}");
        let answer = parsed(&self.send("GET", "/gettoken", &query, &[], ""));
        answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned()
    }

    /// A call with a token where its style wants it, as it came.
    fn call_with(&self, token: &str, interface: Interface, parameters: &[(&str, &str)], body: &Value) -> Answer {
        let (in_query, in_header) = (("access_token", token), ("x-acs-dingtalk-access-token", token));
        let is_new = interface.path().starts_with("v1.0/");
        let (queried, headers) = if is_new { (None, vec![in_header]) } else { (Some(in_query), Vec::new()) };
        let pairs = queried.into_iter().chain(parameters.iter().copied());
        let query: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", query::encode(value))).collect();
        let body = if interface.method() == "GET" { String::new() } else { body.to_string() };
        self.send(interface.method(), &format!("/{interface}"), &query.join("&"), &headers, &body)
    }

    /// A call that posts something, with a token of its own.
    fn ask(&self, interface: Interface, body: &Value) -> Value {
        parsed(&self.call_with(&self.token(), interface, &[], body))
    }

    /// The same of an old interface that is expected to do it: what is under `result`.
    fn result(&self, interface: Interface, body: &Value) -> Value {
        let answer = self.ask(interface, body);
        assert_eq!(code(&answer), 0, "{answer}");
        answer["result"].clone()
    }

    /// The same of an old interface that is expected to refuse it: the code.
    fn refusal(&self, interface: Interface, body: &Value) -> i64 {
        code(&self.ask(interface, body))
    }
}

fn parsed(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).expect("JSON")
}

/// The code of an old answer; the inner one where it is wrapped.
fn code(answer: &Value) -> i64 {
    match &answer["sub_code"] {
        Value::String(code) => code.parse().expect("a number"),
        Value::Number(code) => code.as_i64().expect("a whole number"),
        _ => answer["errcode"].as_i64().expect("a code"),
    }
}

fn at(text: &str) -> i64 {
    time::parse(text).expect("a time")
}
