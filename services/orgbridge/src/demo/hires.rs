//! The form in which new hires are entered, in a simulated Jiandaoyun: somebody fills it in, a workflow approves it.

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Context as _;
use common::{Clock as _, TenantId};
use platform_sim::{
    crypto::random_token,
    jiandaoyun::{
        Api, ApiOptions, Clock, FlowState, FormId, Forms, FormsOptions, Push, PushOptions, Script, Server,
        samples::{STATUS, contract_form},
    },
};
use serde_json::json;

use super::clock::DemoClock;

/// The tenant's mapping, in the demo's directory.
const MAPPING_FILE: &str = "new-hires.json";
/// Often, since a push only makes it faster.
const EVERY_SECONDS: u64 = 60;
/// Id, name and position of who is entered. The last one's number is no mobile number at first.
const ENTERED: [(&str, &str, &str); 4] = [
    ("NewHire.1", "欧阳春晓😀", "工程师"),
    ("NewHire.2", "𠮷田 买买提·艾力", "R&D <主管>"),
    ("NewHire.3", "O'Neil 李", "质检员"),
    ("NewHire.4", "王建国", "司机"),
];
const BAD_MOBILE: &str = "021-66668888";

/// The form, and Jiandaoyun's side of it.
pub(super) struct HireForm {
    api: Api,
    form: FormId,
    clock: Clock,
    key: String,
    push_secret: String,
    seed: u64,
    /// The record with the bad number.
    to_be_corrected: Option<String>,
    server: Server,
}

impl HireForm {
    /// Puts Jiandaoyun on a socket, with an empty form, and writes the mapping of it into `directory`.
    pub(super) fn open(seed: u64, demo_clock: &Arc<DemoClock>, directory: &Path) -> anyhow::Result<Self> {
        let wall = Arc::clone(demo_clock);
        let clock = Clock::following(Arc::new(move || wall.now().0));
        let mut forms = Forms::new(FormsOptions { seed, ..FormsOptions::default() }, clock.clone());
        let new = contract_form();
        let form = new.id.clone();
        forms.add_form(new)?;
        let (key, push_secret) = (random_token(seed ^ 6), random_token(seed ^ 7));
        let options = ApiOptions { seed, keep_records: false, ..ApiOptions::new(&key) };
        let api = Api::new(Arc::new(Mutex::new(forms)), options, clock.clone());
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("Jiandaoyun's socket")?;
        let server = Server::start(listener, api.clone()).context("the simulated Jiandaoyun")?;
        let file = directory.join(MAPPING_FILE);
        std::fs::write(&file, mapping(&form)).with_context(|| file.display().to_string())?;
        Ok(Self { api, form, clock, key, push_secret, seed, to_be_corrected: None, server })
    }

    /// What the bridge is told of it.
    pub(super) fn sections(&self) -> String {
        let Self { key, push_secret, .. } = self;
        let api_base = format!("http://{}", self.server.address());
        format!(
            "\n[jiandaoyun]\napi_key = {key:?}\npush_secret = {push_secret:?}\napi_base = {api_base:?}\n\
             mapping = {MAPPING_FILE:?}\nevery_seconds = {EVERY_SECONDS}\n\n\
             [[destinations]]\nid = \"hires\"\nkind = \"wecom-members\"\non_conflict = \"link\"\n"
        )
    }

    /// People are entered, each in one of these departments, and approved; returns how many.
    pub(super) fn enter(&mut self, departments: &[u64]) -> anyhow::Result<u64> {
        let mut forms = self.api.forms();
        let (mut entered, mut last) = (0, None);
        for (place, (userid, name, position)) in (0..).zip(ENTERED) {
            let is_last = place + 1 == ENTERED.len();
            let department = departments.iter().cycle().nth(place).copied().unwrap_or(1);
            let mobile = if is_last { BAD_MOBILE.to_owned() } else { mobile(place) };
            let values = json!({
                "_widget_1001": name, "_widget_1002": mobile, "_widget_1003": format!("[{department}]"),
                "_widget_1004": position, "_widget_1005": userid,
            });
            let id = forms.submit(&self.form, values)?;
            forms.step(&self.form, &id, FlowState::Approved)?;
            (entered, last) = (entered + 1, Some(id));
        }
        drop(forms);
        self.to_be_corrected = last;
        Ok(entered)
    }

    /// Whoever reads in the form why somebody was refused mends it.
    pub(super) fn correct(&mut self) -> anyhow::Result<()> {
        if let Some(id) = self.to_be_corrected.take() {
            let values = json!({ "_widget_1002": mobile(ENTERED.len()) });
            self.api.forms().edit(&self.form, &id, values)?;
        }
        Ok(())
    }

    /// Tells the gateway of what happened. What is lost of it the next poll finds.
    pub(super) async fn push(&self, gateway: SocketAddr, tenant: &TenantId) -> anyhow::Result<()> {
        let url = format!("http://{gateway}/callback/jiandaoyun/{tenant}");
        let options = PushOptions { retries: vec![Duration::ZERO], seed: self.seed, ..PushOptions::default() };
        let push = Push::new(&url, &self.push_secret, options, self.clock.clone())?;
        push.send_all(&self.api.take_events(), &Script::default()).await;
        Ok(())
    }
}

/// A number that nobody of the company has.
fn mobile(place: usize) -> String {
    format!("166000000{place:02}")
}

/// The mapping of the contract's example, with the status written back.
fn mapping(form: &FormId) -> String {
    let field = |field: &str, value: &str| json!({ "field": field, "value": value });
    let mobile = json!({
        "field": "mobile", "value": "{_widget_1002}", "convert": ["phone"], "check": ["mobile"], "on_invalid": "skip",
    });
    let mapping = json!({
        "source": {
            "appId": form.app, "entryId": form.entry, "limit": 100,
            "filter": {
                "rel": "and",
                "cond_1": {
                    "field": "updateTime", "type": "datetime", "method": "range", "value": "{{LAST_SYNC_TIME|datetime}}",
                },
                "cond_2": { "field": "flowState", "type": "flowState", "method": "eq", "value": "1" },
            },
        },
        "api": "/cgi-bin/user/create",
        "idCheck": true,
        "request": [
            field("userid", "{_widget_1005}"), field("name", "{_widget_1001}"), mobile,
            field("department", "{_widget_1003}"), field("position", "{_widget_1004}"),
        ],
        "status": { "field": STATUS },
    });
    format!("{mapping:#}\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiandaoyun::mapping::{Mapping, Zone, sample};

    use super::*;

    #[test]
    fn the_demo_maps_all_but_the_bad_number() {
        let (mapping, _) = Mapping::parse_text(&mapping(&contract_form().id), &Zone::china()).unwrap();
        let record = |mobile: &str| {
            sample(json!({
                "_widget_1001": "王", "_widget_1002": mobile, "_widget_1003": "[1]", "_widget_1005": "NewHire.4",
            }))
        };
        assert!(!mapping.map(&record(BAD_MOBILE).unwrap()).is_valid());
        for place in 0..=ENTERED.len() {
            let mapped = mapping.map(&record(&mobile(place)).unwrap());
            assert!(mapped.is_valid(), "{:?}", mapped.problems);
        }
        let numbers: BTreeSet<String> = (0..=ENTERED.len()).map(mobile).collect();
        assert_eq!(numbers.len(), ENTERED.len() + 1);
    }
}
