//! What this service counts.

use prometheus::{GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts};
use service::Metrics;
use store::runs::{Run, RunKind, RunState};
use wecom::api::Observer;

/// Seconds, up to a request's time limit.
const REQUEST_SECONDS: &[f64] = &[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0];

/// The families that only this service has.
pub(crate) struct Counted {
    /// Requests to platforms. Labels `platform`, `api`, `outcome`: `ok`, or what went wrong.
    pub(crate) platform_requests_total: IntCounterVec,
    /// Time of one request. Labels `platform`, `api`.
    pub(crate) platform_request_seconds: HistogramVec,
    /// Whether a tenant's platform refuses or cannot be reached: 1, and 0 once it answers. Label `tenant`.
    pub(crate) platform_silent: IntGaugeVec,
    /// Questions put to a platform. Labels `tenant`, `outcome`: `answered`, `absent`, `postponed`.
    pub(crate) questions_total: IntCounterVec,
    /// How often too many removals were held back. Label `tenant`.
    pub(crate) brakes_total: IntCounterVec,
    /// Runs that ended or wait for a person. Labels `tenant`, `kind`: `pull` (the source against the mirror), `first`, `reconcile`,
    /// `undo` (the mirror against the core products), `outcome`: `finished`, `incomplete`, `planned`, `quarantined`.
    pub(crate) sync_runs_total: IntCounterVec,
    /// How far the run of a tenant is, its pull included, 0 to 1. Label `tenant`.
    pub(crate) sync_progress_ratio: GaugeVec,
    /// Entities that callbacks should have told of and did not, by the last run. Label `tenant`.
    pub(crate) directory_differences: IntGaugeVec,
}

impl Counted {
    /// The families, registered.
    pub(crate) fn register(metrics: &Metrics) -> prometheus::Result<Self> {
        let counted = Self {
            platform_requests_total: IntCounterVec::new(
                Opts::new("platform_requests_total", "Requests to platforms by outcome."),
                &["platform", "api", "outcome"],
            )?,
            platform_request_seconds: HistogramVec::new(
                HistogramOpts::new("platform_request_seconds", "Time of one request to a platform.")
                    .buckets(REQUEST_SECONDS.to_vec()),
                &["platform", "api"],
            )?,
            platform_silent: IntGaugeVec::new(
                Opts::new("platform_silent", "1 while a tenant's platform refuses or cannot be reached."),
                &["tenant"],
            )?,
            questions_total: IntCounterVec::new(
                Opts::new("questions_total", "Questions put to platforms by outcome."),
                &["tenant", "outcome"],
            )?,
            brakes_total: IntCounterVec::new(
                Opts::new("brakes_total", "How often too many removals were held back."),
                &["tenant"],
            )?,
            sync_runs_total: IntCounterVec::new(
                Opts::new("sync_runs_total", "Runs that ended or wait for a person, by outcome."),
                &["tenant", "kind", "outcome"],
            )?,
            sync_progress_ratio: GaugeVec::new(
                Opts::new("sync_progress_ratio", "How far the run of a tenant is."),
                &["tenant"],
            )?,
            directory_differences: IntGaugeVec::new(
                Opts::new("directory_differences", "Entities that callbacks did not tell of, by the last run."),
                &["tenant"],
            )?,
        };
        metrics.register(counted.platform_requests_total.clone())?;
        metrics.register(counted.platform_request_seconds.clone())?;
        metrics.register(counted.platform_silent.clone())?;
        metrics.register(counted.questions_total.clone())?;
        metrics.register(counted.brakes_total.clone())?;
        metrics.register(counted.sync_runs_total.clone())?;
        metrics.register(counted.sync_progress_ratio.clone())?;
        metrics.register(counted.directory_differences.clone())?;
        Ok(counted)
    }
}

impl Counted {
    /// What runs count.
    pub(crate) fn of_runs(&self) -> RunsCounted {
        RunsCounted { total: self.sync_runs_total.clone(), progress: self.sync_progress_ratio.clone() }
    }
}

/// What runs count. Cheap to clone.
#[derive(Clone)]
pub(crate) struct RunsCounted {
    total: IntCounterVec,
    progress: GaugeVec,
}

impl RunsCounted {
    /// A run got somewhere.
    pub(crate) fn note(&self, run: &Run) {
        let tenant = run.tenant.as_str();
        self.progress.with_label_values(&[tenant]).set(run.progress());
        let outcome = match run.state {
            RunState::Planned => "planned",
            RunState::Quarantined => "quarantined",
            RunState::Finished if run.is_complete || run.kind == RunKind::Undo => "finished",
            RunState::Finished => "incomplete",
            _ => return,
        };
        self.total.with_label_values(&[tenant, run.kind.as_str(), outcome]).inc();
    }
}

/// Counts the requests to WeCom.
pub(crate) struct WecomRequests {
    total: IntCounterVec,
    seconds: HistogramVec,
}

impl WecomRequests {
    pub(crate) fn new(counted: &Counted) -> Self {
        Self { total: counted.platform_requests_total.clone(), seconds: counted.platform_request_seconds.clone() }
    }
}

impl Observer for WecomRequests {
    fn request(&self, api: &'static str, outcome: &'static str, seconds: f64) {
        self.total.with_label_values(&["wecom", api, outcome]).inc();
        self.seconds.with_label_values(&["wecom", api]).observe(seconds);
    }
}
