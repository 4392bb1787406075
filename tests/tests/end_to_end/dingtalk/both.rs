//! A company on both platforms: WeCom's directory is kept, and what DingTalk tells of people is theirs, as soon as it is known who
//! they are.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
};

use platform_sim::{
    Api, ApiOptions, ApiServer, Member, Script,
    api::{Era, Limits},
    dingtalk::{Company, Event, Illegal, NewMember, ROOT, Shift, time},
};
use serde_json::Value;
use test_kit::eventually;
use tests::{
    Bridge, Deployment, DingtalkSetup, Paper, Papers, Setup,
    dingtalk::{Oa, Platform, attendance, company},
};

use super::scene::{PATIENCE, again_soon, agrees, setup};
use crate::agreement::{core_agrees, dispatcher, nothing_is_left, now_seconds};

/// Somebody whom both platforms know by one mobile number, and somebody whom only DingTalk knows.
const KNOWN: &str = "ding-known";
const STRANGER: &str = "ding-stranger";

async fn is_matched_or_parked(deployment: Deployment) {
    let (platform, oa) = (Platform::start(company(), again_soon), Oa::start().await);
    let mut wecom = crate::agreement::company(67);
    let callbacks = wecom.import(10, 3, 2);
    let truth = wecom.snapshot();
    let server = serve(wecom);
    let mut bridge = Bridge::start(&beside(&server, setup(deployment, &platform, &oa))).await;
    let stats = dispatcher(&bridge).send(&callbacks, &Script::default()).await;
    assert!(stats.failed.is_empty() && stats.refused == 0, "{stats:?}");
    core_agrees(&bridge, &truth).await;
    let mut members = truth.members.values().filter(|member| !member.mobile.is_empty());
    let (one, another) = (members.next().unwrap(), members.next().unwrap());

    let events = platform.happens(|company| come_to_work(company, one)).unwrap();
    platform.stream.connected(1).await;
    platform.stream.push(&events);
    platform.settled().await;
    // Each row is under the id that WeCom's directory has.
    let of_one = rows(&platform, KNOWN, one);
    let of_both = [of_one.clone(), rows(&platform, STRANGER, another)].concat();
    agrees("the one who is known", PATIENCE, async || unlike(&of_one, &bridge.core().attendance().await)).await;
    let stranger = format!("dingtalk:{STRANGER}");
    eventually("the stranger waits", async || waiting_for(&bridge, &stranger), |count| *count > 0).await;

    let link = ["link", "set", "--tenant", "acme", "--platform", "dingtalk"];
    bridge.command(&[link.as_slice(), &["--person", STRANGER, "--member", another.id.as_str()]].concat());
    agrees("the one who was linked", PATIENCE, async || unlike(&of_both, &bridge.core().attendance().await)).await;
    eventually("nobody waits any more", async || waiting_for(&bridge, &stranger), |count| *count == 0).await;
    core_agrees(&bridge, &truth).await;
    nothing_is_left(&mut bridge);
}

in_each_deployment! {
    attendance_of_people_of_the_other_platform_is_matched_or_waits_to_be_linked: is_matched_or_parked();
}

/// The company in WeCom, on a socket; it shows numbers, by which people are known.
fn serve(company: platform_sim::Company) -> ApiServer {
    let secrets = Bridge::credentials();
    let mut options = ApiOptions::new(secrets.contact_secret, secrets.app_secret);
    options.limits = Limits::none();
    options.apps.iter_mut().for_each(|app| app.era = Era::Old);
    let api = Api::new(Arc::new(Mutex::new(company)), options, Arc::new(|| now_seconds() * 1000));
    api.listen(TcpListener::bind("127.0.0.1:0").unwrap()).unwrap()
}

/// The same beside WeCom.
fn beside(wecom: &ApiServer, setup: Setup) -> Setup {
    let dingtalk = setup.dingtalk.map(|dingtalk| DingtalkSetup { beside_wecom: true, ..dingtalk });
    Setup { dingtalk, platform: Some(wecom.url()), ..setup }
}

/// Both are hired, which is nothing to a tenant whose directory is WeCom's, and come to work.
fn come_to_work(company: &mut Company, one: &Member) -> Result<Vec<Event>, Illegal> {
    let (now_ms, mut events) = (company.now_ms(), Vec::new());
    let today = time::date(now_ms);
    for (userid, mobile) in [(KNOWN, one.mobile.as_str()), (STRANGER, "19912345678")] {
        let new = NewMember {
            userid: Some(userid.to_owned()),
            mobile: Some(mobile.to_owned()),
            job_number: Some(String::new()),
            ..NewMember::in_departments(&[ROOT])
        };
        company.hire(new)?;
        company.schedule(userid, &today, &Shift::day())?;
        events.extend(company.punch(userid, now_ms)?);
    }
    Ok(events)
}

/// The rows that the core has to hold of somebody in DingTalk, who is this member.
fn rows(platform: &Platform, who: &str, member: &Member) -> Vec<Paper> {
    let mut rows: Vec<Paper> = platform.look(attendance).into_values().collect();
    rows.retain(|row| row.get("member_id").is_some_and(|id| id == who));
    for row in &mut rows {
        row.insert("member_id".to_owned(), member.id.clone());
    }
    rows
}

/// Which of these rows are not there, and which are there besides, whatever they are called.
fn unlike(rows: &[Paper], seen: &Papers) -> Vec<String> {
    let missing = rows.iter().filter(|row| !seen.values().any(|seen| seen == *row));
    let unknown = seen.values().filter(|seen| !rows.contains(seen));
    let differ = missing.map(|row| format!("missing: {row:?}")).chain(unknown.map(|row| format!("unknown: {row:?}")));
    let mut differences: Vec<String> = differ.collect();
    if rows.len() != seen.len() {
        differences.push(format!("{} rows in the place of {}", seen.len(), rows.len()));
    }
    differences
}

/// How many attendance records wait for a member.
fn waiting_for(bridge: &Bridge, member: &str) -> usize {
    let parked: Vec<Value> = serde_json::from_str(&bridge.command(&["parked", "list", "--json"])).unwrap();
    let waits = |entity: &Value| entity["waits_for"].as_array().into_iter().flatten().any(|it| it["id"] == member);
    parked.iter().filter(|entity| entity["kind"] == "attendance" && waits(entity)).count()
}
