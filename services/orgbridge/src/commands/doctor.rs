//! `tenant doctor`: what keeps a tenant from working, and what to click. It looks from this machine, as the services would.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use broker::Lane;
use common::TenantId;
use destinations::Unavailable;
use outbound::Guard;
use serde_json::json;
use service::{StoreGovernor, SystemClock, Tenant, TenantFile, tenant::WecomSection};
use sink::{Build, Built};
use store::destinations::{self as rows, State};
use wecom::api::{ApiError, Client, Code, Kind, Meaning, Settings, Unobserved};

use super::{Desk, Done};
use crate::{Language, Output, arguments::Printing, failure::Failure, texts};

/// The time limit of one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// Characters of a callback key (reference wecom 1).
const AES_KEY_CHARACTERS: usize = 43;
/// The interface whose limit decides how long a pull takes: it is asked about each department.
const SLOWEST: &str = "user/list";

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Fine,
    /// It works, and something may be better.
    Advice,
    /// It does not work until somebody does something.
    Must,
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Advice => "advice",
            Self::Must => "must",
        }
    }
}

/// What was looked at, and what came of it.
struct Finding {
    check: &'static str,
    outcome: Outcome,
    told: String,
}

/// Looks at a tenant, and says what is to be done in the tenant's language.
pub(super) async fn doctor(desk: &Desk, tenant: TenantId, printing: Printing, output: &mut Output<'_>) -> Done {
    desk.expect_tenant(&tenant, output).await?;
    let file = service::tenants::load(&desk.database, &desk.sealer, &tenant).await;
    let file = file.with_context(|| format!("reading what was applied of {tenant}"))?;
    let Some(file) = file else { return Err(Failure::say(texts::no_tenant(output.language, tenant))) };
    let mut visit = Visit { desk, file: &file, language: language_of(&file), findings: Vec::new() };
    visit.look().await?;
    let findings = visit.findings;
    if printing.json {
        let to_json = |one: &Finding| json!({ "check": one.check, "outcome": one.outcome.as_str(), "told": one.told });
        output.json(&findings.iter().map(to_json).collect::<Vec<_>>())?;
    } else {
        let row = |one: &Finding| [one.outcome.as_str().to_owned(), one.check.to_owned(), one.told.clone()];
        let rows: Vec<_> = findings.iter().map(row).collect();
        output.table(["", "CHECK", "WHAT"], &rows)?;
    }
    let must = findings.iter().any(|one| one.outcome == Outcome::Must);
    if must { Err(Failure::Silent) } else { Ok(()) }
}

const fn language_of(file: &TenantFile) -> Language {
    match file.language {
        service::tenant::Language::Zh => Language::Chinese,
        service::tenant::Language::En => Language::English,
    }
}

/// One look at a tenant.
struct Visit<'a> {
    desk: &'a Desk,
    file: &'a TenantFile,
    language: Language,
    findings: Vec<Finding>,
}

/// Finds other sides as a service does that is guarded like this.
fn client(guard: Guard) -> anyhow::Result<outbound::Client> {
    outbound::Client::new(guard, REQUEST_TIMEOUT).context("making the HTTP client")
}

impl Visit<'_> {
    fn note(&mut self, check: &'static str, outcome: Outcome, told: String) {
        self.findings.push(Finding { check, outcome, told });
    }

    async fn look(&mut self) -> anyhow::Result<()> {
        let file = self.file;
        match &file.wecom {
            Some(section) => self.wecom(section).await?,
            None => self.note("wecom", Outcome::Advice, texts::doctor_no_wecom(self.language)),
        }
        self.destinations().await?;
        self.first_sync().await
    }

    async fn wecom(&mut self, section: &WecomSection) -> anyhow::Result<()> {
        self.callback(section);
        let http = client(Guard::new(self.desk.config.synchronizer.allowed_networks.clone()))?;
        let clock = Arc::new(SystemClock);
        let governor = StoreGovernor::new(self.desk.database.clone(), clock.clone(), service::new_instance());
        let settings = Settings {
            corp_id: section.corp_id.as_str().into(),
            contact_secret: section.contact_secret.clone(),
            agent_secret: section.agent_secret.clone(),
            api_base: section.api_base.clone(),
            egress: "".into(),
        };
        let client = Client::new(settings, http, Arc::new(governor), clock, Arc::new(Unobserved));
        let Some(departments) = self.contact(&client).await else { return Ok(()) };
        self.scope(&client, departments).await;
        self.limits(&client, departments).await;
        Ok(())
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

    /// Whether destinations answer: products, and relays as their handshake asks them.
    async fn destinations(&mut self) -> anyhow::Result<()> {
        let built = Built::new(client(Guard::new(self.desk.config.sink.allowed_networks.clone()))?);
        let file = self.file;
        let tenant = Tenant {
            file: file.clone(),
            lane: Lane::new(&file.lane),
            revision: 0,
            applied_at: self.desk.now(),
            previous_callback: None,
        };
        for one in file.destinations.iter().filter(|one| one.kind().is_built()) {
            let check = if one.core { "product" } else { "relay" };
            let answer = match built.build(&tenant, one) {
                Ok(destination) => destination.probe(self.desk.now()).await,
                Err(error) => Err(Unavailable::new(error.to_string())),
            };
            match answer {
                Ok(()) => self.note(check, Outcome::Fine, texts::doctor_product(self.language, &one.id)),
                Err(error) => {
                    self.note(check, Outcome::Must, texts::doctor_no_product(self.language, &one.id, error));
                }
            }
        }
        Ok(())
    }

    /// Whether something waits for the first sync.
    async fn first_sync(&mut self) -> anyhow::Result<()> {
        let of = self.file.id.clone();
        let found = self.desk.database.read("destinations.list", move |conn| rows::list(conn, Some(&of))).await?;
        let collecting = found.iter().filter(|row| row.state == State::Collecting);
        let collecting: Vec<&str> = collecting.map(|row| row.id.as_str()).collect();
        if !collecting.is_empty() {
            let told = texts::doctor_first_sync(self.language, &self.file.id, collecting.join(", "));
            self.note("first_sync", Outcome::Advice, told);
        }
        Ok(())
    }
}
