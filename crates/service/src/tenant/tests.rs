use std::path::Path;

use common::{Platform, Secret};
use serde_json::json;
use store::Sealer;

use super::*;

const KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";

/// Every section and kind of the contract.
fn full() -> String {
    format!(
        r#"
id = "acme"
name = "ACME 制造"
lane = "big"
language = "en"
time_zone = "Asia/Shanghai"
directory = "wecom"

[wecom]
corp_id = "ww1"
contact_secret = "contact-secret"
agent_secret = "agent-secret"
callback_token = "callback-token"
callback_aes_key = "{KEY}"
employee_number = "工号"

[dingtalk]
corp_id = "ding1"
client_id = "app"
client_secret = "ding-secret"
attendance = false

[jiandaoyun]
api_key = "jdy-key"
start = "2026-01-31T08:00:00+08:00"
mapping = {{ source = {{ api = "/x" }}, target = {{ api = "/y" }} }}

[[destinations]]
id = "core"
kind = "postgres"
url = "postgres://u:pg-password@h/d"
role = "core"

[[destinations]]
id = "small"
kind = "sqlite"
url = "sqlite://core.db"

[[destinations]]
id = "oa"
kind = "wecom-callback"
url = "https://oa.example.com/wecom/callback"
token = "relay-token"
aes_key = "{KEY}"
backfill = true
spacing_millis = 100
distinct_seconds = true

[[destinations]]
id = "oa2"
kind = "dingtalk-callback"
url = "https://oa.example.com/dingtalk"
token = "relay-token2"
aes_key = "{KEY}"

[[destinations]]
id = "idm"
kind = "scim"
url = "https://idm.example.com/scim/v2"
token = "scim-token"

[[destinations]]
id = "hook"
kind = "webhook"
url = "https://hr.example.com/events"
secret = "whsec_x"

[[destinations]]
id = "api"
kind = "http"
url = "https://api.example.com/?token=url-token"
headers = {{ Authorization = "header-token" }}
body = "{{{{ name }}}}"

[[destinations]]
id = "hires"
kind = "wecom-members"
on_conflict = "update"
"#
    )
}

const SMALL: &str = "id = \"acme\"\n[wecom]\ncorp_id = \"ww1\"\ncontact_secret = \"s\"\n";

fn parse(text: &str) -> Result<TenantFile, Vec<Problem>> {
    TenantFile::parse(text, Path::new(""))
}

#[track_caller]
fn refused(text: &str, key: &str, why: &str) {
    let problems = parse(text).expect_err(text);
    assert_eq!(problems.len(), 1, "{text}: {problems:?}");
    assert_eq!(problems[0].key, key, "{problems:?}");
    assert!(problems[0].why.contains(why), "{}", problems[0]);
}

#[test]
fn every_section_and_kind_is_accepted() {
    let file = parse(&full()).unwrap();
    assert_eq!((file.id.as_str(), file.name.as_str(), file.lane.as_str()), ("acme", "ACME 制造", "big"));
    assert_eq!((file.language, file.directory), (Language::En, Some(Platform::Wecom)));
    let wecom = file.wecom.as_ref().unwrap();
    assert_eq!((wecom.corp_id.as_str(), wecom.contact_secret.expose()), ("ww1", "contact-secret"));
    assert_eq!(wecom.api_base, "https://qyapi.weixin.qq.com");
    assert!(!file.dingtalk.as_ref().unwrap().attendance);
    assert_eq!(file.jiandaoyun.as_ref().unwrap().mapping, json!({"source": {"api": "/x"}, "target": {"api": "/y"}}));
    assert_eq!(file.destinations.len(), 8);
    let core = file.destination("core").unwrap();
    assert!(core.core && !core.backfill);
    let oa = file.destination("oa").unwrap();
    assert!(oa.backfill);
    let DestinationSettings::WecomCallback(settings) = &oa.settings else { panic!("{oa:?}") };
    assert_eq!((settings.receive_id.as_str(), settings.spacing_millis), ("ww1", 100));
    assert!(settings.distinct_seconds);
}

#[test]
fn parts_that_are_not_built_yet_are_named() {
    let warnings = parse(&full()).unwrap().warnings();
    for part in ["dingtalk:", "jiandaoyun:", "hook: the kind webhook", "idm: the kind scim"] {
        assert!(warnings.iter().any(|warning| warning.contains(part)), "{part}: {warnings:?}");
    }
    assert!(!warnings.iter().any(|warning| warning.contains("agent_secret")
        || warning.contains("destinations.small")
        || warning.contains("destinations.core")
        || warning.contains("destinations.oa:")));
    let warnings = parse(SMALL).unwrap().warnings();
    assert!(warnings.iter().any(|warning| warning.contains("go out with ids")), "{warnings:?}");
}

#[test]
fn a_small_file_gets_the_defaults() {
    let file = parse(SMALL).unwrap();
    assert_eq!((file.name.as_str(), file.lane.as_str(), file.time_zone.as_str()), ("acme", "shared", "Asia/Shanghai"));
    assert_eq!(file.directory, Some(Platform::Wecom));
    assert!(file.destinations.is_empty());
    assert_eq!(parse("id = \"x\"").unwrap().directory, None);
}

#[test]
fn mistakes_are_refused_with_their_key() {
    refused("name = \"x\"", "id", "is required");
    refused("id = \"A B\"", "id", "1 to 63 characters");
    refused("id = 5", "id", "expected a text");
    refused("id = \"a\"\ncolour = 1", "colour", "unknown key");
    refused("id = \"a\"\nlanguage = \"fr\"", "language", "one of zh or en");
    refused("id = \"a\"\nlane = \"A\"", "lane", "a-z");
    refused("id = \"a\"\ntime_zone = \"\"", "time_zone", "Asia/Shanghai");
    refused("id = \"a\"\ndirectory = \"wecom\"", "directory", "no [wecom] section");
    refused("id = \"a\"\n[wecom]\ncorp_id = \"w\"", "wecom.contact_secret", "is required");
    refused("id = \"a\"\n[wecom]\ncontact_secret = \"w\"", "wecom.corp_id", "is required");
    refused(&format!("{SMALL}secret = \"x\""), "wecom.secret", "unknown key; known are corp_id");
    refused(&format!("{SMALL}callback_token = \"x\""), "wecom.callback_aes_key", "with callback_token");
    refused(&format!("{SMALL}callback_aes_key = \"{KEY}\""), "wecom.callback_token", "with callback_aes_key");
    let short = format!("{SMALL}callback_token = \"t\"\ncallback_aes_key = \"short\"");
    refused(&short, "wecom.callback_aes_key", "43 characters");
    refused(&format!("{SMALL}api_base = \"ftp://x\""), "wecom.api_base", "http");
    refused("id = \"a\"\n[dingtalk]\nclient_id = \"x\"", "dingtalk.client_secret", "is required");
    refused(
        "id = \"a\"\n[dingtalk]\nclient_id = \"x\"\nclient_secret = \"y\"\nmode = \"pull\"",
        "dingtalk.mode",
        "one of stream or http",
    );
    refused("id = \"a\"\n[jiandaoyun]\napi_key = \"k\"\nstart = \"monday\"", "jiandaoyun.start", "must be a time");
    refused(
        "id = \"a\"\n[jiandaoyun]\napi_key = \"k\"\nmapping = \"/no/such.json\"",
        "jiandaoyun.mapping",
        "cannot read",
    );
    let both = format!("{SMALL}[dingtalk]\nclient_id = \"x\"\nclient_secret = \"y\"");
    refused(&both, "directory", "required when both");
}

#[test]
fn mistakes_in_destinations_are_refused_with_their_key() {
    let destination = |text: &str| format!("{SMALL}[[destinations]]\nid = \"d\"\n{text}");
    refused(&destination(""), "destinations.d.kind", "must be one of postgres, sqlite");
    refused(&destination("kind = \"ldap\""), "destinations.d.kind", "must be one of");
    refused(&destination("kind = \"sqlite\""), "destinations.d.url", "must start with sqlite://");
    refused(&destination("kind = \"sqlite\"\nurl = \"sqlite://x\"\nrole = \"main\""), "destinations.d.role", "core");
    refused(
        &destination("kind = \"sqlite\"\nurl = \"sqlite://x\"\nschema = \"x\""),
        "destinations.d.schema",
        "unknown",
    );
    refused(&destination("kind = \"scim\"\nurl = \"https://x\""), "destinations.d.token", "is required");
    refused(&destination("kind = \"webhook\"\nurl = \"x\"\nsecret = \"s\""), "destinations.d.url", "http");
    let relay = format!("kind = \"wecom-callback\"\nurl = \"https://x\"\naes_key = \"{KEY}\"");
    refused(&destination(&relay), "destinations.d.token", "is required");
    refused(
        &destination(&format!("{relay}\ntoken = \"t\"\nspacing_millis = 70000")),
        "destinations.d.spacing_millis",
        "60000",
    );
    refused(&destination("kind = \"wecom-members\"\non_conflict = \"x\""), "destinations.d.on_conflict", "one of link");
    refused(
        "id = \"a\"\n[[destinations]]\nkind = \"sqlite\"\nurl = \"sqlite://x\"",
        "destinations[1].id",
        "is required",
    );
    refused("id = \"a\"\ndestinations = 5", "destinations", "must be a list");
    refused("id = \"a\"\n[[destinations]]\nid = \"h\"\nkind = \"wecom-members\"", "destinations.h", "[wecom]");
    let twice = "[[destinations]]\nid = \"d\"\nkind = \"sqlite\"\nurl = \"sqlite://x\"\n".repeat(2);
    refused(&format!("{SMALL}{twice}"), "destinations.d", "taken");
}

#[test]
fn all_problems_of_a_file_come_at_once() {
    let problems =
        parse("id = \"a\"\nx = 1\n[wecom]\ny = 2\n[[destinations]]\nid = \"d\"\nkind = \"sqlite\"").unwrap_err();
    assert!(problems.len() >= 4, "{problems:?}");
}

#[test]
fn secrets_may_come_from_the_environment_or_a_file() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("secret"), "from-a-file\n").unwrap();
    std::fs::write(directory.path().join("mapping.json"), "{\"a\": 1}").unwrap();
    let text = "id = \"acme\"\n[wecom]\ncorp_id = { env = \"CORP\" }\ncontact_secret = { file = \"secret\" }\n\
                [jiandaoyun]\napi_key = \"k\"\nmapping = \"mapping.json\"\n";
    let environment = Environment::from([("CORP".to_owned(), "ww9".to_owned())]);
    let file = TenantFile::parse_with(text, "acme.toml", directory.path(), &environment).unwrap();
    let wecom = file.wecom.unwrap();
    assert_eq!((wecom.corp_id.as_str(), wecom.contact_secret.expose()), ("ww9", "from-a-file"));
    assert_eq!(file.jiandaoyun.unwrap().mapping, json!({"a": 1}));
    let problems = TenantFile::parse_with(text, "acme.toml", Path::new("/nowhere"), &environment).unwrap_err();
    assert_eq!(problems[0].source, "acme.toml");
}

/// All secrets of the full file.
const SECRETS: [&str; 13] = [
    "contact-secret",
    "agent-secret",
    "callback-token",
    KEY,
    "ding-secret",
    "jdy-key",
    "pg-password",
    "relay-token",
    "relay-token2",
    "scim-token",
    "whsec_x",
    "url-token",
    "header-token",
];

#[test]
fn the_document_holds_no_secret_in_clear_and_opens_again() {
    let file = parse(&full()).unwrap();
    let sealer = Sealer::new(&Sealer::new_master_key()).unwrap();
    let data_key = sealer.new_data_key().unwrap();
    let document = file.to_document(&sealer, &data_key).unwrap();
    let text = document.to_string();
    for shown in [text.as_str(), &format!("{file:?}"), &file.redacted().to_string()] {
        for secret in SECRETS {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
    let back = TenantFile::from_document(&file.id, serde_json::from_str(&text).unwrap(), &sealer, &data_key).unwrap();
    assert_eq!(back, file);
    assert_eq!(back.wecom.unwrap().callback_aes_key.expose(), KEY);
}

#[test]
fn a_sealed_value_cannot_be_moved() {
    let file = parse(&full()).unwrap();
    let sealer = Sealer::new(&Sealer::new_master_key()).unwrap();
    let data_key = sealer.new_data_key().unwrap();
    let document = file.to_document(&sealer, &data_key).unwrap();
    let other = "globex".parse().unwrap();
    assert!(TenantFile::from_document(&other, document.clone(), &sealer, &data_key).is_err());
    let mut moved = document;
    moved["wecom"]["callback_token"] = moved["wecom"]["contact_secret"].clone();
    assert!(TenantFile::from_document(&file.id, moved, &sealer, &data_key).is_err());
}

#[test]
fn files_are_equal_when_their_secrets_are() {
    let file = parse(&full()).unwrap();
    assert_eq!(file, parse(&full()).unwrap());
    assert_ne!(file, parse(&full().replace("callback-token", "other-token")).unwrap());
    assert_ne!(file, parse(&full().replace("\"big\"", "\"shared\"")).unwrap());
    assert!(!format!("{:?}", Secret::new("x")).contains('x'));
}
