//! What the parts of the demo are told of each other.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use platform_sim::{
    Keys, Oa, ROOT,
    crypto::{random_aes_key, random_token},
};
use service::Config;

use super::{CORE, EMPLOYEE_NUMBER, OA, TENANT};
use crate::all_in_one::Listening;

const OA_RECEIVE_ID: &str = "oa-demo";
/// Often, since nobody wants to wait for it.
const FAILED_PUSHES_EVERY_SECONDS: u64 = 10;
/// Everything is on this machine, which is refused unless somebody allows it.
const LOOPBACK: &str = "127.0.0.0/8";

/// The secrets of the demo, from its seed.
pub(super) struct Secrets {
    pub(super) token: String,
    pub(super) aes_key: String,
    /// Lists ids and writes.
    pub(super) contact: String,
    /// Reads names and details.
    pub(super) agent: String,
    oa_token: String,
    oa_aes_key: String,
}

impl Secrets {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            token: random_token(seed),
            aes_key: random_aes_key(seed),
            contact: random_token(seed ^ 2),
            agent: random_token(seed ^ 3),
            oa_token: random_token(!seed),
            oa_aes_key: random_aes_key(!seed),
        }
    }

    /// The OA's own pair.
    pub(super) fn of_oa(&self) -> anyhow::Result<Keys> {
        Ok(Keys::new(&self.oa_token, &self.oa_aes_key, OA_RECEIVE_ID)?)
    }

    /// `distinct_seconds`, since this OA takes two equal texts for one message. Without it a member whose leader went and came
    /// back is told twice in the same words.
    pub(super) fn tenant_file(&self, place: &Place<'_>) -> String {
        let Self { token, aes_key, contact, agent, oa_token, oa_aes_key } = self;
        let Place { corp_id, name, api_base, core_file, oa } = place;
        format!(
            "id = {TENANT:?}\nname = {name:?}\n\n\
             [wecom]\ncorp_id = {corp_id:?}\ncontact_secret = {contact:?}\nagent_secret = {agent:?}\n\
             callback_token = {token:?}\ncallback_aes_key = {aes_key:?}\n\
             employee_number = {EMPLOYEE_NUMBER:?}\napi_base = {api_base:?}\n\n\
             [[destinations]]\nid = {CORE:?}\nkind = \"sqlite\"\nrole = \"core\"\nurl = {:?}\n\n\
             [[destinations]]\nid = {OA:?}\nkind = \"wecom-callback\"\nurl = {:?}\n\
             token = {oa_token:?}\naes_key = {oa_aes_key:?}\nreceive_id = {OA_RECEIVE_ID:?}\n\
             distinct_seconds = true\nbackfill = true\n",
            format!("sqlite://{}", core_file.display()),
            oa.url(),
        )
    }
}

/// What a tenant file names beside secrets.
pub(super) struct Place<'a> {
    pub(super) corp_id: &'a str,
    pub(super) name: &'a str,
    pub(super) api_base: &'a str,
    pub(super) core_file: &'a Path,
    pub(super) oa: &'a Oa,
}

/// The name that a company bears.
pub(super) fn name_of(company: &platform_sim::Snapshot) -> String {
    company.departments.get(ROOT).map(|root| root.name.clone()).unwrap_or_default()
}

pub(super) fn config(directory: &Path) -> anyhow::Result<Config> {
    let mut config = Config::in_directory(directory.join("data"));
    config.callback_gateway.listen.set_port(0);
    config.admin.listen.set_port(0);
    config.sink.allowed_networks = vec![LOOPBACK.parse()?];
    config.synchronizer.allowed_networks = vec![LOOPBACK.parse()?];
    config.synchronizer.failed_pushes_every_seconds = FAILED_PUSHES_EVERY_SECONDS;
    Ok(config)
}

/// A configuration with which commands find the demo's database.
pub(super) fn write_config(directory: &Path, config: &Config, listening: Listening) -> anyhow::Result<PathBuf> {
    let file = directory.join("orgbridge.toml");
    let mut text = format!("data_dir = {:?}\n", config.data_dir);
    if let Some(gateway) = listening.gateway {
        text.push_str(&format!("[callback_gateway]\nlisten = \"{gateway}\"\n"));
    }
    text.push_str(&format!("[admin]\nlisten = \"{}\"\n", listening.admin));
    for section in ["sink", "synchronizer"] {
        text.push_str(&format!("[{section}]\nallowed_networks = [\"{LOOPBACK}\"]\n"));
    }
    std::fs::write(&file, text).with_context(|| file.display().to_string())?;
    Ok(file)
}
