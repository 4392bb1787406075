//! What WeCom refuses, and what to click there.

use std::sync::Arc;

use serde_json::{Map, json};
use service::{
    SystemClock,
    tenant::{DestinationKind, WecomSection},
};
use wecom::api::{ApiError, Client, Code, Kind, Meaning, Settings, Unobserved};

use super::{AES_KEY_CHARACTERS, Outcome, Visit};
use crate::texts;

/// The interface whose limit decides how long a pull takes: it is asked about each department.
const SLOWEST: &str = "user/list";
/// Nobody has this id: changing that member tells whether members may be changed.
const NOBODY: &str = "orgbridge-doctor";

impl Visit<'_> {
    pub(super) async fn wecom(&mut self, section: &WecomSection) -> anyhow::Result<()> {
        self.callback(section);
        let settings = Settings {
            corp_id: section.corp_id.as_str().into(),
            contact_secret: section.contact_secret.clone(),
            agent_secret: section.agent_secret.clone(),
            api_base: section.api_base.clone(),
            egress: "".into(),
        };
        let (clock, observer) = (Arc::new(SystemClock), Arc::new(Unobserved));
        let client = Client::new(settings, self.platforms()?, self.governor(), clock, observer);
        let Some(departments) = self.contact(&client).await else { return Ok(()) };
        self.scope(&client, departments).await;
        self.limits(&client, departments).await;
        if self.file.destinations.iter().any(|one| one.kind() == DestinationKind::WecomMembers) {
            self.writing(&client).await;
        }
        Ok(())
    }

    /// Whether the contact secret may write, by changing nothing of nobody.
    async fn writing(&mut self, client: &Client) {
        let nobody = Map::from_iter([("userid".to_owned(), json!(NOBODY))]);
        match client.update_member(&nobody).await {
            Ok(_) | Err(ApiError::Answered { meaning: Meaning::Permanent(Kind::NotFound), .. }) => {
                self.note("writing", Outcome::Fine, texts::form_may_write(self.language));
            }
            Err(ApiError::Answered { meaning: Meaning::Permanent(Kind::Forbidden | Kind::Invisible), .. }) => {
                self.note("writing", Outcome::Must, texts::form_may_not_write(self.language));
            }
            Err(error) => self.blame("writing", &error),
        }
    }

    /// The platform checks the address itself when it is saved there, so only what it needs is told.
    fn callback(&mut self, section: &WecomSection) {
        let has_keys = !section.callback_token.is_empty()
            && section.callback_aes_key.expose().chars().count() == AES_KEY_CHARACTERS;
        let told = texts::doctor_callback(self.language, format_args!("/callback/wecom/{}", self.file.id));
        let outcome = if has_keys { Outcome::Fine } else { Outcome::Must };
        let told = if has_keys { told } else { texts::doctor_no_callback_keys(self.language) };
        self.note("callback", outcome, told);
    }

    /// Secret, trusted address and API sync, by asking for the lists of ids. Returns how many departments there are.
    async fn contact(&mut self, client: &Client) -> Option<usize> {
        let departments = match client.department_ids(None).await {
            Ok(answer) => answer.value.rows.len(),
            Err(error) => {
                self.blame("contact_secret", &error);
                return None;
            }
        };
        if let Err(error) = client.member_ids_page(None).await {
            self.blame("contact_secret", &error);
            return None;
        }
        self.note("contact_secret", Outcome::Fine, texts::doctor_contact(self.language, departments));
        Some(departments)
    }

    /// What the app may see, which is to be all.
    async fn scope(&mut self, client: &Client, departments: usize) {
        if !client.reads_details() {
            return self.note("agent_secret", Outcome::Advice, texts::doctor_no_agent(self.language));
        }
        match client.departments(None).await {
            Ok(answer) if answer.value.rows.len() < departments => {
                let seen = answer.value.rows.len();
                self.note("scope", Outcome::Must, texts::doctor_scope(self.language, seen, departments));
            }
            Ok(_) => self.note("agent_secret", Outcome::Fine, texts::doctor_agent(self.language)),
            Err(error) => self.blame("agent_secret", &error),
        }
    }

    /// How long a pull takes, as far as that is for the platform to say.
    async fn limits(&mut self, client: &Client, departments: usize) {
        if let Some(at) = client.done_by(SLOWEST, u64::try_from(departments).unwrap_or(u64::MAX)).await {
            let seconds = at.since(self.desk.now()).max(0) / 1000;
            self.note("limits", Outcome::Fine, texts::doctor_limits(self.language, departments, seconds));
        }
    }

    fn blame(&mut self, check: &'static str, error: &ApiError) {
        let told = match error {
            ApiError::Answered { code: Code(60020), seen_at, .. } => {
                let address = seen_at.map_or_else(|| "?".to_owned(), |address| address.to_string());
                texts::doctor_address(self.language, address)
            }
            ApiError::Answered { api: "gettoken", .. } => texts::doctor_secret(self.language, check),
            ApiError::Answered { meaning: Meaning::Permanent(Kind::Forbidden), .. } if check == "contact_secret" => {
                texts::doctor_api_sync(self.language)
            }
            ApiError::Answered { meaning: Meaning::Permanent(Kind::Invisible), .. } => {
                texts::doctor_invisible(self.language)
            }
            _ => texts::doctor_trouble(self.language, error),
        };
        self.note(check, Outcome::Must, told);
    }
}
