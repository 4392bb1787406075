//! Good answers (reference wecom 3.1): a return code of 0, a word, and what was asked for.

use serde::Serialize;

use super::ApiOptions;
use super::refusal::Refusal;

#[derive(Serialize)]
struct Good<'a, T> {
    errcode: u8,
    errmsg: &'a str,
    #[serde(flatten)]
    rest: T,
}

/// Nothing but the word.
#[derive(Serialize)]
pub(super) struct Nothing {}

pub(super) fn good(word: &str, rest: impl Serialize) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(&Good { errcode: 0, errmsg: word, rest }).map_err(|_error| Refusal::of(-1))
}

pub(super) fn token(access_token: &str, expires_in: i64) -> Result<Vec<u8>, Refusal> {
    #[derive(Serialize)]
    struct Token<'a> {
        access_token: &'a str,
        expires_in: i64,
    }
    good("ok", Token { access_token, expires_in })
}

/// `getcallbackip` and `get_api_domain_ip` (reference wecom 5.2).
pub(super) fn callback_addresses(options: &ApiOptions) -> Result<Vec<u8>, Refusal> {
    addresses(&options.callback_addresses)
}

pub(super) fn domain_addresses(options: &ApiOptions) -> Result<Vec<u8>, Refusal> {
    addresses(&options.domain_addresses)
}

fn addresses(ip_list: &[String]) -> Result<Vec<u8>, Refusal> {
    #[derive(Serialize)]
    struct Addresses<'a> {
        ip_list: &'a [String],
    }
    good("ok", Addresses { ip_list })
}
