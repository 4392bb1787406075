//! How much of the month's quota is used (reference dingtalk 5.1). What was called is gathered in memory for a second and then written, so
//! that all processes know; what is left decides which calls are still worth it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use common::{Clock, Platform, TenantId, UnixMillis};
use database::{Connection, Database};
use dingtalk::{
    api::{Meter, QuotaSpent, Worth},
    china_time,
};
use prometheus::GaugeVec;
use service::tenant::DingtalkSection;
use store::quota::{self, Kind};

/// How long what was called may be known here only.
const WRITE_AFTER_MILLIS: i64 = 1000;
/// How long what others called need not be known.
const READ_AFTER_MILLIS: i64 = 60_000;
/// So near to a limit it is looked exactly how much is left, in thousandths of the quota.
const NEAR_THOUSANDTHS: u64 = 20;
/// Above this share nothing is called that is most likely known.
const LOW_PERCENT: u64 = 90;
/// Shares at which a person is told, in percent.
const WARNINGS: [u8; 3] = [100, 90, 70];

/// The meters of all tenants. They outlive the clients: what was counted and not written yet is not lost when a tenant is applied anew.
pub(crate) struct Meters {
    database: Database,
    clock: Arc<dyn Clock>,
    used_ratio: GaugeVec,
    known: Mutex<HashMap<TenantId, Arc<QuotaMeter>>>,
}

/// Counts the calls of one tenant.
pub(crate) struct QuotaMeter {
    tenant: TenantId,
    database: Database,
    clock: Arc<dyn Clock>,
    used_ratio: GaugeVec,
    state: Mutex<State>,
    /// Who writes does so alone: what is written twice would be counted twice.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// What the company may use in a month.
    limits: Limits,
    /// The month that is known, and how much of it all processes used, as of `read_at`.
    month: String,
    stored: u64,
    read_at: UnixMillis,
    /// What was called and is not written yet, by month.
    counted: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Limits {
    calls: u64,
    pushes: u64,
}

/// What the database knows of a month.
struct Used {
    calls: u64,
    /// The warnings that are to be given now, and of how much.
    warnings: Vec<(Kind, u8, u64)>,
    pushes: u64,
}

impl Meters {
    pub(crate) fn new(database: Database, clock: Arc<dyn Clock>, used_ratio: GaugeVec) -> Self {
        Self { database, clock, used_ratio, known: Mutex::default() }
    }

    /// The meter of a tenant, which goes by these quotas from now on.
    pub(crate) fn of(&self, tenant: &TenantId, section: &DingtalkSection) -> Arc<QuotaMeter> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let meter = known.entry(tenant.clone()).or_insert_with(|| Arc::new(self.new_meter(tenant)));
        meter.lock().limits = Limits { calls: section.monthly_api_quota, pushes: section.monthly_stream_quota };
        Arc::clone(meter)
    }

    /// Writes what is counted and not written yet, of all tenants.
    pub(crate) async fn write_all(&self) {
        let meters: Vec<_> = self.known.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        for meter in meters {
            meter.keep_written().await;
        }
    }

    fn new_meter(&self, tenant: &TenantId) -> QuotaMeter {
        QuotaMeter {
            tenant: tenant.clone(),
            database: self.database.clone(),
            clock: Arc::clone(&self.clock),
            used_ratio: self.used_ratio.clone(),
            state: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
        }
    }
}

impl QuotaMeter {
    /// Writes what was counted, if there is any, and learns what others counted, if that is long ago. What cannot be written is written the
    /// next time.
    pub(crate) async fn keep_written(&self) {
        let is_due = {
            let state = self.lock();
            !state.counted.is_empty() || self.clock.now().since(state.read_at) >= READ_AFTER_MILLIS
        };
        if is_due {
            self.write().await;
        }
    }

    async fn write(&self) {
        let _alone = self.writing.lock().await;
        let now = self.clock.now();
        let month = china_time::month_of(now);
        let (counted, limits) = {
            let state = self.lock();
            (state.counted.clone(), state.limits)
        };
        let (tenant, rows, of) = (self.tenant.clone(), counted.clone(), month.clone());
        let write = move |conn: &mut Connection| add(conn, &tenant, &rows, &of, limits);
        match self.database.write("synchronizer.quota", write).await {
            Ok(used) => {
                self.lock().written(&counted, month, used.calls, now);
                self.tell(&used, limits);
            }
            Err(error) => tracing::debug!(error = error.label(), "cannot note yet how much of a quota is used"),
        }
    }

    fn tell(&self, used: &Used, limits: Limits) {
        for (kind, used, limit) in [(Kind::Api, used.calls, limits.calls), (Kind::Stream, used.pushes, limits.pushes)] {
            let labels = [self.tenant.as_str(), Platform::Dingtalk.as_str(), kind.as_str()];
            self.used_ratio.with_label_values(&labels).set(used as f64 / limit.max(1) as f64);
        }
        for (kind, percent, used) in &used.warnings {
            tracing::warn!(
                tenant.id = %self.tenant, platform = Platform::Dingtalk.as_str(), kind = kind.as_str(), percent, used,
                "the month's quota is used up to this share"
            );
        }
    }

    /// Whether less than this share of the month's quota is used; `None` where that is not known well enough here.
    fn is_below(&self, percent: u64, now: UnixMillis) -> Option<bool> {
        let state = self.lock();
        let month = china_time::month_of(now);
        if state.month != month || now.since(state.read_at) >= READ_AFTER_MILLIS {
            return None;
        }
        let used = state.stored.saturating_add(state.counted.get(&month).copied().unwrap_or_default());
        let (used, most) = (u128::from(used) * 1000, u128::from(state.limits.calls) * u128::from(percent) * 10);
        let near = u128::from(state.limits.calls) * u128::from(NEAR_THOUSANDTHS);
        let is_exact = now == state.read_at && state.counted.is_empty();
        (is_exact || used + near < most || used >= most + near).then_some(used < most)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Meter for QuotaMeter {
    async fn may(&self, _api: &'static str, worth: Worth) -> Result<(), QuotaSpent> {
        // What nothing else will tell is asked for until the platform refuses: only it knows what is left.
        let percent = match worth {
            Worth::Essential => return Ok(()),
            Worth::Useful => 100,
            Worth::Low => LOW_PERCENT,
        };
        let now = self.clock.now();
        let is_below = match self.is_below(percent, now) {
            Some(is_below) => is_below,
            None => {
                self.write().await;
                // Without the database nothing is known, and nothing is called either that can wait.
                let state = self.lock();
                let is_known = state.month == china_time::month_of(now);
                is_known && u128::from(state.stored) * 100 < u128::from(state.limits.calls) * u128::from(percent)
            }
        };
        if is_below { Ok(()) } else { Err(QuotaSpent { until: china_time::next_month(now) }) }
    }

    async fn used(&self, _api: &'static str) {
        let now = self.clock.now();
        let is_due = {
            let mut state = self.lock();
            *state.counted.entry(china_time::month_of(now)).or_default() += 1;
            now.since(state.read_at) >= WRITE_AFTER_MILLIS
        };
        if is_due {
            self.write().await;
        }
    }
}

impl State {
    /// Forgets what was written; more may have come meanwhile.
    fn written(&mut self, written: &BTreeMap<String, u64>, month: String, stored: u64, now: UnixMillis) {
        self.counted.retain(|month, count| {
            *count = count.saturating_sub(written.get(month).copied().unwrap_or_default());
            *count > 0
        });
        (self.month, self.stored, self.read_at) = (month, stored, now);
    }
}

/// Adds what was counted, and reads how much all processes used by then.
fn add(
    conn: &mut Connection,
    tenant: &TenantId,
    counted: &BTreeMap<String, u64>,
    month: &str,
    limits: Limits,
) -> database::Result<Used> {
    for (month, count) in counted {
        quota::add(conn, tenant, Platform::Dingtalk, Kind::Api, month, *count)?;
    }
    let calls = quota::used(conn, tenant, Platform::Dingtalk, Kind::Api, month)?;
    let pushes = quota::used(conn, tenant, Platform::Dingtalk, Kind::Stream, month)?;
    let mut warnings = Vec::new();
    for (kind, used, limit) in [(Kind::Api, calls, limits.calls), (Kind::Stream, pushes, limits.pushes)] {
        let is_reached = |percent: &&u8| u128::from(used) * 100 >= u128::from(limit) * u128::from(**percent);
        if let Some(percent) = WARNINGS.iter().find(is_reached).filter(|_| limit > 0)
            && quota::warn(conn, tenant, Platform::Dingtalk, kind, month, i32::from(*percent))?
        {
            warnings.push((kind, *percent, used));
        }
    }
    Ok(Used { calls, warnings, pushes })
}
