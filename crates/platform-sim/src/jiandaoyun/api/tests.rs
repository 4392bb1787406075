//! The API called directly, and once over a socket.

mod access;
mod faults;
mod filters;
mod http;
mod limits;
mod paging;
mod writes;

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::*;
use crate::jiandaoyun::samples::{contract_form, rich_form};
use crate::jiandaoyun::{Department, FlowState, FormId, FormsOptions, NewForm, Person};

const KEY: &str = "jdy-key-0001";
const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));
/// 21 November 2026, noon in UTC.
const START_MS: i64 = 1_795_262_400_000;

/// An API over one form, with a clock that the test moves, called from one address.
struct Stage {
    api: Api,
    clock: Clock,
    form: FormId,
    peer: IpAddr,
}

impl Stage {
    /// The form of the contract, without limits: most tests let the clock stand.
    fn new() -> Self {
        Self::over(contract_form())
    }

    fn over(new: NewForm) -> Self {
        let clock = Clock::manual(START_MS);
        let mut forms = Forms::new(FormsOptions::default(), clock.clone());
        let form = new.id.clone();
        forms.add_form(new).expect("a new form");
        forms.add_person(Person::new("zhao", "赵"));
        forms.add_department(Department::new(12, "研发部", 1));
        let options = ApiOptions { limits: Limits::none(), ..ApiOptions::new(KEY) };
        let api = Api::new(Arc::new(Mutex::new(forms)), options, clock.clone());
        Self { api, clock, form, peer: HOME }
    }

    fn with(self, change: impl FnOnce(&mut ApiOptions)) -> Self {
        self.api.configure(change);
        self
    }

    fn submit(&self, values: Value) -> String {
        self.api.forms().submit(&self.form, values).expect("known fields")
    }

    /// So many records, named by their number.
    fn submit_many(&self, count: usize) -> Vec<String> {
        (0..count).map(|number| self.submit(json!({ "_widget_1001": number.to_string() }))).collect()
    }

    fn step(&self, id: &str, state: FlowState) {
        self.api.forms().step(&self.form, id, state).expect("a record");
    }

    fn send(&self, method: &str, path: &str, key: &str, body: &[u8]) -> Answer {
        let headers = [("authorization".to_owned(), format!("Bearer {key}"))];
        self.api.call(&Call { method, path, headers: &headers, body, peer: self.peer })
    }

    /// A call about the form, with more in its body.
    fn answer(&self, interface: Interface, more: &Value) -> Answer {
        let mut body = json!({ "app_id": self.form.app, "entry_id": self.form.entry });
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more.clone());
        }
        self.send("POST", &format!("/api/{interface}"), KEY, body.to_string().as_bytes())
    }

    /// The same of one that is expected to be done.
    fn ask(&self, interface: Interface, more: &Value) -> Value {
        let answer = self.answer(interface, more);
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        parsed(&answer)
    }

    /// The same of one that is expected to be refused with a code.
    fn refusal(&self, interface: Interface, more: &Value) -> i64 {
        code(&self.answer(interface, more))
    }

    /// The ids of the records that a list answers.
    fn list(&self, more: &Value) -> Vec<String> {
        ids(&self.ask(Interface::DataList, more))
    }

    /// How many of up to a hundred records a filter lets through.
    fn filtered(&self, filter: &Value) -> usize {
        self.list(&json!({ "limit": 100, "filter": filter })).len()
    }
}

fn parsed(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).expect("JSON")
}

/// The code of a refusal; 0 where it is done.
fn code(answer: &Answer) -> i64 {
    if answer.status == 200 {
        return 0;
    }
    assert_eq!(answer.status, 400);
    parsed(answer)["code"].as_i64().expect("a code")
}

fn ids(answer: &Value) -> Vec<String> {
    let records = answer["data"].as_array().expect("records");
    records.iter().map(|record| record["_id"].as_str().expect("an id").to_owned()).collect()
}

/// A filter of conditions that all have to be met.
fn all_of(conditions: &[Value]) -> Value {
    json!({ "rel": "and", "cond": conditions })
}
