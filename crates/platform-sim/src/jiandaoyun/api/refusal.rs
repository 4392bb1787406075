//! Refusals as Jiandaoyun words them (reference jiandaoyun 3).

use serde_json::json;

use super::journal::Outcome;
use crate::jiandaoyun::forms::Refused;

/// Why a call is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// 400 with a code.
    Code(i64),
    /// The same about a key, with a status that is not confirmed.
    Key {
        /// The status.
        status: u16,
        /// The code.
        code: i64,
    },
    /// A status with a page instead of JSON.
    Page(u16),
}

impl Refusal {
    /// A parameter that is missing or wrong.
    pub(super) const PARAMETER: Self = Self::Code(17017);
    /// Too many calls under way.
    pub(super) const PARALLEL: Self = Self::Page(429);

    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::Code(code) | Self::Key { code, .. } => Outcome::Code(code),
            Self::Page(status) => Outcome::Status(status),
        }
    }

    /// Status, content type and body.
    pub(super) fn answer(self) -> (u16, &'static str, Vec<u8>) {
        match self {
            Self::Code(code) => (400, super::JSON, body(code)),
            Self::Key { status, code } => (status, super::JSON, body(code)),
            Self::Page(status) => (status, super::HTML, page(status)),
        }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Self::Code(refused.0)
    }
}

fn body(code: i64) -> Vec<u8> {
    json!({ "code": code, "msg": text(code) }).to_string().into_bytes()
}

fn page(status: u16) -> Vec<u8> {
    format!("<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>")
        .into_bytes()
}

/// Only the meaning of these texts is known, and clients must not look at them.
const fn text(code: i64) -> &'static str {
    match code {
        1010 => "成员不存在",
        2004 => "应用不存在",
        3000 => "表单不存在",
        4000 => "数据提交失败",
        4001 => "数据不存在",
        4012 => "表单正在批量修改",
        4402 => "聚合计算校验不通过",
        4815 => "过滤条件不合法",
        8301 => "API校验失败",
        8302 => "没有权限",
        8303 => "企业调用超出频率限制",
        8304 => "请求超出频率限制",
        8309 => "成员请求超出频率限制",
        9004 | 9007 => "系统繁忙",
        17017 => "参数不合法",
        17018 => "API Key不合法",
        17023 | 17024 | 17033 => "批量操作数据超出限制",
        17025 => "transaction_id不合法",
        17032 | 17034 => "字段类型不支持",
        17052 => "IP不在白名单中",
        17053 => "应用未授权",
        17054 => "接口未授权",
        _ => "请求失败",
    }
}
