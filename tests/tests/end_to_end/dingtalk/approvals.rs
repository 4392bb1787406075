//! Many approvals, each told up to four times in three ways, while gateways and resolvers are killed.

use std::{collections::BTreeSet, time::Duration};

use platform_sim::dingtalk::{Company, Event, Matter, Route, Script, Verdict, api::Interface, time};
use test_kit::eventually;
use tests::{
    Bridge, Deployment, DingtalkSetup,
    Service::{self, CallbackGateway, Resolver},
    Setup,
    dingtalk::{Oa, Platform, company, fact_of},
};

use super::scene::{again_soon, approvals_agree, directory_agrees, setup, told, was_told};
use crate::agreement::nothing_is_left;

/// How many approvals; by hand more.
const APPROVALS: usize = 1_000;
const VARIABLE: &str = "ORGBRIDGE_APPROVALS";
const PEOPLE: usize = 20;
/// Each event is sent up to so many times, in any order.
const COPIES: u32 = 4;
/// The pause between two of them.
const PAUSE: Duration = Duration::from_millis(1);
/// Who is killed, one after the other.
const KILLED: [(Service, usize); 4] = [(CallbackGateway, 0), (Resolver, 0), (CallbackGateway, 1), (Resolver, 1)];
/// How often details are asked for, which the platform allows here.
const PER_SECOND: u32 = 17;
const HOUR_MILLIS: i64 = 3_600_000;

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_that_is_told_up_to_four_times_in_three_ways_has_one_effect() {
    let count = told(VARIABLE).unwrap_or(APPROVALS);
    let platform = Platform::start(company(), again_soon);
    platform.api.configure(|options| options.limits.of = [(Interface::Approval, PER_SECOND + 3)].into());
    let oa = Oa::start().await;
    let mut bridge = Bridge::start(&of_approvals_only(setup(Deployment::services(), &platform, &oa))).await;
    platform.connected(2).await;
    platform.stream.push(&platform.happens(|company| company.populate(4, PEOPLE)).unwrap());
    directory_agrees(&bridge, &platform).await;

    // All of it in one millisecond.
    let events = platform.happens(|company| ask_for(company, count));
    let facts: BTreeSet<String> = events.iter().map(fact_of).collect();
    assert_eq!(facts.len(), events.len(), "no two of them are the same fact");
    let push = platform.push_to(&bridge.dingtalk_callback_url(), &[Duration::from_secs(1); 3]).await;
    let channels = platform.channels(Some(push));
    let script = Script {
        seed: 11,
        copies: COPIES,
        routes: vec![Route::Stream, Route::Http, Route::Failed],
        shuffled: true,
        delay: PAUSE,
        ..Script::over(Route::Stream)
    };
    let sending = tokio::spawn(async move { channels.deliver(&events, &script).await });
    for (place, (service, replica)) in KILLED.into_iter().enumerate() {
        was_told(&oa, is_fact, (place + 1) * facts.len() / (KILLED.len() + 2)).await;
        bridge.kill_replica(service, replica);
        bridge.launch().await;
    }
    sending.await.unwrap();
    platform.settled().await;

    was_told(&oa, is_fact, facts.len()).await;
    let patience = Duration::from_secs(120 + count as u64 / u64::from(PER_SECOND));
    approvals_agree(&bridge, &platform, patience, |approvals| approvals).await;
    eventually("what failed is read", async || platform.failed.waiting(), |waiting| *waiting == 0).await;
    let passed_on = oa.facts(is_fact);
    let once: BTreeSet<String> = passed_on.iter().cloned().collect();
    assert_eq!((once.difference(&facts).count(), facts.difference(&once).count()), (0, 0), "unknown, and missing");
    assert_eq!(passed_on.len(), once.len(), "each fact is passed on once");
    let calls = platform.api.tally(Interface::Approval).calls;
    assert!(calls <= count as u64 * 11 / 10, "{calls} calls for the details of {count}");
    nothing_is_left(&mut bridge);
}

/// Whether an event of this type tells something of an approval.
fn is_fact(kind: &str) -> bool {
    kind.starts_with("bpms_") || kind.starts_with("attendance_")
}

/// Days are another matter.
fn of_approvals_only(setup: Setup) -> Setup {
    let section = format!("attendance = false\napprovals_per_second = {PER_SECOND}");
    let dingtalk = setup.dingtalk.map(|dingtalk| DingtalkSetup { section, ..dingtalk });
    Setup { dingtalk, ..setup }
}

/// So many approvals of all sorts, with whatever may happen to one.
fn ask_for(company: &mut Company, count: usize) -> Vec<Event> {
    let people: Vec<String> = company.members().keys().cloned().collect();
    let mut events = Vec::new();
    for number in 0..count {
        let (who, other) = (&people[number % people.len()], &people[(number + 1) % people.len()]);
        let matter = matter(company, number, who);
        let (id, started) = company.start_approval(who, matter).unwrap();
        events.extend(started);
        if number % 3 == 0 {
            events.extend(company.comment(&id, who, "请尽快").unwrap());
            events.extend(company.comment(&id, who, "谢谢").unwrap());
        }
        if number % 4 == 0 {
            events.extend(company.redirect(&id, other).unwrap());
        }
        let end = match number % 5 {
            0 => company.terminate(&id),
            1 => company.decide(&id, Verdict::Refuse),
            2 => Ok(Vec::new()),
            _ => company.decide(&id, Verdict::Agree),
        };
        events.extend(end.unwrap());
    }
    events
}

fn matter(company: &Company, number: usize, who: &str) -> Matter {
    let midnight = time::midnight(&time::date(company.now_ms())).unwrap();
    let (begin_ms, end_ms) = (midnight + 9 * HOUR_MILLIS, midnight + 12 * HOUR_MILLIS);
    match number % 6 {
        0 => Matter::Leave { leave_type: "事假".to_owned(), begin_ms, end_ms },
        1 => Matter::Overtime { workers: vec![who.to_owned()], begin_ms, end_ms },
        2 => Matter::Trip { begin_ms, end_ms },
        3 => Matter::Outing { begin_ms, end_ms },
        _ => Matter::Other,
    }
}
