//! Events as they lie in the queue, and in the spool of a gateway.

use common::Event;

use crate::{
    fuzzer::{Came, Limits, Parser, fuzz},
    made,
};

/// Times beyond are written as the first or last of these: years 1 to 9999.
const TIMES: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_207_200_000;

/// An event without its data.
const BEGIN: &str = "{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"/wecom/acme\",\"type\":\"orgbridge.member.removed\",\
    \"tenant\":\"acme\",\"recordedtime\":\"2026-01-01T00:00:00Z\",\"contentkey\":\"c\",";
const DATA: &str = "\"data\":{\"kind\":\"member\",\"id\":\"u\",\"at\":0,\"what\":\"removed\"},";

const WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "\\ud842\\udfb7",
    "null",
    "true",
    "1e999",
    "\"specversion\":\"1.0\",",
    "\"id\":\"e1\",",
    "\"source\":\"/wecom/acme\",",
    "\"type\":\"orgbridge.callback\",",
    "\"type\":\"orgbridge.member.created\",",
    "\"tenant\":\"acme\",",
    "\"recordedtime\":\"2026-01-01T00:00:00.123Z\",",
    "\"recordedtime\":\"-009999-01-02T00:00:00+23:59\",",
    "\"recordedtime\":\"9999-12-30T22:00:00.999999999Z\",",
    "\"contentkey\":\"c\",",
    "\"platformkey\":null,",
    "\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\",",
    "\"what\":\"removed\"",
    "\"what\":{\"created\":{\"fields\":{}}}",
    "\"what\":{\"renamed\":{\"to\":\"v\",\"fields\":{\"name\":\"N\"}}}",
    "\"kind\":\"callback\"",
    "\"hint\":true",
    "\"at\":-1",
    "\"order\":4294967295",
    "\"departments\":[\"1\",\"17\"]",
    "\"attributes\":{\"a\":\"b\"}",
];

#[test]
fn an_event_of_the_queue_is_read_or_refused() {
    let mut made = made::json(&format!("{BEGIN}{DATA}"));
    made.extend(made::json(&format!("{BEGIN}\"data\":{{")));
    fuzz(&Parser { name: "cloud_event", tokens: WORDS, limits: Limits::NETWORK, made, parse: &parse });
}

fn parse(input: &[u8]) -> Came {
    match Event::from_cloud_event(input) {
        Ok(event) => {
            let again = Event::from_cloud_event(&event.to_cloud_event());
            let mut again = again.unwrap_or_else(|error| panic!("what we write ourselves is {error}: {event:?}"));
            if !TIMES.contains(&event.received_at.0) {
                again.received_at = event.received_at;
            }
            assert_eq!(again, event);
            Came::taken(event.type_name())
        }
        Err(error) => Came::refused(error.to_string()),
    }
}
