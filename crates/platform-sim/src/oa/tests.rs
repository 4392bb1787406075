use std::time::Duration;

use super::*;
use crate::crypto::{random_aes_key, random_token};
use crate::{
    AgentId, Callback, Company, CompanyOptions, Deliveries, Dispatcher, DispatcherOptions, Member, Order, Pace,
    Profile, ROOT, Script as Sending, Stats, compare,
};

fn start(options: OaOptions) -> Oa {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    Oa::start_with(listener, keys("wwcorp"), options).expect("it starts")
}

fn keys(receive_id: &str) -> Keys {
    Keys::new(&random_token(8), &random_aes_key(8), receive_id).expect("good keys")
}

fn dispatcher(oa: &Oa, options: DispatcherOptions) -> Dispatcher {
    Dispatcher::new(&oa.url(), keys("wwcorp"), options, Arc::new(|| 1_767_225_600)).expect("a client")
}

fn quick() -> DispatcherOptions {
    let (pause, timeout) = (Duration::from_millis(5), Duration::from_millis(500));
    DispatcherOptions { pause, timeout, ..DispatcherOptions::default() }
}

async fn send(oa: &Oa, callbacks: &[Callback], script: Sending) -> Stats {
    dispatcher(oa, quick()).send(callbacks, &script).await
}

fn a_life(steps: usize) -> (Company, Vec<Callback>) {
    let mut company = Company::new(CompanyOptions { seed: 21, ..CompanyOptions::default() });
    let callbacks = [company.import(60, 15, 5), company.live(steps)].concat();
    (company, callbacks)
}

#[tokio::test]
async fn the_natural_order_gives_no_violation_and_the_same_directory() {
    let (company, callbacks) = a_life(1_000);
    let oa = start(OaOptions::default());
    let options = DispatcherOptions { agent_id: AgentId::Empty, ..quick() };
    let stats = dispatcher(&oa, options).send(&callbacks, &Sending { copies: 2, ..Sending::default() }).await;
    assert_eq!(oa.violations(), []);
    assert_eq!(compare(&company.snapshot(), &oa.snapshot()), []);
    assert_eq!(stats.answered_success, callbacks.len() + stats.duplicates);
    assert_eq!(stats.failed, Vec::<usize>::new());
    assert!(stats.latency_micros(0.5).is_some() && stats.rate() > 0.0);
    assert_eq!(oa.repeats().all, stats.duplicates as u64);
    assert_eq!(oa.received_count(), stats.sent);
    let others = callbacks.iter().filter(|callback| callback.subject == Subject::Other);
    assert_eq!(oa.others(), others.map(|callback| callback.plaintext.clone()).collect::<Vec<_>>());
    oa.stop().await;
}

#[tokio::test]
async fn any_other_order_gives_violations() {
    let (company, callbacks) = a_life(200);
    for order in [Order::Shuffled(4), Order::Worst] {
        let oa = start(OaOptions::default());
        send(&oa, &callbacks, Sending { order, ..Sending::default() }).await;
        let kinds: Vec<ViolationKind> = oa.violations().iter().map(|violation| violation.kind).collect();
        assert!(kinds.contains(&ViolationKind::SentBeforeReference) && kinds.contains(&ViolationKind::NotThere));
        assert!(!compare(&company.snapshot(), &oa.snapshot()).is_empty());
    }
}

#[tokio::test]
async fn the_reduced_profile_gives_the_structure_without_names() {
    let options = CompanyOptions { profile: Profile::Reduced, ..CompanyOptions::default() };
    let mut company = Company::new(options);
    let callbacks = [company.import(30, 8, 3), company.live(100)].concat();
    let oa = start(OaOptions::default());
    send(&oa, &callbacks, Sending::default()).await;
    assert_eq!(oa.violations(), []);
    let differences = compare(&company.snapshot(), &oa.snapshot());
    assert!(!differences.is_empty());
    assert!(differences.iter().all(|d| !["exists", "departments", "parent"].contains(&d.field.as_str())));
}

#[tokio::test]
async fn heralded_creations_and_doubled_messages_are_noticed() {
    let oa = start(OaOptions::default());
    let mut company = Company::new(CompanyOptions { heralded_share: 1.0, ..CompanyOptions::default() });
    let heralded = company.import(1, 1, 1);
    assert_eq!(heralded.len(), 3);
    send(&oa, &heralded, Sending::default()).await;
    assert_eq!(oa.repeats().all, 1);
    assert_eq!(oa.violations().first().map(|violation| violation.kind), Some(ViolationKind::NotThere));
    let mut again = heralded.last().expect("the creation").clone();
    again.plaintext = again.plaintext.replace("</xml>", "<AgentID>1</AgentID></xml>");
    send(&oa, &[again], Sending::default()).await;
    assert_eq!(oa.violations().last().map(|violation| violation.kind), Some(ViolationKind::Doubled));
}

#[tokio::test]
async fn the_rule_of_one_per_second_loses_what_shares_a_second() {
    let oa = start(OaOptions { one_per_second: true, ..OaOptions::default() });
    let mut company = Company::new(CompanyOptions { pace: Pace::PerSecond(10), ..CompanyOptions::default() });
    let callbacks = company.import(95, 6, 2);
    send(&oa, &callbacks, Sending::default()).await;
    let seconds: std::collections::HashSet<i64> = callbacks.iter().map(|callback| callback.at_seconds).collect();
    assert_eq!(oa.dropped_by_second(), (callbacks.len() - seconds.len()) as u64);
}

#[tokio::test]
async fn an_oa_that_is_down_failing_or_hanging_applies_nothing_and_recovers() {
    let (company, callbacks) = a_life(0);
    let oa = start(OaOptions::default());
    let sender = dispatcher(&oa, quick());
    sender.verify_url().await.expect("it is up");
    for state in [State::Down, State::Failing(503), State::Hanging] {
        oa.set_state(state);
        let stats = sender.send(&callbacks[..1], &Sending::default()).await;
        assert_eq!(stats.answered, 0, "{state:?}");
        assert_eq!(stats.sent, if state == State::Failing(503) { 1 } else { 3 }, "{state:?}");
        assert!(sender.verify_url().await.is_err(), "{state:?}");
        assert_eq!(oa.received_count(), 0);
    }
    oa.set_state(State::Mute);
    let stats = sender.send(&callbacks[..1], &Sending::default()).await;
    assert_eq!((stats.answered, stats.broken, oa.received_count(), oa.repeats().all), (0, 3, 3, 2));
    oa.set_state(State::Up);
    sender.verify_url_with_raw_plus().await.expect("it is up again");
    sender.send(&callbacks, &Sending::default()).await;
    assert_eq!(compare(&company.snapshot(), &oa.snapshot()), []);
    assert_eq!(oa.violations(), []);
}

#[tokio::test]
async fn sending_until_success_outlasts_an_outage() {
    let (_company, callbacks) = a_life(0);
    let oa = start(OaOptions::default());
    oa.set_state(State::Down);
    let sender = dispatcher(&oa, DispatcherOptions { deliveries: Deliveries::UntilSuccess, ..quick() });
    let wake = async {
        tokio::time::sleep(Duration::from_millis(80)).await;
        oa.set_state(State::Failing(500));
        tokio::time::sleep(Duration::from_millis(80)).await;
        oa.set_state(State::Up);
    };
    let sending = Sending::default();
    let sent: std::pin::Pin<Box<dyn Future<Output = Stats> + Send>> = Box::pin(sender.send(&callbacks, &sending));
    let (stats, ()) = tokio::join!(sent, wake);
    assert_eq!(stats.answered, callbacks.len());
    assert!(stats.broken > 0 && stats.last_refusal == Some(500));
    assert_eq!(oa.violations(), []);
}

#[tokio::test]
async fn one_entity_can_be_refused_and_healed() {
    let oa = start(OaOptions::default());
    let mut company = Company::new(CompanyOptions::default());
    let (id, created) = company.create_department("甲", ROOT).expect("legal");
    oa.fail_for(Subject::Department(id.clone()), 400);
    let stats = send(&oa, &created, Sending::default()).await;
    assert_eq!((stats.answered, stats.last_refusal), (0, Some(400)));
    oa.heal();
    assert_eq!(send(&oa, &created, Sending::default()).await.answered, 1);
    assert_eq!((oa.refused(), oa.received_count()), (0, 1));
    assert!(oa.snapshot().departments.contains_key(&id));
}

#[tokio::test]
async fn what_is_not_meant_for_it_is_refused() {
    let oa = start(OaOptions::default());
    let (_company, callbacks) = a_life(0);
    let other_key = Keys::new("other", &random_aes_key(8), "wwcorp").expect("good keys");
    for (keys, status) in [(other_key, 401), (keys("wwother"), 400)] {
        let sender = Dispatcher::new(&oa.url(), keys, quick(), Arc::new(|| 1_767_225_600)).expect("a client");
        assert_eq!(sender.send(&callbacks[..1], &Sending::default()).await.last_refusal, Some(status));
    }
    assert_eq!((oa.refused(), oa.received_count()), (2, 0));
}

#[tokio::test]
async fn renames_leaders_and_emptied_fields_arrive() {
    let oa = start(OaOptions::default());
    let mut company = Company::new(CompanyOptions::default());
    let person = |id: &str, leader: Option<&str>| Member {
        id: id.to_owned(),
        name: "张<三> & ]]>".to_owned(),
        title: "经理".to_owned(),
        departments: vec![ROOT.to_owned()],
        main_department: Some(ROOT.to_owned()),
        leaders: leader.map(str::to_owned).into_iter().collect(),
        ..Member::default()
    };
    let mut callbacks = company.create_member(person("Boss", None)).expect("legal");
    callbacks.extend(company.create_member(person("a", Some("Boss"))).expect("legal"));
    callbacks.extend(company.rename_member("boss", "chief").expect("legal"));
    callbacks.extend(company.update_member("a", |member| member.title.clear()).expect("legal"));
    send(&oa, &callbacks, Sending::default()).await;
    assert_eq!(oa.snapshot().members["a"].leaders, ["chief"]);
    assert_eq!(compare(&company.snapshot(), &oa.snapshot()), []);
    send(&oa, &company.remove_member("chief").expect("legal"), Sending::default()).await;
    assert_eq!(oa.violations(), []);
    assert_eq!(compare(&company.snapshot(), &oa.snapshot()), []);
}

#[tokio::test]
async fn many_callbacks_in_parallel_all_arrive() {
    let mut company = Company::new(CompanyOptions { pace: Pace::PerSecond(1_000), ..CompanyOptions::default() });
    let callbacks = company.import(4_000, 100, 6);
    let oa = start(OaOptions { keep_plaintexts: false, ..OaOptions::default() });
    let stats = send(&oa, &callbacks, Sending { concurrency: 64, ..Sending::default() }).await;
    assert_eq!((stats.answered, oa.received_count()), (callbacks.len(), callbacks.len()));
}
