//! What the platform is answered (reference dingtalk 1.6). Each answer has a code *and* a status document, which all
//! versions of the platform understand alike.

use serde_json::json;

use super::Frame;

/// The event is taken over durably.
pub fn ack_success(frame: &Frame) -> String {
    ack(frame, 200, "OK", &json!({ "status": "SUCCESS", "message": "ok" }).to_string())
}

/// The event could not be taken over: it is to be sent again. `why` is a word of ours, and seen by the platform.
pub fn ack_later(frame: &Frame, why: &str) -> String {
    ack(frame, 500, why, &json!({ "status": "LATER", "message": why }).to_string())
}

/// The answer to a `ping`, and to every other system frame that asks for one: what it said.
pub fn ack_echo(frame: &Frame) -> String {
    ack(frame, 200, "OK", &frame.data)
}

/// Nobody here takes frames of this type or topic.
pub fn ack_not_found(frame: &Frame) -> String {
    ack(frame, 404, "no handler", &json!({ "response": null }).to_string())
}

fn ack(frame: &Frame, code: u16, message: &str, data: &str) -> String {
    let headers = json!({ "contentType": "application/json", "messageId": frame.message_id() });
    json!({ "code": code, "headers": headers, "message": message, "data": data }).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const EVENT: &str = r#"{"specVersion":"1.0","type":"EVENT","headers":{"messageId":"212b9d7c_165f_19bfa1a500a_0001","topic":"*"},"data":"{\"a\":\"中\"}"}"#;

    fn read(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_success_is_the_one_of_the_reference() {
        let expected = r#"{"code":200,"headers":{"contentType":"application/json","messageId":"212b9d7c_165f_19bfa1a500a_0001"},"message":"OK","data":"{\"status\":\"SUCCESS\",\"message\":\"ok\"}"}"#;
        let (mut expected, mut sent) = (read(expected), read(&ack_success(&Frame::parse(EVENT).unwrap())));
        // The order of names within the inner text is nobody's business.
        let inner = |whole: &mut Value| read(whole["data"].take().as_str().unwrap());
        assert_eq!(inner(&mut sent), inner(&mut expected));
        assert_eq!(sent, expected);
    }

    #[test]
    fn later_is_told_by_code_and_by_status() {
        let sent = read(&ack_later(&Frame::parse(EVENT).unwrap(), "not_taken"));
        assert_eq!((&sent["code"], &sent["message"]), (&json!(500), &json!("not_taken")));
        let inner = read(sent["data"].as_str().unwrap());
        assert_eq!(inner, json!({ "status": "LATER", "message": "not_taken" }));
    }

    #[test]
    fn an_echo_is_what_was_said_and_strangers_are_not_found() {
        let ping = r#"{"type":"SYSTEM","headers":{"topic":"ping","messageId":"m1"},"data":"{\"opaque\":\"a\\\"b\"}"}"#;
        let sent = read(&ack_echo(&Frame::parse(ping).unwrap()));
        assert_eq!((&sent["code"], &sent["headers"]["messageId"]), (&json!(200), &json!("m1")));
        assert_eq!(read(sent["data"].as_str().unwrap()), json!({ "opaque": "a\"b" }));
        let nobody = read(&ack_not_found(&Frame::parse("{\"type\":\"CALLBACK\"}").unwrap()));
        assert_eq!((&nobody["code"], &nobody["headers"]["messageId"]), (&json!(404), &json!("")));
        assert!(nobody["data"].is_string());
    }
}
