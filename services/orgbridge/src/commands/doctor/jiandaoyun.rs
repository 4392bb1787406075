//! What Jiandaoyun refuses, where mapping and form do not fit, and what else keeps new hires from becoming members.

use std::sync::Arc;

use database::Connection;
use jiandaoyun::{
    api::{ApiError, Client, Code, Meaning, Rate, Settings, Unobserved, Widgets},
    mapping::{Mapping, Probed, Problem, Warning, Zone},
};
use service::{
    SystemClock,
    tenant::{DestinationKind, JiandaoyunSection},
};
use store::{
    form_polls::{self, Poll},
    form_records::{self, State},
};

use super::{Outcome, Visit};
use crate::texts;

/// Nobody is at the polls of a form that are so many of its intervals late.
const LATE_POLLS: u64 = 3;
/// Return codes that ask a person for something of their own (reference jiandaoyun 3).
const NO_ADDRESS: Code = Code(17052);
const NO_APP: Code = Code(17053);
const NO_INTERFACE: Code = Code(17054);

impl Visit<'_> {
    pub(super) async fn jiandaoyun(&mut self, section: &JiandaoyunSection) -> anyhow::Result<()> {
        self.hires();
        self.push(section);
        if let Some(mapping) = self.mapping(section) {
            let client = self.forms(section)?;
            if let Some(widgets) = self.form(&client, &mapping).await
                && let Some(bound) = self.taken("fields", mapping.bind(&widgets))
            {
                self.filters(&client, &bound).await;
            }
            self.polls(&mapping, section).await?;
        }
        self.records().await
    }

    fn forms(&self, section: &JiandaoyunSection) -> anyhow::Result<Client> {
        let settings =
            Settings { api_key: section.api_key.clone(), api_base: section.api_base.clone(), rate: Rate::default() };
        let (clock, observer) = (Arc::new(SystemClock), Arc::new(Unobserved));
        Ok(Client::new(settings, self.platforms()?, self.governor(), clock, observer))
    }

    /// Whether anybody makes members of what the form asks for.
    fn hires(&mut self) {
        let found = self.file.destinations.iter().find(|one| one.kind() == DestinationKind::WecomMembers);
        match found {
            Some(one) => self.note("hires", Outcome::Fine, texts::form_hires(self.language, &one.id)),
            None => self.note("hires", Outcome::Must, texts::form_no_hires(self.language)),
        }
    }

    /// Pushes only make it faster.
    fn push(&mut self, section: &JiandaoyunSection) {
        let path = format!("/callback/jiandaoyun/{}", self.file.id);
        if section.push_secret.is_empty() {
            let told = texts::form_no_push(self.language, section.every_seconds, path);
            self.note("push", Outcome::Advice, told);
        } else {
            self.note("push", Outcome::Fine, texts::form_push(self.language, path));
        }
    }

    /// The mapping as it was applied.
    fn mapping(&mut self, section: &JiandaoyunSection) -> Option<Mapping> {
        if section.mapping.is_null() {
            self.note("mapping", Outcome::Must, texts::form_no_mapping(self.language));
            return None;
        }
        let Some(zone) = Zone::named(&self.file.time_zone) else {
            let told = texts::form_zone(self.language, &self.file.time_zone);
            self.note("time_zone", Outcome::Must, told);
            return None;
        };
        self.taken("mapping", Mapping::parse(&section.mapping, &zone))
    }

    /// What was read, if nothing is wrong with it; all that is wrong or odd is told.
    fn taken(&mut self, check: &'static str, read: Result<(Mapping, Vec<Warning>), Vec<Problem>>) -> Option<Mapping> {
        match read {
            Ok((mapping, warnings)) => {
                for warning in warnings {
                    self.note(check, Outcome::Advice, warning.to_string());
                }
                Some(mapping)
            }
            Err(problems) => {
                for problem in problems {
                    self.note(check, Outcome::Must, problem.to_string());
                }
                None
            }
        }
    }

    /// Key, form and workflow, by asking what fields the form has.
    async fn form(&mut self, client: &Client, mapping: &Mapping) -> Option<Widgets> {
        let widgets = match client.widgets(mapping.form()).await {
            Ok(answer) => answer.value,
            Err(error) => {
                self.blame_form(&error);
                return None;
            }
        };
        self.note("form", Outcome::Fine, texts::form_found(self.language, widgets.widgets.len()));
        if !widgets.has_flow {
            self.note("workflow", Outcome::Advice, texts::form_no_flow(self.language));
        }
        Some(widgets)
    }

    /// Whether the platform honours our conditions. Where it does not, more is read, and left out here.
    async fn filters(&mut self, client: &Client, mapping: &Mapping) {
        let mut ignored = Vec::new();
        for probe in mapping.probes(self.desk.now()) {
            match client.honours(mapping.form(), &probe.filter).await {
                Ok(answer) if answer.value => {}
                Ok(_) => ignored.push(match probe.what {
                    Probed::Time => "updateTime",
                    Probed::Flow => "flowState",
                }),
                Err(error) => return self.blame_form(&error),
            }
        }
        if ignored.is_empty() {
            self.note("filters", Outcome::Fine, texts::form_filters(self.language));
        } else {
            let told = texts::form_filters_ignored(self.language, ignored.join(", "));
            self.note("filters", Outcome::Advice, told);
        }
    }

    /// When the form was last read to its end, and why it is not now.
    async fn polls(&mut self, mapping: &Mapping, section: &JiandaoyunSection) -> anyhow::Result<()> {
        let (tenant, form) = (self.file.id.clone(), mapping.form().to_string());
        let read = move |conn: &mut Connection| form_polls::get(conn, &tenant, &form);
        let poll = self.desk.database.read("doctor.form-poll", read).await?;
        let (language, late_seconds) = (self.language, section.every_seconds.saturating_mul(LATE_POLLS));
        let is_late =
            |poll: &Poll| self.desk.now().since(poll.due_at) / 1000 > i64::try_from(late_seconds).unwrap_or(i64::MAX);
        let (outcome, told) = match &poll {
            None => (Outcome::Advice, texts::form_not_polled(language)),
            Some(Poll { why: Some(why), due_at, .. }) => {
                (Outcome::Must, texts::form_poll_stopped(language, why, due_at.to_rfc3339()))
            }
            Some(poll) if is_late(poll) => (Outcome::Must, texts::form_poll_late(language, poll.due_at.to_rfc3339())),
            Some(Poll { mark: Some(mark), .. }) => (Outcome::Fine, texts::form_polled(language, mark.to_rfc3339())),
            Some(_) => (Outcome::Fine, texts::form_first_poll(language)),
        };
        self.note("poll", outcome, told);
        Ok(())
    }

    /// Who came of the records, and who did not.
    async fn records(&mut self) -> anyhow::Result<()> {
        let tenant = self.file.id.clone();
        let read = move |conn: &mut Connection| form_records::counts(conn, &tenant);
        let counts = self.desk.database.read("doctor.form-records", read).await?;
        let count = |state: State| counts.get(&state).copied().unwrap_or_default();
        let (language, tenant) = (self.language, &self.file.id);
        let (created, refused, failed) = (count(State::Created), count(State::Refused), count(State::Failed));
        let (outcome, told) = match refused + failed {
            0 => (Outcome::Fine, texts::form_records(language, created, count(State::Sent))),
            _ => (Outcome::Advice, texts::form_records_refused(language, created, refused, failed, tenant)),
        };
        self.note("records", outcome, told);
        Ok(())
    }

    fn blame_form(&mut self, error: &ApiError) {
        let language = self.language;
        let told = match error {
            ApiError::Answered { code, .. } if *code == NO_ADDRESS => texts::form_address(language),
            ApiError::Answered { code, .. } if *code == NO_APP => texts::form_app(language),
            ApiError::Answered { code, .. } if *code == NO_INTERFACE => texts::form_interface(language, error.api()),
            ApiError::Answered { meaning: Meaning::Credentials, .. } => texts::form_key(language),
            ApiError::Answered { meaning: Meaning::Configuration, .. } => texts::form_not_there(language),
            _ => texts::doctor_trouble(language, error),
        };
        self.note("form", Outcome::Must, told);
    }
}
