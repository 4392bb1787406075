//! The platform sections of a tenant's file.

use common::Secret;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::mapping;

/// The language in which a tenant is written to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

/// `[wecom]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WecomSection {
    /// The company's id, which is also the receive id of its callbacks.
    pub corp_id: String,
    /// The contact-sync secret: lists ids, writes members.
    pub contact_secret: Secret,
    /// The app that may read names and details; empty: none.
    pub agent_secret: Secret,
    /// Signs callbacks; empty: no callback is accepted.
    pub callback_token: Secret,
    /// Encrypts callbacks: 43 characters; given exactly when the token is.
    pub callback_aes_key: Secret,
    /// Name of the extended attribute that holds the employee number; empty: none.
    pub employee_number: String,
    /// Where the platform's API is.
    pub api_base: String,
}

impl Default for WecomSection {
    fn default() -> Self {
        Self {
            corp_id: String::new(),
            contact_secret: Secret::default(),
            agent_secret: Secret::default(),
            callback_token: Secret::default(),
            callback_aes_key: Secret::default(),
            employee_number: String::new(),
            api_base: "https://qyapi.weixin.qq.com".to_owned(),
        }
    }
}

/// How DingTalk reaches us.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DingtalkMode {
    /// Over a WebSocket that we open.
    #[default]
    Stream,
    /// Over callbacks that it sends.
    Http,
}

/// `[dingtalk]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DingtalkSection {
    /// The company's id; every event names it.
    pub corp_id: String,
    /// AppKey. No two tenants have the same.
    pub client_id: String,
    /// AppSecret.
    pub client_secret: Secret,
    /// How DingTalk reaches us.
    pub mode: DingtalkMode,
    /// Signs callbacks in http mode.
    pub callback_token: Secret,
    /// Encrypts callbacks in http mode: 43 characters.
    pub callback_aes_key: Secret,
    /// Where the new API is.
    pub api_base: String,
    /// Where the old API is.
    pub oapi_base: String,
    /// API calls that the company may make in a month.
    pub monthly_api_quota: u64,
    /// Stream pushes that the company may get in a month.
    pub monthly_stream_quota: u64,
    /// Approvals that are asked for in a second, at most.
    pub approvals_per_second: u32,
    /// Whether attendance is carried.
    pub attendance: bool,
    /// Whether approvals are carried.
    pub approvals: bool,
}

impl Default for DingtalkSection {
    fn default() -> Self {
        Self {
            corp_id: String::new(),
            client_id: String::new(),
            client_secret: Secret::default(),
            mode: DingtalkMode::Stream,
            callback_token: Secret::default(),
            callback_aes_key: Secret::default(),
            api_base: "https://api.dingtalk.com".to_owned(),
            oapi_base: "https://oapi.dingtalk.com".to_owned(),
            monthly_api_quota: 5000,
            monthly_stream_quota: 3000,
            approvals_per_second: 5,
            attendance: true,
            approvals: true,
        }
    }
}

/// How much is taken of what Jiandaoyun allows a company, which everybody shares who has a key of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FormRate {
    /// Five calls a second: enough for polls.
    #[default]
    Gentle,
    /// All of it.
    Full,
}

/// `[jiandaoyun]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JiandaoyunSection {
    /// The key of its API.
    pub api_key: Secret,
    /// Where its API is.
    pub api_base: String,
    /// Signs what the platform pushes (reference jiandaoyun 11); empty: no push is accepted.
    pub push_secret: Secret,
    /// The mapping in full, or its two halves; a file that the section named has been read into it. Where a file is not JSON as it stands,
    /// as where its quotation marks are curly, or has a key twice, it is the file's text, which whoever maps mends. Null: none.
    pub mapping: Value,
    /// Time between two polls.
    pub every_seconds: u64,
    /// How far a poll looks back beyond the last one.
    pub overlap_seconds: u64,
    /// How much is taken of what the platform allows.
    pub rate: FormRate,
    /// RFC 3339; empty: when the tenant was first applied.
    pub start: String,
}

impl Default for JiandaoyunSection {
    fn default() -> Self {
        Self {
            api_key: Secret::default(),
            api_base: "https://api.jiandaoyun.com".to_owned(),
            push_secret: Secret::default(),
            mapping: Value::Null,
            every_seconds: 300,
            overlap_seconds: 600,
            rate: FormRate::default(),
            start: String::new(),
        }
    }
}

impl JiandaoyunSection {
    /// Whether somebody who is there already is looked for before anybody is created: `idCheck` of the mapping.
    pub fn checks_ids(&self) -> bool {
        mapping::checks_ids(&self.mapping)
    }
}
