//! What a bridge is told of the sandbox: a tenant's file.

use super::dingtalk::{self, CLIENT_ID};
use super::options::{Part, Platform, Site};
use super::secrets::{Secrets, WeakSecret};
use super::{OA_RECEIVE_ID, wecom};

/// The environment variable in which the bridge finds its core product.
const CORE_URL: &str = "ORGBRIDGE_CORE_URL";
/// What was bought: the little that is free lasts for hours.
const MONTHLY_QUOTA: u64 = 1_000_000;

/// The file of the tenant that is on that platform: TOML, with its secrets. The core product is a PostgreSQL database; where it is, the bridge's
/// environment says.
///
/// # Errors
/// [`WeakSecret`] if the site's secret is too short.
pub fn tenant_file(platform: Platform, site: &Site) -> Result<String, WeakSecret> {
    let secrets = Secrets::new(&site.secret)?;
    let core = format!(
        "[[destinations]]\nid = \"core\"\nkind = \"postgres\"\nrole = \"core\"\nurl = {{ env = \"{CORE_URL}\" }}\n"
    );
    Ok(match platform {
        Platform::Wecom => format!("{}\n{core}\n{}", of_company(site, &secrets), of_oa(site, &secrets)),
        Platform::Dingtalk => format!("{}\n{core}", of_plant(site, &secrets)),
    })
}

fn of_company(site: &Site, secrets: &Secrets) -> String {
    let Secrets { token, aes_key, contact, agent, .. } = secrets;
    let wecom::Known { tenant, name, corp_id, employee_number } = wecom::KNOWN;
    format!(
        "id = {tenant:?}\nname = {name:?}\n\n\
         [wecom]\ncorp_id = {corp_id:?}\ncontact_secret = {contact:?}\nagent_secret = {agent:?}\n\
         callback_token = {token:?}\ncallback_aes_key = {aes_key:?}\nemployee_number = {employee_number:?}\napi_base = {:?}\n",
        site.url(Part::Wecom),
    )
}

/// `distinct_seconds`, since this OA takes two equal texts for one message.
fn of_oa(site: &Site, secrets: &Secrets) -> String {
    let Secrets { oa_token, oa_aes_key, .. } = secrets;
    format!(
        "[[destinations]]\nid = \"oa\"\nkind = \"wecom-callback\"\nurl = {:?}\ntoken = {oa_token:?}\naes_key = {oa_aes_key:?}\n\
         receive_id = {OA_RECEIVE_ID:?}\ndistinct_seconds = true\nbackfill = true\n",
        format!("{}/wecom/callback", site.url(Part::Oa)),
    )
}

fn of_plant(site: &Site, secrets: &Secrets) -> String {
    let dingtalk::Known { tenant, name, corp_id } = dingtalk::KNOWN;
    let url = site.url(Part::Dingtalk);
    format!(
        "id = {tenant:?}\nname = {name:?}\n\n\
         [dingtalk]\ncorp_id = {corp_id:?}\nclient_id = {CLIENT_ID:?}\nclient_secret = {:?}\nmode = \"stream\"\n\
         api_base = {url:?}\noapi_base = {url:?}\nmonthly_api_quota = {MONTHLY_QUOTA}\nmonthly_stream_quota = {MONTHLY_QUOTA}\n",
        secrets.client,
    )
}
