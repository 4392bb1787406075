//! The tenant that all processes serve: its file, and what its platforms and OAs know of it.

use crate::Setup;

/// Its WeCom side.
pub(crate) const CORP_ID: &str = "wwbridge0000demo01";
pub(crate) const TOKEN: &str = "BridgeTok2026A";
pub(crate) const AES_KEY: &str = "Zq3Lw8Rt5Yh2Nb7Vc0Xm4Kd9Fg6Js1Pa2Qe8Ui5Oz7B";
const CONTACT_SECRET: &str = "contact-secret";
const APP_SECRET: &str = "app-secret";
/// The address of a platform that nobody answers for: port 9 discards, where it is served at all.
const NOWHERE: &str = "http://127.0.0.1:9";
/// Its DingTalk side.
pub(crate) const DING_CORP_ID: &str = "ding0000test0000corp";
pub(crate) const DING_CLIENT_ID: &str = "dingclient0001";
pub(crate) const DING_CLIENT_SECRET: &str = "dingtalk-client-secret";
pub(crate) const DING_TOKEN: &str = "BridgeDing2026";
pub(crate) const DING_AES_KEY: &str = "Qm9udFRlc3RLZXkwMTIzNDU2Nzg5YWJjZGVmZ2hpamo";
/// The OAs' own pair.
pub(crate) const OA_TOKEN: &str = "OaOwnToken01";
pub(crate) const OA_AES_KEY: &str = "T7ty8RU9eI0wO1qP2gG3Fh4Dj5sK6aL7zX8cV9bN0m3";

/// What WeCom and the tenant know of each other.
#[derive(Debug, Clone, Copy)]
pub struct Credentials {
    /// The company's id.
    pub corp_id: &'static str,
    /// What callbacks are signed with.
    pub token: &'static str,
    /// What callbacks are encrypted with, as WeCom shows it.
    pub aes_key: &'static str,
    /// The contact-sync secret.
    pub contact_secret: &'static str,
    /// The secret of an app that reads details. The tenant has it where there is a platform.
    pub app_secret: &'static str,
}

impl Credentials {
    pub(crate) const OF_WECOM: Self = Self {
        corp_id: CORP_ID,
        token: TOKEN,
        aes_key: AES_KEY,
        contact_secret: CONTACT_SECRET,
        app_secret: APP_SECRET,
    };
}

/// A tenant's DingTalk side: in Stream mode, and with keys, so that callbacks are taken over as well.
#[derive(Debug, Default, Clone)]
pub struct DingtalkSetup {
    /// Address of the simulated platform.
    pub platform: String,
    /// WeCom is there too, and its directory is kept.
    pub beside_wecom: bool,
    /// Address of an OA that speaks DingTalk's callback protocol and is relayed to.
    pub oa: Option<String>,
    /// Further lines of the section.
    pub section: String,
}

/// A form whose records become members of the tenant's WeCom.
#[derive(Debug, Default, Clone)]
pub struct HiresSetup {
    /// Address of the simulated Jiandaoyun, without a path.
    pub platform: String,
    /// The mapping, as it stands in its file.
    pub mapping: String,
    /// Further lines of the section.
    pub section: String,
}

impl HiresSetup {
    /// The key of the API.
    pub const API_KEY: &str = "jiandaoyun-key";
    /// What pushes are signed with.
    pub const PUSH_SECRET: &str = "jiandaoyun-push-secret";
    /// Where the mapping is, beside the tenant's file.
    pub(crate) const MAPPING_FILE: &str = "new-hires.json";
}

/// The tenant's file. `core` is kind and place of its core product.
pub(crate) fn file(setup: &Setup, core: &str) -> String {
    let dingtalk = setup.dingtalk.as_ref();
    let has_both = dingtalk.is_some_and(|dingtalk| dingtalk.beside_wecom);
    let mut file = "id = \"acme\"\nname = \"示例制造有限公司\"\n".to_owned();
    if has_both {
        file += "directory = \"wecom\"\n";
    }
    if has_both || dingtalk.is_none() {
        file += &wecom(setup);
    }
    if let Some(dingtalk) = dingtalk {
        file += &section(dingtalk);
    }
    if let Some(hires) = &setup.hires {
        file += &form(hires);
    }
    file += &format!("[[destinations]]\nid = \"core\"\nrole = \"core\"\n{core}");
    let ding_oa = dingtalk.and_then(|dingtalk| dingtalk.oa.as_ref());
    for (id, kind, url, receive_id) in [
        ("oa", "wecom-callback", setup.oa.as_ref(), CORP_ID),
        ("second-oa", "wecom-callback", setup.second_oa.as_ref(), CORP_ID),
        ("ding-oa", "dingtalk-callback", ding_oa, DING_CLIENT_ID),
    ] {
        let Some(url) = url else { continue };
        file += &format!(
            "[[destinations]]\nid = \"{id}\"\nkind = \"{kind}\"\nurl = \"{url}\"\n\
             token = \"{OA_TOKEN}\"\naes_key = \"{OA_AES_KEY}\"\nreceive_id = \"{receive_id}\"\n"
        );
    }
    file
}

/// Whoever is there already is left as he is, so that it is plain which of two requests made a member.
fn form(hires: &HiresSetup) -> String {
    let HiresSetup { platform, section, .. } = hires;
    let (key, secret, mapping) = (HiresSetup::API_KEY, HiresSetup::PUSH_SECRET, HiresSetup::MAPPING_FILE);
    format!(
        "[jiandaoyun]\napi_key = \"{key}\"\npush_secret = \"{secret}\"\napi_base = \"{platform}\"\n\
         mapping = \"{mapping}\"\n{section}\n\
         [[destinations]]\nid = \"hires\"\nkind = \"wecom-members\"\non_conflict = \"reject\"\n"
    )
}

fn wecom(setup: &Setup) -> String {
    let app_secret = setup.platform.as_ref().map_or("", |_| APP_SECRET);
    format!(
        "[wecom]\ncorp_id = \"{CORP_ID}\"\ncontact_secret = \"{CONTACT_SECRET}\"\n\
         agent_secret = \"{app_secret}\"\napi_base = \"{}\"\n\
         callback_token = \"{TOKEN}\"\ncallback_aes_key = \"{AES_KEY}\"\n",
        setup.platform.as_deref().unwrap_or(NOWHERE)
    )
}

/// With room for what the tests use up: quotas are tried elsewhere.
fn section(dingtalk: &DingtalkSetup) -> String {
    let DingtalkSetup { platform, section, .. } = dingtalk;
    format!(
        "[dingtalk]\ncorp_id = \"{DING_CORP_ID}\"\nclient_id = \"{DING_CLIENT_ID}\"\n\
         client_secret = \"{DING_CLIENT_SECRET}\"\nmode = \"stream\"\n\
         callback_token = \"{DING_TOKEN}\"\ncallback_aes_key = \"{DING_AES_KEY}\"\n\
         api_base = \"{platform}\"\noapi_base = \"{platform}\"\n\
         monthly_api_quota = 10000000\nmonthly_stream_quota = 10000000\n{section}\n"
    )
}
