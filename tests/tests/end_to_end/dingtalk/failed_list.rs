//! Reading the list of failed pushes empties it, so a crash after that may lose what was on a page. Something else has to find it.

use platform_sim::dingtalk::{Company, Event, Illegal, Matter, Route, Script, Shift, Verdict, time};
use test_kit::Servers;
use tests::{
    Bridge, Deployment,
    Service::Synchronizer,
    Spread,
    dingtalk::{Oa, Platform, company, to_the_minute},
};

use super::scene::{PATIENCE, approvals_agree, attendance_agrees, directory_agrees, setup};
use crate::{agreement::nothing_is_left, crash_points::FAILED_PUSHES, sync::Books};

const CRASHES: usize = 20;
const PEOPLE: usize = 20;
const HOUR_MILLIS: i64 = 3_600_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_failed_pushes_that_was_read_and_not_taken_over_is_healed() {
    let platform = Platform::start(company(), |_| {});
    let oa = Oa::start().await;
    let deployment = Deployment::Services(Spread { replicas: 1, ..Spread::over(Servers::shared()) });
    let mut bridge = Bridge::start(&setup(deployment, &platform, &oa)).await;
    let books = Books::open(&bridge);
    platform.connected(1).await;
    platform.stream.push(&platform.happens(|company| company.populate(4, PEOPLE)).unwrap());
    directory_agrees(&bridge, &platform).await;

    // Nobody reads the list but the one that is to crash.
    bridge.kill_service(Synchronizer);
    for number in 0..CRASHES {
        let events = platform.happens(|company| something_happens(company, number)).unwrap();
        platform.channels(None).deliver(&events, &Script::over(Route::Failed)).await;
        let (service, point, nth) = FAILED_PUSHES[number % FAILED_PUSHES.len()];
        bridge.crash_at(service, point, nth).await;
        books.leases_run_out(service).await;
    }
    assert_eq!(platform.failed.waiting(), 0, "all of it was read");
    bridge.launch().await;
    directory_agrees(&bridge, &platform).await;
    approvals_agree(&bridge, &platform, PATIENCE, to_the_minute).await;
    attendance_agrees(&bridge, &platform).await;
    nothing_is_left(&mut bridge);
}

/// A bit of everything: somebody moves, comes to work, and is granted leave.
fn something_happens(company: &mut Company, number: usize) -> Result<Vec<Event>, Illegal> {
    let people: Vec<String> = company.members().keys().cloned().collect();
    let departments: Vec<i64> = company.departments().keys().copied().collect();
    let (who, mover) = (&people[number % PEOPLE], &people[(number + 1) % PEOPLE]);
    let mut events = company.move_member(mover, &[departments[number % departments.len()]])?;
    let now_ms = company.now_ms();
    let today = time::date(now_ms);
    company.schedule(who, &today, &Shift::day())?;
    events.extend(company.punch(who, now_ms)?);
    let midnight_ms = time::midnight(&today).ok_or_else(|| Illegal::Time(today.clone()))?;
    let (begin_ms, end_ms) = (midnight_ms + 14 * HOUR_MILLIS, midnight_ms + 16 * HOUR_MILLIS);
    let leave = Matter::Leave { leave_type: "事假".to_owned(), begin_ms, end_ms };
    let (id, started) = company.start_approval(who, leave)?;
    events.extend(started);
    events.extend(company.decide(&id, Verdict::Agree)?);
    Ok(events)
}
