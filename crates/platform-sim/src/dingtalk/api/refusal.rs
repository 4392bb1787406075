//! Refusals as DingTalk words them (reference dingtalk 5.2, 5.3 and 5.4).

use std::net::IpAddr;

use serde_json::{Value, json};

use super::Interface;
use super::interface::Style;
use super::journal::Outcome;
use super::limits::Crowd;
use super::reply::Envelope;
use crate::dingtalk::{ids, time};

/// How many calls of all apps together are too many, as the text says; from a capture.
const CROWD_CALLS: u32 = 1200;

/// Why a call is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The platform's gate refuses, in the words of the interface's style.
    Gate(Gate),
    /// An old interface refuses with a bare code.
    Old(i64),
    /// An old interface refuses with a code inside another one.
    Wrapped { errcode: i64, sub_code: i64 },
    /// A new interface refuses.
    New { status: u16, code: &'static str },
}

/// What the platform's gate refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    BadToken,
    ExpiredToken,
    NoToken,
    /// The app lacks the permission for the interface.
    NoPermission,
    /// The address is not in the app's list.
    NotListed,
    /// Too many calls of the app.
    Qps,
    /// Too many calls of all apps together.
    Crowd(Crowd),
    /// The month's quota is used up.
    Quota,
    /// The address is banned.
    Banned,
    Busy,
}

impl From<Gate> for Refusal {
    fn from(gate: Gate) -> Self {
        Self::Gate(gate)
    }
}

/// What a refusal tells besides its reason.
#[derive(Clone, Copy)]
pub(super) struct Scene {
    pub(super) peer: IpAddr,
    /// Looks random: request ids are made of it.
    pub(super) number: u64,
    /// Whether `sub_code` is a number instead of a text.
    pub(super) numeric: bool,
}

impl Refusal {
    /// A parameter is missing or makes no sense.
    pub(super) const INVALID: Self = Self::Old(400_002);
    /// The same for lists of members and for attendance in batches.
    pub(super) const INVALID_LIST: Self = Self::Old(40_035);
    /// The same at new interfaces.
    pub(super) const INVALID_NEW: Self = Self::New { status: 400, code: "invalidParameter" };

    /// What is counted and noted of it.
    pub(super) fn outcome(self, interface: Interface) -> Outcome {
        match self {
            Self::Gate(Gate::Banned) => Outcome::Banned,
            Self::Gate(gate) if interface.style() == Style::New => Outcome::Word(gate.word().1),
            Self::Gate(gate) => Outcome::Code(gate.code(interface.style())),
            Self::Old(code) | Self::Wrapped { sub_code: code, .. } => Outcome::Code(code),
            Self::New { code, .. } => Outcome::Word(code),
        }
    }

    /// Whether a call that is refused so counts towards the month's quota: all do but those for too many calls
    /// (reference dingtalk 5.1).
    pub(super) fn is_counted(self) -> bool {
        match self {
            Self::Gate(gate) => !matches!(gate, Gate::Qps | Gate::Crowd(_) | Gate::Quota | Gate::Banned),
            Self::Old(code) | Self::Wrapped { sub_code: code, .. } => !(90_001..=90_020).contains(&code),
            Self::New { code, .. } => {
                !["QpsLimit", "QpmLimit", "ApiCountLimit"].iter().any(|limit| code.contains(limit))
            }
        }
    }

    /// The whole answer.
    pub(super) fn envelope(self, interface: Interface, scene: Scene) -> Envelope {
        let style = interface.style();
        match self {
            Self::Gate(Gate::Banned) => banned(scene.number),
            Self::Gate(gate) => {
                let text = gate.text(interface, scene.peer);
                match style {
                    Style::New => new(gate.word(), &text, scene.number),
                    Style::Plain => bare(gate.code(style), &text),
                    Style::Topapi if gate == Gate::Busy => bare_with_id(gate.code(style), &text, scene.number),
                    Style::Topapi => wrapped(88, gate.code(style), &text, scene),
                }
            }
            Self::Old(code) if style == Style::Topapi => bare_with_id(code, text(code), scene.number),
            Self::Old(code) => bare(code, text(code)),
            Self::Wrapped { errcode, sub_code } => wrapped(errcode, sub_code, text(sub_code), scene),
            Self::New { status, code } => new((status, code), message(code), scene.number),
        }
    }
}

impl Gate {
    fn code(self, style: Style) -> i64 {
        match self {
            Self::BadToken => 40_014,
            Self::ExpiredToken => 42_001,
            Self::NoToken if style == Style::Topapi => 40_000,
            Self::NoToken => 41_001,
            Self::NoPermission => 60_011,
            Self::NotListed => 60_020,
            Self::Qps => 90_018,
            Self::Crowd(_) => 90_002,
            Self::Quota => 90_020,
            Self::Banned => 1111,
            Self::Busy => -1,
        }
    }

    /// HTTP status and code of new interfaces.
    fn word(self) -> (u16, &'static str) {
        match self {
            Self::BadToken | Self::ExpiredToken => (400, "InvalidAuthentication"),
            Self::NoToken => (400, "AuthenticationFailed.MissingParameter"),
            Self::NoPermission => (403, "Forbidden.AccessDenied.AccessTokenPermissionDenied"),
            Self::NotListed => (403, "Forbidden.AccessDenied.IpNotInWhiteList"),
            Self::Qps => (403, "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"),
            Self::Crowd(_) => (403, "Forbidden.AccessDenied.QpsLimitForApi"),
            Self::Quota => (403, "Forbidden.AccessDenied.ApiCountLimitForOrg"),
            Self::Banned => (403, "Forbidden"),
            Self::Busy => (429, "system.busy"),
        }
    }

    fn text(self, interface: Interface, peer: IpAddr) -> String {
        match self {
            Self::BadToken => "不合法的access_token".to_owned(),
            Self::ExpiredToken if interface.style() == Style::New => "不合法的access_token".to_owned(),
            Self::ExpiredToken => "access_token已过期".to_owned(),
            Self::NoToken => match interface.style() {
                Style::Topapi => "access_token is blank".to_owned(),
                Style::Plain => "缺少access_token参数".to_owned(),
                Style::New => "缺少参数：x-acs-dingtalk-access-token".to_owned(),
            },
            Self::NoPermission => format!("应用尚未开通所需的权限：[{}]", interface.scope()),
            Self::NotListed => format!("访问ip不在白名单之中,request ip={peer}"),
            Self::Qps => "当前应用调用该接口的频率超过每秒上限，请稍后再试".to_owned(),
            Self::Crowd(crowd) => crowd_text(interface, crowd),
            Self::Quota => "当前企业本月的API调用次数已用完".to_owned(),
            Self::Banned => String::new(),
            Self::Busy => "系统繁忙".to_owned(),
        }
    }
}

/// The parts of a captured text: the interface, the stretch, the number, and at the end when it is over.
fn crowd_text(interface: Interface, crowd: Crowd) -> String {
    let path = interface.path().trim_start_matches("topapi/").replace('/', ".");
    let (from, to) = (time::wall(crowd.from_ms), time::wall(crowd.from_ms.saturating_add(1000)));
    let until = time::wall(crowd.until_ms);
    format!(
        "您的服务器调用钉钉开放平台当前接口的所有请求都被暂时禁用了，apiPath={path}，从 {from} 到 {to} \
         请求总次数超过 {CROWD_CALLS} 次，限制将在 {until} 结束"
    )
}

/// Old interfaces below `/topapi/`, and what the gate puts around.
fn wrapped(errcode: i64, sub_code: i64, sub_msg: &str, scene: Scene) -> Envelope {
    let word = match errcode {
        15 => "remote service error",
        22 => "Invalid method",
        _ => "ding talk error",
    };
    let code = if scene.numeric { Value::from(sub_code) } else { Value::from(sub_code.to_string()) };
    Envelope::json(
        200,
        &json!({
            "errcode": errcode,
            "sub_code": code,
            "sub_msg": sub_msg,
            "errmsg": format!("{word}[subcode={sub_code},submsg={sub_msg}]"),
            "request_id": request_id(scene.number),
        }),
    )
}

fn bare(code: i64, text: &str) -> Envelope {
    Envelope::json(200, &json!({ "errcode": code, "errmsg": text }))
}

fn bare_with_id(code: i64, text: &str, number: u64) -> Envelope {
    Envelope::json(200, &json!({ "errcode": code, "errmsg": text, "request_id": request_id(number) }))
}

fn new((status, code): (u16, &str), message: &str, number: u64) -> Envelope {
    Envelope::json(status, &json!({ "code": code, "requestid": upper_uuid(number), "message": message }))
}

/// What a banned address gets: one of two shapes.
fn banned(number: u64) -> Envelope {
    if number.is_multiple_of(2) {
        let uuid = upper_uuid(number).to_lowercase();
        Envelope::json(200, &json!({ "status": 1111, "wait": 5, "source": "x5", "punish": "deny", "uuid": uuid }))
    } else {
        Envelope::html(200, "<!DOCTYPE html><html><head><title>访问被拒绝</title></head><body>punish</body></html>")
    }
}

/// The answer where nothing is (reference dingtalk 5.3).
pub(super) fn unknown(path: &str, number: u64) -> Envelope {
    let Some(name) = path.strip_prefix("/topapi/") else {
        return bare(404, "请求的URI地址不存在");
    };
    let text = format!("不合法ApiName，ApiName = dingtalk.oapi.{}", name.replace('/', "."));
    let errmsg = format!("Invalid method[submsg={text}]");
    Envelope::json(200, &json!({ "errcode": 22, "sub_msg": text, "errmsg": errmsg, "request_id": request_id(number) }))
}

/// The request id of old interfaces.
pub(super) fn request_id(number: u64) -> String {
    format!("{:x}", number >> 8)
}

/// The request id of new interfaces.
fn upper_uuid(number: u64) -> String {
    ids::uuid(&number.to_string()).to_uppercase()
}

/// The text of an old code. Those of tokens are from captures; of the others only the meaning is known.
fn text(code: i64) -> &'static str {
    match code {
        -1 => "系统繁忙",
        33_012 => "无效的USERID",
        40_009 => "不合法的部门id",
        40_014 => "不合法的access_token",
        40_035 => "不合法的参数",
        40_096 => "不合法的appKey或appSecret",
        40_104 => "无效手机号",
        42_001 => "access_token已过期",
        43_007 => "需要授权",
        50_002 => "员工不在授权范围",
        50_004 => "部门不在授权范围",
        60_003 => "部门不存在",
        60_011 => "应用尚未开通所需的权限",
        60_020 => "访问ip不在白名单之中",
        60_121 => "找不到该用户",
        90_018 => "当前应用调用该接口的频率超过每秒上限，请稍后再试",
        90_020 => "当前企业本月的API调用次数已用完",
        400_002 => "无效的参数",
        820_001 => "审批实例不存在",
        850_012 => "查询时间范围过长",
        850_015 => "无效的列id",
        _ => "请求被拒绝",
    }
}

fn message(code: &str) -> &'static str {
    match code {
        "invalidClientIdOrSecret" => "无效的clientId或者clientSecret",
        "Missingbody" => "body is mandatory for this action",
        "invalid.client" => "无效的client_id或client_secret",
        "unsupported.grant.type" => "不支持的grant_type",
        "unknownError" => "未知错误",
        "invalidParameter" => "参数错误",
        "processInstanceIdError" => "审批实例ID错误",
        "processInstanceNotExist" => "审批实例不存在",
        "processCodeError" => "processCode错误",
        "systemError" => "系统异常",
        "system.busy" => "系统繁忙",
        _ => "请求被拒绝",
    }
}
