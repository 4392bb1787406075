//! How many accounts there may be, and the rest of what a creation may say.

use super::*;

const DAY_MS: i64 = 86_400_000;

fn create(stage: &Stage, number: u32, more: &Value) -> i64 {
    let mobile = format!("139{number:08}");
    let mut body = json!({"userid": format!("new{number}"), "name": "新", "mobile": mobile, "department": [2]});
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more.clone());
    }
    code(&stage.write(Interface::UserCreate, &body))
}

fn dismiss(stage: &Stage, number: u32) {
    let id = format!("new{number}");
    assert_eq!(code(&stage.get(Identity::Contact, Interface::UserDelete, &[("userid", &id)])), 0);
}

#[test]
fn three_times_the_headcount_may_be_created_in_a_month_and_one_more_closes_it_for_another() {
    let stage = Stage::small().with(|options| options.account_limit = Some(4));
    for number in 0..12 {
        assert_eq!(create(&stage, number, &Value::Null), 0, "{number}");
        dismiss(&stage, number);
    }
    assert_eq!(create(&stage, 12, &Value::Null), 45009);
    stage.pass_ms(30 * DAY_MS - 1);
    assert_eq!(create(&stage, 12, &Value::Null), 45009);
    assert_eq!(code(&stage.get(Identity::Contact, Interface::DepartmentSimpleList, &[])), 0, "another interface");
    stage.pass_ms(1);
    assert_eq!(create(&stage, 12, &Value::Null), 0);
    assert_eq!(create(&stage, 13, &Value::Null), 45024, "the headcount has a limit of its own");
}

#[test]
fn who_was_created_is_known_also_where_no_answer_told_it() {
    let stage = Stage::small();
    create(&stage, 1, &json!({"to_invite": false}));
    stage.api.fail(Fault::new(Trouble::CutAfter).on(Interface::UserCreate).times(1));
    let query = stage.token_query(Identity::Contact);
    let body = json!({"userid": "New2", "name": "新", "mobile": "13900000002"}).to_string();
    assert_eq!(stage.call(Interface::UserCreate, &query, body.as_bytes()).delivery, Delivery::Cut);
    assert_eq!(create(&stage, 2, &Value::Null), 60102);
    assert_eq!(stage.api.created(), ["new1", "new2"]);
    assert_eq!(stage.api.invited(), ["new2"]);
}

#[test]
fn a_business_mail_address_needs_business_mail_and_is_unique() {
    let stage = Stage::small().with(|options| options.app_mut(AGENT).expect("the app").era = Era::Old);
    let mail = json!({"biz_mail": "new@mail.corp.example"});
    assert_eq!(create(&stage, 1, &mail), 60143);
    stage.api.configure(|options| options.business_mail = true);
    assert_eq!(create(&stage, 1, &json!({"biz_mail": "new"})), 60141);
    assert_eq!(create(&stage, 1, &mail), 0);
    assert_eq!(create(&stage, 2, &json!({"biz_mail": "NEW@mail.corp.example"})), 60145);
    let told = stage.get(Identity::App(AGENT), Interface::UserGet, &[("userid", "new1")]);
    assert_eq!(told["biz_mail"], "new@mail.corp.example");
    let again = json!({"userid": "new1", "biz_mail": "new@mail.corp.example"});
    assert_eq!(code(&stage.write(Interface::UserUpdate, &again)), 0, "it is its own");
    dismiss(&stage, 1);
    assert_eq!(create(&stage, 2, &mail), 0, "it is free");
}

#[test]
fn attributes_of_the_web_portraits_and_outside_positions_have_rules() {
    let stage = Stage::small();
    let attribute = |attribute: Value| json!({"extattr": {"attrs": [attribute]}});
    let web =
        |url: &str, title: &str| attribute(json!({"type": 1, "name": "工号", "web": {"url": url, "title": title}}));
    let cases = [
        (40035, web("ftp://p.example/1", "个人页")),
        (40035, web("https://p.example/1", "一二三四五六七八九十一二三")),
        (40035, attribute(json!({"type": 0, "name": "工号", "text": {"value": "长".repeat(65)}}))),
        (40035, json!({"external_position": "一二三四五六七八九十一二三"})),
        (301_015, json!({"avatar_mediaid": "media-1"})),
        (0, web("https://p.example/1", "个人页")),
    ];
    for (expected, more) in cases {
        assert_eq!(create(&stage, 1, &more), expected, "{more}");
    }
    let attributes = stage.api.company().member("new1").expect("the member").attributes.clone();
    assert_eq!(attributes.get("工号").map(String::as_str), Some("https://p.example/1"));
}
