//! What DingTalk refuses, what does not come from it, and what to click there.

mod attendance;
mod gateway;
mod tally;

use std::sync::Arc;

use common::{EntityKey, EntityKind, Platform, ROOT_DEPARTMENT, TenantId};
use database::Connection;
use dingtalk::api::{ApiError, Client, Detail, Kind, Meaning, Settings, Unobserved, Worth};
use service::{
    SystemClock,
    tenant::{DingtalkMode, DingtalkSection},
};
use store::{people, quota, records, snapshots};

use self::{gateway::Gateway, tally::Tally};
use super::{AES_KEY_CHARACTERS, Outcome, Visit};
use crate::{commands::quota::standings, texts};

/// What DingTalk sees of us when a Stream connection is asked for (reference dingtalk 1.2).
const USER_AGENT: &str = concat!("orgbridge-sdk-rust/", env!("CARGO_PKG_VERSION"));
/// No approval has this id: asking for it tells whether approvals may be asked for.
const NO_APPROVAL: &str = "orgbridge-doctor";
const UNAUTHORIZED: u16 = 401;
/// Records read at once.
const PAGE: i64 = 1000;
/// Shares of a quota, in tenths of a percent, from which on it is told that it is nearly used up, and that it is.
const NEARLY: u64 = 700;
const SPENT: u64 = 1000;

/// A look at a tenant's DingTalk.
struct Look<'v, 'a> {
    visit: &'v mut Visit<'a>,
    section: &'a DingtalkSection,
    client: Client,
}

impl<'a> Visit<'a> {
    pub(super) async fn dingtalk(&mut self, section: &'a DingtalkSection) -> anyhow::Result<()> {
        let client = self.app(section)?;
        let mut look = Look { visit: self, section, client };
        let gateway = Gateway::here(&look.visit.desk.config)?;
        look.callback(&gateway).await;
        if section.mode == DingtalkMode::Stream {
            look.stream(&gateway).await;
        }
        if look.contacts().await {
            look.scope().await?;
            if section.attendance {
                look.attendance().await?;
            }
            if section.approvals {
                look.approvals().await;
            }
        }
        look.events().await?;
        look.share().await?;
        look.people().await?;
        look.quotas().await
    }

    fn app(&self, section: &DingtalkSection) -> anyhow::Result<Client> {
        let settings = Settings {
            corp_id: section.corp_id.as_str().into(),
            client_id: section.client_id.as_str().into(),
            client_secret: section.client_secret.clone(),
            api_base: section.api_base.clone(),
            oapi_base: section.oapi_base.clone(),
            egress: "".into(),
            approvals_per_second: section.approvals_per_second,
        };
        let tally = Tally::new(self.desk.database.clone(), self.file.id.clone(), section.monthly_api_quota);
        let (http, governor) = (self.platforms()?, self.governor());
        let (clock, observer) = (Arc::new(SystemClock), Arc::new(Unobserved));
        // A look may wait for the next month; what somebody needs may not.
        Ok(Client::new(settings, http, governor, Arc::new(tally), clock, observer).with_worth(Worth::Low))
    }
}

impl Look<'_, '_> {
    fn note(&mut self, check: &'static str, outcome: Outcome, told: String) {
        self.visit.note(check, outcome, told);
    }

    fn tenant(&self) -> TenantId {
        self.visit.file.id.clone()
    }

    /// Whether the platform's people are those of the tenant's directory.
    fn is_directory(&self) -> bool {
        self.visit.file.directory == Some(Platform::Dingtalk)
    }

    /// Where there are keys, or must be: whether a gateway here answers as the console will ask it when the address is saved there.
    async fn callback(&mut self, gateway: &Gateway) {
        let (section, language) = (self.section, self.visit.language);
        let has_keys = !section.callback_token.is_empty()
            && section.callback_aes_key.expose().chars().count() == AES_KEY_CHARACTERS;
        if !has_keys {
            if section.mode == DingtalkMode::Http {
                self.note("callback", Outcome::Must, texts::ding_no_callback_keys(language));
            }
            return;
        }
        let tenant = self.tenant();
        let path = format!("/callback/dingtalk/{tenant}");
        match gateway.check_url(&path, section, self.visit.desk.now()).await {
            Ok(()) => self.note("callback", Outcome::Fine, texts::ding_callback(language, path)),
            Err(why) => self.note("callback", Outcome::Advice, texts::ding_callback_unseen(language, path, why)),
        }
    }

    /// Whether Stream mode is allowed, and kept up by a gateway here. No connection is opened: it would take its share of events.
    async fn stream(&mut self, gateway: &Gateway) {
        let (language, tenant) = (self.visit.language, self.tenant());
        match self.client.open_stream(USER_AGENT).await {
            Ok(_) => {}
            Err(error) if is_refused(&error) => {
                return self.note("stream", Outcome::Must, texts::ding_stream_refused(language));
            }
            Err(error) => return self.blame("stream", &error),
        }
        match gateway.open_connections(&tenant).await {
            Some(0) => self.note("stream", Outcome::Must, texts::ding_stream_closed(language)),
            Some(open) => self.note("stream", Outcome::Fine, texts::ding_stream(language, open)),
            None => self.note("stream", Outcome::Advice, texts::ding_stream_unseen(language, gateway.admin())),
        }
    }

    /// Id, secret, trusted address and contact scope, by asking for the root department. Whether it is worth asking for more.
    async fn contacts(&mut self) -> bool {
        match self.client.department(ROOT_DEPARTMENT).await {
            Ok(_) => {
                self.note("client_secret", Outcome::Fine, texts::ding_app(self.visit.language));
                true
            }
            Err(error) => {
                self.blame("client_secret", &error);
                matches!(error.kind(), Some(Kind::Forbidden | Kind::Invisible))
            }
        }
    }

    /// Departments whose names nobody may tell: the application does not see them.
    async fn scope(&mut self) -> anyhow::Result<()> {
        if !self.is_directory() {
            return Ok(());
        }
        let tenant = self.tenant();
        let look = move |conn: &mut Connection| hidden(conn, &tenant);
        let hidden = self.visit.desk.database.read("doctor.hidden", look).await?;
        if let Some(first) = hidden.first() {
            let told = texts::ding_hidden(self.visit.language, hidden.len(), first);
            self.note("scope", Outcome::Must, told);
        }
        Ok(())
    }

    async fn approvals(&mut self) {
        match self.client.approval(NO_APPROVAL).await {
            Err(error) if !matches!(error.kind(), Some(Kind::NotFound | Kind::Invalid)) => {
                self.blame("approvals", &error);
            }
            _ => self.note("approvals", Outcome::Fine, texts::ding_approvals(self.visit.language)),
        }
    }

    /// Whether anything comes: only types that were ticked do.
    async fn events(&mut self) -> anyhow::Result<()> {
        if !(self.section.attendance || self.section.approvals) {
            return Ok(());
        }
        let found = standings(self.visit.desk, &self.visit.file.id, self.section).await?;
        let pushes = found.iter().find(|one| one.kind == quota::Kind::Stream).map_or(0, |one| one.used);
        let language = self.visit.language;
        match pushes {
            0 => self.note("events", Outcome::Advice, texts::ding_no_events(language)),
            pushes => self.note("events", Outcome::Fine, texts::ding_events(language, pushes)),
        }
        Ok(())
    }

    /// Whether somebody else may get a share of the events: what they should have told of was found by a pull.
    async fn share(&mut self) -> anyhow::Result<()> {
        if self.section.mode != DingtalkMode::Stream || !self.is_directory() {
            return Ok(());
        }
        let tenant = self.tenant();
        let read = move |conn: &mut Connection| snapshots::get(conn, &tenant);
        let pull = self.visit.desk.database.read("doctor.pull", read).await?;
        if let Some(untold) = pull.map(|pull| pull.differences).filter(|untold| *untold > 0) {
            self.note("share", Outcome::Advice, texts::ding_share(self.visit.language, untold));
        }
        Ok(())
    }

    /// People of whom nobody knows which member they are.
    async fn people(&mut self) -> anyhow::Result<()> {
        if self.is_directory() {
            return Ok(());
        }
        let tenant = self.tenant();
        let read =
            move |conn: &mut Connection| people::list_unmatched(conn, &tenant, Platform::Dingtalk, None, i64::MAX);
        let mut unmatched = self.visit.desk.database.read("doctor.people", read).await?;
        // Of whom a person said that it is nobody, that is known.
        unmatched.retain(|person| person.decided_by.is_none());
        if let Some(first) = unmatched.first() {
            let (language, platform) = (self.visit.language, Platform::Dingtalk.as_str());
            let (count, tenant) = (unmatched.len(), self.tenant());
            let told = texts::people_unmatched(language, count, tenant, platform, &first.foreign_id);
            self.note("people", Outcome::Advice, told);
        }
        Ok(())
    }

    /// How much is left of what is paid for.
    async fn quotas(&mut self) -> anyhow::Result<()> {
        let found = standings(self.visit.desk, &self.visit.file.id, self.section).await?;
        let language = self.visit.language;
        for one in found {
            let (kind, used, limit) = (one.kind.as_str(), one.used, one.limit);
            match one.per_mille() {
                SPENT.. => self.note("quota", Outcome::Must, texts::ding_quota_spent(language, kind, used, limit)),
                NEARLY.. => self.note("quota", Outcome::Advice, texts::ding_quota_nearly(language, kind, used, limit)),
                _ => self.note("quota", Outcome::Fine, texts::ding_quota(language, kind, used, limit)),
            }
        }
        Ok(())
    }

    fn blame(&mut self, check: &'static str, error: &ApiError) {
        let is_spent = matches!(error, ApiError::QuotaSpent { .. });
        let outcome = if is_spent { Outcome::Advice } else { Outcome::Must };
        let told = self.told(error);
        self.note(check, outcome, told);
    }

    /// What an error asks for.
    fn told(&self, error: &ApiError) -> String {
        let language = self.visit.language;
        match (error, error.meaning()) {
            (ApiError::Answered { detail: Detail::SeenAt(address), .. }, _) => texts::ding_address(language, address),
            (ApiError::Answered { detail: Detail::Lacks(names), .. }, _) if !names.is_empty() => {
                texts::ding_permission(language, error.api(), names.join(", "))
            }
            (_, Some(Meaning::Credentials)) => texts::ding_secret(language),
            (_, Some(Meaning::Permanent(Kind::Invisible))) => texts::ding_invisible(language),
            (_, Some(Meaning::Permanent(Kind::Forbidden))) => texts::ding_forbidden(language, error.api()),
            (ApiError::QuotaSpent { .. }, _) => texts::ding_not_looked_at(language),
            _ => texts::doctor_trouble(language, error),
        }
    }
}

/// Whether id and secret are not accepted for Stream mode.
fn is_refused(error: &ApiError) -> bool {
    error.meaning() == Some(Meaning::Credentials) || matches!(error, ApiError::Status { status: UNAUTHORIZED, .. })
}

/// The departments that are known by their ids only.
fn hidden(conn: &mut Connection, tenant: &TenantId) -> database::Result<Vec<String>> {
    let mut hidden = Vec::new();
    let mut after: Option<EntityKey> = None;
    loop {
        let page = records::live_after(conn, tenant, after.as_ref(), PAGE)?;
        for (key, row) in &page {
            if key.kind != EntityKind::Department {
                return Ok(hidden);
            }
            if row.record.sent.as_ref().is_some_and(|sent| sent.entity.incomplete) {
                hidden.push(key.id.as_ref().to_owned());
            }
        }
        let Some((last, _)) = page.last() else { return Ok(hidden) };
        after = Some(last.clone());
    }
}
