//! How failures are spelled (reference dingtalk 5.3).

use super::*;

const BAD: &str = "no-such-token";

fn without_id(answer: &Answer) -> Value {
    let mut body = parsed(answer);
    let members = body.as_object_mut().expect("an object");
    for name in ["request_id", "requestid"] {
        if let Some(id) = members.remove(name) {
            assert!(id.as_str().is_some_and(|id| id.len() > 8), "{id}");
        }
    }
    body
}

#[test]
fn a_bad_token_is_wrapped_below_topapi_bare_elsewhere_and_a_word_in_new_style() {
    let stage = Stage::new();
    let topapi = stage.call_with(BAD, Interface::UserGet, &[], &json!({ "userid": "x" }));
    assert_eq!(topapi.status, 200);
    assert!(parsed(&topapi)["request_id"].is_string());
    let wrapped = json!({
        "errcode": 88,
        "sub_code": "40014",
        "sub_msg": "不合法的access_token",
        "errmsg": "ding talk error[subcode=40014,submsg=不合法的access_token]",
    });
    assert_eq!(without_id(&topapi), wrapped);

    let plain = stage.call_with(BAD, Interface::AttendanceResults, &[], &json!({}));
    assert_eq!(plain.status, 200);
    assert_eq!(parsed(&plain), json!({ "errcode": 40014, "errmsg": "不合法的access_token" }));

    let new = stage.call_with(BAD, Interface::Approval, &[("processInstanceId", "x")], &json!({}));
    assert_eq!(new.status, 400);
    assert!(parsed(&new)["requestid"].as_str().is_some_and(|id| id == id.to_uppercase() && id.len() == 36));
    assert_eq!(without_id(&new), json!({ "code": "InvalidAuthentication", "message": "不合法的access_token" }));
}

#[test]
fn a_token_is_found_only_where_the_style_expects_it() {
    let stage = Stage::new();
    let token = stage.token();
    let header = [("x-acs-dingtalk-access-token", token.as_str())];
    let path = format!("/{}", Interface::UserGet);
    let answer = without_id(&stage.send("POST", &path, "", &header, "{}"));
    assert_eq!((answer["errcode"].as_i64(), answer["sub_code"].as_str()), (Some(88), Some("40000")));
    assert_eq!(answer["sub_msg"], "access_token is blank");

    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("access_token={token}&userid={}", stage.people[0]);
    assert_eq!(code(&parsed(&stage.send("POST", &path, "", &form, &body))), 0);
    let body = format!("access_token={BAD}&userid=x");
    assert_eq!(code(&parsed(&stage.send("POST", &path, "", &form, &body))), 40014);

    let path = format!("/{}", Interface::Approval);
    let bearer = format!("Bearer {token}");
    for (query, headers) in [
        (format!("access_token={token}&processInstanceId=x"), Vec::new()),
        ("processInstanceId=x".to_owned(), vec![("authorization", bearer.as_str())]),
    ] {
        let answer = stage.send("GET", &path, &query, &headers, "");
        assert_eq!(answer.status, 400);
        let missing = "缺少参数：x-acs-dingtalk-access-token";
        let expected = json!({ "code": "AuthenticationFailed.MissingParameter", "message": missing });
        assert_eq!(without_id(&answer), expected);
    }
}

#[test]
fn what_is_not_there_is_said_with_status_200() {
    let stage = Stage::new();
    let topapi = stage.send("POST", "/topapi/v2/user/notexist", "", &[], "{}");
    let name = "不合法ApiName，ApiName = dingtalk.oapi.v2.user.notexist";
    let expected = json!({ "errcode": 22, "sub_msg": name, "errmsg": format!("Invalid method[submsg={name}]") });
    assert_eq!((topapi.status, without_id(&topapi)), (200, expected));
    for (method, path) in
        [("GET", "/v1.0/nothing"), ("POST", "/gettoken"), ("GET", "/"), ("POST", "/oauth2/accessToken")]
    {
        let answer = stage.send(method, path, "", &[], "");
        let expected = json!({ "errcode": 404, "errmsg": "请求的URI地址不存在" });
        assert_eq!((answer.status, parsed(&answer)), (200, expected), "{path}");
    }
    assert_eq!(stage.api.unknown(), 5);
}

#[test]
fn a_missing_permission_and_an_address_that_is_not_listed_are_told_by_the_gate() {
    let stage = Stage::new().with(|options| {
        let app = options.app_mut(CLIENT).expect("it");
        app.lacks = [Interface::UserGet, Interface::Approval].into();
    });
    let token = stage.token();
    let old = parsed(&stage.call_with(&token, Interface::UserGet, &[], &json!({ "userid": "x" })));
    assert_eq!((old["errcode"].as_i64(), old["sub_code"].as_str()), (Some(88), Some("60011")));
    assert!(old["sub_msg"].as_str().expect("a text").contains("qyapi_get_member"));
    let new = stage.call_with(&token, Interface::Approval, &[("processInstanceId", "x")], &json!({}));
    assert_eq!(new.status, 403);
    assert_eq!(parsed(&new)["code"], "Forbidden.AccessDenied.AccessTokenPermissionDenied");
    assert!(parsed(&new)["message"].as_str().expect("a text").contains("Workflow.Instance.Read"));

    stage.api.configure(|options| {
        options.app_mut(CLIENT).expect("it").trusted = Some([IpAddr::V4(Ipv4Addr::LOCALHOST)].into())
    });
    let old = parsed(&stage.call_with(&token, Interface::DepartmentGet, &[], &json!({ "dept_id": 1 })));
    assert_eq!(code(&old), 60020);
    assert!(old["sub_msg"].as_str().expect("a text").contains("203.0.113.7"));
    let new = stage.call_with(&token, Interface::ApprovalIds, &[], &json!({}));
    assert_eq!(parsed(&new)["code"], "Forbidden.AccessDenied.IpNotInWhiteList");
}

#[test]
fn the_inner_code_may_be_a_number() {
    let stage = Stage::new().with(|options| options.numeric_sub_codes = true);
    let answer = parsed(&stage.call_with(BAD, Interface::UserGet, &[], &json!({ "userid": "x" })));
    assert_eq!(answer["sub_code"], json!(40014));
}

#[test]
fn the_platforms_clock_may_be_ahead() {
    let stage = Stage::new().with(|options| options.skew_ms = 90_000);
    assert_eq!(stage.api.platform_ms(), stage.now_ms() + 90_000);
}
