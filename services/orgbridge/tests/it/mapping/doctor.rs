//! The doctor beside a simulated Jiandaoyun and a simulated WeCom.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
};

use common::{Clock as _, UnixMillis};
use database::Connection;
use platform_sim::{
    ApiServer, Company, CompanyOptions,
    jiandaoyun::{Api, ApiOptions, Clock, Forms, FormsOptions, Server, samples::contract_form},
};
use serde_json::{Value, json};
use service::SystemClock;
use store::{form_polls, snapshots::Hold};

use super::{FORM, contract, write_mapping};
use crate::{
    bench::{Bench, TENANT},
    letters::{Letters, acme},
};

struct Scene {
    letters: Letters,
    forms: Api,
    _forms_server: Server,
    _wecom_server: ApiServer,
}

impl Scene {
    fn new(mapping: &Value, more: &str) -> Self {
        let now_ms = || SystemClock.now().0;
        let clock = Clock::following(Arc::new(now_ms));
        let mut forms = Forms::new(FormsOptions::default(), clock.clone());
        forms.add_form(contract_form()).unwrap();
        let forms = Api::new(Arc::new(Mutex::new(forms)), ApiOptions::new("canary-key"), clock);
        let forms_server = Server::start(TcpListener::bind("127.0.0.1:0").unwrap(), forms.clone()).unwrap();
        let company = Company::new(CompanyOptions::default());
        let corp_id = company.corp_id().to_owned();
        let options = platform_sim::ApiOptions::new("canary-contact", "canary-agent");
        let wecom = platform_sim::Api::new(Arc::new(Mutex::new(company)), options, Arc::new(now_ms));
        let wecom_server = wecom.listen(TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
        let bench = Bench::new();
        bench.write(
            "orgbridge.toml",
            "[callback_gateway]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n\
             [synchronizer]\nallowed_networks = [\"127.0.0.0/8\"]\n",
        );
        let file = write_mapping(&bench, mapping).display();
        let section = format!(
            "[jiandaoyun]\napi_key = \"canary-key\"\napi_base = \"http://{}\"\nmapping = \"{file}\"\n{more}\n[[destinations]]",
            forms_server.address()
        );
        let tenant = TENANT
            .replace("id = \"acme\"\n", "id = \"acme\"\nlanguage = \"en\"\n")
            .replace("wwacme", &corp_id)
            .replace("http://127.0.0.1:9", &wecom_server.url())
            .replace("[[destinations]]", &section);
        let letters = Letters::of(bench, &tenant);
        Self { letters, forms, _forms_server: forms_server, _wecom_server: wecom_server }
    }

    /// With somebody who makes members.
    fn with_hires() -> Self {
        Self::new(&contract(), "[[destinations]]\nid = \"hires\"\nkind = \"wecom-members\"")
    }

    /// The outcomes of a check and all that is told.
    fn finding(&self, check: &str) -> (Vec<String>, String) {
        let ended = self.letters.bench.run(&["tenant", "doctor", "acme", "--json"]);
        assert!(!ended.out.contains("canary") && ended.err.is_empty(), "{}{}", ended.out, ended.err);
        let told: Vec<Value> = serde_json::from_str(&ended.out).unwrap();
        let found: Vec<&Value> = told.iter().filter(|one| one["check"] == check).collect();
        let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
        let mut outcomes: Vec<String> = found.iter().map(|one| text(one, "outcome")).collect();
        outcomes.dedup();
        (outcomes, found.iter().map(|one| text(one, "told")).collect::<Vec<_>>().join("\n"))
    }

    fn outcome(&self, check: &str) -> String {
        self.finding(check).0.join(",")
    }
}

#[test]
fn a_form_that_fits_its_mapping_is_fine_and_its_oddities_are_advice() {
    let scene = Scene::with_hires();
    for (check, outcome) in [
        ("hires", "fine"),
        ("writing", "fine"),
        ("form", "fine"),
        ("filters", "fine"),
        ("mapping", "advice"),
        ("push", "advice"),
        ("poll", "advice"),
        ("records", "fine"),
    ] {
        assert_eq!(scene.outcome(check), outcome, "{check}: {}", scene.finding(check).1);
    }
    let applied = scene.letters.bench.run(&["tenant", "apply", "acme.toml"]);
    assert_eq!(applied.code, 0);
    assert!(applied.err.contains("jiandaoyun.mapping: source.limit"), "told at once too: {}", applied.err);
}

#[test]
fn filters_that_the_platform_ignores_are_told() {
    let scene = Scene::with_hires();
    scene.forms.forms().submit(&contract_form().id, json!({ "_widget_1001": "王" })).unwrap();
    scene.forms.configure(|options| options.ignores_filters = true);
    let (outcomes, told) = scene.finding("filters");
    assert_eq!(outcomes, ["advice"]);
    assert!(told.contains("updateTime") && told.contains("flowState"), "{told}");
}

#[test]
fn a_key_that_is_switched_off_and_a_field_that_is_not_there_must_be_mended() {
    let mut odd = contract();
    odd["request"][4]["value"] = json!("{_widget_4711}");
    let scene = Scene::new(&odd, "");
    assert_eq!(scene.outcome("hires"), "must");
    let (outcomes, told) = scene.finding("fields");
    assert!(outcomes.contains(&"must".to_owned()) && told.contains("_widget_4711"), "{told}");
    scene.forms.configure(|options| options.key_mut("canary-key").unwrap().enabled = false);
    assert!(scene.finding("form").1.contains("switched on"));
}

#[tokio::test]
async fn a_poll_that_stands_says_why() {
    let scene = Scene::with_hires();
    let stop = |conn: &mut Connection| -> database::Result<()> {
        let now = SystemClock.now();
        form_polls::announce(conn, &acme(), FORM, now)?;
        let hold = Hold { owner: "me", now, until: now.plus_seconds(60) };
        assert!(form_polls::take(conn, &acme(), FORM, &hold)?);
        assert!(form_polls::begin(conn, &acme(), FORM, (now, true, now), &hold)?);
        let later = UnixMillis(now.0 + 60_000);
        assert!(form_polls::stop(conn, &acme(), FORM, ("the company's plan is used up", later), &hold)?);
        Ok(())
    };
    scene.letters.database.write("test.poll", stop).await.unwrap();
    let (outcomes, told) = scene.finding("poll");
    assert_eq!(outcomes, ["must"]);
    assert!(told.contains("the company's plan is used up"), "{told}");
}
