//! Tokens.

use super::*;

fn by_old(stage: &Stage, client: &str, secret: &str) -> Value {
    parsed(&stage.send("GET", "/gettoken", &format!("appkey={client}&appsecret={secret}"), &[], ""))
}

fn by_new(stage: &Stage, client: &str, secret: &str) -> (u16, Value) {
    let body = json!({ "appKey": client, "appSecret": secret }).to_string();
    let answer = stage.send("POST", "/v1.0/oauth2/accessToken", "", &[("content-type", "application/json")], &body);
    (answer.status, parsed(&answer))
}

fn by_unified(stage: &Stage, corp: &str, body: &Value) -> (u16, Value) {
    let answer = stage.send("POST", &format!("/v1.0/oauth2/{corp}/token"), "", &[], &body.to_string());
    (answer.status, parsed(&answer))
}

fn corp() -> String {
    CompanyOptions::default().corp_id
}

fn unified_body(secret: &str) -> Value {
    json!({ "client_id": CLIENT, "client_secret": secret, "grant_type": "client_credentials" })
}

#[test]
fn all_three_interfaces_give_the_same_token_while_it_lives_and_each_asking_extends_it() {
    let stage = Stage::new();
    let old = by_old(&stage, CLIENT, SECRET);
    assert_eq!((old["errcode"].as_i64(), old["expires_in"].as_i64()), (Some(0), Some(7200)));
    stage.clock.advance(Duration::from_secs(7199));
    let (_status, new) = by_new(&stage, CLIENT, SECRET);
    assert_eq!((&new["accessToken"], new["expireIn"].as_i64()), (&old["access_token"], Some(7200)));
    stage.clock.advance(Duration::from_secs(7199));
    let (_status, unified) = by_unified(&stage, &corp(), &unified_body(SECRET));
    assert_eq!((&unified["access_token"], unified["expires_in"].as_i64()), (&old["access_token"], Some(7200)));
    stage.clock.advance(Duration::from_secs(7200));
    assert_ne!(by_old(&stage, CLIENT, SECRET)["access_token"], old["access_token"]);
    assert_eq!(stage.api.tokens_issued(), 2);
}

#[test]
fn wrong_credentials_are_refused_in_the_words_of_each_interface() {
    let stage = Stage::new();
    let old = by_old(&stage, CLIENT, "wrong");
    assert_eq!(old, json!({ "errcode": 40096, "errmsg": "不合法的appKey或appSecret" }));
    let (status, new) = by_new(&stage, "nobody", SECRET);
    assert_eq!((status, new["code"].as_str()), (400, Some("invalidClientIdOrSecret")));
    assert_eq!(new["message"], "无效的clientId或者clientSecret");
    let (status, unified) = by_unified(&stage, &corp(), &unified_body("wrong"));
    assert_eq!((status, unified["code"].as_str()), (400, Some("invalid.client")));
    let (status, unified) = by_unified(&stage, "ding0000other", &unified_body(SECRET));
    assert_eq!((status, unified["code"].as_str()), (500, Some("unknownError")));
    let body = json!({ "client_id": CLIENT, "client_secret": SECRET, "grant_type": "password" });
    let (status, unified) = by_unified(&stage, &corp(), &body);
    assert_eq!((status, unified["code"].as_str()), (400, Some("unsupported.grant.type")));
}

#[test]
fn credentials_in_a_form_are_not_read() {
    let stage = Stage::new();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let pair = format!("appkey={CLIENT}&appsecret={SECRET}");
    assert_eq!(code(&parsed(&stage.send("GET", "/gettoken", "", &form, &pair))), 40035);
    let pair = format!("appKey={CLIENT}&appSecret={SECRET}");
    let answer = stage.send("POST", "/v1.0/oauth2/accessToken", "", &form, &pair);
    assert_eq!((answer.status, parsed(&answer)["code"].as_str()), (400, Some("Missingbody")));
}

#[test]
fn a_token_dies_with_its_time_with_its_secret_and_early_when_it_is_killed() {
    let stage = Stage::new();
    let ask = |token: &str| {
        let answer = stage.call_with(token, Interface::UserGet, &[], &json!({ "userid": stage.people[0] }));
        code(&parsed(&answer))
    };
    let token = stage.token();
    assert_eq!(ask(&token), 0);
    stage.api.kill_tokens(Some("another app"));
    assert_eq!(ask(&token), 0);
    stage.api.kill_tokens(Some(CLIENT));
    assert_eq!(ask(&token), 40014);

    let token = stage.token();
    stage.clock.advance(Duration::from_secs(7200));
    assert_eq!(ask(&token), 42001);

    let token = stage.token();
    stage.api.configure(|options| options.app_mut(CLIENT).expect("it").client_secret = "changed".to_owned());
    assert_eq!(ask(&token), 40014);
    assert!(stage.api.knows(CLIENT, "changed") && !stage.api.knows(CLIENT, SECRET));
}

#[test]
fn a_token_may_die_after_a_number_of_calls() {
    let stage = Stage::new().with(|options| options.token_calls = Some(2));
    let token = stage.token();
    let body = json!({ "dept_id": 1 });
    let codes: Vec<i64> =
        (0..3).map(|_call| code(&parsed(&stage.call_with(&token, Interface::DepartmentGet, &[], &body)))).collect();
    assert_eq!(codes, [0, 0, 40014]);
    assert_ne!(stage.token(), token);
}
