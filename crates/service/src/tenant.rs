//! A tenant's file: one customer company, with its credentials and destinations.
//!
//! All sections and kinds of destinations are accepted; [`TenantFile::warnings`] names those whose part is not built yet.

mod destination;
mod document;
mod mapping;
mod parse;
mod sections;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, path::Path};

use common::{Platform, Secret, TenantId};
use serde_json::Value;

pub use destination::{
    DestinationFile, DestinationKind, DestinationSettings, DingtalkCallbackSettings, HttpSettings, OnConflict,
    PostgresSettings, ScimSettings, SqliteSettings, WebhookSettings, WecomCallbackSettings, WecomMembersSettings,
};
pub use document::DocumentError;
pub(crate) use document::associated_data;
pub use sections::{DingtalkMode, DingtalkSection, FormRate, JiandaoyunSection, Language, WecomSection};

use crate::layers::{Environment, Problem};

/// A tenant as its file describes it, checked. Secrets are kept apart from the rest and wiped when dropped.
#[derive(Clone)]
pub struct TenantFile {
    /// Who it is.
    pub id: TenantId,
    /// The company's name; its id where the file gives none.
    pub name: String,
    /// The lane whose services work for it.
    pub lane: String,
    /// The language in which it is written to.
    pub language: Language,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// Whose directory is the truth; `None` where no platform is configured.
    pub directory: Option<Platform>,
    /// `[wecom]`
    pub wecom: Option<WecomSection>,
    /// `[dingtalk]`
    pub dingtalk: Option<DingtalkSection>,
    /// `[jiandaoyun]`
    pub jiandaoyun: Option<JiandaoyunSection>,
    /// Where its changes go, in the file's order.
    pub destinations: Vec<DestinationFile>,
    /// The file as JSON with every secret taken out.
    document: Value,
    /// The secrets by path, see [`document`].
    secrets: BTreeMap<String, Secret>,
}

impl TenantFile {
    /// Reads a tenant file. Files that it names are looked for in `base_dir`; it may name no environment variable.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn parse(text: &str, base_dir: &Path) -> Result<Self, Vec<Problem>> {
        Self::parse_with(text, "tenant file", base_dir, &Environment::new())
    }

    /// Reads a tenant file; `source` names it in problems, `environment` answers `{ env = .. }`.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn parse_with(
        text: &str,
        source: &str,
        base_dir: &Path,
        environment: &Environment,
    ) -> Result<Self, Vec<Problem>> {
        parse::from_toml(text, source, base_dir, environment)
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// Everything that is wrong, at once; also when the file cannot be read.
    pub fn read(path: &Path, environment: &Environment) -> Result<Self, Vec<Problem>> {
        let source = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse_with(&text, &source, path.parent().unwrap_or_else(|| Path::new("")), environment),
            Err(error) => Err(vec![Problem { source, key: String::new(), why: format!("cannot read it: {error}") }]),
        }
    }

    /// The destination of that id.
    pub fn destination(&self, id: &str) -> Option<&DestinationFile> {
        self.destinations.iter().find(|destination| destination.id.as_str() == id)
    }

    /// The file as JSON in which every secret reads `***`, for people.
    pub fn redacted(&self) -> Value {
        document::redacted(self)
    }

    /// What a person should know: parts that are not built yet, and what goes without.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(wecom) = &self.wecom {
            if wecom.agent_secret.is_empty() {
                let why = "no secret reads names: where callbacks carry ids only, entities go out with ids";
                warnings.push(format!("wecom.agent_secret: {why}"));
            }
            if wecom.callback_token.is_empty() {
                warnings.push("wecom.callback_token: without it no callback is accepted".to_owned());
            }
        }
        self.warn_of_onboarding(&mut warnings);
        if self.dingtalk.as_ref().is_some_and(|dingtalk| dingtalk.corp_id.is_empty()) {
            warnings.push("dingtalk.corp_id: without it events of any organisation count as this one's".to_owned());
        }
        for destination in &self.destinations {
            if !destination.kind().is_built() {
                let kind = destination.kind().as_str();
                warnings.push(format!("destinations.{}: the kind {kind} is not built yet", destination.id));
            }
        }
        warnings
    }

    /// New hires need a form, a mapping of it, and somebody who makes members of them.
    fn warn_of_onboarding(&self, warnings: &mut Vec<String>) {
        let hires = self.destinations.iter().find(|destination| destination.kind() == DestinationKind::WecomMembers);
        match (&self.jiandaoyun, hires) {
            (Some(jiandaoyun), _) if jiandaoyun.mapping.is_null() => {
                warnings.push("jiandaoyun.mapping: without it no form is read".to_owned());
            }
            (Some(_), None) => {
                let why = "no destination of kind wecom-members: no form is read, since nobody would be created";
                warnings.push(format!("jiandaoyun: {why}"));
            }
            (None, Some(hires)) => {
                warnings.push(format!("destinations.{}: without a [jiandaoyun] section it gets nothing", hires.id));
            }
            (Some(_), Some(hires)) => {
                if self.wecom.as_ref().is_some_and(|wecom| wecom.agent_secret.is_empty()) {
                    let why = "without wecom.agent_secret nobody can see who is there already";
                    warnings.push(format!("destinations.{}: {why}", hires.id));
                }
            }
            (None, None) => {}
        }
    }
}

impl TenantFile {
    fn exposed(&self) -> impl Iterator<Item = (&String, &str)> {
        self.secrets.iter().map(|(path, secret)| (path, secret.expose()))
    }
}

impl PartialEq for TenantFile {
    fn eq(&self, other: &Self) -> bool {
        // The document and the secrets hold everything; the typed fields are made from them.
        self.document == other.document && self.exposed().eq(other.exposed())
    }
}

impl fmt::Debug for TenantFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantFile").field("id", &self.id).field("document", &self.document).finish_non_exhaustive()
    }
}
