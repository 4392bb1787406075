//! What must be right in the sections of platforms.

use common::Secret;
use serde_json::Value;

use super::{Origin, check_aes_key, check_url, required};
use crate::{
    layers::{Layer, join},
    tenant::{DingtalkMode, DingtalkSection, JiandaoyunSection, WecomSection},
};

/// A week: no poll is further apart, and none looks back further beyond the last one.
const LONGEST_SECONDS: u64 = 604_800;
/// As many calls as we make to any interface: the platform takes 20 a second (reference dingtalk 5.2).
const MOST_APPROVALS_PER_SECOND: u32 = 18;

pub(super) fn check_wecom(layer: &mut Layer<'_>, wecom: &WecomSection) {
    required(layer, "wecom.corp_id", &wecom.corp_id);
    required(layer, "wecom.contact_secret", wecom.contact_secret.expose());
    check_callback_keys(layer, "wecom", &wecom.callback_token, &wecom.callback_aes_key);
    check_url(layer, "wecom.api_base", &wecom.api_base);
}

pub(super) fn check_dingtalk(layer: &mut Layer<'_>, dingtalk: &DingtalkSection, origin: Origin) {
    required(layer, "dingtalk.client_id", &dingtalk.client_id);
    required(layer, "dingtalk.client_secret", dingtalk.client_secret.expose());
    check_callback_keys(layer, "dingtalk", &dingtalk.callback_token, &dingtalk.callback_aes_key);
    check_url(layer, "dingtalk.api_base", &dingtalk.api_base);
    check_url(layer, "dingtalk.oapi_base", &dingtalk.oapi_base);
    if origin == Origin::File {
        check_new_dingtalk(layer, dingtalk);
    }
}

/// What was not looked at as long as nothing was done with this section.
fn check_new_dingtalk(layer: &mut Layer<'_>, dingtalk: &DingtalkSection) {
    let has_keys = !(dingtalk.callback_token.is_empty() && dingtalk.callback_aes_key.is_empty());
    if dingtalk.mode == DingtalkMode::Http && !has_keys {
        layer.refuse("dingtalk.callback_token", "is required in http mode, with callback_aes_key");
    }
    let quotas = [
        ("dingtalk.monthly_api_quota", dingtalk.monthly_api_quota),
        ("dingtalk.monthly_stream_quota", dingtalk.monthly_stream_quota),
    ];
    for (key, _) in quotas.into_iter().filter(|(_, quota)| *quota == 0) {
        layer.refuse(key, "must be at least 1");
    }
    if !(1..=MOST_APPROVALS_PER_SECOND).contains(&dingtalk.approvals_per_second) {
        layer.refuse("dingtalk.approvals_per_second", format!("must be from 1 to {MOST_APPROVALS_PER_SECOND}"));
    }
}

pub(super) fn check_jiandaoyun(layer: &mut Layer<'_>, jiandaoyun: &JiandaoyunSection, origin: Origin) {
    required(layer, "jiandaoyun.api_key", jiandaoyun.api_key.expose());
    check_url(layer, "jiandaoyun.api_base", &jiandaoyun.api_base);
    if jiandaoyun.every_seconds == 0 {
        layer.refuse("jiandaoyun.every_seconds", "must be at least 1");
    }
    if !jiandaoyun.start.is_empty() && common::UnixMillis::from_rfc3339(&jiandaoyun.start).is_none() {
        layer.refuse("jiandaoyun.start", "must be a time such as 2026-01-31T08:00:00+08:00");
    }
    if origin == Origin::File {
        check_new_jiandaoyun(layer, jiandaoyun);
    }
}

/// What was not looked at as long as nothing was done with this section.
fn check_new_jiandaoyun(layer: &mut Layer<'_>, jiandaoyun: &JiandaoyunSection) {
    for (key, seconds) in [
        ("jiandaoyun.every_seconds", jiandaoyun.every_seconds),
        ("jiandaoyun.overlap_seconds", jiandaoyun.overlap_seconds),
    ] {
        if seconds > LONGEST_SECONDS {
            layer.refuse(key, format!("must be at most {LONGEST_SECONDS}"));
        }
    }
    let is_known = layer.problems.iter().any(|problem| problem.key.starts_with("jiandaoyun.mapping"));
    if !is_known && !matches!(jiandaoyun.mapping, Value::Null | Value::Object(_) | Value::String(_)) {
        layer.refuse("jiandaoyun.mapping", "must be a table or the name of a JSON file that holds an object");
    }
}

fn check_callback_keys(layer: &mut Layer<'_>, section: &str, token: &Secret, aes_key: &Secret) {
    match (token.is_empty(), aes_key.is_empty()) {
        (true, false) => layer.refuse(&join(section, "callback_token"), "is required with callback_aes_key"),
        (false, true) => layer.refuse(&join(section, "callback_aes_key"), "is required with callback_token"),
        (true, true) => {}
        (false, false) => check_aes_key(layer, &join(section, "callback_aes_key"), aes_key),
    }
}
