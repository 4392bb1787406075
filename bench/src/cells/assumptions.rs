//! What is assumed of companies and of their days, and what platforms allow. Nothing here is measured; whoever knows better says so by a flag.

/// Spread of sizes: the standard deviation of the logarithm of a tenant's members. With this the largest of 10,000 tenants has well over
/// 100,000 members, and half of all have fewer than 250. Assumed.
const SPREAD: f64 = 1.8;
/// Share of tenants with DingTalk, and so with attendance and approvals; the others have WeCom. Assumed.
const DINGTALK: f64 = 0.5;
/// Members per department, as in the first-sync and order benchmarks (docs/performance.md).
const PER_DEPARTMENT: f64 = 20.0;
/// Changes of a member's contacts a day: each is hired, moved, promoted, renamed or leaves about once in fifty working days. Assumed.
const CONTACTS: f64 = 0.02;
/// Punches of a member a day. Two to four are usual: docs/dingtalk.md tells of a plant of 300 that punches 600 times.
const PUNCHES: f64 = 3.0;
/// Approvals of a member a day. Assumed.
const APPROVALS: f64 = 0.1;
/// Since 2022 callbacks carry ids: one event says that something changed, another one is the answer that says what.
const EVENTS_PER_CONTACT: f64 = 2.0;
/// Of a punch come its push, the punch as DingTalk tells it when asked, and the result that it makes of it.
const EVENTS_PER_PUNCH: f64 = 3.0;
/// The punch and the result are records of their own.
const CHANGES_PER_PUNCH: f64 = 2.0;
/// An approval is pushed when it begins and when it ends; each push and each answer is an event.
const EVENTS_PER_APPROVAL: f64 = 4.0;
/// Share of a day's punches within the peak. Assumed.
const PEAK_SHARE: f64 = 0.4;
/// How long the peak lasts, in minutes. Assumed.
const PEAK_MINUTES: f64 = 30.0;
/// Working days a year.
const WORKING_DAYS: f64 = 250.0;
/// What all processes together may ask WeCom for from one address, in calls a second of one interface: 600,000 an hour, of which 80 % are aimed
/// at (crates/wecom/src/api/limits.rs, docs/first-sync.md).
const WECOM_CALLS: f64 = 133.0;
/// The same from DingTalk, of all interfaces: 10,000 in 20 s, of which 95 % are aimed at (crates/dingtalk/src/api/limits.rs).
const DINGTALK_CALLS: f64 = 475.0;
/// What one app may ask DingTalk for, in calls a second of one interface (docs/dingtalk.md).
const DINGTALK_APP_CALLS: f64 = 18.0;
/// Members of whom one call about attendance tells (docs/reliability.md).
const MEMBERS_PER_CALL: f64 = 50.0;

/// What can be said of companies and platforms.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Assumptions {
    /// Tenants
    #[arg(long, default_value_t = 10_000)]
    pub(super) tenants: usize,
    /// Members of all tenants together
    #[arg(long, default_value_t = 10_000_000)]
    pub(super) members: u64,
    /// Standard deviation of the logarithm of a tenant's members
    #[arg(long, default_value_t = SPREAD)]
    pub(super) spread: f64,
    /// Share of tenants with DingTalk; the others have WeCom
    #[arg(long, default_value_t = DINGTALK)]
    pub(super) dingtalk: f64,
    /// Members per department
    #[arg(long, default_value_t = PER_DEPARTMENT)]
    pub(super) per_department: f64,
    /// Changes of contacts per member and day
    #[arg(long, default_value_t = CONTACTS)]
    pub(super) contacts: f64,
    /// Punches per member and day, where there is DingTalk
    #[arg(long, default_value_t = PUNCHES)]
    pub(super) punches: f64,
    /// Approvals per member and day, where there is DingTalk
    #[arg(long, default_value_t = APPROVALS)]
    pub(super) approvals: f64,
    /// Events of one change of contacts
    #[arg(long, default_value_t = EVENTS_PER_CONTACT)]
    pub(super) events_per_contact: f64,
    /// Events of one punch
    #[arg(long, default_value_t = EVENTS_PER_PUNCH)]
    pub(super) events_per_punch: f64,
    /// Changes, and records that are kept, of one punch
    #[arg(long, default_value_t = CHANGES_PER_PUNCH)]
    pub(super) changes_per_punch: f64,
    /// Events of one approval
    #[arg(long, default_value_t = EVENTS_PER_APPROVAL)]
    pub(super) events_per_approval: f64,
    /// Share of a day's punches within the peak
    #[arg(long, default_value_t = PEAK_SHARE)]
    pub(super) peak_share: f64,
    /// How many minutes the peak lasts
    #[arg(long, default_value_t = PEAK_MINUTES)]
    pub(super) peak_minutes: f64,
    /// Working days a year
    #[arg(long, default_value_t = WORKING_DAYS)]
    pub(super) working_days: f64,
    /// Calls a second of one interface of WeCom that one address makes
    #[arg(long, default_value_t = WECOM_CALLS)]
    pub(super) wecom_calls: f64,
    /// Calls a second of DingTalk that one address makes
    #[arg(long, default_value_t = DINGTALK_CALLS)]
    pub(super) dingtalk_calls: f64,
    /// Calls a second of one interface of DingTalk that one app makes
    #[arg(long, default_value_t = DINGTALK_APP_CALLS)]
    pub(super) dingtalk_app_calls: f64,
    /// Members of whom one call about attendance tells
    #[arg(long, default_value_t = MEMBERS_PER_CALL)]
    pub(super) members_per_call: f64,
}
