//! Forms of approvals as the API shows them (reference dingtalk 4.6).

use serde_json::{Value, json};

use super::super::time;
use super::{Company, Component, LeaveUnit, Matter};

/// The template.
pub(super) fn process_code(matter: &Matter) -> &'static str {
    match matter {
        Matter::Leave { .. } => "PROC-LEAVE-0001",
        Matter::Overtime { .. } => "PROC-OVERTIME-0001",
        Matter::Trip { .. } => "PROC-TRIP-0001",
        Matter::Outing { .. } => "PROC-OUTING-0001",
        Matter::Makeup { .. } => "PROC-MAKEUP-0001",
        Matter::Other => "PROC-OTHER-0001",
    }
}

/// The business category; leave has none (reference dingtalk 3.5).
pub(super) fn category(matter: &Matter) -> &'static str {
    match matter {
        Matter::Overtime { .. } => "attendance.batchovertime",
        Matter::Trip { .. } => "alitrip.business",
        Matter::Outing { .. } => "attendance.goout",
        Matter::Makeup { .. } => "attendance.supply",
        Matter::Leave { .. } | Matter::Other => "",
    }
}

/// `approveType` of the other event; makeups have none. TRAVEL and OUT are as the documentation labels them.
pub(super) fn approve_type(matter: &Matter) -> Option<&'static str> {
    match matter {
        Matter::Leave { .. } => Some("LEAVE"),
        Matter::Overtime { .. } => Some("OVERTIME"),
        Matter::Outing { .. } => Some("TRAVEL"),
        Matter::Trip { .. } => Some("OUT"),
        Matter::Makeup { .. } | Matter::Other => None,
    }
}

/// How a title names it.
pub(super) fn title(matter: &Matter) -> &'static str {
    match matter {
        Matter::Leave { .. } => "请假",
        Matter::Overtime { .. } => "加班",
        Matter::Trip { .. } => "出差",
        Matter::Outing { .. } => "外出",
        Matter::Makeup { .. } => "补卡申请",
        Matter::Other => "采购申请",
    }
}

/// The filled form: one dialect for each kind, so that all of them occur.
pub(super) fn components(company: &Company, originator: &str, matter: &Matter) -> Vec<Component> {
    match matter {
        Matter::Leave { leave_type, begin_ms, end_ms } => vec![holiday(company, leave_type, *begin_ms, *end_ms)],
        Matter::Overtime { workers, begin_ms, end_ms } => vec![overtime(company, workers, *begin_ms, *end_ms)],
        Matter::Trip { begin_ms, end_ms } => vec![trip(company, originator, *begin_ms, *end_ms)],
        Matter::Outing { begin_ms, end_ms } => outing(*begin_ms, *end_ms),
        Matter::Makeup { work_date, at_ms } => makeup(company, originator, work_date, *at_ms),
        Matter::Other => vec![component("TextField", "事由", "采购办公用品", "")],
    }
}

fn component(kind: &str, name: &str, value: &str, biz_alias: &str) -> Component {
    Component {
        id: format!("{kind}-{}", if biz_alias.is_empty() { "TEST1" } else { biz_alias }),
        name: name.to_owned(),
        value: value.to_owned(),
        ext_value: String::new(),
        component_type: kind.to_owned(),
        biz_alias: biz_alias.to_owned(),
    }
}

fn hours(begin_ms: i64, end_ms: i64) -> f64 {
    (end_ms - begin_ms) as f64 / 3_600_000.0
}

fn days(begin_ms: i64, end_ms: i64) -> f64 {
    ((end_ms - begin_ms + time::DAY_MS - 1) / time::DAY_MS) as f64
}

/// 请假: one component whose value is an array in a text.
fn holiday(company: &Company, leave_type: &str, begin_ms: i64, end_ms: i64) -> Component {
    let known = company.leave_types.iter().find(|known| known.name == leave_type);
    let unit = known.map_or(LeaveUnit::Hour, |known| known.unit);
    let code = known.map(|known| known.code.as_str()).unwrap_or_default();
    // A day or a half that ends at midnight is the one before.
    let (from, to) = (unit.written(begin_ms), unit.written(if unit == LeaveUnit::Hour { end_ms } else { end_ms - 1 }));
    let duration = match unit {
        LeaveUnit::Hour => hours(begin_ms, end_ms),
        LeaveUnit::HalfDay => (hours(begin_ms, end_ms) / 12.0).ceil() / 2.0,
        LeaveUnit::Day => days(begin_ms, end_ms),
    };
    let first = time::midnight(&time::date(begin_ms)).unwrap_or(begin_ms);
    let dates = std::iter::successors(Some(first), |midnight_ms| Some(midnight_ms + time::DAY_MS));
    let details: Vec<Value> = dates.take_while(|day| *day < end_ms).map(|day| json!({"workDate": day})).collect();
    let extension = json!({"tag": leave_type}).to_string();
    let ext_value = json!({"durationInDay": days(begin_ms, end_ms), "durationInHour": hours(begin_ms, end_ms),
        "unit": unit.name(), "pushTag": "请假", "detailList": details, "compressedValue": "", "key": code,
        "extension": extension});
    Component {
        id: "DDHolidayField-TEST1".to_owned(),
        name: json!(["开始时间", "结束时间"]).to_string(),
        value: json!([from, to, duration, unit.name(), leave_type, "请假类型"]).to_string(),
        ext_value: ext_value.to_string(),
        component_type: "DDHolidayField".to_owned(),
        biz_alias: String::new(),
    }
}

/// 加班: a suite of the newer dialect, for people who need not be the originator.
fn overtime(company: &Company, workers: &[String], begin_ms: i64, end_ms: i64) -> Component {
    let child = |kind: &str, alias: &str, label: &str, value: String, ext_value: String| {
        json!({"componentName": kind, "componentType": kind, "value": value, "extValue": ext_value,
            "props": {"id": format!("{kind}-{alias}"), "label": label, "bizAlias": alias}})
    };
    let (names, contacts) = people(company, workers);
    let children = json!([
        child("InnerContactField", "partner", "加班人", names, contacts),
        child("DDDateField", "startTime", "开始时间", time::minute(begin_ms), String::new()),
        child("DDDateField", "finishTime", "结束时间", time::minute(end_ms), String::new()),
        child("NumberField", "duration", "时长", hours(begin_ms, end_ms).to_string(), String::new()),
        child("DDSelectField", "compensation", "加班补偿", "转调休".to_owned(), String::new()),
    ]);
    component("DDBizSuite", "加班套件", &children.to_string(), "attendance.batchovertime")
}

/// 出差: a suite of the older dialect.
fn trip(company: &Company, originator: &str, begin_ms: i64, end_ms: i64) -> Component {
    let child = |kind: &str, alias: &str, label: &str, value: String, ext_value: String| {
        json!({"key": format!("{kind}-{alias}"), "label": label, "value": value, "bizAlias": alias,
            "extendValue": ext_value})
    };
    let (names, contacts) = people(company, &[originator.to_owned()]);
    let last_ms = end_ms - 1;
    let children = json!([
        child("InnerContactField", "traveler", "出行人", names, contacts),
        child("DDDateField", "startTime", "开始时间", time::date(begin_ms), String::new()),
        child("DDDateField", "finishTime", "结束时间", time::date(last_ms), String::new()),
        child("NumberField", "duration", "时长", days(begin_ms, end_ms).to_string(), String::new()),
    ]);
    component("DDBizSuite", "出差套件", &children.to_string(), "alitrip.business")
}

/// 外出: a suite whose children come directly.
fn outing(begin_ms: i64, end_ms: i64) -> Vec<Component> {
    vec![
        component("DDDateField", "开始时间", &time::minute(begin_ms), "startTime"),
        component("DDDateField", "结束时间", &time::minute(end_ms), "finishTime"),
        component("NumberField", "时长", &hours(begin_ms, end_ms).to_string(), "duration"),
    ]
}

/// 补卡: a flattened suite, with what the server adds. The work date may be the day before.
fn makeup(company: &Company, originator: &str, work_date: &str, at_ms: i64) -> Vec<Component> {
    let day = company.day(originator, work_date);
    let plan = day.and_then(|day| super::matching::nearest(&day.plans, at_ms));
    let midnight_ms = time::midnight(work_date).unwrap_or_default();
    let mut ext_value = json!({"workDate": midnight_ms, "timeStamp": midnight_ms, "planText": time::minute(at_ms),
        "planTip": "补卡", "userCheckTime": at_ms});
    if let (Some(plan), Some(told)) = (plan, ext_value.as_object_mut()) {
        told.insert("planId".to_owned(), json!(plan.id));
        told.insert("planText".to_owned(), json!(time::minute(plan.planned_ms)));
    }
    let date = component("DDDateField", "补卡时间", &time::minute(at_ms), "userCheckTime");
    let added = Component { id: String::new(), ..component("", "repairCheckTime", &at_ms.to_string(), "") };
    vec![
        Component { ext_value: ext_value.to_string(), ..date },
        component("TextareaField", "补卡理由", "忘记打卡", ""),
        added,
    ]
}

/// Names, and who they are, both as arrays in a text.
fn people(company: &Company, userids: &[String]) -> (String, String) {
    let name = |userid: &String| company.member(userid).map(|member| member.name.as_str()).unwrap_or_default();
    let names: Vec<&str> = userids.iter().map(name).collect();
    let contacts = userids.iter().map(|userid| json!({"emplId": userid, "name": name(userid), "avatar": ""}));
    (json!(names).to_string(), Value::Array(contacts.collect()).to_string())
}
