//! What DingTalk would send and answer: a company to which all sorts of things happen, in all shapes in which it is told.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
};

use platform_sim::{
    Keys,
    crypto::Moment,
    dingtalk::{
        Call, Clock, Company, CompanyOptions, Dialect, Event, FailedList, FailedOptions, Handler as _, Illegal, Matter,
        Shift, TimeResult, Verdict,
        api::{Api, ApiOptions},
        success, time,
    },
};
use serde_json::{Value, json};

use crate::parsers::DING_CORP;

const DAY: &str = "2026-09-21";
const HOUR_MILLIS: i64 = 3_600_000;
const CLIENT: &str = "dingclient0001";
const SECRET: &str = "secret";
/// So many events of the busy company are enough to be mutated.
const EVENTS: usize = 60;

/// Decrypted pushes in both dialects.
pub(crate) fn pushes() -> Vec<String> {
    let of = |event: &Event| [event.http_text(Dialect::Current), event.http_text(Dialect::Old)];
    events().iter().flat_map(of).collect()
}

/// Frames of type EVENT.
pub(crate) fn frames() -> Vec<Vec<u8>> {
    let frame = |event: &Event| {
        let headers = json!({
            "topic": "*", "messageId": "m1", "contentType": "application/json", "time": "1790000000456",
            "eventType": event.kind, "eventId": event.id, "eventCorpId": event.corp_id,
            "eventBornTime": event.born_ms.to_string(),
        });
        let frame = json!({ "specVersion": "1.0", "type": "EVENT", "headers": headers, "data": event.stream_data() });
        frame.to_string().into_bytes()
    };
    events().iter().map(frame).collect()
}

/// Pages of failed pushes.
pub(crate) fn pages() -> Vec<Vec<u8>> {
    let page = |events: &[Event]| {
        let list: Vec<Value> = events.iter().map(Event::failed_entry).collect();
        let page = json!({ "errcode": 0, "errmsg": "ok", "has_more": false, "failed_list": list });
        page.to_string().into_bytes()
    };
    let events = events();
    events.chunks(5).map(page).chain([page(&events)]).collect()
}

/// Pushes about very many at once.
pub(crate) fn crowds() -> Vec<Vec<u8>> {
    let people: Vec<String> = (0..20_000).map(|number| format!("user{number}")).collect();
    let punches: Vec<Value> = (0..5_000)
        .map(|number| json!({ "userId": format!("u{number}"), "checkTime": 1_790_000_400_000_i64 }))
        .collect();
    let crowd = json!({ "EventType": "user_modify_org", "EventTime": 1_790_000_000_123_i64, "userId": people });
    let rush = json!({ "EventType": "attendance_check_record", "dataList": punches });
    [crowd, rush].map(|push| push.to_string().into_bytes()).to_vec()
}

/// Answers of an OA that took a push.
pub(crate) fn replies(keys: &Keys) -> Vec<Vec<u8>> {
    let reply = |number: u8| {
        let (timestamp, nonce) = (format!("17900000007{number:02}"), format!("Rply{number:04}"));
        let moment = Moment { timestamp: &timestamp, nonce: &nonce, random16: [number; 16] };
        success(keys, &moment).into_bytes()
    };
    (10..20).map(reply).collect()
}

/// Answers of the API: a line with the status and the call, then the body.
pub(crate) fn answers() -> Vec<Vec<u8>> {
    let (company, _) = busy();
    let clock = Clock::manual(company.now_ms());
    let failed = FailedList::new(FailedOptions::default());
    events().iter().for_each(|event| failed.park(event, 0));
    let approval = company.instances().keys().next().unwrap().clone();
    let department = company.departments().keys().next_back().copied().unwrap();
    let api = Api::new(Arc::new(Mutex::new(company)), failed, ApiOptions::new(CLIENT, SECRET), clock);
    let token = json!({ "appKey": CLIENT, "appSecret": SECRET });
    let token: Value = serde_json::from_slice(&called(&api, "v1.0/oauth2/accessToken", "", &token).1).unwrap();
    let token = token["accessToken"].as_str().unwrap();
    let who = json!({ "userid": "user0001", "work_date": DAY });
    let dept = json!({ "dept_id": department, "cursor": 0, "size": 10 });
    let root = json!({ "dept_id": 1 });
    let days = json!({ "workDateFrom": "2026-09-21 00:00:00", "workDateTo": "2026-09-22 00:00:00", "offset": 0,
        "userIdList": ["user0001", "user0002"], "limit": 50, "isI18n": false });
    let punches = json!({ "checkDateFrom": "2026-09-21 00:00:00", "checkDateTo": "2026-09-22 00:00:00",
        "userIds": ["user0001"], "isI18n": false });
    let calls = [
        ("department", "topapi/v2/department/get", &dept),
        ("below", "topapi/v2/department/listsubid", &root),
        ("subs", "topapi/v2/department/listsub", &root),
        ("above", "topapi/v2/department/listparentbydept", &dept),
        ("member", "topapi/v2/user/get", &who),
        ("page", "topapi/v2/user/list", &dept),
        ("ids", "topapi/user/listid", &dept),
        ("places", "topapi/v2/department/listparentbyuser", &who),
        ("day", "topapi/attendance/getupdatedata", &who),
        ("results", "attendance/list", &days),
        ("punches", "attendance/listRecord", &punches),
        ("columns", "topapi/attendance/getattcolumns", &root),
        ("approval", "v1.0/workflow/processInstances", &Value::Null),
        ("failed", "call_back/get_call_back_failed_result", &Value::Null),
        ("approval", "topapi/no/such/interface", &root),
    ];
    let answer = |(name, path, body): (&str, &str, &Value)| {
        let query = format!("access_token={token}&processInstanceId={approval}");
        let (status, body) = called(&api, path, &query, body);
        [format!("{status} {name}\n").into_bytes(), body].concat()
    };
    calls.into_iter().map(answer).collect()
}

/// Status and body; `Null` is asked for with GET. The token is where each style wants it.
fn called(api: &Api, path: &str, query: &str, body: &Value) -> (u16, Vec<u8>) {
    let token = query.strip_prefix("access_token=").and_then(|rest| rest.split('&').next()).unwrap_or_default();
    let mut headers = Vec::new();
    if path.starts_with("v1.0/") {
        headers.push(("x-acs-dingtalk-access-token".to_owned(), token.to_owned()));
    }
    let (method, body) = if body.is_null() { ("GET", String::new()) } else { ("POST", body.to_string()) };
    let path = format!("/{path}");
    let call = Call {
        method,
        path: &path,
        query,
        headers: &headers,
        body: body.as_bytes(),
        peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    let answer = api.call(&call);
    (answer.status, answer.body)
}

fn events() -> Vec<Event> {
    let (_, mut events) = busy();
    events.truncate(EVENTS);
    events
}

/// A company, and all that it told, what is rare before what is not.
fn busy() -> (Company, Vec<Event>) {
    let options = CompanyOptions { corp_id: DING_CORP.to_owned(), ..CompanyOptions::default() };
    let mut company = Company::new(options);
    let told = things_happen(&mut company).unwrap();
    (company, told)
}

fn things_happen(company: &mut Company) -> Result<Vec<Event>, Illegal> {
    let hired = company.populate(3, 8)?;
    let midnight = time::midnight(DAY).unwrap_or_default();
    let mut told = Vec::new();
    for who in ["user0001", "user0002"] {
        let plans = company.schedule(who, DAY, &Shift::day())?;
        told.extend(company.punch(who, midnight + 9 * HOUR_MILLIS)?);
        told.extend(company.boss_edit(who, plans[1], TimeResult::Normal)?);
        told.extend(company.daily_summary(who, DAY)?);
        told.extend(company.write_overtime(who, DAY, 2)?);
    }
    told.extend(company.reschedule("user0002", DAY, &Shift::night())?);
    let (begin_ms, end_ms) = (midnight + 33 * HOUR_MILLIS, midnight + 42 * HOUR_MILLIS);
    for matter in [
        Matter::Leave { leave_type: "病假".to_owned(), begin_ms, end_ms },
        Matter::Overtime { workers: vec!["user0002".to_owned()], begin_ms, end_ms },
        Matter::Trip { begin_ms, end_ms },
        Matter::Outing { begin_ms, end_ms },
        Matter::Makeup { work_date: DAY.to_owned(), at_ms: midnight + 18 * HOUR_MILLIS },
        Matter::Other,
    ] {
        let (id, started) = company.start_approval("user0001", matter)?;
        told.extend(started);
        told.extend(company.comment(&id, "user0002", "同意")?);
        told.extend(company.decide(&id, Verdict::Agree)?);
    }
    told.extend(company.update_member("user0003", |member| member.title = "主任".to_owned())?);
    told.extend(company.set_admin("user0003", true)?);
    told.extend(company.leave("user0004")?);
    told.extend(hired);
    Ok(told)
}
