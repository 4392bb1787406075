//! A page of failed pushes. Reading it emptied it at the platform, so that nothing of it may get lost.

use common::EventBody;
use dingtalk::{Wanted, failed_entries, normalise_failed};

use super::{CORP, NOW, WORDS, looked_at, tenant};
use crate::{
    fuzzer::{Came, Limits, Parser, fuzz},
    made::{self, ding},
};

#[test]
fn a_page_becomes_events_or_is_kept_as_it_is() {
    let mut tokens = WORDS.to_vec();
    tokens.extend([
        "\"errcode\":0,",
        "\"has_more\":true,",
        "\"failed_list\":[",
        "\"call_back_tag\":\"user_add_org\",",
        "\"call_back_tag\":\"bpms_instance_change\",",
        "\"event_time\":1790000000123,",
        "\"user_add_org\":{\"userid\":[\"u\"]},",
        "\"bpmsCallBackData\":{",
        "\"callbackData\":\"{}\",",
        "\"roleLabelChange\":{",
    ]);
    let mut made = ding::pages();
    made.extend(made::json("{\"errcode\":0,\"failed_list\":[{\"call_back_tag\":\"org_change\",\"org_change\":{}}],"));
    let parse = |input: &[u8]| parse(&String::from_utf8_lossy(input));
    fuzz(&Parser { name: "ding_failed", tokens: &tokens, limits: Limits::NETWORK, made, parse: &parse });
}

fn parse(text: &str) -> Came {
    let events = normalise_failed(&tenant(), CORP, text, NOW, Wanted::ALL);
    let way = looked_at(&events);
    match failed_entries(text) {
        Ok(page) => {
            // A look whether somebody is there is no event.
            let is_only_looks = text.contains("check") || text.contains("\\u");
            assert!(page.entries == 0 || !events.is_empty() || is_only_looks, "entries get lost: {text}");
            Came::taken(format!("{} {way}", page.has_more))
        }
        Err(error) => {
            let [event] = events.as_slice() else { panic!("{} events of what is no page", events.len()) };
            assert!(matches!(&event.body, EventBody::Callback(callback) if callback.content == text), "{event:?}");
            Came::refused(error.to_string())
        }
    }
}
