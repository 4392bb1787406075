//! What comes over a Stream connection: the frame, what is answered to it, and what it means.

use dingtalk::{
    Wanted, normalise_frame,
    stream::{Frame, FrameKind, LONGEST_FRAME_BYTES, ack_echo, ack_later, ack_not_found, ack_success},
};
use serde_json::{Value, json};

use super::{CORP, NOW, WORDS, of_one_push, tenant};
use crate::{
    fuzzer::{Came, Limits, Parser, fuzz},
    made::{self, ding},
};

#[test]
fn a_frame_is_answered_and_becomes_events_or_is_refused() {
    let mut tokens = WORDS.to_vec();
    tokens.extend([
        "\"specVersion\":\"1.0\",",
        "\"type\":\"EVENT\",",
        "\"type\":\"SYSTEM\",",
        "\"type\":\"CALLBACK\",",
        "\"headers\":{",
        "\"header\":{",
        "\"topic\":\"*\",",
        "\"topic\":\"disconnect\",",
        "\"messageId\":\"m1\",",
        "\"eventType\":\"user_add_org\",",
        "\"eventType\":\"attendance_check_record\",",
        "\"eventType\":\"bpms_task_change\",",
        "\"eventBornTime\":\"1790000000123\",",
        "\"data\":\"{\\\"userId\\\":[\\\"u\\\"]}\",",
    ]);
    let mut made = ding::frames();
    made.extend(made::json("{\"type\":\"EVENT\",\"headers\":{\"eventType\":\"org_change\"},"));
    let parse = |input: &[u8]| parse(&String::from_utf8_lossy(input));
    fuzz(&Parser { name: "ding_frame", tokens: &tokens, limits: Limits::NETWORK, made, parse: &parse });
}

fn parse(text: &str) -> Came {
    let frame = match Frame::parse(text) {
        Ok(frame) => frame,
        Err(refused) => return Came::refused(refused.to_string()),
    };
    is_answered(&frame);
    is_read_again(&frame);
    let way = match normalise_frame(&tenant(), CORP, &frame, NOW, None, Wanted::ALL) {
        Ok(events) => of_one_push(&events),
        Err(refusal) => refusal.why().to_owned(),
    };
    Came::taken(format!("{:?} {way}", frame.kind))
}

/// Each answer is JSON and names the push.
fn is_answered(frame: &Frame) {
    for answer in [ack_success(frame), ack_later(frame, "not_taken"), ack_echo(frame), ack_not_found(frame)] {
        let read: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(read["headers"]["messageId"], frame.message_id());
        assert!(read["code"].is_u64() && read["data"].is_string(), "{answer}");
    }
}

fn is_read_again(frame: &Frame) {
    let kind = match frame.kind {
        FrameKind::System => "SYSTEM",
        FrameKind::Event => "EVENT",
        FrameKind::Callback => "CALLBACK",
        FrameKind::Other => return,
    };
    let Frame { spec_version, headers, data, .. } = frame;
    let again = json!({ "specVersion": spec_version, "type": kind, "headers": headers, "data": data }).to_string();
    if again.len() <= LONGEST_FRAME_BYTES {
        assert_eq!(Frame::parse(&again).as_ref(), Ok(frame), "{again}");
    }
}
