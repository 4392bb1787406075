use serde_json::json;

use super::*;

fn read(told: &Value) -> Option<Approval> {
    Approval::read(told.as_object().unwrap().clone())
}

/// A makeup, with the values of the sample (reference dingtalk 4.6).
fn makeup() -> Value {
    json!({
        "title": "张三提交的补卡申请", "createTime": "2026-09-21T01:10Z", "finishTime": "2026-09-21T01:26Z",
        "originatorUserId": "user0001", "originatorDeptId": "900000002", "originatorDeptName": "一车间",
        "status": "COMPLETED", "result": "agree", "businessId": "202609210001000000001", "bizAction": "NONE",
        "attachedProcessInstanceIds": [],
        "formComponentValues": [
            {"id": "DDDateField-TEST1", "name": "补卡时间", "componentType": "DDDateField", "value": "2026-09-20 18:00",
             "bizAlias": "userCheckTime",
             "extValue": "{\"planId\":5002,\"workDate\":1789833600000,\"timeStamp\":1789833600000,\"userCheckTime\":1789898400000}"},
            {"id": "TextareaField-TEST1", "name": "补卡理由", "componentType": "TextareaField", "value": "忘记打卡"},
            {"name": "repairCheckTime", "value": "1789898400000"}],
        "tasks": [{"taskId": 811_165_001, "userId": "manager0001", "mobileUrl": "https://m", "pcUrl": "https://p"}],
        "operationRecords": []
    })
}

fn form(components: &Value) -> Vec<(String, String)> {
    let told = json!({"status": "COMPLETED", "originatorUserId": "boss", "formComponentValues": components});
    read(&told).unwrap().days
}

fn days(who: &[&str], dates: &[&str]) -> Vec<(String, String)> {
    who.iter().flat_map(|&who| dates.iter().map(move |&date| (who.to_owned(), date.to_owned()))).collect()
}

fn millis(text: &str) -> i64 {
    UnixMillis::from_rfc3339(text).unwrap().0
}

#[test]
fn an_approval_in_full() {
    let approval = read(&makeup()).unwrap();
    let texts = [Field::Subject, Field::Applicant, Field::Status, Field::Result].map(|f| approval.fields.text(f));
    assert_eq!(texts, ["张三提交的补卡申请", "user0001", "completed", "agree"].map(Some));
    assert!(approval.is_agreed() && approval.attached.is_empty() && approval.main.is_none());
    let details: Value = serde_json::from_str(approval.fields.text(Field::Details).unwrap()).unwrap();
    let mut expected = makeup();
    expected["tasks"] = json!([{"taskId": 811_165_001, "userId": "manager0001"}]);
    assert_eq!(details, expected);
}

#[test]
fn how_it_stands_is_told_in_our_words() {
    for (status, result, expected) in [
        ("NEW", "agree", Some(["running", "none"])),
        ("RUNNING", "", Some(["running", "none"])),
        ("COMPLETED", "refuse", Some(["completed", "refuse"])),
        ("COMPLETED", "", Some(["completed", "none"])),
        ("TERMINATED", "agree", Some(["terminated", "none"])),
        ("CANCELED", "", Some(["terminated", "none"])),
        ("SOMETHING", "agree", None),
    ] {
        let told = read(&json!({"status": status, "result": result}));
        let words =
            told.as_ref().map(|told| [Field::Status, Field::Result].map(|field| told.fields.text(field).unwrap()));
        assert_eq!(words, expected, "{status}");
        assert!(!told.is_some_and(|told| told.is_agreed()));
    }
    assert_eq!(read(&json!({"title": "x"})), None);
}

#[test]
fn edits_and_what_they_edit_are_told() {
    let told = json!({"status": "COMPLETED", "attachedProcessInstanceIds": ["a", "b"], "mainProcessInstanceId": "m"});
    let approval = read(&told).unwrap();
    assert_eq!((approval.attached, approval.main.as_deref()), (vec!["a".to_owned(), "b".to_owned()], Some("m")));
}

#[test]
fn what_callbacks_told_of_times_stands() {
    let approval = read(&makeup()).unwrap();
    let times = |known: &Fields| {
        let fields = approval.fields_beside(known);
        [Field::StartedAt, Field::FinishedAt].map(|field| fields.number(field))
    };
    let finished = Some(millis("2026-09-21T01:26:00Z"));
    assert_eq!(times(&Fields::new()), [Some(millis("2026-09-21T01:10:00Z")), finished]);
    let started = Fields::new().with(Field::StartedAt, millis("2026-09-21T01:10:07.250Z"));
    assert_eq!(times(&started), [None, finished]);
    assert_eq!(times(&started.clone().with(Field::FinishedAt, millis("2026-09-21T01:26:40Z"))), [None, None]);
    // Eight hours before what it says: it says what clocks in China show.
    let china = Fields::new().with(Field::StartedAt, millis("2026-09-20T17:10:59.999Z"));
    assert_eq!(times(&china), [None, Some(millis("2026-09-20T17:26:00Z"))]);
    assert_eq!(approval.fields_beside(&china).text(Field::Status), Some("completed"));
}

#[test]
fn a_makeup_is_of_the_day_that_it_counts_to_and_of_the_day_of_the_punch() {
    let both = days(&["user0001"], &["2026-09-20"]);
    assert_eq!(read(&makeup()).unwrap().days, both);
    // Of a night shift.
    let extra = json!({"workDate": millis("2026-09-19T16:00:00Z"), "userCheckTime": millis("2026-09-20T21:58:00Z")});
    let at = "2026-09-21 05:58";
    let told = json!([{"name": "补卡时间", "value": at, "extValue": extra.to_string()},
                      {"name": "repairCheckTime", "value": millis("2026-09-20T21:58:00Z").to_string()}]);
    assert_eq!(form(&told), days(&["boss"], &["2026-09-20", "2026-09-21"]));
    let untold =
        json!([{"bizAlias": "userCheckTime", "name": "时间", "value": at, "extValue": "{\"planText\":\"x\"}"}]);
    assert_eq!(form(&untold), days(&["boss"], &["2026-09-20", "2026-09-21"]), "it may be of the night");
    let noon = json!([{"bizAlias": "userCheckTime", "value": "2026-09-21 12:00"}]);
    assert_eq!(form(&noon), days(&["boss"], &["2026-09-21"]));
}

#[test]
fn a_leave_is_of_all_its_days_in_every_unit() {
    for (first, last) in
        [("2026-09-22 09:00", "2026-09-24 18:00"), ("2026-09-22", "2026-09-24"), ("2026-09-22 上午", "2026-09-24 下午")]
    {
        let value = json!([first, last, 3, "day", "年假", "请假类型"]).to_string();
        let told = json!([{"name": "[\"开始时间\",\"结束时间\"]", "componentType": "DDHolidayField", "value": value}]);
        assert_eq!(form(&told), days(&["boss"], &["2026-09-22", "2026-09-23", "2026-09-24"]), "{first}");
    }
    let value = json!(["2026-09-22 22:00", "2026-09-22 23:00", 1, "hour", "事假", "请假类型"]).to_string();
    let extra = json!({"detailList": [{"workDate": millis("2026-09-20T16:00:00Z")}, {"workDate": null}, 7]});
    let told = json!([{"componentType": "DDHolidayField", "value": value, "extValue": extra.to_string()}]);
    assert_eq!(form(&told), days(&["boss"], &["2026-09-21", "2026-09-22"]), "the platform reckons it to another day");
}

#[test]
fn overtime_is_of_the_people_in_the_form() {
    let people = json!([{"emplId": "user0001", "name": "张三"}, {"emplId": "user0002", "name": "李四"}]);
    let expected = days(&["user0001", "user0002"], &["2026-09-26", "2026-09-27"]);
    let one = json!([
        {"componentName": "InnerContactField", "props": {"id": "a", "label": "加班人", "bizAlias": "partner"},
         "value": "张三,李四", "extValue": people.to_string()},
        {"componentName": "DDDateField", "props": {"id": "b", "label": "开始时间", "bizAlias": "startTime"},
         "value": "2026-09-26 18:00"},
        {"componentName": "DDDateField", "props": {"id": "c", "label": "结束时间", "bizAlias": "finishTime"},
         "value": "2026-09-27 02:00"}]);
    let other = json!([
        {"key": "a", "label": "加班人", "bizAlias": "partner", "value": "[\"user0001\",\"user0002\",\"张三\"]"},
        {"key": "c", "label": "结束时间", "bizAlias": "finishTime", "value": "2026-09-27 02:00", "extendValue": ""},
        {"key": "b", "label": "开始时间", "bizAlias": "startTime", "value": "2026-09-26 18:00"}]);
    for children in [one, other] {
        let told = json!([{"name": "加班套件", "componentType": "DDBizSuite", "value": children.to_string()}]);
        assert_eq!(form(&told), expected, "{children}");
        assert_eq!(form(&children), expected, "flattened: {children}");
    }
}

#[test]
fn trips_are_of_each_row_of_their_table() {
    let row = |from: &str, to: &str| json!([{"name": "开始时间", "value": from}, {"name": "结束时间", "value": to}]);
    let submitted = json!([row("2026-09-01", "2026-09-02"), row("2026-09-05 上午", "2026-09-05 下午")]);
    let read_back = json!([{"rowNumber": "1", "rowValue": row("2026-09-01", "2026-09-02")},
                           {"rowNumber": "2", "rowValue": row("2026-09-05 上午", "2026-09-05 下午")}]);
    for table in [submitted, read_back] {
        let children =
            json!([{"componentName": "TableField", "props": {"bizAlias": "itinerary"}, "value": table.to_string()}]);
        let told = json!([{"componentType": "DDBizSuite", "value": children.to_string()}]);
        assert_eq!(form(&told), days(&["boss"], &["2026-09-01", "2026-09-02", "2026-09-05"]), "{table}");
    }
}

#[test]
fn a_form_about_something_else_is_of_no_day() {
    let told = json!([
        {"name": "开始时间", "componentType": "DDDateField", "value": "2026-09-21"},
        {"name": "采购明细", "componentType": "TableField", "value": "[[{\"name\":\"日期\",\"value\":\"2026-09-21\"}]]"},
        {"name": "金额", "value": "100"}]);
    assert!(form(&told).is_empty());
    for odd in [json!([]), json!(null), json!({}), json!("x"), json!([null, 7, "x", [], {}])] {
        assert!(form(&odd).is_empty(), "{odd}");
    }
}

#[test]
fn however_long_and_deep_a_form_is_its_days_are_bounded() {
    let value = json!(["2020-01-01", "9999-12-31", 1, "day", "产假", "请假类型"]).to_string();
    assert_eq!(form(&json!([{"componentType": "DDHolidayField", "value": value}])).len(), 62);
    let people: Vec<String> = (0..1000).map(|number| format!("u{number}")).collect();
    let told = json!([{"componentType": "DDHolidayField", "value": value},
                      {"bizAlias": "partner", "value": json!(people).to_string()}]);
    assert_eq!(form(&told).len(), 62 * 200);
    let mut deep = json!([{"bizAlias": "startTime", "value": "2026-09-21"}]);
    for _ in 0..5 {
        deep = json!([{"componentType": "DDBizSuite", "value": deep.to_string()}]);
    }
    assert!(form(&deep).is_empty());
    let nested = json!([[[[[[[[{"bizAlias": "startTime", "value": "2026-09-21"}]]]]]]]]);
    assert!(form(&nested).is_empty());
}
