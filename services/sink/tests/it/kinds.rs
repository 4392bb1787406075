//! Which kind of destination is told of what.

use std::{sync::Arc, time::Duration};

use common::{Action, Callback, Change, Entity, EntityKey, EntityKind, Fields, Platform, UnixMillis};
use destinations::Destination;
use sink::{Build, Built, Platforms};
use test_kit::Stage;

fn tenant_file() -> String {
    let relay = |id: &str, kind: &str| {
        let key = "a".repeat(42) + "A";
        format!(
            "[[destinations]]\nid = \"{id}\"\nkind = \"{kind}\"\nurl = \"https://oa.example/{id}\"\ntoken = \"t\"\n\
             aes_key = \"{key}\"\nreceive_id = \"r\"\n"
        )
    };
    let core = "[[destinations]]\nid = \"core\"\nkind = \"sqlite\"\nurl = \"sqlite://core.db\"\n";
    let hires = "[[destinations]]\nid = \"hires\"\nkind = \"wecom-members\"\n";
    let wecom = "[wecom]\ncorp_id = \"ww1\"\ncontact_secret = \"s\"\n";
    let server = "[[destinations]]\nid = \"server\"\nkind = \"postgres\"\nurl = \"postgres://u:p@db.example/d\"\n";
    format!(
        "id = \"acme\"\n{wecom}{core}{server}{hires}{}{}",
        relay("wecom-oa", "wecom-callback"),
        relay("dingtalk-oa", "dingtalk-callback")
    )
}

fn change(kind: EntityKind, action: Action) -> Change {
    Change {
        tenant: "acme".parse().unwrap(),
        version: 1,
        entity: EntityKey::new(kind, "x"),
        action,
        source_time: UnixMillis(0),
        received_at: UnixMillis(0),
        traceparent: None,
        refers_to: Vec::new(),
        leaves: Vec::new(),
        first: true,
        only_for: None,
    }
}

fn of_both_sorts(kind: EntityKind) -> [Change; 2] {
    let entity = Entity { shown_id: "x".into(), fields: Fields::new(), incomplete: false };
    [change(kind, Action::Upsert { entity, renamed_from: None }), change(kind, Action::Remove)]
}

fn passed_on(platform: Platform) -> Change {
    let callback = Callback { name: "x".into(), at: UnixMillis(0), content: "{}".into(), platform };
    change(EntityKind::Callback, Action::Callback(callback))
}

#[tokio::test]
async fn each_kind_is_told_of_what_it_can_hold_or_say() {
    let stage = Stage::open().await;
    stage.apply(&tenant_file()).await;
    let tenant = stage.context.tenants.get(&"acme".parse().unwrap()).unwrap();
    let http = outbound::Client::new(outbound::Guard::new(Vec::new()), Duration::from_secs(1)).unwrap();
    let platforms = Platforms {
        http: http.clone(),
        governor: Arc::new(outbound::Unlimited),
        clock: stage.context.clock.clone(),
        metrics: stage.context.metrics.clone(),
    };
    let file = |id: &str| tenant.file.destination(id).unwrap();
    assert!(
        Built::new(http.clone()).build(&tenant, file("hires")).is_err(),
        "it would not know how to call a platform"
    );
    let built = Built::new(http).with_platforms(platforms);
    let all = ["core", "server", "hires", "wecom-oa", "dingtalk-oa"];
    let all = all.map(|id| (id, built.build(&tenant, file(id)).unwrap()));
    let takers = |change: &Change| -> Vec<&str> {
        let takes = |(_, destination): &&(&'static str, Destination)| destination.takes(change);
        all.iter().filter(takes).map(|(id, _)| *id).collect()
    };
    for kind in [EntityKind::Department, EntityKind::Member] {
        for change in of_both_sorts(kind) {
            assert_eq!(takers(&change), ["core", "server", "wecom-oa", "dingtalk-oa"], "{change:?}");
        }
    }
    for kind in [EntityKind::Attendance, EntityKind::Approval] {
        for change in of_both_sorts(kind) {
            assert_eq!(takers(&change), ["core", "server"], "{change:?}");
        }
    }
    let [asked, gone] = of_both_sorts(EntityKind::Onboarding);
    assert_eq!(takers(&asked), ["hires"]);
    assert_eq!(takers(&gone), Vec::<&str>::new(), "nobody is removed since a record of a form is");
    for change in of_both_sorts(EntityKind::AttendanceDay) {
        assert_eq!(takers(&change), Vec::<&str>::new(), "{change:?}");
    }
    assert_eq!(takers(&passed_on(Platform::Wecom)), ["wecom-oa"]);
    assert_eq!(takers(&passed_on(Platform::Dingtalk)), ["dingtalk-oa"]);
    assert_eq!(takers(&passed_on(Platform::Jiandaoyun)), Vec::<&str>::new());
    stage.stop().await;
}
