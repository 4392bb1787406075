//! How the API behaves: whose keys may what, what filters do, how much is too much, and what goes wrong by chance.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::Interface;
use super::limits::Limits;
use crate::jiandaoyun::time::CHINA_MS;

/// A key of the company.
#[derive(Clone)]
pub struct ApiKey {
    /// What goes behind `Bearer`.
    pub key: String,
    /// Whether it is switched on (8301).
    pub enabled: bool,
    /// The applications that it was given; `None` for all (17053).
    pub apps: Option<BTreeSet<String>>,
    /// The interfaces that it was not given (17054).
    pub lacks: BTreeSet<Interface>,
    /// The addresses that may call with it; `None` for all (17052).
    pub trusted: Option<BTreeSet<IpAddr>>,
}

impl ApiKey {
    /// One for everything, from anywhere.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self { key: key.to_owned(), enabled: true, apps: None, lacks: BTreeSet::new(), trusted: None }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("enabled", &self.enabled).field("apps", &self.apps).finish_non_exhaustive()
    }
}

/// What happens to conditions that the server does not understand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FilterMode {
    /// They are dropped without a word, as the real one does (reference jiandaoyun 6).
    #[default]
    Lenient,
    /// The call is refused (4815), to find mistakes of clients.
    Strict,
}

/// What happens to a `limit` outside of 1 to 100; not confirmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LimitOutside {
    /// 17017.
    #[default]
    Refuse,
    /// The nearest one that is allowed.
    Clamp,
}

/// How times without a zone are read in filters; not confirmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zoneless {
    /// As China's.
    #[default]
    China,
    /// As UTC.
    Utc,
}

impl Zoneless {
    pub(super) const fn ahead_ms(self) -> i64 {
        match self {
            Self::China => CHINA_MS,
            Self::Utc => 0,
        }
    }
}

/// How the API behaves. Everything can be changed while it runs; see [`super::Api::configure`].
#[derive(Clone, Debug)]
pub struct ApiOptions {
    /// Everything random follows from it.
    pub seed: u64,
    /// The keys.
    pub keys: Vec<ApiKey>,
    /// How many calls are too many.
    pub limits: Limits,
    /// What happens to conditions that are not understood.
    pub filters: FilterMode,
    /// Conditions on these fields are dropped, such as `updateTime`, in either mode.
    pub ignored_fields: BTreeSet<String>,
    /// Whether all filters are dropped.
    pub ignores_filters: bool,
    /// Whether system fields can be named in `fields`; not confirmed.
    pub projects_system_fields: bool,
    /// What happens to a `limit` that is not allowed.
    pub limit_outside: LimitOutside,
    /// How times without a zone are read in filters.
    pub zoneless: Zoneless,
    /// Whether lists come without `updater`, `deleter` and `deleteTime`, as in the official examples.
    pub lean: bool,
    /// The status of refusals of keys; not confirmed.
    pub bad_key_status: u16,
    /// The most bytes of a filter (4815); the real figure is not known.
    pub longest_filter: usize,
    /// The share of calls that are answered with 502 and not done, 0 to 1.
    pub busy_share: f64,
    /// Each answer comes so much later, in real time.
    pub latency: Duration,
    /// How far the platform's clock, which the `Date` header shows, is ahead, in milliseconds.
    pub skew_ms: i64,
    /// Whether each call is kept; switch off for very long runs.
    pub keep_records: bool,
}

impl ApiOptions {
    /// One key for everything and the documented limits; nothing goes wrong by itself.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self {
            seed: 1,
            keys: vec![ApiKey::new(key)],
            limits: Limits::default(),
            filters: FilterMode::Lenient,
            ignored_fields: BTreeSet::new(),
            ignores_filters: false,
            projects_system_fields: true,
            limit_outside: LimitOutside::Refuse,
            zoneless: Zoneless::China,
            lean: false,
            bad_key_status: 400,
            longest_filter: 16_384,
            busy_share: 0.0,
            latency: Duration::ZERO,
            skew_ms: 0,
            keep_records: true,
        }
    }

    /// That key.
    #[must_use]
    pub fn key(&self, key: &str) -> Option<&ApiKey> {
        self.keys.iter().find(|known| known.key == key)
    }

    /// That key, to change it.
    pub fn key_mut(&mut self, key: &str) -> Option<&mut ApiKey> {
        self.keys.iter_mut().find(|known| known.key == key)
    }
}
