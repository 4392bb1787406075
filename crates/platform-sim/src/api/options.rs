//! How the API behaves: who may call, what each sees, how much is too much, and what goes wrong by chance.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::limits::Limits;
use crate::{ROOT, fold};

/// Who calls, by the secret that its token came from (reference wecom 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// The contact sync assistant.
    Contact,
    /// A self-built app, by its agent id.
    App(u32),
}

/// The contact sync assistant. It lists ids and writes.
#[derive(Clone)]
pub struct Contact {
    /// Its secret.
    pub secret: String,
    /// Whether the console lets it write; else it only reads.
    pub may_write: bool,
    /// The addresses that may call with it; `None` where nobody has to be listed, as before 2022-06-20.
    pub trusted: Option<BTreeSet<IpAddr>>,
    /// Addresses that called with it before 2022-08-15, from which it still reads details (reference wecom 3.7).
    pub old_addresses: BTreeSet<IpAddr>,
}

impl Contact {
    /// One of today: it writes, and reads ids only.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self { secret: secret.to_owned(), may_write: true, trusted: None, old_addresses: BTreeSet::new() }
    }
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contact").field("may_write", &self.may_write).finish_non_exhaustive()
    }
}

/// When an app was created, which decides what it sees of members (reference wecom 3.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Era {
    /// Before 2022-06-20 20:00: all fields.
    Old,
    /// Since then: no portrait, gender, mobile number, mail addresses, QR code and address.
    #[default]
    New,
}

/// What an app sees: departments with all below them, and single members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Ids of departments.
    pub departments: BTreeSet<String>,
    /// Folded ids of members.
    pub members: BTreeSet<String>,
}

impl Scope {
    /// The root department, and so everything.
    #[must_use]
    pub fn everything() -> Self {
        Self::of(&[ROOT], &[])
    }

    /// These departments with all below them, and these members.
    #[must_use]
    pub fn of(departments: &[&str], members: &[&str]) -> Self {
        let departments = departments.iter().map(|id| (*id).to_owned()).collect();
        Self { departments, members: members.iter().map(|id| fold(id)).collect() }
    }

    pub(super) fn is_everything(&self) -> bool {
        self.departments.contains(ROOT)
    }
}

/// A self-built app. It reads details of what is in its scope.
#[derive(Clone)]
pub struct App {
    /// Its agent id.
    pub agent: u32,
    /// Its secret.
    pub secret: String,
    /// When it was created.
    pub era: Era,
    /// What it sees.
    pub scope: Scope,
    /// The addresses that may call with it; `None` where nobody has to be listed, as before 2022-06-20.
    pub trusted: Option<BTreeSet<IpAddr>>,
}

impl App {
    /// One of today that sees the whole company.
    #[must_use]
    pub fn new(agent: u32, secret: &str) -> Self {
        Self { agent, secret: secret.to_owned(), era: Era::New, scope: Scope::everything(), trusted: None }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("agent", &self.agent).field("era", &self.era).finish_non_exhaustive()
    }
}

/// What `gettoken` gives while a token lives; the documentation has said both (reference wecom 3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Renewal {
    /// The same token, with what is left of its life.
    #[default]
    Same,
    /// A new one; the old one lives on.
    NewBeside,
    /// A new one; the old one is dead.
    NewInstead,
}

/// How an app hears that something is outside of its scope, or does not exist (reference wecom 3.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outside {
    /// 60011.
    NoPrivilege,
    /// 60003 or 60111.
    NotFound,
    /// Either, always the same one for the same id.
    #[default]
    Either,
}

/// What an update does about a department that does not exist; not documented (reference wecom 9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownDepartment {
    /// Refuses with 60123.
    #[default]
    Invalid,
    /// Refuses with 60003.
    NotFound,
    /// Creates a placeholder, as a creation does.
    Created,
}

/// How the API behaves. Everything can be changed while it runs; see [`super::Api::configure`].
#[derive(Clone, Debug)]
pub struct ApiOptions {
    /// Everything random follows from it.
    pub seed: u64,
    /// The contact sync assistant.
    pub contact: Contact,
    /// The apps.
    pub apps: Vec<App>,
    /// How many calls are too many.
    pub limits: Limits,
    /// One more wrong secret from an address and it may not ask for tokens for an hour; no figure is published.
    pub wrong_secrets: u32,
    /// How long a token lives.
    pub token_life: Duration,
    /// After so many calls a token dies early (40014).
    pub token_calls: Option<u32>,
    /// What is given while a token lives.
    pub renewal: Renewal,
    /// How an app hears of what it does not see.
    pub outside: Outside,
    /// Whether a gender that an app may not see is told as 0, which also means "not set"; else it is left out.
    pub hidden_gender_as_zero: bool,
    /// What an update does about an unknown department.
    pub unknown_department: UnknownDepartment,
    /// The extended attributes that the console defines; others are ignored silently.
    pub attributes: BTreeSet<String>,
    /// The member who founded the company and cannot be deleted (301005).
    pub creator: Option<String>,
    /// Whether the company has business mail, which `biz_mail` needs.
    pub business_mail: bool,
    /// The most members (45024); three times as many may be created within 30 days (45009).
    pub account_limit: Option<usize>,
    /// The most departments.
    pub department_limit: usize,
    /// The most members and departments directly in one department (81001).
    pub node_limit: usize,
    /// The most rows of one page of `user/list_id`, whatever is asked for.
    pub page_rows: usize,
    /// The most bytes of an answer of `user/list` (45029); unknown of WeCom.
    pub list_bytes: Option<usize>,
    /// The share of calls that are answered "busy" (-1) and not done, 0 to 1.
    pub busy_share: f64,
    /// The share of writes that are answered "data version conflict" (6000) and not done, 0 to 1.
    pub conflict_share: f64,
    /// Each answer comes so much later, in real time.
    pub latency: Duration,
    /// How far the platform's clock, which the `Date` header shows, is ahead, in milliseconds.
    pub skew_ms: i64,
    /// What `getcallbackip` answers.
    pub callback_addresses: Vec<String>,
    /// What `get_api_domain_ip` answers.
    pub domain_addresses: Vec<String>,
    /// Whether each call is kept; switch off for very long runs.
    pub keep_records: bool,
}

/// The agent id of the only app of [`ApiOptions::new`].
const FIRST_AGENT: u32 = 1_000_002;

impl ApiOptions {
    /// A contact sync assistant and one app that sees everything, both of today; nothing goes wrong by itself.
    #[must_use]
    pub fn new(contact_secret: &str, app_secret: &str) -> Self {
        let list = |addresses: &[&str]| addresses.iter().map(|address| (*address).to_owned()).collect();
        Self {
            seed: 1,
            contact: Contact::new(contact_secret),
            apps: vec![App::new(FIRST_AGENT, app_secret)],
            limits: Limits::default(),
            wrong_secrets: 5,
            token_life: Duration::from_secs(7200),
            token_calls: None,
            renewal: Renewal::Same,
            outside: Outside::Either,
            hidden_gender_as_zero: false,
            unknown_department: UnknownDepartment::Invalid,
            attributes: BTreeSet::from(["工号".to_owned()]),
            creator: None,
            business_mail: false,
            account_limit: None,
            department_limit: 30_000,
            node_limit: 30_000,
            page_rows: 10_000,
            list_bytes: None,
            busy_share: 0.0,
            conflict_share: 0.0,
            latency: Duration::ZERO,
            skew_ms: 0,
            callback_addresses: list(&["192.0.2.10", "192.0.2.11", "198.51.100.*"]),
            domain_addresses: list(&["192.0.2.20", "192.0.2.21"]),
            keep_records: true,
        }
    }

    /// The app of that agent id.
    #[must_use]
    pub fn app(&self, agent: u32) -> Option<&App> {
        self.apps.iter().find(|app| app.agent == agent)
    }

    /// The app of that agent id, to change it.
    pub fn app_mut(&mut self, agent: u32) -> Option<&mut App> {
        self.apps.iter_mut().find(|app| app.agent == agent)
    }

    /// Whose secret it is.
    pub(super) fn owner_of(&self, secret: &str) -> Option<Identity> {
        if self.contact.secret == secret {
            return Some(Identity::Contact);
        }
        self.apps.iter().find(|app| app.secret == secret).map(|app| Identity::App(app.agent))
    }

    /// Whether that is still the secret of that identity.
    pub(super) fn is_secret_of(&self, identity: Identity, secret: &str) -> bool {
        match identity {
            Identity::Contact => self.contact.secret == secret,
            Identity::App(agent) => self.app(agent).is_some_and(|app| app.secret == secret),
        }
    }

    /// Whether an address may call with that identity's tokens.
    pub(super) fn is_trusted(&self, identity: Identity, peer: IpAddr) -> bool {
        let trusted = match identity {
            Identity::Contact => self.contact.trusted.as_ref(),
            Identity::App(agent) => self.app(agent).and_then(|app| app.trusted.as_ref()),
        };
        trusted.is_none_or(|trusted| trusted.contains(&peer))
    }

    pub(super) fn set_trusted(&mut self, identity: Identity, addresses: Option<BTreeSet<IpAddr>>) {
        match identity {
            Identity::Contact => self.contact.trusted = addresses,
            Identity::App(agent) => {
                if let Some(app) = self.app_mut(agent) {
                    app.trusted = addresses;
                }
            }
        }
    }
}
