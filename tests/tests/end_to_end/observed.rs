//! What an operator sees of processes at work: one trace from the callback to the destination, log lines of one shape, and metrics.

mod collector;

use std::{
    collections::BTreeSet,
    fs,
    net::TcpListener,
    path::Path,
    sync::{Arc, Mutex},
};

use platform_sim::{
    Api, ApiOptions, Company, CompanyOptions, Profile, Script,
    api::{Era, Limits},
};
use serde_json::Value;
use test_kit::{Servers, eventually};
use tests::{Bridge, Deployment, Setup, Spread};

use self::collector::{Collector, Span};
use crate::agreement::{core_agrees, dispatcher, nothing_is_left, now_seconds};

/// Where the checks of the deployment look for what processes tell Prometheus.
const METRICS: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/../metrics");

/// Callbacks come with ids only, so that all four services have a part in each.
#[tokio::test(flavor = "multi_thread")]
async fn one_trace_runs_from_the_callback_to_the_destination_through_all_services() {
    let collector = Collector::start();
    let company = Arc::new(Mutex::new(Company::new(CompanyOptions {
        profile: Profile::Reduced,
        start_seconds: now_seconds() - 600,
        ..CompanyOptions::default()
    })));
    let secrets = Bridge::credentials();
    let mut options = ApiOptions::new(secrets.contact_secret, secrets.app_secret);
    options.limits = Limits::none();
    options.apps.iter_mut().for_each(|app| app.era = Era::Old);
    let api = Api::new(Arc::clone(&company), options, Arc::new(|| now_seconds() * 1000));
    let api = api.listen(TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
    let setup = Setup {
        deployment: Deployment::Services(Spread { replicas: 1, ..Spread::over(Servers::shared()) }),
        platform: Some(api.url()),
        config: format!("[telemetry]\notlp_endpoint = \"{}\"\nlog_format = \"json\"\n", collector.url()),
        ..Setup::default()
    };
    let mut bridge = Bridge::start(&setup).await;
    // What a pull told before a callback would not be sent for the callback's sake.
    let pulled = async || bridge.sum_of("orgbridge_sync_runs_total").await;
    eventually("the empty company is pulled", pulled, |pulls| *pulls >= 1.0).await;
    let callbacks = company.lock().unwrap().import(20, 5, 2);
    let stats = dispatcher(&bridge).send(&callbacks, &Script::default()).await;
    assert!(stats.failed.is_empty() && stats.refused == 0, "{stats:?}");
    let truth = company.lock().unwrap().snapshot();
    core_agrees(&bridge, &truth).await;
    nothing_is_left(&mut bridge);

    let all: BTreeSet<&str> = ["callback-gateway", "resolver", "synchronizer", "sink"].into();
    let of_all = |spans: &Vec<Span>| !collector::traces_through(spans, &all).is_empty();
    let spans = eventually("a trace runs through all services", async || collector.spans(), of_all).await;
    for span in spans.iter().filter(|span| span.service != "callback-gateway") {
        let begun_by = |other: &&Span| other.trace == span.trace && other.service == "callback-gateway";
        assert!(spans.iter().any(|other| begun_by(&other)), "{span:?} belongs to a callback");
    }
    lines_are_of_one_shape(&bridge);
    keep_metrics(&bridge).await;
}

/// What is searched for by these names must be found by them (docs/operating.md).
fn lines_are_of_one_shape(bridge: &Bridge) {
    for (process, log) in bridge.logs_of_each() {
        assert!(log.lines().count() > 0, "{process} says that it started");
        for line in log.lines() {
            let read: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{process}: {error}: {line}"));
            for field in ["timestamp", "level", "target", "message"] {
                assert!(read[field].is_string(), "{process}: {field}: {line}");
            }
        }
    }
}

/// Keeps what each process tells Prometheus for `promtool check metrics`.
async fn keep_metrics(bridge: &Bridge) {
    let directory = Path::new(METRICS);
    fs::create_dir_all(directory).unwrap();
    for (process, text) in bridge.metrics_of_each().await {
        assert!(text.contains("orgbridge_ready 1"), "{process}: {text}");
        fs::write(directory.join(process).with_extension("prom"), text).unwrap();
    }
}
