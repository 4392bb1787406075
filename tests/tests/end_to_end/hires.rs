//! New hires from a form: those that may be become members of WeCom, once, whatever dies on the way; core product and OA learn of them
//! though WeCom tells nobody; the others are listed with record, field and reason.

mod scene;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    time::Duration,
};

use platform_sim::{Script, jiandaoyun::samples::Flaw};
use test_kit::eventually;
use tests::{Bridge, Deployment};
use tokio::time::{Instant, sleep};

use self::scene::{PATIENCE, Scene, is_double};
use crate::{
    agreement::{core_agrees, dispatcher, nothing_is_left, oa_agrees},
    crash_points::{CREATING, READING},
};

/// How many are entered; `ORGBRIDGE_HIRES` is for more by hand.
const HIRES: usize = 1000;
const KILLS: usize = 10;
/// Departments that are there, and that come later.
const DEPARTMENTS: usize = 6;
const LATER: usize = 3;
/// Between two polls, so that nobody is waited for.
const ALWAYS: u64 = 1;
/// The same, so that hardly anybody is found by one.
const HARDLY_EVER: u64 = 3600;
/// The same, so that it tells.
const NOW_AND_THEN: u64 = 5;
/// How soon after the approval, or after the poll that finds it, a member is in the core product.
const SOON: Duration = Duration::from_secs(10);
/// How many are looked at for that, one after the other.
const LOOKED_AT: usize = 3;
/// Calls of a first poll: both filters are tried, and there is one page.
const FIRST_POLL: u64 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn all_who_may_be_are_created_once_and_the_others_are_listed_across_ten_kills() {
    let count = told("ORGBRIDGE_HIRES").unwrap_or(HIRES);
    let mut scene = Scene::new(71, count, DEPARTMENTS, LATER);
    let mut bridge = Bridge::start(&scene.setup(Deployment::AllInOne, ALWAYS)).await;
    send(&bridge, &mut scene).await;
    scene.enter(|_, hire| !is_double(hire));
    let of_now = scene.sound(|hire| !scene.waits(hire)).len();
    for kill in 1..=KILLS {
        let enough = of_now * kill / (KILLS + 1);
        scene.created_at_least(enough).await;
        bridge.kill(kill);
        bridge.launch().await;
    }
    scene.created_at_least(of_now).await;
    // Whoever has somebody else's id or number comes when that one is there.
    scene.enter(|_, hire| is_double(hire));
    scene.departments_appear();
    send(&bridge, &mut scene).await;
    ends_right(&mut bridge, &scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_was_created_before_a_crash_is_told_of_and_not_created_twice() {
    let mut scene = Scene::new(73, 40, DEPARTMENTS, 0);
    let mut bridge = Bridge::start(&scene.setup(Deployment::AllInOne, ALWAYS)).await;
    send(&bridge, &mut scene).await;
    core_agrees(&bridge, &scene.truth()).await;
    bridge.kill(0);
    for (half, crashes) in [READING, CREATING].into_iter().enumerate() {
        // What one life left may be done by the next before it comes to its own crash: so there is something new for each of the two.
        scene.enter(|number, hire| number % 2 == half && !is_double(hire));
        for (service, point, nth) in crashes {
            bridge.crash_at(*service, point, *nth).await;
        }
    }
    bridge.launch().await;
    scene.created_at_least(scene.sound(|_| true).len()).await;
    scene.enter(|_, hire| is_double(hire));
    ends_right(&mut bridge, &scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_approved_is_in_the_core_product_within_ten_seconds_where_the_form_pushes() {
    let mut scene = Scene::new(79, 40, DEPARTMENTS, 0);
    let mut bridge = Bridge::start(&scene.setup(Deployment::AllInOne, HARDLY_EVER)).await;
    send(&bridge, &mut scene).await;
    core_agrees(&bridge, &scene.truth()).await;
    eventually("the first poll", async || scene.pages(), |pages| *pages >= FIRST_POLL).await;
    let (pages, push) = (scene.pages(), scene.pushing_to(&bridge));
    for _ in 0..LOOKED_AT {
        let (hire, approved) = (scene.enter_next(), Instant::now());
        scene.push(&push).await;
        is_in_core(&bridge, &hire, approved + SOON).await;
    }
    assert_eq!(scene.pages(), pages, "no poll found any of them");
    core_agrees(&bridge, &scene.truth()).await;
    nothing_is_left(&mut bridge);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_approved_is_in_the_core_product_ten_seconds_after_the_next_poll_where_it_does_not() {
    let mut scene = Scene::new(83, 40, DEPARTMENTS, 0);
    let mut bridge = Bridge::start(&scene.setup(Deployment::AllInOne, NOW_AND_THEN)).await;
    send(&bridge, &mut scene).await;
    core_agrees(&bridge, &scene.truth()).await;
    for _ in 0..LOOKED_AT {
        let (hire, approved) = (scene.enter_next(), Instant::now());
        is_in_core(&bridge, &hire, approved + Duration::from_secs(NOW_AND_THEN) + SOON).await;
    }
    core_agrees(&bridge, &scene.truth()).await;
    nothing_is_left(&mut bridge);
}

/// Waits until the core product has a member of this folded id.
async fn is_in_core(bridge: &Bridge, id: &str, deadline: Instant) {
    while !bridge.core().snapshot().await.members.contains_key(id) {
        assert!(Instant::now() < deadline, "{id} is late");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Sends the callbacks that wait, each until it is answered.
async fn send(bridge: &Bridge, scene: &mut Scene) {
    let stats = dispatcher(bridge).send(&scene.take_callbacks(), &Script::default()).await;
    assert!(stats.failed.is_empty() && stats.refused == 0, "{stats:?}");
}

async fn ends_right(bridge: &mut Bridge, scene: &Scene) {
    let flawed = scene.flawed();
    let sound = scene.sound(|_| true);
    scene.created_at_least(sound.len()).await;
    let deadline = Instant::now() + PATIENCE;
    let mut listed = scene::listed(bridge);
    while listed.len() < flawed.len() && Instant::now() < deadline {
        sleep(Duration::from_millis(500)).await;
        listed = scene::listed(bridge);
    }
    let expected: BTreeMap<String, String> =
        flawed.iter().map(|(record, flaw)| (record.clone(), field_of(*flaw).to_owned())).collect();
    assert_eq!(listed, expected, "each with its record and field");

    let created = scene.wecom.created();
    let once: BTreeSet<String> = created.iter().cloned().collect();
    assert_eq!(once.len(), created.len(), "nobody is created twice");
    assert_eq!(once, sound, "exactly those who may be");
    let truth = scene.truth();
    let mut people = scene::people(&truth);
    people.retain(|id, _| once.contains(id));
    assert_eq!(people, scene.entered(), "as they were entered");
    core_agrees(bridge, &truth).await;
    oa_agrees(&scene.oa, &truth).await;
    eventually("nothing waits", async || bridge.command(&["parked", "list", "--json"]), |told| told.trim() == "[]")
        .await;
    let letters = scene.records_of(&flawed);
    let given_up = async || scene::dead(bridge);
    eventually("a dead letter for each of the others, and no more", given_up, |dead| *dead == letters).await;
    assert!(!bridge.has_ended(), "a process ended by itself");
}

/// The field that is to be blamed.
const fn field_of(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::BadPhone | Flaw::SameMobile(_) => "mobile",
        Flaw::NoName | Flaw::LongName => "name",
        Flaw::NoUserid | Flaw::BadUserid | Flaw::SameUserid(_) => "userid",
    }
}

fn told(variable: &str) -> Option<usize> {
    env::var_os(variable).and_then(|number| number.into_string().ok()?.parse().ok())
}
