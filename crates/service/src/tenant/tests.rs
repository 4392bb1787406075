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
push_secret = "push-secret"
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

const DINGTALK: &str = "id = \"acme\"\n[dingtalk]\ncorp_id = \"ding1\"\nclient_id = \"app\"\nclient_secret = \"s\"\n";

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
    for part in ["hook: the kind webhook", "idm: the kind scim"] {
        assert!(warnings.iter().any(|warning| warning.contains(part)), "{part}: {warnings:?}");
    }
    assert!(!warnings.iter().any(|warning| warning.contains("agent_secret")
        || warning.contains("destinations.small")
        || warning.contains("destinations.core")
        || warning.contains("destinations.oa")
        || warning.contains("destinations.hires")
        || warning.contains("jiandaoyun")
        || warning.contains("dingtalk")));
    let warnings = parse(SMALL).unwrap().warnings();
    assert!(warnings.iter().any(|warning| warning.contains("go out with ids")), "{warnings:?}");
}

#[test]
fn what_new_hires_lack_is_named() {
    let hires = "[[destinations]]\nid = \"hires\"\nkind = \"wecom-members\"\n";
    let form = "[jiandaoyun]\napi_key = \"k\"\n";
    let mapped = format!("{form}mapping = {{ source = {{}}, target = {{ idCheck = true }} }}\n");
    let warned = |text: String| -> Vec<String> {
        let warnings = parse(&(SMALL.to_owned() + &text)).unwrap().warnings();
        warnings.into_iter().filter(|warning| !warning.starts_with("wecom.")).collect()
    };
    for (text, word) in [
        (hires.to_owned(), "without a [jiandaoyun] section"),
        (mapped.clone(), "no destination of kind wecom-members"),
        (form.to_owned() + hires, "jiandaoyun.mapping: without it"),
        (mapped.clone() + hires, "without wecom.agent_secret nobody can see"),
    ] {
        let warnings = warned(text);
        assert!(warnings.len() == 1 && warnings[0].contains(word), "{word}: {warnings:?}");
    }
    assert!(parse(&(SMALL.to_owned() + &mapped)).unwrap().jiandaoyun.unwrap().checks_ids());
}

#[test]
fn a_mapping_with_curly_quotation_marks_is_kept_as_it_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let text = "{“idCheck”: “true”}";
    std::fs::write(directory.path().join("target.json"), text).unwrap();
    std::fs::write(directory.path().join("list.json"), "[1]").unwrap();
    let file = |mapping: &str| {
        let text = format!("{SMALL}[jiandaoyun]\napi_key = \"k\"\nmapping = {mapping}");
        TenantFile::parse(&text, directory.path())
    };
    let whole = file("\"target.json\"").unwrap().jiandaoyun.unwrap();
    assert_eq!(whole.mapping, json!(text));
    assert!(whole.checks_ids());
    let halves = file("{ source = {}, target = \"target.json\" }").unwrap();
    assert!(halves.jiandaoyun.as_ref().unwrap().checks_ids());
    let sealer = Sealer::new(&Sealer::new_master_key()).unwrap();
    let data_key = sealer.new_data_key().unwrap();
    let document = halves.to_document(&sealer, &data_key).unwrap();
    let back = TenantFile::from_document(&halves.id, document, &sealer, &data_key).unwrap();
    assert_eq!(back.jiandaoyun.unwrap().mapping, json!({"source": {}, "target": text}));
    assert_eq!(file("\"list.json\"").unwrap_err()[0].key, "jiandaoyun.mapping");
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
    refused("id = \"a\"\n[jiandaoyun]\napi_key = \"k\"\nstart = \"monday\"", "jiandaoyun.start", "must be a time");
    let form = |key: &str| format!("id = \"a\"\n[jiandaoyun]\napi_key = \"k\"\n{key}");
    refused(&form("mapping = \"/no/such.json\""), "jiandaoyun.mapping", "cannot read");
    refused(&form("mapping = 7"), "jiandaoyun.mapping", "must be a table");
    let zone = "id = \"a\"\ntime_zone = \"Europe/Berlin\"\n[jiandaoyun]\napi_key = \"k\"\n";
    refused(&format!("{zone}mapping = {{ source = {{}} }}"), "time_zone", "without summer time");
    assert!(parse(zone).is_ok(), "without a mapping no date is read");
    refused(&form("every_seconds = 0"), "jiandaoyun.every_seconds", "at least 1");
    refused(&form("every_seconds = 700000"), "jiandaoyun.every_seconds", "at most 604800");
    refused(&form("overlap_seconds = 700000"), "jiandaoyun.overlap_seconds", "at most 604800");
    refused(&form("rate = \"fast\""), "jiandaoyun.rate", "one of gentle or full");
    assert_eq!(parse(&form("rate = \"full\"")).unwrap().jiandaoyun.unwrap().rate, FormRate::Full);
    let both = SMALL.to_owned() + DINGTALK.trim_start_matches("id = \"acme\"");
    refused(&both, "directory", "required when both");
}

#[test]
fn mistakes_in_dingtalks_section_are_refused_with_their_key() {
    let without = |key: &str| {
        let lines: Vec<&str> = DINGTALK.lines().filter(|line| !line.starts_with(key)).collect();
        lines.join("\n")
    };
    for key in ["client_id", "client_secret"] {
        refused(&without(key), &format!("dingtalk.{key}"), "is required");
    }
    let warnings = parse(&without("corp_id")).unwrap().warnings();
    assert!(warnings.iter().any(|warning| warning.starts_with("dingtalk.corp_id")), "{warnings:?}");
    let with = |text: &str| format!("{DINGTALK}{text}");
    refused(&with("mode = \"pull\""), "dingtalk.mode", "one of stream or http");
    refused(&with("mode = \"http\""), "dingtalk.callback_token", "is required in http mode");
    refused(&with("callback_token = \"t\""), "dingtalk.callback_aes_key", "with callback_token");
    refused(&with("mode = \"http\"\ncallback_token = \"t\""), "dingtalk.callback_aes_key", "with callback_token");
    let keys = |aes_key: &str| format!("mode = \"http\"\ncallback_token = \"t\"\ncallback_aes_key = \"{aes_key}\"");
    refused(&with(&keys("short")), "dingtalk.callback_aes_key", "43 characters");
    refused(&with("api_base = \"wss://x\""), "dingtalk.api_base", "http");
    refused(&with("oapi_base = \"\""), "dingtalk.oapi_base", "http");
    refused(&with("monthly_api_quota = 0"), "dingtalk.monthly_api_quota", "at least 1");
    refused(&with("monthly_stream_quota = 0"), "dingtalk.monthly_stream_quota", "at least 1");
    refused(&with("approvals = 1"), "dingtalk.approvals", "expected");
    for per_second in [0, 19] {
        let text = with(&format!("approvals_per_second = {per_second}"));
        refused(&text, "dingtalk.approvals_per_second", "from 1 to 18");
    }
    for fine in ["", &keys(KEY), "api_base = \"http://127.0.0.1:1\"\napprovals = false"] {
        let file = parse(&with(fine)).unwrap();
        assert_eq!(file.directory, Some(Platform::Dingtalk));
        assert!(file.warnings().is_empty(), "{:?}", file.warnings());
    }
}

/// Former releases did nothing with this section, and took what could not have worked.
#[test]
fn what_a_former_release_stored_can_still_be_read() {
    let sealer = Sealer::new(&Sealer::new_master_key()).unwrap();
    let data_key = sealer.new_data_key().unwrap();
    let file = parse(DINGTALK).unwrap();
    let mut document = file.to_document(&sealer, &data_key).unwrap();
    document["dingtalk"]["mode"] = json!("http");
    document["dingtalk"].as_object_mut().unwrap().remove("corp_id");
    let back = TenantFile::from_document(&file.id, document, &sealer, &data_key).unwrap();
    assert_eq!(back.dingtalk.unwrap().corp_id, "");
    let relay = format!(
        "{SMALL}\n[[destinations]]\nid = \"oa\"\nkind = \"dingtalk-callback\"\nurl = \"https://oa.example/cb\"\n\
         token = \"t\"\naes_key = \"{KEY}\"\nreceive_id = \"ding7\""
    );
    let file = parse(&relay).unwrap();
    let mut document = file.to_document(&sealer, &data_key).unwrap();
    document["destinations"][0].as_object_mut().unwrap().remove("receive_id");
    let back = TenantFile::from_document(&file.id, document, &sealer, &data_key).unwrap();
    assert_eq!((back.destinations.len(), back.wecom.is_some()), (1, true));
}

#[test]
fn a_dingtalk_relay_expects_the_apps_own_key_unless_told_otherwise() {
    let relay = |section: &str, receive_id: &str| {
        let destination = format!(
            "\n[[destinations]]\nid = \"oa\"\nkind = \"dingtalk-callback\"\nurl = \"https://oa.example/cb\"\n\
             token = \"t\"\naes_key = \"{KEY}\"\n{receive_id}"
        );
        format!("{section}{destination}")
    };
    let receive_id = |text: &str| match &parse(text).unwrap().destinations[0].settings {
        DestinationSettings::DingtalkCallback(settings) => settings.receive_id.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(receive_id(&relay(DINGTALK, "")), "app");
    assert_eq!(receive_id(&relay(DINGTALK, "receive_id = \"ding7\"\nspacing_millis = 5")), "ding7");
    assert_eq!(receive_id(&relay(SMALL, "receive_id = \"ding7\"")), "ding7");
    refused(&relay(SMALL, ""), "destinations.oa.receive_id", "is required");
    refused(&relay(DINGTALK, "agent_id = \"5\""), "destinations.oa.agent_id", "unknown");
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
const SECRETS: [&str; 14] = [
    "contact-secret",
    "agent-secret",
    "callback-token",
    KEY,
    "ding-secret",
    "jdy-key",
    "push-secret",
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
