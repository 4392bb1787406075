use std::path::Path;

use super::*;
use crate::layers::{Environment, Problem};

fn load(text: &str) -> Result<Config, Vec<Problem>> {
    Config::from_text(text, "orgbridge.toml", &Environment::new())
}

fn load_with(text: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<Problem>> {
    let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Config::from_text(text, "orgbridge.toml", &environment)
}

#[track_caller]
fn refused(text: &str, key: &str, why: &str) {
    let problems = load(text).expect_err(text);
    assert_eq!(problems.len(), 1, "{text}: {problems:?}");
    assert_eq!(problems[0].source, "orgbridge.toml");
    assert_eq!(problems[0].key, key);
    assert!(problems[0].why.contains(why), "{}", problems[0]);
}

#[test]
fn the_sample_is_the_default() {
    assert_eq!(load(SAMPLE).unwrap(), Config::default());
    assert_eq!(load("").unwrap(), Config::default());
}

#[test]
fn the_sample_names_every_key() {
    // Each section of the sample, written without one of its lines, still loads: so a line less would go unnoticed above.
    // Hence compare the names with those that the structs know, which serde lists when it meets an unknown one.
    let sample: toml::Table = SAMPLE.parse().unwrap();
    for (section, keys) in sample.iter().filter_map(|(name, value)| value.as_table().map(|keys| (name, keys))) {
        let problems = load(&format!("[{section}]\nno_such_key = 1")).unwrap_err();
        let known = problems[0].why.trim_start_matches("unknown key; known are ");
        for name in known.split(", ").flat_map(|names| names.split(" or ")) {
            assert!(keys.contains_key(name), "{section}.{name} is missing in default.toml");
        }
    }
}

#[test]
fn files_follow_the_data_directory() {
    let config = load("data_dir = \"/var/lib/orgbridge\"").unwrap();
    assert_eq!(config, Config::in_directory("/var/lib/orgbridge".into()));
    assert_eq!(config.database.url.expose(), "sqlite:///var/lib/orgbridge/orgbridge.db");
}

#[test]
fn unknown_keys_and_sections_are_refused() {
    refused("[sink]\nbatchsize = 1", "sink.batchsize", "unknown key; known are batch_size");
    refused("[sinks]\nbatch_size = 1", "sinks", "unknown key");
    refused("datadir = \"x\"", "datadir", "known are data_dir");
    refused("sink = 3", "sink", "expected a section, found a number");
}

#[test]
fn wrong_types_are_refused_without_repeating_the_value() {
    refused(
        "[database]\npool_size = \"eight\"",
        "database.pool_size",
        "expected a whole number, not negative, found a text",
    );
    refused("[database]\npool_size = -1", "database.pool_size", "a negative number");
    refused("[database]\nurl = 5", "database.url", "expected a text, found a number");
    refused("[broker]\nlanes = \"shared\"", "broker.lanes", "expected a list");
    refused("[callback_gateway]\nlisten = \"8080\"", "callback_gateway.listen", "not an address and port");
    refused("[sink]\nallowed_networks = [\"ten\"]", "sink.allowed_networks", "not a network");
    refused("[synchronizer]\nallowed_networks = [\"ten\"]", "synchronizer.allowed_networks", "not a network");
    refused("[telemetry]\nlog_format = \"xml\"", "telemetry.log_format", "must be one of auto, text, json");
    let problems = load("[database]\nurl = 98765").unwrap_err();
    assert!(!problems[0].to_string().contains("98765"));
}

#[test]
fn values_out_of_range_are_refused() {
    refused("[broker]\npartitions = 0", "broker.partitions", "0 is not between 1 and 1024");
    refused("[resolver]\nbatch_size = 0", "resolver.batch_size", "not between");
    for connections in [0, 9] {
        let text = format!("[callback_gateway]\nstream_connections = {connections}");
        refused(&text, "callback_gateway.stream_connections", "is not between 1 and 8");
    }
    refused("[resolver]\nparking_limit_seconds = 10", "resolver.parking_grace_seconds", "is longer than");
    refused("[synchronizer]\nbrake_share = 1.5", "synchronizer.brake_share", "not between 0 and 1");
    refused("[database]\nurl = \"mysql://x\"", "database.url", "must start with");
    refused("[broker]\nurl = \"kafka://x\"", "broker.url", "must be embedded");
    refused("[broker]\nlanes = []", "broker.lanes", "at least one");
    refused("[broker]\nlanes = [\"Big Lane\"]", "broker.lanes", "a-z");
    refused("[console]\nlisten = \"127.0.0.1:8080\"", "console.listen", "is taken by callback_gateway.listen");
    refused("[console]\npublic_url = \"localhost\"", "console.public_url", "http");
    refused("[secrets]\nmaster_key = \"c2hvcnQ=\"", "secrets.master_key", "32 random bytes");
}

#[test]
fn all_problems_come_at_once() {
    let problems = load("colour = 1\n[broker]\npartitions = 0\n[sink]\nx = 1\nbatch_size = \"a\"").unwrap_err();
    let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(keys, ["colour", "sink.batch_size", "sink.x", "broker.partitions"]);
}

#[test]
fn broken_toml_names_the_line_and_not_its_content() {
    let problems = load("data_dir = \"x\"\n[database]\nurl = postgres://u:hunter2@h/d\n").unwrap_err();
    assert!(problems[0].why.starts_with("line 3: "), "{}", problems[0]);
    assert!(!problems[0].to_string().contains("hunter2"));
}

#[test]
fn the_environment_wins_over_the_file() {
    let config = load_with(
        "[database]\npool_size = 4\nurl = \"sqlite://a.db\"",
        &[
            ("ORGBRIDGE__DATABASE__POOL_SIZE", "9"),
            ("ORGBRIDGE__DATA_DIR", "/srv"),
            ("ORGBRIDGE__BROKER__LANES", "shared, big"),
            ("ORGBRIDGE__SINK__ALLOWED_NETWORKS", "10.0.0.0/8,127.0.0.1"),
            ("ORGBRIDGE__SYNCHRONIZER__BRAKE_SHARE", "0.5"),
            ("ORGBRIDGE__TELEMETRY__LOG_FORMAT", "json"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    assert_eq!(config.database.pool_size, 9);
    assert_eq!(config.database.url.expose(), "sqlite://a.db");
    assert_eq!(config.data_dir, Path::new("/srv"));
    assert_eq!(config.broker.lanes, ["shared", "big"]);
    assert_eq!(config.sink.allowed_networks.len(), 2);
    assert_eq!(config.synchronizer.brake_share, 0.5);
    assert_eq!(config.telemetry.log_format, LogFormat::Json);
}

#[test]
fn problems_of_the_environment_name_the_variable() {
    let problems = load_with(
        "",
        &[("ORGBRIDGE__SINK__BATCH_SIZE", "many"), ("ORGBRIDGE__NOPE__X", "1"), ("ORGBRIDGE__BROKER__PARTITIONS", "0")],
    )
    .unwrap_err();
    let said: Vec<(&str, &str)> =
        problems.iter().map(|problem| (problem.source.as_str(), problem.key.as_str())).collect();
    assert_eq!(
        said,
        [
            ("ORGBRIDGE__NOPE__X", "nope.x"),
            ("ORGBRIDGE__SINK__BATCH_SIZE", "sink.batch_size"),
            ("ORGBRIDGE__BROKER__PARTITIONS", "broker.partitions"),
        ]
    );
}

#[test]
fn a_text_may_stand_in_the_environment_or_in_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("url");
    std::fs::write(&file, "sqlite://from-a-file.db\n").unwrap();
    let text = format!("[database]\nurl = {{ file = \"{}\" }}", file.display());
    assert_eq!(load(&text).unwrap().database.url.expose(), "sqlite://from-a-file.db");
    let text = "[database]\nurl = { env = \"DB\" }";
    assert_eq!(load_with(text, &[("DB", "sqlite://env.db")]).unwrap().database.url.expose(), "sqlite://env.db");
    refused(text, "database.url", "the environment variable DB is not set");
    refused("[database]\nurl = { file = \"/no/such/file\" }", "database.url", "cannot read /no/such/file");
}

#[test]
fn the_master_key_may_be_a_file_a_variable_or_the_key_itself() {
    const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let file = MasterKey::File { file: "/run/key".into() };
    let text = MasterKey::Text(common::Secret::new(KEY));
    let loaded = |text: &str, variables: &[(&str, &str)]| load_with(text, variables).unwrap().secrets.master_key;
    assert_eq!(loaded("[secrets]\nmaster_key = { file = \"/run/key\" }", &[]), file);
    assert_eq!(loaded("[secrets]\nmaster_key = { env = \"K\" }", &[("K", KEY)]), text);
    assert_eq!(loaded(&format!("[secrets]\nmaster_key = \"{KEY}\""), &[]), text);
    assert_eq!(loaded("", &[("ORGBRIDGE__SECRETS__MASTER_KEY", KEY)]), text);
    assert_eq!(loaded("", &[("ORGBRIDGE__SECRETS__MASTER_KEY", "{ file = \"/run/key\" }")]), file);
    assert_eq!(loaded("", &[("ORGBRIDGE__SECRETS__MASTER_KEY", "{ env = \"K\" }"), ("K", KEY)]), text);
    let problems = load_with("", &[("ORGBRIDGE__DATABASE__URL", "{ env = \"NO\" }")]).unwrap_err();
    assert_eq!((problems[0].source.as_str(), problems[0].key.as_str()), ("ORGBRIDGE__DATABASE__URL", "database.url"));
}

#[test]
fn a_missing_file_is_a_problem_of_its_own() {
    let problems = Config::load(Some(Path::new("/no/such/orgbridge.toml")), &Environment::new()).unwrap_err();
    assert!(problems[0].to_string().starts_with("/no/such/orgbridge.toml: cannot read it"));
}

#[test]
fn secrets_do_not_print() {
    let config = load_with("", &[("ORGBRIDGE__DATABASE__URL", "postgres://u:hunter2@h/d")]).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}
