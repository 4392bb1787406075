//! What is counted of the month's quota, and what is not sent for it.

use std::time::Duration;

use common::Disposition;
use dingtalk::api::{ApiError, Worth};

use super::{DAY, Reply, World, let_time_pass, member};

const OK_DAY: &str = "{}";

async fn one_day(world: &World) -> Result<(), ApiError> {
    world.client.attendance_day("u", "2026-09-21").await.map(|_| ())
}

#[tokio::test]
async fn the_meter_is_asked_before_and_told_after_each_counted_call() {
    let world = World::new(|_| Reply::result(OK_DAY)).await;
    one_day(&world).await.unwrap();
    world.client.with_worth(Worth::Low).attendance_day("u", "2026-09-21").await.unwrap();
    assert_eq!(*world.meter.asked.lock().unwrap(), [(DAY, Worth::Essential), (DAY, Worth::Low)]);
    assert_eq!(*world.meter.used.lock().unwrap(), [DAY, DAY]);
}

#[tokio::test]
async fn a_call_that_is_not_worth_what_is_left_is_not_sent() {
    let world = World::new(|asked| if asked.api == DAY { Reply::result(OK_DAY) } else { member(asked) }).await;
    *world.meter.least.lock().unwrap() = Some(Worth::Essential);
    let low = world.client.with_worth(Worth::Useful);
    let error = low.attendance_day("u", "2026-09-21").await.unwrap_err();
    assert_eq!((error.label(), error.is_outage(), error.api()), ("quota_spent", true, DAY));
    assert_eq!(error.disposition(), Disposition::Retry { after: Duration::from_secs(42) });
    assert_eq!(world.server.count(DAY), 0);
    low.member("u").await.unwrap();
    one_day(&world).await.unwrap();
    assert_eq!(*world.meter.used.lock().unwrap(), [DAY], "the directory is free");
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_for_being_too_often_or_not_answered_does_not_count() {
    for (reply, counted) in [
        (Reply::code(60121), 1),
        (Reply::code(777_777), 1),
        (Reply::code(-1), 3),
        (Reply::code(40014), 2),
        (Reply::json(vec![b' '; 1024 * 1024 + 1]), 1),
        (Reply::code(90018), 0),
        (Reply::code(90002), 0),
        (Reply::code(90020), 0),
        (Reply::word(403, "Forbidden.AccessDenied.QpsLimitForApi"), 0),
        (Reply::word(403, "Forbidden.AccessDenied.ApiCountLimitForOrg"), 0),
        (Reply::json(r#"{"status":1111,"wait":5,"punish":"deny"}"#), 0),
        (Reply::status(502), 0),
        (Reply::none(), 0),
        (Reply::json("<html>"), 0),
    ] {
        let answer = reply.clone();
        let world = World::new(move |_| answer.clone()).await;
        let_time_pass();
        one_day(&world).await.unwrap_err();
        assert_eq!(world.meter.used.lock().unwrap().len(), counted, "{reply:?}");
        assert_eq!(world.meter.asked.lock().unwrap().len(), world.server.count(DAY), "each try asks");
    }
}

#[tokio::test]
async fn a_quota_that_the_platform_says_is_used_up_is_an_outage_of_that_interface() {
    for reply in [Reply::code(90020), Reply::word(403, "ApiCountLimitForOrg")] {
        let world = World::new(move |_| reply.clone()).await;
        let error = one_day(&world).await.unwrap_err();
        assert_eq!((error.label(), error.is_outage()), ("quota", true));
        assert_eq!(error.disposition(), Disposition::Retry { after: Duration::from_secs(3600) });
        let refused = world.governor.refused.lock().unwrap().clone();
        assert_eq!((refused.len(), refused[0].0.interface, refused[0].1.as_secs()), (1, DAY, 3600));
        assert_eq!(world.server.count(DAY), 1);
    }
}
