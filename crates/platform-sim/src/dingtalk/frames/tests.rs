use super::*;

const STAMP: Stamp<'_> = Stamp { message_id: "212b9d7c_165f_19bfa1a500a_0001", now_ms: 1_790_000_000_456 };
const TO: Address<'_> =
    Address { app_id: "11111111-2222-3333-4444-555555555555", connection_id: "c0ffee00-0000-11f0-8000-000000000001" };

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn an_event_frame_is_that_of_the_reference() {
    let data = json!({"timeStamp": "1790000000100", "userId": ["user0001"]});
    let mut told = Event::new(1, 1, "ding0000test0000corp", "user_add_org", 1_790_000_000_123, data);
    told.id = "0f1e2d3c4b5a69788796a5b4c3d2e1f0".to_owned();
    let frame = parse(&event(&told, TO, STAMP));
    let headers = json!({"appId": "11111111-2222-3333-4444-555555555555",
        "connectionId": "c0ffee00-0000-11f0-8000-000000000001", "contentType": "application/json",
        "messageId": "212b9d7c_165f_19bfa1a500a_0001", "time": "1790000000456", "topic": "*",
        "eventType": "user_add_org", "eventId": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "eventCorpId": "ding0000test0000corp", "eventBornTime": "1790000000123",
        "eventUnifiedAppId": "11111111-2222-3333-4444-555555555555"});
    assert_eq!((&frame["specVersion"], &frame["type"]), (&json!("1.0"), &json!("EVENT")));
    assert_eq!(frame["headers"], headers);
    let data = json!({"eventId": "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "timeStamp": "1790000000100",
        "userId": ["user0001"]});
    assert_eq!(parse(frame["data"].as_str().expect("a text")), data);
}

#[test]
fn a_system_frame_names_no_app() {
    let frame = parse(&system("disconnect", STAMP, r#"{"reason":"persistent connection is timeout"}"#));
    let headers = json!({"contentType": "application/json", "messageId": "212b9d7c_165f_19bfa1a500a_0001",
        "time": "1790000000456", "topic": "disconnect"});
    assert_eq!((&frame["type"], &frame["headers"]), (&json!("SYSTEM"), &headers));
    let asked = parse(&callback("/v1.0/im/bot/messages/get", TO, STAMP, "{}"));
    assert_eq!((&asked["type"], &asked["data"]), (&json!("CALLBACK"), &json!("{}")));
    assert_eq!(asked["headers"]["topic"], json!("/v1.0/im/bot/messages/get"));
}

#[test]
fn all_that_the_sdks_really_send_is_understood() {
    let fate = |code: i64, data: &str| {
        let headers = json!({"messageId": "m1", "contentType": "application/json"});
        let text = json!({"code": code, "headers": headers, "message": "OK", "data": data}).to_string();
        Reply::parse(&text).expect("a reply").fate()
    };
    // Python echoes the event, which may have a status of its own.
    assert_eq!(fate(200, r#"{"eventId":"1","userId":["u"]}"#), Fate::Delivered);
    assert_eq!(fate(200, r#"{"status":"start"}"#), Fate::Delivered);
    assert_eq!(fate(500, r#"{"eventId":"1"}"#), Fate::Failed);
    assert_eq!(fate(200, r#"{"status":"SUCCESS"}"#), Fate::Delivered);
    assert_eq!(fate(200, r#"{"status":"LATER","message":"x"}"#), Fate::Later);
    assert_eq!(fate(200, "{}"), Fate::Delivered);
    assert_eq!(fate(500, r#"{"status":"LATER"}"#), Fate::Later);
    assert_eq!(fate(200, r#"{"status":"SUCCESS","message":null}"#), Fate::Delivered);
    assert_eq!(fate(404, ""), Fate::Failed);
    assert_eq!(fate(200, "not JSON"), Fate::Delivered);
}

#[test]
fn what_is_no_reply_is_none() {
    for text in ["", "[]", "{}", r#"{"code":200}"#, r#"{"code":"200","headers":{"messageId":"m"}}"#] {
        assert_eq!(Reply::parse(text), None, "{text}");
    }
}
