//! Refusals as WeCom words them (reference wecom 3.1, 4 and 4.1).

use std::borrow::Cow;
use std::net::IpAddr;

use serde_json::{Map, Value};

use super::Interface;
use crate::Illegal;

/// Why a call is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: i64,
    text: Cow<'static, str>,
}

impl Refusal {
    pub(super) const fn of(code: i64) -> Self {
        Self { code, text: Cow::Borrowed(text(code)) }
    }

    pub(super) fn saying(code: i64, text: String) -> Self {
        Self { code, text: Cow::Owned(text) }
    }

    /// The whole answer. `number` looks random: the hint is made of it, and whether the address is told.
    pub(super) fn body(&self, interface: Interface, peer: IpAddr, now_seconds: i64, number: u64) -> Vec<u8> {
        let mut body = Map::new();
        body.insert("errcode".to_owned(), Value::from(self.code));
        body.insert("errmsg".to_owned(), Value::from(self.message(peer, now_seconds, number)));
        if let Some(array) = interface.array() {
            body.insert(array.to_owned(), Value::Array(Vec::new()));
        }
        Value::Object(body).to_string().into_bytes()
    }

    fn message(&self, peer: IpAddr, now_seconds: i64, number: u64) -> String {
        let Self { code, text } = self;
        let digits = number % 1_000_000_000_000_000;
        // Older servers do not tell the address.
        let tells = !number.is_multiple_of(8) || *code == UNTRUSTED;
        let from = if tells { format!(", from ip: {peer}") } else { String::new() };
        let more = "https://open.work.weixin.qq.com/devtool/query?e=";
        format!("{text}, hint: [{now_seconds}{digits:015}]{from}, more info at {more}{code}")
    }
}

const UNTRUSTED: i64 = 60020;

/// What the company itself does not allow.
impl From<Illegal> for Refusal {
    fn from(illegal: Illegal) -> Self {
        Self::of(match illegal {
            Illegal::UnknownDepartment(_) => 60123,
            Illegal::UnknownMember(_) => 60111,
            Illegal::NotEmpty(_) => 60005,
            Illegal::Root => 60007,
            Illegal::Cycle(_) => 60010,
            Illegal::TooDeep(_) => 81002,
            Illegal::NameTaken(_) | Illegal::DepartmentIdTaken(_) => 60008,
            Illegal::IdTaken(_) => 60102,
            Illegal::AlreadyRenamed(_) => 301_036,
            Illegal::Kept(_) | Illegal::Inconsistent { .. } => 40035,
        })
    }
}

/// The text before the hint. Those of section 4.1 were captured; of the others only the meaning is known.
const fn text(code: i64) -> &'static str {
    match code {
        40013 => "invalid corpid",
        40014 => "invalid access_token",
        41001 => "access_token missing",
        41004 => "corpsecret missing",
        42001 => "access_token expired",
        45009 => "api freq out of limit",
        48009 => "api forbidden for contact assistant",
        60003 => "department not found",
        60008 => "department existed",
        60011 => "no privilege to access/modify contact/party/agent",
        60020 => "not allow to access from your ip",
        60102 => "userid existed",
        60111 => "userid not found",
        60124 => "invalid parent party id",
        301_002 => "not allow operate another agent with this accesstoken",
        -1 => "system busy",
        6000 => "data version conflict",
        40001 => "invalid credential",
        40003 => "invalid userid",
        40031 => "invalid userid list",
        40032 => "invalid list size",
        40033 => "invalid charset",
        40035 => "invalid parameter",
        40058 => "Warning: wrong json format",
        41002 => "corpid missing",
        41009 => "userid missing",
        41019 => "department missing",
        45024 => "account out of limit",
        45029 => "reply too large",
        48002 => "api forbidden",
        50100 => "invalid cursor",
        60001 | 60009 | 60125 => "invalid party name",
        60004 => "parent department not found",
        60005 => "department contains user",
        60006 => "department contains sub-department",
        60007 => "root department can not be deleted",
        60010 => "cyclic department",
        60103 => "invalid mobile",
        60105 => "invalid email",
        60110 => "too many departments",
        60112 => "invalid name",
        60123 => "invalid party id",
        60129 => "mobile and email both empty",
        60132 => "is_leader_in_dept and department size not match",
        60141 => "invalid biz_mail",
        60143 => "biz_mail not allowed",
        60145 => "biz_mail existed",
        60257 => "too many direct leaders",
        81001 => "party nodes out of limit",
        81002 => "party depth out of limit",
        301_005 => "can not delete creator",
        301_012 => "invalid position",
        301_013 => "invalid telephone",
        301_015 => "invalid avatar_mediaid",
        301_036 => "userid can not be changed",
        _ => "request refused",
    }
}
