//! How the API behaves: which apps there are, what each may, how much is too much, and what goes wrong by chance.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::Interface;
use super::limits::Limits;

/// An app of the company. What it sees of the company is in the company's truth (`in_scope`).
#[derive(Clone)]
pub struct App {
    /// Its client id (AppKey).
    pub client_id: String,
    /// Its client secret (AppSecret).
    pub client_secret: String,
    /// The interfaces for which nobody gave it the permission (60011).
    pub lacks: BTreeSet<Interface>,
    /// Whether it sees mobile numbers and mail addresses; else these fields are missing.
    pub sees_contact_details: bool,
    /// The addresses that may call with its tokens; `None` where nobody has to be listed (60020).
    pub trusted: Option<BTreeSet<IpAddr>>,
}

impl App {
    /// One with all permissions, from anywhere.
    #[must_use]
    pub fn new(client_id: &str, client_secret: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            client_secret: client_secret.to_owned(),
            lacks: BTreeSet::new(),
            sees_contact_details: true,
            trusted: None,
        }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("client_id", &self.client_id).field("lacks", &self.lacks).finish_non_exhaustive()
    }
}

/// What the new approval API writes where it writes `2026-09-21T11:52Z`; not confirmed (reference dingtalk 4.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zulu {
    /// UTC, as the letter says.
    #[default]
    Honest,
    /// China time with the wrong letter.
    Mislabelled,
}

/// How the API behaves. Everything can be changed while it runs; see [`super::Api::configure`].
#[derive(Clone, Debug)]
pub struct ApiOptions {
    /// Everything random follows from it.
    pub seed: u64,
    /// The apps.
    pub apps: Vec<App>,
    /// How many calls are too many.
    pub limits: Limits,
    /// The company's quota of counted calls in a month; `None` for no limit. They are counted all the same.
    pub monthly_calls: Option<u64>,
    /// How long a token lives; asking again while it lives begins its life anew.
    pub token_life: Duration,
    /// After so many calls a token dies early.
    pub token_calls: Option<u32>,
    /// Whether `sub_code` is a number instead of a text.
    pub numeric_sub_codes: bool,
    /// What `Z` means.
    pub zulu: Zulu,
    /// The most rows of one page of `user/list`.
    pub page_rows: usize,
    /// Whether the attendance report is switched on, which its columns need.
    pub report: bool,
    /// The share of calls that are answered "busy" and not done, 0 to 1.
    pub busy_share: f64,
    /// Members whose punches an interface tells with times that nobody can read.
    pub illegible: BTreeSet<(Interface, String)>,
    /// Whether attendance is told of who left; not confirmed: of a wrong id nothing is (reference dingtalk 4.3).
    pub tells_of_former: bool,
    /// Each answer comes so much later, in real time.
    pub latency: Duration,
    /// How far the platform's clock, which the `Date` header shows, is ahead, in milliseconds.
    pub skew_ms: i64,
    /// Whether each call is kept; switch off for very long runs.
    pub keep_records: bool,
}

impl ApiOptions {
    /// One app with all permissions and the documented limits, without a quota; nothing goes wrong by itself.
    #[must_use]
    pub fn new(client_id: &str, client_secret: &str) -> Self {
        Self {
            seed: 1,
            apps: vec![App::new(client_id, client_secret)],
            limits: Limits::default(),
            monthly_calls: None,
            token_life: Duration::from_secs(7200),
            token_calls: None,
            numeric_sub_codes: false,
            zulu: Zulu::Honest,
            page_rows: 100,
            report: true,
            busy_share: 0.0,
            illegible: BTreeSet::new(),
            tells_of_former: true,
            latency: Duration::ZERO,
            skew_ms: 0,
            keep_records: true,
        }
    }

    /// The app of that client id.
    #[must_use]
    pub fn app(&self, client_id: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.client_id == client_id)
    }

    /// The app of that client id, to change it.
    pub fn app_mut(&mut self, client_id: &str) -> Option<&mut App> {
        self.apps.iter_mut().find(|app| app.client_id == client_id)
    }

    /// Whether these are the credentials of an app.
    pub(super) fn knows(&self, client_id: &str, client_secret: &str) -> bool {
        self.app(client_id).is_some_and(|app| app.client_secret == client_secret)
    }
}
