//! Where the two halves of a mapping are: in one file, or in two (contract, "Mapping file").

use serde_json::{Map, Value};

use super::{finding::Findings, text};

/// The two halves.
pub(crate) struct Halves {
    pub(crate) source: Map<String, Value>,
    pub(crate) target: Map<String, Value>,
}

impl Halves {
    /// Finds them. Wherever a text stands in place of an object it is the text of a file.
    pub(crate) fn find(whole: &Value, findings: &mut Findings) -> Option<Self> {
        let whole = object(whole, "mapping", findings)?;
        let source = half(whole.get("source"), "source", findings);
        let target = match whole.get("target") {
            Some(target) => half(Some(target), "target", findings),
            None => Some(whole),
        };
        Some(Self { source: source?, target: target? })
    }
}

/// One half, which a file may have under its name again.
fn half(told: Option<&Value>, name: &'static str, findings: &mut Findings) -> Option<Map<String, Value>> {
    let Some(told) = told.filter(|told| !told.is_null()) else {
        findings.refuse("mapping", "no_half", format!("the half \"{name}\" is missing"));
        return None;
    };
    let map = object(told, name, findings)?;
    match map.get(name) {
        Some(inner @ Value::Object(_)) => object(inner, name, findings),
        _ => Some(map),
    }
}

fn object(told: &Value, at: &str, findings: &mut Findings) -> Option<Map<String, Value>> {
    let read = match told {
        Value::String(file) => text::read(file, at, findings)?,
        other => other.clone(),
    };
    let Value::Object(map) = read else {
        findings.refuse(at, "bad_shape", "must be an object");
        return None;
    };
    Some(map)
}
