//! What is taken out of the platform's texts. Nothing else of them is kept: they hold ids and names.

use std::net::{IpAddr, Ipv4Addr};

use common::UnixMillis;
use serde_json::Value;

use crate::china_time;

/// Between these stands the end of a limit on everybody together (reference dingtalk 5.2).
const BEFORE_END: &str = "限制将在";
const AFTER_END: &str = "结束";

/// So many permissions are named at most, each with a name of this length at most.
const MOST_PERMISSIONS: usize = 8;
const LONGEST_NAME_BYTES: usize = 80;

/// When the limit ends of which the text tells.
pub(super) fn end_of_limit(text: &str) -> Option<UnixMillis> {
    let (_, rest) = text.split_once(BEFORE_END)?;
    let (end, _) = rest.split_once(AFTER_END)?;
    china_time::moment(end)
}

/// The address that a text says we came from: the first one in it.
pub(super) fn caller_address(text: &str) -> Option<IpAddr> {
    let is_of_address = |c: char| c.is_ascii_digit() || c == '.';
    let mut words = text.split(|c: char| !is_of_address(c)).map(|word| word.trim_matches('.'));
    words.find_map(|word| word.parse::<Ipv4Addr>().ok()).map(IpAddr::V4)
}

/// The permissions that a text names, which it does in brackets: `[qyapi_get_member]`.
pub(super) fn permissions(text: &str) -> Vec<String> {
    let inside = text.split('[').skip(1).filter_map(|rest| Some(rest.split_once(']')?.0));
    inside.flat_map(|names| names.split([',', ' '])).filter_map(permission).take(MOST_PERMISSIONS).collect()
}

/// The permissions that a newer interface lists: `{"requiredScopes":["Workflow.Instance.Read"]}`.
pub(super) fn required(denied: &Value) -> Vec<String> {
    let scopes = denied.get("requiredScopes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    scopes.iter().filter_map(Value::as_str).filter_map(permission).take(MOST_PERMISSIONS).collect()
}

/// A name of words with dots or underscores between them.
fn permission(name: &str) -> Option<String> {
    let name = name.trim();
    let is_name = name.len() <= LONGEST_NAME_BYTES
        && name.contains(['.', '_'])
        && name.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'_'));
    is_name.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_an_address_is_taken_out_of_a_text() {
        let text = "访问ip不在白名单之中,request ip=203.0.113.7 appKey(ding1.2)";
        assert_eq!(caller_address(text), Some("203.0.113.7".parse().unwrap()));
        for other in ["", "访问ip不在白名单之中", "1.2.3", "1.2.3.4.5", "version 999.0.113.7"] {
            assert_eq!(caller_address(other), None, "{other}");
        }
    }

    #[test]
    fn permissions_are_names_and_nothing_else() {
        let text = "应用尚未开通所需的权限：[qyapi_get_member, Contact.User.Read]，点击链接申请[张三][13900001111]";
        assert_eq!(permissions(text), ["qyapi_get_member", "Contact.User.Read"]);
        assert!(permissions("没有权限 qyapi_get_member").is_empty());
        assert_eq!(permissions(&"[a.b]".repeat(50)).len(), MOST_PERMISSIONS);
        let denied = json!({ "requiredScopes": ["Workflow.Instance.Read", "张三", 7] });
        assert_eq!(required(&denied), ["Workflow.Instance.Read"]);
        assert!(required(&json!("Workflow.Instance.Read")).is_empty());
    }

    #[test]
    fn the_end_of_a_limit_is_in_china_time() {
        let text = "接口从 2026-09-03 10:00:00 到 2026-09-03 10:00:01 请求总次数超过 1200 次，限制将在 2026-09-03 10:00:05 结束";
        assert_eq!(end_of_limit(text), UnixMillis::from_rfc3339("2026-09-03T02:00:05Z"));
        for other in ["", "限制将在", "限制将在 soon 结束", "结束 限制将在"] {
            assert_eq!(end_of_limit(other), None, "{other}");
        }
    }
}
