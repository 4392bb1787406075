//! A crash at every crash point, one after the other, while callbacks never cease. Each life of a process makes up for the crash
//! before it, until it comes to its own.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use platform_sim::{Oa, Subject};
use test_kit::{Proxy, Servers};
use tests::{
    Bridge, Deployment,
    Service::{self, CallbackGateway, Resolver, Sink, Synchronizer},
    Setup, Spread,
};

use crate::{
    agreement::{company, core_agrees, nothing_is_left, oa, oa_agrees, others_arrive},
    load::{Load, Told},
};

/// Whose process crashes where, and at which passage: the first few are let go by where something is to be done before.
pub(crate) type Crash = (Service, &'static str, u32);

/// As one process, whose leases are free again when it starts. Releases first, since an import has many of them.
const IN_ONE_PROCESS: &[Crash] = &[
    (Resolver, "resolver.slice_before_commit", 1),
    (Resolver, "resolver.slice_committed_before_handover", 1),
    (CallbackGateway, "gateway.before_publish", 5),
    (CallbackGateway, "embedded.before_commit", 5),
    (CallbackGateway, "embedded.committed_before_answer", 5),
    (CallbackGateway, "gateway.published_before_answer", 5),
    (Resolver, "resolver.before_commit", 3),
    (Resolver, "resolver.committed_before_handover", 3),
    (Resolver, "publisher.leased_before_publish", 1),
    (Resolver, "publisher.published_before_note", 2),
    (Resolver, "embedded.handled_before_acknowledge", 3),
    (Sink, "sink.after_lease", 2),
    (Sink, "sink.applied_before_commit", 2),
    (Sink, "sink.stored_before_send", 2),
    (Sink, "sink.before_send", 3),
    (Sink, "sink.answered_before_commit", 3),
    (Sink, "sink.before_commit", 5),
    (Sink, "sink.after_commit", 5),
];

/// The same, while the OA fails with some messages.
const WITH_FAILURES: &[Crash] = &[(Sink, "sink.held_before_commit", 1), (Sink, "sink.held_after_commit", 1)];

/// Over RabbitMQ.
const PUBLISHING: &[Crash] = &[
    (CallbackGateway, "rabbitmq.before_publish", 3),
    (CallbackGateway, "rabbitmq.sent_before_confirm", 3),
    (CallbackGateway, "rabbitmq.confirmed_before_answer", 3),
];

/// While RabbitMQ is away.
const SPOOLING: &[Crash] =
    &[(CallbackGateway, "spool.before_write", 3), (CallbackGateway, "spool.written_before_answer", 3)];

/// When it is back.
const FORWARDING: &[Crash] = &[(CallbackGateway, "spool.forwarded_before_delete", 1)];

/// Over RabbitMQ and PostgreSQL, which has to notice by itself that a transaction is nobody's any more.
const CONSUMING: &[Crash] = &[
    (Resolver, "resolver.before_commit", 1),
    (Resolver, "rabbitmq.handled_before_acknowledge", 2),
    (Resolver, "rabbitmq.after_acknowledge", 2),
];

/// During a first sync, in the order of its steps; see `sync.rs`.
pub(crate) const SYNCING: &[Crash] = &[
    (Synchronizer, "synchronizer.answered_before_postponed", 1),
    (Synchronizer, "synchronizer.asked_before_record", 2),
    (Synchronizer, "synchronizer.published_before_record", 1),
    (Synchronizer, "synchronizer.kept_before_planned", 1),
    (Synchronizer, "synchronizer.planned_before_apply", 1),
    (Synchronizer, "synchronizer.slice_before_commit", 1),
    (Synchronizer, "synchronizer.slice_committed_before_next", 1),
    (Synchronizer, "synchronizer.delivered_before_record", 1),
    (Synchronizer, "synchronizer.purged_before_record", 1),
    (Synchronizer, "synchronizer.done_before_finished", 1),
];

/// While events come over Stream; see `dingtalk/stream.rs`.
pub(crate) const STREAMING: &[Crash] = &[(CallbackGateway, "gateway.stream_taken_before_ack", 3)];

/// While failed pushes are read; see `dingtalk/failed_list.rs`.
pub(crate) const FAILED_PUSHES: &[Crash] = &[
    (Synchronizer, "synchronizer.failed_page_before_record", 1),
    (Synchronizer, "synchronizer.failed_page_recorded_before_publish", 1),
];

/// While a form is read; see `hires.rs`.
pub(crate) const READING: &[Crash] = &[
    (Synchronizer, "synchronizer.hires_published_before_noted", 1),
    (Synchronizer, "synchronizer.form_page_recorded", 1),
];

/// While members are created of its records.
pub(crate) const CREATING: &[Crash] =
    &[(Sink, "sink.wrote_before_publish", 1), (Sink, "sink.published_before_commit", 1)];

const ALL: [&[Crash]; 11] = [
    IN_ONE_PROCESS,
    WITH_FAILURES,
    PUBLISHING,
    SPOOLING,
    FORWARDING,
    CONSUMING,
    SYNCING,
    STREAMING,
    FAILED_PUSHES,
    READING,
    CREATING,
];

#[tokio::test(flavor = "multi_thread")]
async fn in_one_process_no_crash_point_loses_or_doubles_anything() {
    let oa = oa();
    let mut bridge = Bridge::start(&Setup { oa: Some(oa.url()), ..Setup::default() }).await;
    let load = Load::start(&bridge, company(53));
    crash_at_each(&mut bridge, IN_ONE_PROCESS).await;
    oa.fail_when(|subject| (*subject == Subject::Other).then_some(500));
    crash_at_each(&mut bridge, WITH_FAILURES).await;
    oa.heal();
    bridge.launch().await;
    load.goes_on().await;
    // The first life was killed, to begin with.
    ends_right(bridge, &oa, load, 1 + IN_ONE_PROCESS.len() + WITH_FAILURES.len()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_services_no_crash_point_loses_or_doubles_anything() {
    let oa = oa();
    let servers = Servers::shared();
    let line = Proxy::start([servers.broker()]).await;
    // One of each: whoever has the point is the one who comes to it.
    let spread = Spread { replicas: 1, broker: Some(line.address()), ..Spread::over(servers) };
    let deployment = Deployment::Services(spread);
    let mut bridge = Bridge::start(&Setup { deployment, oa: Some(oa.url()), ..Setup::default() }).await;
    let load = Load::start(&bridge, company(59));
    crash_at_each(&mut bridge, PUBLISHING).await;
    line.refuse(true);
    line.cut();
    crash_at_each(&mut bridge, SPOOLING).await;
    line.refuse(false);
    crash_at_each(&mut bridge, FORWARDING).await;
    bridge.launch().await;
    load.goes_on().await;
    crash_at_each(&mut bridge, CONSUMING).await;
    bridge.launch().await;
    load.goes_on().await;
    // Nobody who sends has crashed.
    ends_right(bridge, &oa, load, 0).await;
}

async fn crash_at_each(bridge: &mut Bridge, crashes: &[Crash]) {
    for (service, point, nth) in crashes {
        bridge.crash_at(*service, point, *nth).await;
    }
}

/// `lost_answers`: how often whoever sends to the OA may have ended between an answer of it and the note of that.
async fn ends_right(mut bridge: Bridge, oa: &Oa, load: Load, lost_answers: usize) {
    let Told { truth, others } = load.finish().await;
    core_agrees(&bridge, &truth).await;
    oa_agrees(oa, &truth).await;
    others_arrive(oa, others).await;
    nothing_is_left(&mut bridge);
    let repeats = oa.repeats();
    assert_eq!(repeats.sealed_anew, 0, "what is sent again is sent byte for byte");
    assert!(repeats.all <= lost_answers as u64, "{repeats:?} after {lost_answers} crashes");
}

#[test]
fn every_crash_point_is_tried_and_explained() {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut points = Vec::new();
    for folder in ["crates", "services"] {
        points_below(&root.join(folder), &mut points);
    }
    let once: BTreeSet<&str> = points.iter().map(String::as_str).collect();
    assert_eq!(points.len(), once.len(), "a point is one place: {points:?}");
    let tried: BTreeSet<&str> = ALL.into_iter().flatten().map(|(_, point, _)| *point).collect();
    assert_eq!(once, tried, "on the left those in the sources, on the right those in the tables of this file");
    let page = fs::read_to_string(root.join("docs/reliability.md")).unwrap();
    for point in once {
        assert!(page.contains(&format!("`{point}`")), "docs/reliability.md says nothing of {point}");
    }
}

/// The crash points in all Rust files of a folder and those below it.
fn points_below(folder: &Path, points: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            points_below(&path, points);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let named = text.split("fail_point!(\"").skip(1).filter_map(|rest| rest.split_once('"'));
            points.extend(named.map(|(point, _)| point.to_owned()));
        }
    }
}
