//! A month's quota runs out.

use common::{EntityKey, EntityKind, Platform};
use dingtalk::china_time;
use platform_sim::dingtalk::{Company, CompanyOptions, Matter, NewMember, ROOT, Verdict, api::Interface};
use resolver::patience::{self, Limits};
use store::{
    kind_silences,
    quota::{self, Kind},
};

use super::{
    company::{MONDAY, at},
    scene::{Scene, Setting, tenant},
};

const SEPTEMBER: &str = "2026-09";
const OCTOBER: &str = "2026-10";
/// What we are told that the company may use.
const QUOTA: u64 = 60;
/// What the platform lets it use.
const REFUSED_FROM: u64 = 66;
const DAY_SECONDS: i64 = 86_400;

async fn scene() -> (Scene, Vec<String>) {
    let options = CompanyOptions { start_ms: at(MONDAY, "08:00"), pace_ms: 0, ..CompanyOptions::default() };
    let mut company = Company::new(options);
    company.populate(2, 6).unwrap();
    let scene = Scene::set_up(company, Setting { monthly_calls: QUOTA, ..Setting::default() }).await;
    scene.settled().await;
    scene.api.configure(|options| options.monthly_calls = Some(REFUSED_FROM));
    let members = scene.api.company().members().keys().cloned().collect();
    (scene, members)
}

async fn used(scene: &Scene, month: &'static str) -> u64 {
    scene.read(move |conn| quota::used(conn, &tenant(), Platform::Dingtalk, Kind::Api, month)).await
}

/// Of which shares a person was told last.
async fn warned(scene: &Scene) -> Vec<i32> {
    scene.read(|conn| quota::list(conn, &tenant())).await.iter().map(|quota| quota.warned).collect()
}

/// Somebody punches, and is asked about; how many calls for punches and for results that took.
async fn punch(scene: &Scene, member: &str) -> (usize, usize) {
    let since = scene.journal();
    let now = scene.now().0;
    scene.happens(|company| company.punch(member, now)).await;
    scene.pass(66).await;
    let calls = |interface| scene.calls(since, interface).len();
    (calls(Interface::AttendancePunches), calls(Interface::AttendanceResults))
}

/// The look after ten minutes; how many calls it takes.
async fn look_later(scene: &Scene) -> usize {
    let since = scene.journal();
    scene.jump(600);
    scene.pass(3).await;
    scene.calls(since, Interface::AttendanceResults).len()
}

#[tokio::test]
async fn what_is_worth_least_stops_first_and_nothing_that_waits_becomes_a_dead_letter() {
    let (scene, members) = scene().await;
    let mut people = members.iter().cycle();
    let mut next = || people.next().unwrap().as_str();
    while used(&scene, SEPTEMBER).await < QUOTA * 9 / 10 - 3 {
        assert_eq!((punch(&scene, next()).await, look_later(&scene).await), ((1, 1), 1));
        assert_eq!(
            used(&scene, SEPTEMBER).await,
            scene.api.used(SEPTEMBER),
            "what is counted is what the platform counts"
        );
    }
    assert_eq!(warned(&scene).await, [70]);
    // At ninety percent nobody looks at what is most likely known.
    while used(&scene, SEPTEMBER).await < QUOTA * 9 / 10 {
        punch(&scene, next()).await;
    }
    assert_eq!(warned(&scene).await, [90]);
    assert_eq!((punch(&scene, next()).await, look_later(&scene).await), ((1, 1), 0));
    // At a hundred only punches that were told of are asked for.
    while used(&scene, SEPTEMBER).await < QUOTA {
        punch(&scene, next()).await;
    }
    assert_eq!(punch(&scene, next()).await, (1, 0));
    while scene.api.used(SEPTEMBER) < REFUSED_FROM {
        punch(&scene, next()).await;
    }
    assert!(scene.metric("quota_used_ratio") >= 1.1);
    assert_eq!(warned(&scene).await, [100]);

    refused(&scene, next()).await;
    scene.jump_to(at("2026-10-01", "00:05"));
    scene.pass(130).await;
    assert_eq!(scene.differences(None).await, Vec::<String>::new());
    assert_eq!(scene.approval_differences().await, Vec::<String>::new());
    assert!(scene.read(|conn| kind_silences::kinds(conn, &tenant())).await.is_empty());
    for month in [SEPTEMBER, OCTOBER] {
        assert_eq!(used(&scene, month).await, scene.api.used(month), "{month}");
    }
    assert_eq!(scene.dead_letters().await, 0);
    scene.end().await;
}

/// The platform refuses what costs quota, for days: contacts go on, and nobody grows old.
async fn refused(scene: &Scene, member: &str) {
    let now = scene.now().0;
    scene.happens(|company| company.punch(member, now)).await;
    let events = scene.change(|company| {
        let (begin_ms, end_ms) = (at(MONDAY, "16:00"), at(MONDAY, "17:00"));
        let (id, mut events) = company.start_approval(member, Matter::Outing { begin_ms, end_ms })?;
        events.extend(company.decide(&id, Verdict::Agree)?);
        Ok(events)
    });
    scene.tell(&events).await;
    scene.pass(70).await;
    let silent = scene.read(|conn| kind_silences::kinds(conn, &tenant())).await;
    assert_eq!(silent, [EntityKind::Approval, EntityKind::AttendanceDay]);
    let (hired, events) = scene.change(|company| company.hire(NewMember::in_departments(&[ROOT])));
    scene.tell(&events).await;
    let is_there = async |scene: &Scene| {
        let about = EntityKey::member(&hired);
        scene.records(EntityKind::Member).await.iter().any(|(key, row)| *key == about && row.record.is_live())
    };
    scene.until("contacts go on", is_there).await;
    let limits = Limits { grace_millis: 30_000, limit_millis: DAY_SECONDS * 1000, names_can_be_asked: true };
    for _ in 0..3 {
        scene.jump(DAY_SECONDS);
        scene.look().await;
        let now = scene.now();
        let given_up = scene.write(move |conn| patience::give_up(conn, &tenant(), limits, now)).await;
        assert_eq!(given_up, 0, "its clock stands still");
    }
}

/// Somebody punches, another asks for an outing that is agreed to, and what follows from that is asked for.
async fn work(scene: &Scene, date: &str, (one, other): (&str, &str)) {
    scene.jump_to(at(date, "08:30"));
    scene.pass(2).await;
    let now = scene.now().0;
    scene.happens(|company| company.punch(one, now)).await;
    let events = scene.change(|company| {
        let (begin_ms, end_ms) = (at(date, "10:00"), at(date, "11:00"));
        let (id, mut events) = company.start_approval(other, Matter::Outing { begin_ms, end_ms })?;
        events.extend(company.decide(&id, Verdict::Agree)?);
        Ok(events)
    });
    scene.tell(&events).await;
    for seconds in [25, 70, 600] {
        scene.jump(seconds);
        scene.pass(2).await;
    }
}

#[tokio::test]
async fn day_after_day_of_a_whole_month_what_is_counted_is_what_the_platform_counts() {
    let options = CompanyOptions { start_ms: at("2026-09-01", "05:00"), pace_ms: 0, ..CompanyOptions::default() };
    let mut company = Company::new(options);
    company.populate(2, 6).unwrap();
    // Everything is compared once a day, too.
    let scene = Scene::set_up(company, Setting { compares_every: 86_400, ..Setting::default() }).await;
    scene.settled().await;
    let members: Vec<String> = scene.api.company().members().keys().cloned().collect();
    let pairs = members.iter().zip(members.iter().skip(1)).cycle();
    let mut before = used(&scene, SEPTEMBER).await;
    for (date, (one, other)) in china_time::dates_between("2026-09-01", "2026-09-30", 31).iter().zip(pairs) {
        work(&scene, date, (one, other)).await;
        let counted = used(&scene, SEPTEMBER).await;
        assert_eq!(counted, scene.api.used(SEPTEMBER), "{date}");
        assert!(counted > before, "{date}: nothing was asked for");
        before = counted;
    }
    assert_eq!(used(&scene, OCTOBER).await, 0);
    work(&scene, "2026-10-01", (&members[0], &members[1])).await;
    for month in [SEPTEMBER, OCTOBER] {
        assert_eq!(used(&scene, month).await, scene.api.used(month), "{month}");
    }
    assert_ne!(used(&scene, OCTOBER).await, 0);
    assert_eq!(scene.dead_letters().await, 0);
    scene.end().await;
}
