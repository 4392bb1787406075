//! Every parser that an outsider reaches: the words of its format, and what must hold of its answers.

mod address;
mod answer;
mod cloud_event;
mod config;
mod ding;
mod encrypt;
mod envelope;
mod exchange;
mod frame;
mod jiandaoyun;
mod plaintext;
mod query;
mod request;
mod tenant_file;

use std::collections::BTreeSet;

use common::{Secret, TenantId, UnixMillis};
use service::Problem;
use wecom::CallbackKeys;

pub(crate) use self::ding::CORP as DING_CORP;

/// The callback address of the vectors O1 and O2 of reference wecom 1.9, for which most of the corpus is sealed.
const TOKEN: &str = "BridgeTok2026A";
const AES_KEY: &str = "Zq3Lw8Rt5Yh2Nb7Vc0Xm4Kd9Fg6Js1Pa2Qe8Ui5Oz7B";
const CORP: &str = "wwbridge0000demo01";
const NOW: UnixMillis = UnixMillis(1_767_225_700_123);

/// It stands in the corpus wherever a secret may stand.
const SECRET: &str = "hunter2";

fn keys() -> CallbackKeys {
    CallbackKeys::new(&Secret::new(TOKEN), &Secret::new(AES_KEY), CORP).unwrap()
}

/// The same keys as the platform has them: another implementation.
fn platform_keys() -> platform_sim::Keys {
    platform_sim::Keys::new(TOKEN, AES_KEY, CORP).unwrap()
}

fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

/// Which sorts of problems a file has, without what differs from file to file.
fn sorts(problems: &[Problem]) -> String {
    assert!(!problems.is_empty(), "it was refused without a reason");
    let sort = |problem: &Problem| problem.why.chars().filter(|c| !c.is_ascii_digit()).take(24).collect::<String>();
    let sorts: BTreeSet<String> = problems.iter().take(10).map(sort).collect();
    sorts.into_iter().collect::<Vec<_>>().join("; ")
}
