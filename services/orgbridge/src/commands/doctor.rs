//! `tenant doctor`: what keeps a tenant from working, and what to click. It looks from this machine, as the services would.

mod dingtalk;
mod jiandaoyun;
mod wecom;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use broker::Lane;
use common::TenantId;
use destinations::Unavailable;
use outbound::Guard;
use serde_json::json;
use service::{StoreGovernor, SystemClock, Tenant, TenantFile, tenant::DestinationKind};
use sink::{Build, Built};
use store::destinations::{self as rows, State};

use super::{Desk, Done};
use crate::{Language, Output, arguments::Printing, failure::Failure, texts};

/// The time limit of one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// Characters of a callback key (reference wecom 1, dingtalk 2.3).
const AES_KEY_CHARACTERS: usize = 43;

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
    let file = desk.file(&tenant, output).await?;
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

    /// Calls platforms at the rate that all processes share.
    fn governor(&self) -> Arc<StoreGovernor> {
        let clock = Arc::new(SystemClock);
        Arc::new(StoreGovernor::new(self.desk.database.clone(), clock, service::new_instance()))
    }

    /// Finds platforms as the services do.
    fn platforms(&self) -> anyhow::Result<outbound::Client> {
        client(Guard::new(self.desk.config.synchronizer.allowed_networks.clone()))
    }

    async fn look(&mut self) -> anyhow::Result<()> {
        let file = self.file;
        if let Some(section) = &file.wecom {
            self.wecom(section).await?;
        }
        if let Some(section) = &file.dingtalk {
            Box::pin(self.dingtalk(section)).await?;
        }
        if let Some(section) = &file.jiandaoyun {
            Box::pin(self.jiandaoyun(section)).await?;
        }
        if file.wecom.is_none() && file.dingtalk.is_none() {
            self.note("platform", Outcome::Advice, texts::doctor_no_platform(self.language));
        }
        self.destinations().await?;
        self.first_sync().await
    }

    /// Whether destinations answer: products, and relays as their handshake asks them. What writes into a platform was asked about above.
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
        let is_asked = |kind: DestinationKind| kind.is_built() && kind != DestinationKind::WecomMembers;
        for one in file.destinations.iter().filter(|one| is_asked(one.kind())) {
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
