//! Reading TOML and environment values into typed sections, with all problems at once.
//!
//! Each key is decoded on its own first, so that every refusal names its key and one bad key does not hide the next.
//! A reason never repeats a value: it may be a mistyped secret.

use std::{collections::BTreeMap, fmt, path::Path};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Environment variables by name; handed in, so that tests need no process environment.
pub type Environment = BTreeMap<String, String>;

/// Why a key was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it was said: a file's path or the name of an environment variable.
    pub source: String,
    /// The key, with dots; empty when the file as a whole is meant.
    pub key: String,
    /// What is wrong with it and what would be right.
    pub why: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            write!(f, "{}: {}", self.source, self.why)
        } else {
            write!(f, "{}: {}: {}", self.source, self.key, self.why)
        }
    }
}

/// One source of values, and what was found wrong with it.
pub(crate) struct Layer<'a> {
    source: String,
    base_dir: &'a Path,
    environment: &'a Environment,
    /// Keys whose `{ file = .. }` is read later, by who needs it.
    unresolved: &'a [&'a str],
    pub(crate) problems: Vec<Problem>,
}

/// How deep tables and lists may lie within each other. Whoever walks them does so once per level on the stack.
const DEEPEST: usize = 32;

/// Whether a text may be deeper than that: by its brackets and the parts of its keys, wherever they stand. The parser has a
/// limit of its own, but for each of the two alone.
fn is_too_deep(text: &str) -> bool {
    let (mut open, mut deepest) = (0_usize, 0);
    let mut parts = 0_usize;
    let mut most_parts = 0;
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        for byte in line.bytes() {
            match byte {
                b'{' | b'[' => open += 1,
                b'}' | b']' => open = open.saturating_sub(1),
                b'.' => parts += 1,
                b'=' | b',' | b'/' | b':' => parts = 0,
                _ => {}
            }
            deepest = deepest.max(open);
            most_parts = most_parts.max(parts);
        }
        parts = 0;
    }
    deepest > DEEPEST || most_parts > DEEPEST
}

impl<'a> Layer<'a> {
    pub(crate) fn new(source: impl Into<String>, base_dir: &'a Path, environment: &'a Environment) -> Self {
        Self { source: source.into(), base_dir, environment, unresolved: &[], problems: Vec::new() }
    }

    pub(crate) fn leaving(mut self, keys: &'a [&'a str]) -> Self {
        self.unresolved = keys;
        self
    }

    pub(crate) fn refuse(&mut self, key: &str, why: impl Into<String>) {
        self.problems.push(Problem { source: self.source.clone(), key: key.to_owned(), why: why.into() });
    }

    /// Parses TOML text; `{ env = .. }` and `{ file = .. }` are replaced by what they stand for.
    pub(crate) fn parse(&mut self, text: &str) -> Map<String, Value> {
        if is_too_deep(text) {
            self.refuse("", format!("tables within tables are more than {DEEPEST} deep"));
            return Map::new();
        }
        match text.parse::<toml::Table>() {
            Ok(table) => self.table("", table),
            Err(error) => {
                // The error's own display shows the line, which may hold a secret.
                let line = error.span().map_or(1, |span| line_of(text, span.start));
                let message = error.message().lines().collect::<Vec<_>>().join(", ");
                self.refuse("", format!("line {line}: {message}"));
                Map::new()
            }
        }
    }

    /// A text that is written as `{ env = .. }` or `{ file = .. }`, as in a file: its value. `None`: it is just a text.
    pub(crate) fn indirect(&mut self, path: &str, text: &str) -> Option<Option<Value>> {
        if !text.trim_start().starts_with('{') {
            return None;
        }
        if is_too_deep(text) {
            return None;
        }
        let mut parsed = format!("value = {text}").parse::<toml::Table>().ok()?;
        let value = parsed.remove("value")?;
        let is_reference = value.as_table().is_some_and(|table| reference(table).is_some());
        is_reference.then(|| self.value(path, value))
    }

    fn table(&mut self, path: &str, table: toml::Table) -> Map<String, Value> {
        let mut out = Map::new();
        for (key, value) in table {
            let here = join(path, &key);
            if let Some(value) = self.value(&here, value) {
                out.insert(key, value);
            }
        }
        out
    }

    fn value(&mut self, path: &str, value: toml::Value) -> Option<Value> {
        Some(match value {
            toml::Value::String(text) => Value::String(text),
            toml::Value::Integer(number) => Value::from(number),
            toml::Value::Float(number) => Value::from(number),
            toml::Value::Boolean(flag) => Value::Bool(flag),
            toml::Value::Datetime(at) => Value::String(at.to_string()),
            toml::Value::Array(list) => {
                let items = list.into_iter().enumerate();
                Value::Array(items.filter_map(|(index, item)| self.value(&format!("{path}[{index}]"), item)).collect())
            }
            toml::Value::Table(table) => match reference(&table) {
                Some(Reference::File(_)) if self.unresolved.contains(&path) => Value::Object(self.table(path, table)),
                Some(reference) => Value::String(self.resolve(path, reference)?),
                None => Value::Object(self.table(path, table)),
            },
        })
    }

    fn resolve(&mut self, path: &str, reference: Reference<'_>) -> Option<String> {
        let found = match reference {
            Reference::Env(name) => {
                self.environment.get(name).cloned().ok_or_else(|| format!("the environment variable {name} is not set"))
            }
            Reference::File(file) => std::fs::read_to_string(self.base_dir.join(file))
                .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
                .map_err(|error| format!("cannot read {}: {error}", self.base_dir.join(file).display())),
        };
        match found {
            Ok(text) => Some(text),
            Err(why) => {
                self.refuse(path, why);
                None
            }
        }
    }

    /// Keeps those keys of a section that `T` accepts; the others become problems.
    pub(crate) fn accept<T: DeserializeOwned>(&mut self, path: &str, given: Map<String, Value>) -> Map<String, Value> {
        let mut out = Map::new();
        for (key, value) in given {
            match accepts::<T>(&key, &value) {
                Ok(()) => {
                    out.insert(key, value);
                }
                Err(why) => self.refuse(&join(path, &key), why),
            }
        }
        out
    }

    /// A section as a table; anything else is a problem.
    pub(crate) fn section(&mut self, path: &str, value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => {
                self.refuse(path, format!("expected a section, found {}", kind_of(&other)));
                Map::new()
            }
        }
    }
}

/// Whether a section takes this key with this value. Works because every section has a default for every key.
pub(crate) fn accepts<T: DeserializeOwned>(key: &str, value: &Value) -> Result<(), String> {
    let alone = Map::from_iter([(key.to_owned(), value.clone())]);
    serde_json::from_value::<T>(Value::Object(alone)).map(drop).map_err(|error| plain_reason(&error.to_string(), value))
}

/// Reads an environment variable's text as whatever the section takes for the key: text, number, list, table.
pub(crate) fn from_text<T: DeserializeOwned>(key: &str, text: &str) -> Result<Value, String> {
    let as_text = Value::String(text.to_owned());
    let refused = match accepts::<T>(key, &as_text) {
        Ok(()) => return Ok(as_text),
        Err(why) => why,
    };
    let mut candidates: Vec<Value> = Vec::new();
    candidates.extend(text.trim().parse::<i64>().map(Value::from));
    candidates.extend(text.trim().parse::<f64>().map(Value::from));
    candidates.extend(text.trim().parse::<bool>().map(Value::from));
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    candidates.push(items.map(|item| Value::String(item.to_owned())).collect());
    candidates.into_iter().find(|candidate| accepts::<T>(key, candidate).is_ok()).ok_or(refused)
}

/// serde's message without the value that it repeats.
fn plain_reason(message: &str, value: &Value) -> String {
    if let Some(rest) = message.strip_prefix("unknown field `") {
        return match rest.split_once("`, expected ") {
            Some((_, known)) => {
                format!("unknown key; known are {}", known.trim_start_matches("one of ").replace('`', ""))
            }
            None => "unknown key".to_owned(),
        };
    }
    if message.starts_with("unknown variant") {
        let known = message.split_once("expected ").map_or("", |(_, known)| known);
        return format!("must be one of {}", known.trim_start_matches("one of ").replace('`', ""));
    }
    match message.split_once(", expected ") {
        Some((_, expected)) => format!("expected {}, found {}", plain_type(expected), kind_of(value)),
        None => message.to_owned(),
    }
}

/// Rust's names of types, as people say them.
fn plain_type(expected: &str) -> &str {
    match expected {
        "a string" | "string" => "a text",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not negative",
        "i64" => "a whole number",
        "f64" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        other => other,
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.as_i64().is_some_and(|number| number < 0) => "a negative number",
        Value::Number(number) if number.is_f64() => "a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

enum Reference<'a> {
    Env(&'a str),
    File(&'a str),
}

fn reference(table: &toml::Table) -> Option<Reference<'_>> {
    let mut keys = table.iter();
    match (keys.next(), keys.next()) {
        (Some((key, toml::Value::String(name))), None) if key == "env" => Some(Reference::Env(name)),
        (Some((key, toml::Value::String(path))), None) if key == "file" => Some(Reference::File(path)),
        _ => None,
    }
}

pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
}
