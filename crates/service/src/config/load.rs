//! From file and environment to a [`Config`].

use std::{collections::BTreeMap, path::Path};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    AdminConfig, BrokerConfig, Config, ConsoleConfig, DatabaseConfig, GatewayConfig, ResolverConfig, SecretsConfig,
    SinkConfig, SynchronizerConfig, TelemetryConfig,
};
use crate::layers::{self, Environment, Layer, Problem};

const PREFIX: &str = "ORGBRIDGE__";
/// Read when the process opens, since it may have to be created first.
const READ_LATER: &[&str] = &["secrets.master_key"];
const TOP_LEVEL: &[&str] = &["data_dir", "tenants_dir"];

type Tree = Map<String, Value>;
type AcceptSection = fn(&mut Layer<'_>, &str, Tree) -> Tree;
type ReadText = fn(&str, &str) -> Result<Value, String>;

/// How the keys of one section are judged.
struct Section {
    name: &'static str,
    accept: AcceptSection,
    read_text: ReadText,
}

const fn section<T: DeserializeOwned>(name: &'static str) -> Section {
    Section { name, accept: |layer, path, given| layer.accept::<T>(path, given), read_text: layers::from_text::<T> }
}

const SECTIONS: &[Section] = &[
    section::<DatabaseConfig>("database"),
    section::<BrokerConfig>("broker"),
    section::<GatewayConfig>("callback_gateway"),
    section::<ConsoleConfig>("console"),
    section::<AdminConfig>("admin"),
    section::<ResolverConfig>("resolver"),
    section::<SinkConfig>("sink"),
    section::<SynchronizerConfig>("synchronizer"),
    section::<SecretsConfig>("secrets"),
    section::<TelemetryConfig>("telemetry"),
];

impl Config {
    /// Reads the file, if there is one, and lays the environment over it.
    ///
    /// # Errors
    /// Everything that is wrong, at once; each problem names where it was said, the key and the reason.
    pub fn load(path: Option<&Path>, environment: &Environment) -> Result<Self, Vec<Problem>> {
        let Some(path) = path else { return Self::from_text("", "orgbridge.toml", environment) };
        let source = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::from_text(&text, &source, environment),
            Err(error) => Err(vec![Problem { source, key: String::new(), why: format!("cannot read it: {error}") }]),
        }
    }

    /// Like [`Config::load`], from text; `source` names it in problems.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_text(text: &str, source: &str, environment: &Environment) -> Result<Self, Vec<Problem>> {
        let mut said_by = BTreeMap::new();
        // Relative paths start where the process was started, as those of data_dir do.
        let mut layer = Layer::new(source, Path::new(""), environment).leaving(READ_LATER);
        let parsed = layer.parse(text);
        let mut tree = from_file(&mut layer, parsed);
        for (section, keys) in &tree {
            remember(&mut said_by, section, keys, source);
        }
        let mut problems = layer.problems;
        for (name, text) in environment {
            let mut layer = Layer::new(name, Path::new(""), environment).leaving(READ_LATER);
            if let Some((key, value)) = from_variable(&mut layer, name, text) {
                put(&mut tree, &key, value);
                said_by.insert(key, name.clone());
            }
            problems.append(&mut layer.problems);
        }
        let config = compose(tree);
        let from = |key: &str| said_by.get(key).cloned().unwrap_or_else(|| source.to_owned());
        let config = match config {
            Ok(config) => config,
            Err(why) => {
                problems.push(Problem { source: source.to_owned(), key: String::new(), why });
                return Err(problems);
            }
        };
        problems.extend(config.validate().into_iter().map(|(key, why)| Problem {
            source: from(key),
            key: key.to_owned(),
            why,
        }));
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }
}

fn from_file(layer: &mut Layer<'_>, parsed: Tree) -> Tree {
    let mut tree = Tree::new();
    let mut top = Tree::new();
    for (key, value) in parsed {
        if let Some(section) = SECTIONS.iter().find(|section| section.name == key) {
            let given = layer.section(&key, value);
            tree.insert(key, Value::Object((section.accept)(layer, section.name, given)));
        } else if TOP_LEVEL.contains(&key.as_str()) {
            top.insert(key, value);
        } else {
            layer.refuse(&key, format!("unknown key; known are {}", known_names()));
        }
    }
    tree.append(&mut layer.accept::<Config>("", top));
    tree
}

fn known_names() -> String {
    let names: Vec<&str> = TOP_LEVEL.iter().copied().chain(SECTIONS.iter().map(|section| section.name)).collect();
    names.join(", ")
}

fn remember(said_by: &mut BTreeMap<String, String>, section: &str, keys: &Value, source: &str) {
    match keys {
        Value::Object(keys) => {
            for key in keys.keys() {
                said_by.insert(format!("{section}.{key}"), source.to_owned());
            }
        }
        _ => {
            said_by.insert(section.to_owned(), source.to_owned());
        }
    }
}

/// The key and value of an environment variable of ours; `None` when it is not one, or refused.
fn from_variable(layer: &mut Layer<'_>, name: &str, text: &str) -> Option<(String, Value)> {
    let key = name.strip_prefix(PREFIX)?.to_lowercase().replace("__", ".");
    let known = match key.split_once('.') {
        None => TOP_LEVEL.contains(&key.as_str()).then_some((layers::from_text::<Config> as ReadText, key.as_str())),
        Some((section, inner)) => {
            SECTIONS.iter().find(|known| known.name == section).map(|section| (section.read_text, inner))
        }
    };
    let Some((read_text, inner)) = known else {
        layer.refuse(&key, format!("unknown key; known are {}", known_names()));
        return None;
    };
    let value = match layer.indirect(&key, text) {
        None => read_text(inner, text),
        Some(None) => return None,
        Some(Some(Value::String(text))) => read_text(inner, &text),
        // A file that is read later.
        Some(Some(value)) => Ok(value),
    };
    match value {
        Ok(value) => Some((key, value)),
        Err(why) => {
            layer.refuse(&key, why);
            None
        }
    }
}

fn put(tree: &mut Tree, key: &str, value: Value) {
    match key.split_once('.') {
        None => drop(tree.insert(key.to_owned(), value)),
        Some((section, key)) => {
            let keys = tree.entry(section).or_insert_with(|| Value::Object(Tree::new()));
            if let Value::Object(keys) = keys {
                keys.insert(key.to_owned(), value);
            }
        }
    }
}

fn compose(tree: Tree) -> Result<Config, String> {
    let given = |section: &str, key: &str| tree.get(section).and_then(|keys| keys.get(key)).is_some();
    let (url_given, key_given) = (given("database", "url"), given("secrets", "master_key"));
    let mut config: Config = serde_json::from_value(Value::Object(tree)).map_err(|error| error.to_string())?;
    if !url_given {
        config.database.url = DatabaseConfig::in_directory(&config.data_dir).url;
    }
    if !key_given {
        config.secrets = SecretsConfig::in_directory(&config.data_dir);
    }
    Ok(config)
}
