//! WeCom itself, where onboarding requests become members.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use common::{Action, Change, Clock, Entity, EntityKey, EntityKind, Field, Fields, Secret, UnixMillis, onboarding};
use destinations::{
    BuildError, Destination, How, OnConflict, Settings, TenantFacts, Written, Wrote, build, sql::Databases,
};
use outbound::Unlimited;
use platform_sim::{
    Api, ApiOptions, ApiServer, Company, CompanyOptions, Member, ROOT,
    api::{Era, Fault, Interface, Scope, Trouble},
};
use serde_json::{Value, json};
use wecom::api::{Client, Unobserved};

use crate::relay::http;

const NOW: UnixMillis = UnixMillis(1_767_225_600_000);
const CONTACT: &str = "contact-secret";
const APP: &str = "app-secret";
const AGENT: u32 = 1_000_002;

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> UnixMillis {
        NOW
    }
}

/// A company with a department `2` and `boss`, 王, in it.
struct Scene {
    api: Api,
    _server: ApiServer,
    client: Client,
}

impl Scene {
    fn new() -> Self {
        Self::with_app(APP)
    }

    /// The app sees mobile numbers and addresses too.
    fn seeing_numbers() -> Self {
        let scene = Self::new();
        scene.api.configure(|options| options.app_mut(AGENT).unwrap().era = Era::Old);
        scene
    }

    fn with_app(app: &str) -> Self {
        let mut company = Company::new(CompanyOptions::default());
        company.create_department("研发", ROOT).unwrap();
        let boss = Member {
            id: "Boss".to_owned(),
            name: "王".to_owned(),
            mobile: "13800000001".to_owned(),
            email: "boss@corp.example".to_owned(),
            departments: vec!["2".to_owned()],
            main_department: Some("2".to_owned()),
            ..Member::default()
        };
        company.create_member(boss).unwrap();
        let corp_id = company.corp_id().to_owned();
        let api = Api::new(Arc::new(Mutex::new(company)), ApiOptions::new(CONTACT, APP), Arc::new(|| NOW.0));
        let server = api.listen(TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
        let settings = wecom::api::Settings {
            corp_id: corp_id.as_str().into(),
            contact_secret: Secret::new(CONTACT),
            agent_secret: Secret::new(app),
            api_base: server.url(),
            egress: "".into(),
        };
        let client = Client::new(settings, http(), Arc::new(Unlimited), Arc::new(Stopped), Arc::new(Unobserved));
        Self { api, _server: server, client }
    }

    fn built(&self, on_conflict: OnConflict, checks_ids: bool) -> Destination {
        let facts = TenantFacts { wecom: Some(self.client.clone()), ..TenantFacts::default() };
        let settings = Settings::WecomMembers { on_conflict, checks_ids };
        build(&"acme".parse().unwrap(), &settings, &facts, &http(), &Databases::default()).unwrap()
    }

    async fn write_as(&self, on_conflict: OnConflict, request: &Value, may_be_there: bool) -> Wrote {
        let Destination::Members(members) = self.built(on_conflict, false) else { panic!("it makes members") };
        members.write(&asked(request), may_be_there).await
    }

    async fn write(&self, request: &Value) -> Wrote {
        self.write_as(OnConflict::Link, request, false).await
    }

    fn member(&self, id: &str) -> Option<Member> {
        self.api.company().member(id).cloned()
    }

    fn calls(&self, interface: Interface) -> u64 {
        self.api.tally(interface).calls
    }
}

fn hire() -> Value {
    json!({
        "userid": "Zhang.San", "name": "张三", "mobile": "13800138000", "department": [2], "position": "工程师",
        "to_invite": false,
    })
}

/// The same with something else in it.
fn hire_with(changes: Value) -> Value {
    let mut hire = hire();
    hire.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    hire
}

fn asked(request: &Value) -> Change {
    let fields = onboarding::mapped("64a0aa/64a0bb", &request.to_string(), vec!["2".to_owned()]);
    let entity = Entity { shown_id: "64a0aa/64a0bb/59e9cc".to_owned(), fields, incomplete: false };
    let mut change = crate::changes::department("2", "1");
    change.entity = EntityKey::new(EntityKind::Onboarding, "64a0aa/64a0bb/59e9cc");
    change.action = Action::Upsert { entity, renamed_from: None };
    change
}

#[track_caller]
fn there(wrote: Wrote) -> Written {
    match wrote {
        Wrote::There(written) => written,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn rejected(wrote: Wrote) -> (&'static str, String) {
    match wrote {
        Wrote::Rejected { field, reason } => (field, reason),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_request_becomes_a_member_and_what_wecom_tells_nobody_is_told() {
    let scene = Scene::new();
    let written = there(scene.write(&hire()).await);
    assert_eq!((written.id.as_str(), written.how, written.at), ("Zhang.San", How::Created, Some(NOW)));
    let fields = Fields::new()
        .with(Field::Name, "张三")
        .with(Field::Mobile, "13800138000")
        .with(Field::Title, "工程师")
        .with(Field::Departments, ["2"].as_slice())
        .with(Field::MainDepartment, "2")
        .with(Field::Status, "inactive");
    assert_eq!(written.fields, fields);
    assert!(written.made_departments.is_empty());
    let made = scene.member("zhang.san").unwrap();
    assert_eq!((made.name.as_str(), made.mobile.as_str(), made.title.as_str()), ("张三", "13800138000", "工程师"));
    assert!(scene.api.invited().is_empty());
    assert_eq!(scene.calls(Interface::UserGet), 0, "nobody asked for that");
    assert!(!format!("{written:?}").contains("张三"));
}

#[tokio::test]
async fn departments_that_wecom_made_up_are_told() {
    let scene = Scene::new();
    let written = there(scene.write(&hire_with(json!({"department": [2, 77]}))).await);
    assert_eq!(written.made_departments, ["77"]);
}

#[tokio::test]
async fn with_the_check_nobody_is_written_over_a_member_who_is_there() {
    let scene = Scene::new();
    let Destination::Members(members) = scene.built(OnConflict::Link, true) else { panic!("it makes members") };
    let boss = hire_with(json!({"userid": "BOSS", "name": "王", "mobile": "13800000001"}));
    let written = there(members.write(&asked(&boss), false).await);
    assert_eq!((written.id.as_str(), written.how), ("Boss", How::Linked));
    assert_eq!(scene.calls(Interface::UserCreate), 0);
    assert_eq!(there(members.write(&asked(&hire()), false).await).how, How::Created);
    // An app that does not see the member does not know: the creation does.
    scene.api.configure(|options| options.app_mut(AGENT).unwrap().scope = Scope::of(&[], &[]));
    let other = hire_with(json!({"userid": "boss", "name": "李四", "mobile": "13800138009"}));
    assert_eq!(there(members.write(&asked(&other), false).await).how, How::Linked, "it is believed");
}

#[tokio::test]
async fn an_id_that_somebody_else_has_is_refused_whatever_the_policy() {
    for policy in [OnConflict::Link, OnConflict::Update, OnConflict::Reject] {
        let scene = Scene::new();
        let (field, reason) = rejected(scene.write_as(policy, &hire_with(json!({"userid": "BOSS"})), false).await);
        assert_eq!((field, reason.as_str()), ("userid", "somebody else has this id"), "{policy:?}");
        assert_eq!(scene.member("boss").unwrap().name, "王");
    }
    // Two people may have one name.
    let scene = Scene::seeing_numbers();
    let namesake = hire_with(json!({"userid": "BOSS", "name": "王"}));
    assert_eq!(rejected(scene.write(&namesake).await).0, "userid");
}

#[tokio::test]
async fn the_same_person_is_linked_updated_or_refused_as_the_policy_says() {
    let boss = hire_with(json!({"userid": "BOSS", "name": "王", "mobile": "13800000001", "position": "经理"}));
    let scene = Scene::seeing_numbers();
    let linked = there(scene.write_as(OnConflict::Link, &boss, false).await);
    assert_eq!((linked.id.as_str(), linked.how, linked.fields), ("Boss", How::Linked, Fields::new()));
    assert_eq!(scene.member("boss").unwrap().title, "");
    let (field, reason) = rejected(scene.write_as(OnConflict::Reject, &boss, false).await);
    assert_eq!((field, reason.contains("60102")), ("userid", true), "{reason}");
    let updated = there(scene.write_as(OnConflict::Update, &boss, false).await);
    assert_eq!((updated.id.as_str(), updated.how), ("Boss", How::Updated));
    assert_eq!(scene.member("boss").unwrap().title, "经理");
    assert_eq!(updated.fields.text(Field::Title), Some("经理"));
    assert!(!updated.fields.has(Field::Mobile), "whether that changed is not told");
}

#[tokio::test]
async fn a_number_or_an_address_that_is_taken_tells_who_it_is() {
    let scene = Scene::new();
    for taken in [
        json!({"name": "王", "mobile": "13800000001"}),
        json!({"name": "王", "mobile": "", "email": "boss@corp.example"}),
    ] {
        let linked = there(scene.write(&hire_with(taken)).await);
        assert_eq!((linked.id.as_str(), linked.how), ("Boss", How::Linked));
    }
    let others = hire_with(json!({"mobile": "13800000001"}));
    let (field, reason) = rejected(scene.write(&others).await);
    assert_eq!((field, reason.as_str()), ("mobile", "a member has this mobile number already (60104)"));
    let same = hire_with(json!({"name": "王", "mobile": "13800000001"}));
    assert_eq!(rejected(scene.write_as(OnConflict::Reject, &same, false).await).0, "mobile");
    assert_eq!(there(scene.write_as(OnConflict::Update, &same, false).await).how, How::Updated);
    assert_eq!(scene.member("boss").unwrap().title, "工程师");
    assert_eq!(scene.member("zhang.san"), None);
    // Who may not look whose it is, does not find out.
    scene.api.fail(Fault::new(Trouble::Code(45009)).on(Interface::UserGetUserId));
    assert_eq!(rejected(scene.write(&same).await).0, "mobile");
}

#[tokio::test]
async fn what_nobody_heard_of_is_known_again_whatever_the_policy() {
    for policy in [OnConflict::Link, OnConflict::Update, OnConflict::Reject] {
        let scene = Scene::new();
        scene.api.fail(Fault::new(Trouble::CutAfter).on(Interface::UserCreate).times(1));
        let first = scene.write_as(policy, &hire(), false).await;
        assert!(matches!(first, Wrote::Unheard { .. }), "{policy:?}: {first:?}");
        let second = there(scene.write_as(policy, &hire(), true).await);
        assert_eq!((second.id.as_str(), second.how), ("Zhang.San", How::CreatedBefore), "{policy:?}");
        assert_eq!(second.fields.text(Field::Mobile), Some("13800138000"));
        assert_eq!(scene.api.company().member_count(), 2);
    }
    let scene = Scene::new();
    assert_eq!(there(scene.write(&hire()).await).how, How::Created);
    let other = hire_with(json!({"name": "李四", "mobile": "13800138001"}));
    let refused = scene.write_as(OnConflict::Link, &other, true).await;
    assert_eq!(rejected(refused).0, "userid", "that was somebody else's attempt");
}

#[tokio::test]
async fn what_was_changed_since_an_attempt_that_nobody_heard_of_stays_so() {
    let scene = Scene::new();
    scene.api.fail(Fault::new(Trouble::CutAfter).on(Interface::UserCreate).times(1));
    assert!(matches!(scene.write(&hire()).await, Wrote::Unheard { .. }));
    scene.api.company().update_member("zhang.san", |member| member.title = "经理".to_owned()).unwrap();
    let written = there(scene.write_as(OnConflict::Link, &hire(), true).await);
    assert_eq!((written.how, written.fields.text(Field::Title)), (How::CreatedBefore, Some("经理")));
    assert_eq!(written.fields.list(Field::Departments), ["2"]);
}

#[tokio::test]
async fn who_cannot_be_looked_at_for_now_holds_up_nobody_else() {
    let scene = Scene::new();
    scene.api.fail(Fault::new(Trouble::Code(60020)).on(Interface::UserGet));
    let wrote = scene.write(&hire_with(json!({"userid": "BOSS"}))).await;
    assert!(matches!(wrote, Wrote::Retry { after: Some(_), .. }), "{wrote:?}");
    assert_eq!(there(scene.write(&hire()).await).how, How::Created);
}

#[tokio::test]
async fn without_an_app_an_id_is_believed_only_where_that_changes_nothing() {
    let scene = Scene::with_app("");
    let boss = hire_with(json!({"userid": "boss"}));
    assert_eq!(there(scene.write_as(OnConflict::Link, &boss, false).await).how, How::Linked);
    for policy in [OnConflict::Update, OnConflict::Reject] {
        assert_eq!(rejected(scene.write_as(policy, &boss, false).await).0, "userid", "{policy:?}");
    }
    assert_eq!(rejected(scene.write(&hire_with(json!({"mobile": "13800000001"}))).await).0, "mobile");
    assert_eq!(there(scene.write(&hire()).await).how, How::Created);
}

#[tokio::test]
async fn each_field_that_wecom_refuses_is_named() {
    let scene = Scene::new();
    for (field, change) in [
        ("mobile", json!({"mobile": "12345"})),
        ("userid", json!({"userid": "张三"})),
        ("name", json!({"name": "长".repeat(65)})),
        ("email", json!({"email": "a@b"})),
        ("position", json!({"position": "长".repeat(129)})),
        ("department", json!({"department": (1..=101).collect::<Vec<u32>>()})),
    ] {
        let (named, reason) = rejected(scene.write(&hire_with(change)).await);
        assert_eq!(named, field, "{reason}");
    }
    for broken in [json!("text"), json!({"name": "x"}), json!({"userid": ""})] {
        assert_eq!(rejected(scene.write(&broken).await).0, "");
    }
    assert_eq!(scene.api.company().member_count(), 1);
}

#[tokio::test]
async fn a_platform_that_takes_nothing_stops_everything_and_one_that_is_busy_only_this() {
    let scene = Scene::new();
    let stopped = |wrote: Wrote| match wrote {
        Wrote::Stopped { unavailable, needs_person } => (unavailable.after, needs_person),
        other => panic!("{other:?}"),
    };
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    for (code, expected) in [(45009, (seconds(60), false)), (60020, (seconds(60), true)), (48002, (seconds(600), true))]
    {
        scene.api.fail(Fault::new(Trouble::Code(code)).on(Interface::UserCreate).times(1));
        assert_eq!(stopped(scene.write(&hire()).await), expected, "{code}");
        scene.api.heal();
    }
    scene.api.configure(|options| options.account_limit = Some(1));
    assert_eq!(stopped(scene.write(&hire()).await), (seconds(600), true));
    scene.api.configure(|options| options.account_limit = None);
    scene.api.fail(Fault::new(Trouble::Code(-1)).on(Interface::UserCreate).times(1));
    let busy = scene.write(&hire()).await;
    assert!(matches!(busy, Wrote::Retry { after: None, .. }), "{busy:?}");
    scene.api.fail(Fault::new(Trouble::Code(60123)).on(Interface::UserCreate).times(1));
    let missing = scene.write(&hire()).await;
    assert!(matches!(missing, Wrote::Missing { .. }), "{missing:?}");
    assert_eq!(there(scene.write(&hire()).await).how, How::Created);
}

#[tokio::test]
async fn it_is_asked_whether_it_answers_and_takes_requests_only() {
    let scene = Scene::new();
    let built = scene.built(OnConflict::Link, false);
    assert!(built.probe(NOW).await.is_ok());
    assert!(built.takes(&asked(&hire())));
    assert!(!built.takes(&Change { action: Action::Remove, ..asked(&hire()) }));
    assert!(!built.takes(&crate::changes::department("2", "1")));
    assert!(built.is_empty().await.unwrap(), "there is nothing to compare");
    scene.api.fail(Fault::new(Trouble::Code(60020)));
    assert!(built.probe(NOW).await.unwrap_err().reason.contains("60020"));
    let settings = Settings::WecomMembers { on_conflict: OnConflict::Link, checks_ids: true };
    let refused = build(&"acme".parse().unwrap(), &settings, &TenantFacts::default(), &http(), &Databases::default());
    assert!(matches!(refused, Err(BuildError::NoWecom)));
}
