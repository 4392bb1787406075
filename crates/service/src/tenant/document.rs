//! The tenant file as it is stored: JSON in which every secret is sealed.
//!
//! A secret's path is `section/key` or `destinations/ID/key`; together with the tenant's id it is the associated data of the
//! seal, so that a sealed value cannot be moved to another tenant or field.

use std::{collections::BTreeMap, path::Path};

use common::{Secret, TenantId};
use serde_json::{Map, Value, json};
use store::Sealer;

use super::{TenantFile, parse::Origin};
use crate::layers::{Environment, Layer};

/// A stored document that is none of ours, or was sealed with another key.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// A secret could not be sealed or opened.
    #[error("{path}: {source}")]
    Seal {
        /// Which secret.
        path: String,
        /// Why.
        #[source]
        source: store::SealError,
    },
    /// A part of the document is missing or of the wrong type.
    #[error("the stored tenant cannot be read: {0}")]
    Malformed(String),
}

/// The names of secrets, wherever they stand.
const SECRET_KEYS: [&str; 10] = [
    "contact_secret",
    "agent_secret",
    "callback_token",
    "callback_aes_key",
    "client_secret",
    "api_key",
    "push_secret",
    "token",
    "aes_key",
    "secret",
];

impl TenantFile {
    /// The document to be stored; secrets are sealed under the tenant's wrapped data key.
    ///
    /// # Errors
    /// When the data key cannot be unwrapped.
    pub fn to_document(&self, sealer: &Sealer, data_key: &str) -> Result<Value, DocumentError> {
        let mut document = self.document.clone();
        let mut failed = None;
        for_each_secret(&mut document, &mut |path, value| {
            let Some(secret) = self.secrets.get(path) else { return };
            match sealer.seal(data_key, &associated_data(&self.id, path), secret.expose()) {
                Ok(sealed) => *value = json!({ "sealed": sealed }),
                Err(source) => failed = Some(DocumentError::Seal { path: path.to_owned(), source }),
            }
        });
        failed.map_or(Ok(document), Err)
    }

    /// Reads what [`TenantFile::to_document`] wrote.
    ///
    /// # Errors
    /// When a secret does not open, or the document is none of ours.
    pub fn from_document(
        tenant: &TenantId,
        mut document: Value,
        sealer: &Sealer,
        data_key: &str,
    ) -> Result<Self, DocumentError> {
        let mut failed = None;
        for_each_secret(&mut document, &mut |path, value| {
            let Some(sealed) = value.get("sealed").and_then(Value::as_str) else { return };
            match sealer.open(data_key, &associated_data(tenant, path), sealed) {
                Ok(secret) => *value = Value::String(secret.expose().to_owned()),
                Err(source) => failed = Some(DocumentError::Seal { path: path.to_owned(), source }),
            }
        });
        if let Some(failed) = failed {
            return Err(failed);
        }
        let Value::Object(tree) = document else { return Err(DocumentError::Malformed("not an object".to_owned())) };
        let environment = Environment::new();
        let layer = Layer::new(format!("tenant {tenant}"), Path::new(""), &environment);
        super::parse::from_tree(layer, tree, Origin::Store).map_err(|problems| {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            DocumentError::Malformed(problems.join("; "))
        })
    }
}

/// What binds a sealed value to its place.
pub(crate) fn associated_data(tenant: &TenantId, path: &str) -> String {
    format!("{tenant}/{path}")
}

/// Takes the secrets out of a document.
pub(super) fn split(mut document: Value) -> (Value, BTreeMap<String, Secret>) {
    let mut secrets = BTreeMap::new();
    for_each_secret(&mut document, &mut |path, value| {
        if let Value::String(text) = value {
            secrets.insert(path.to_owned(), Secret::new(std::mem::take(text)));
        }
    });
    (document, secrets)
}

/// The document with `***` for every secret that is set.
pub(super) fn redacted(file: &TenantFile) -> Value {
    let mut document = file.document.clone();
    for_each_secret(&mut document, &mut |path, value| {
        if file.secrets.get(path).is_some_and(|secret| !secret.is_empty()) {
            *value = Value::String("***".to_owned());
        }
    });
    document
}

/// Calls `visit` with the path and value of every place that holds a secret.
pub(super) fn for_each_secret(document: &mut Value, visit: &mut impl FnMut(&str, &mut Value)) {
    let Value::Object(sections) = document else { return };
    for (name, section) in sections {
        match section {
            Value::Object(keys) if name != "destinations" => visit_keys(name, keys, false, visit),
            Value::Array(entries) if name == "destinations" => {
                for entry in entries.iter_mut().filter_map(Value::as_object_mut) {
                    visit_destination(entry, visit);
                }
            }
            _ => {}
        }
    }
}

fn visit_destination(entry: &mut Map<String, Value>, visit: &mut impl FnMut(&str, &mut Value)) {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (id, kind) = (text("id"), text("kind"));
    // The address of a database holds its password, and of the free-form kind we cannot know what is a secret.
    let with_url = matches!(kind.as_str(), "postgres" | "sqlite" | "http");
    let path = format!("destinations/{id}");
    visit_keys(&path, entry, with_url, visit);
    if let Some(Value::Object(headers)) = entry.get_mut("headers") {
        for (name, value) in headers {
            visit(&format!("{path}/headers/{name}"), value);
        }
    }
}

fn visit_keys(path: &str, keys: &mut Map<String, Value>, with_url: bool, visit: &mut impl FnMut(&str, &mut Value)) {
    for (key, value) in keys {
        if SECRET_KEYS.contains(&key.as_str()) || (with_url && key == "url") {
            visit(&format!("{path}/{key}"), value);
        }
    }
}
