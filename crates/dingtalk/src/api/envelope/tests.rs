use super::*;

const OLD: Asked = Asked {
    api: "topapi/v2/user/get",
    style: Style::Old,
    with_secret: false,
    asked_at: UnixMillis(1_788_400_799_000),
    now: UnixMillis(1_788_400_800_000),
};
const NEW: Asked = Asked { api: "v1.0/workflow/processInstances", style: Style::New, ..OLD };

/// What is wrong with an answer: its label.
fn wrong(asked: Asked, status: u16, body: &str) -> &'static str {
    asked.sort(status, body.as_bytes()).map_or_else(|error| error.label(), |()| "ok")
}

fn refused(asked: Asked, status: u16, body: &str) -> (Code, Meaning, Detail) {
    match asked.sort(status, body.as_bytes()) {
        Err(ApiError::Answered { code, meaning, detail, .. }) => (code, meaning, detail),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_envelopes_of_the_reference_are_what_they_are() {
    let cases = [
        (
            OLD,
            200,
            r#"{"errcode":88,"sub_code":"40014","sub_msg":"不合法的access_token",
                "errmsg":"ding talk error[subcode=40014,submsg=不合法的access_token]","request_id":"16l4"}"#,
            "token_dead",
        ),
        (OLD, 200, r#"{"errcode":40014,"errmsg":"不合法的access_token"}"#, "token_dead"),
        (OLD, 200, r#"{"errcode":88,"sub_code":"40000","sub_msg":"access_token is blank"}"#, "token_dead"),
        (
            OLD,
            200,
            r#"{"errcode":22,"sub_msg":"不合法ApiName，ApiName = dingtalk.oapi.v2.user.notexist",
                "errmsg":"Invalid method","request_id":"15r6"}"#,
            "invalid",
        ),
        (OLD, 200, r#"{"errcode":404,"errmsg":"请求的URI地址不存在"}"#, "invalid"),
        (NEW, 200, r#"{"errcode":404,"errmsg":"请求的URI地址不存在"}"#, "invalid"),
        (
            NEW,
            400,
            r#"{"code":"InvalidAuthentication","requestid":"01A08FE7","message":"不合法的access_token"}"#,
            "token_dead",
        ),
        (
            NEW,
            400,
            r#"{"code":"AuthenticationFailed.MissingParameter","requestid":"01A0","message":"缺少参数"}"#,
            "token_dead",
        ),
        (NEW, 403, r#"{"code":"Forbidden.AccessDenied.QpsLimitForAppkeyAndApi","message":"x"}"#, "throttled"),
        (NEW, 403, r#"{"code":"Forbidden.AccessDenied.ApiCountLimitForOrg","message":"x"}"#, "quota"),
        (OLD, 200, r#"{"errcode":88,"sub_code":90018,"sub_msg":"x"}"#, "throttled"),
        (OLD, 200, r#"{"errcode":90020,"errmsg":"x"}"#, "quota"),
        (OLD, 200, r#"{"errcode":15,"sub_code":"-1"}"#, "busy"),
        (OLD, 200, r#"{"errcode":15,"sub_code":"isp.remote-service-error"}"#, "busy"),
        (OLD, 200, r#"{"errcode":88,"sub_msg":"?"}"#, "unknown_code"),
        (OLD, 200, r#"{"errcode":33012,"sub_code":"40014"}"#, "not_found"),
        (OLD, 200, r#"{"status":1111,"wait":5,"source":"x5","punish":"deny","uuid":"u"}"#, "throttled"),
        (NEW, 403, r#"{"status":1111,"wait":5,"source":"x5","punish":"deny","uuid":"u"}"#, "throttled"),
        (NEW, 429, r#"{"code":"system.busy","message":"x"}"#, "busy"),
        (NEW, 500, r#"{"code":"somethingElse","message":"x"}"#, "busy"),
        (NEW, 400, r#"{"code":"somethingElse","message":"x"}"#, "unknown_code"),
        (NEW, 400, r#"{"code":"processInstanceNotExist","message":"x"}"#, "not_found"),
        (OLD, 200, r#"{"errcode":0,"errmsg":"ok","result":{}}"#, "ok"),
        (OLD, 200, r#"{"errcode":"0"}"#, "ok"),
        (NEW, 200, r#"{"result":{},"success":"true"}"#, "ok"),
        (NEW, 200, r#"{"code":"a resource's own","status":1111}"#, "ok"),
    ];
    for (asked, status, body, label) in cases {
        assert_eq!(wrong(asked, status, body), label, "{body}");
    }
}

#[test]
fn what_is_no_envelope_is_somebody_elses() {
    for body in ["", "<html>", "{}", r#"{"errcode":null}"#, r#"{"errcode":{}}"#, r#"{"errcode":"ok"}"#, "7"] {
        assert_eq!(wrong(OLD, 200, body), "foreign", "{body}");
    }
    for body in ["", "<html>", r#"{"errcode":{}}"#, "7"] {
        assert_eq!(wrong(NEW, 200, body), "foreign", "{body}");
    }
    for (status, body) in [(400, "<html>"), (502, ""), (404, "{}"), (403, r#"{"code":7}"#)] {
        assert_eq!(wrong(NEW, status, body), "http_status", "{status} {body}");
        assert_eq!(wrong(OLD, status, body), "http_status", "{status} {body}");
    }
}

#[test]
fn a_limit_on_everybody_is_waited_for_until_it_ends() {
    // Three minutes, two seconds and a half before the end that the text tells.
    let asked = Asked { now: UnixMillis(1_788_400_622_500), ..OLD };
    let body = r#"{"errcode":88,"sub_code":"90002","sub_msg":"apiPath:v2.department.listsub，从 2026-09-03 09:56:58 到 2026-09-03 09:56:59 请求总次数超过 1200 次，限制将在 2026-09-03 10:00:05 结束"}"#;
    let wait = |asked: Asked, body: &str| match refused(asked, 200, body).1 {
        Meaning::Wait { refuses_for } => refuses_for,
        other => panic!("{other:?}"),
    };
    assert_eq!(wait(asked, body), Duration::from_millis(183_500));
    assert_eq!(wait(asked, r#"{"errcode":90002,"errmsg":"x"}"#), Duration::from_secs(60), "it does not say");
    let late = Asked { now: UnixMillis(1_788_400_900_000), ..OLD };
    assert_eq!(wait(late, body), Duration::from_secs(1), "it is over");
    let odd = body.replace("10:00:05", "23:00:05");
    assert_eq!(wait(asked, &odd), LONGEST_LIMIT);
    let other = r#"{"errcode":90018,"errmsg":"限制将在 2026-09-03 10:00:05 结束"}"#;
    assert_eq!(wait(asked, other), Duration::from_secs(1));
}

#[test]
fn what_a_person_can_mend_is_told() {
    let address = r#"{"errcode":88,"sub_code":"60020","sub_msg":"访问ip不在白名单之中,request ip=203.0.113.7 x"}"#;
    assert_eq!(refused(OLD, 200, address).2, Detail::SeenAt("203.0.113.7".parse().unwrap()));
    let lacks = |names: &[&str]| Detail::Lacks(names.iter().map(|&name| name.to_owned()).collect());
    let scopes = r#"{"errcode":88,"sub_code":"60011","sub_msg":"应用尚未开通所需的权限：[qyapi_get_member]，点击"}"#;
    assert_eq!(refused(OLD, 200, scopes).2, lacks(&["qyapi_get_member"]));
    let denied = r#"{"code":"Forbidden.AccessDenied.AccessTokenPermissionDenied","message":"x",
                     "accessdenieddetail":{"requiredScopes":["Workflow.Instance.Read"]}}"#;
    assert_eq!(refused(NEW, 403, denied).2, lacks(&["Workflow.Instance.Read"]));
    let elsewhere = r#"{"errcode":60121,"errmsg":"[qyapi_get_member] 203.0.113.7"}"#;
    assert_eq!(refused(OLD, 200, elsewhere).2, Detail::None, "where it matters only");
}

#[test]
fn with_a_secret_nothing_but_the_secret_is_to_blame() {
    let asked = Asked { with_secret: true, style: Style::New, ..OLD };
    let wrong_pair = r#"{"requestid":"x","code":"invalidClientIdOrSecret","message":"无效的clientId或者clientSecret"}"#;
    assert_eq!(wrong(asked, 400, wrong_pair), "credentials");
    assert_eq!(wrong(asked, 401, r#"{"requestid":"X","code":"authFailed","message":"鉴权失败"}"#), "credentials");
    assert_eq!(wrong(asked, 400, r#"{"code":"Missingbody"}"#), "refused");
    for word in ["unknownError", "somethingElse"] {
        assert_eq!(wrong(asked, 500, &format!("{{\"code\":\"{word}\"}}")), "busy", "{word}");
    }
}
