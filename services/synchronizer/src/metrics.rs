//! What this service counts.

use std::sync::Arc;

use common::{Platform, TenantId};
use prometheus::{GaugeVec, IntCounterVec, IntGaugeVec, Opts};
use service::Metrics;
use store::{
    quota::Kind,
    runs::{Run, RunKind, RunState},
};

/// The families that only this service has.
pub(crate) struct Counted {
    /// Whether a tenant's platform refuses or cannot be reached: 1, and 0 once it answers. Label `tenant`.
    pub(crate) platform_silent: IntGaugeVec,
    /// Questions put to a platform. Labels `tenant`, `outcome`: `answered`, `absent`, `postponed`, and of the latter once more `unreadable`, of
    /// which the answer could not be read.
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
    /// Punches and approvals that callbacks should have told of and did not, by the last comparison. Label `tenant`.
    pub(crate) record_differences: IntGaugeVec,
    /// Pushes that a platform could not deliver and that were read from its list of those. Label `tenant`.
    pub(crate) failed_pushes_total: IntCounterVec,
    /// How much of a month's quota is used; above 1 where more is. Labels `tenant`, `platform`, `kind`: `api`, `stream`.
    pub(crate) quota_used_ratio: GaugeVec,
    /// Records of forms that were read, by what they came to. Labels `tenant`, `outcome`: `sent`, `refused`, `known`, `changed` (after it was
    /// sent), `unreadable`, and why one was left out: `not_approved`, `before_start`, `before_since`, `no_time`, `condition`.
    pub(crate) form_records_total: IntCounterVec,
    /// Outcomes that were to be written back into forms. Labels `tenant`, `outcome`: `written`, `gone`, `unwritable`, `postponed`.
    pub(crate) form_answers_total: IntCounterVec,
}

impl Counted {
    /// The families, registered.
    pub(crate) fn register(metrics: &Metrics) -> prometheus::Result<Self> {
        let counted = Self {
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
            record_differences: IntGaugeVec::new(
                Opts::new("record_differences", "Punches and approvals that callbacks did not tell of."),
                &["tenant"],
            )?,
            failed_pushes_total: IntCounterVec::new(
                Opts::new("failed_pushes_total", "Pushes that were read from a platform's list of failed ones."),
                &["tenant"],
            )?,
            quota_used_ratio: GaugeVec::new(
                Opts::new("quota_used_ratio", "How much of a month's quota is used."),
                &["tenant", "platform", "kind"],
            )?,
            form_records_total: IntCounterVec::new(
                Opts::new("form_records_total", "Records of forms that were read, by what they came to."),
                &["tenant", "outcome"],
            )?,
            form_answers_total: IntCounterVec::new(
                Opts::new("form_answers_total", "Outcomes that were to be written back into forms."),
                &["tenant", "outcome"],
            )?,
        };
        metrics.register(counted.platform_silent.clone())?;
        metrics.register(counted.questions_total.clone())?;
        metrics.register(counted.brakes_total.clone())?;
        metrics.register(counted.sync_runs_total.clone())?;
        metrics.register(counted.sync_progress_ratio.clone())?;
        metrics.register(counted.directory_differences.clone())?;
        metrics.register(counted.record_differences.clone())?;
        metrics.register(counted.failed_pushes_total.clone())?;
        metrics.register(counted.quota_used_ratio.clone())?;
        metrics.register(counted.form_records_total.clone())?;
        metrics.register(counted.form_answers_total.clone())?;
        Ok(counted)
    }
}

impl Counted {
    /// Tells no gauge of a tenant any more. What was counted stays.
    pub(crate) fn forget(&self, tenant: &TenantId) {
        let of = [tenant.as_str()];
        // Each says whether it had been told.
        self.platform_silent.remove_label_values(&of).ok();
        self.sync_progress_ratio.remove_label_values(&of).ok();
        self.directory_differences.remove_label_values(&of).ok();
        self.record_differences.remove_label_values(&of).ok();
        for kind in [Kind::Api, Kind::Stream] {
            let of = [tenant.as_str(), Platform::Dingtalk.as_str(), kind.as_str()];
            self.quota_used_ratio.remove_label_values(&of).ok();
        }
    }

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

/// Counts the requests to platforms.
pub(crate) struct PlatformRequests(pub(crate) Arc<Metrics>);

impl wecom::api::Observer for PlatformRequests {
    fn request(&self, api: &'static str, outcome: &'static str, seconds: f64) {
        self.0.note_request(Platform::Wecom, api, outcome, seconds);
    }
}

impl dingtalk::api::Observer for PlatformRequests {
    fn request(&self, api: &'static str, outcome: &'static str, seconds: f64) {
        self.0.note_request(Platform::Dingtalk, api, outcome, seconds);
    }
}

impl jiandaoyun::api::Observer for PlatformRequests {
    fn request(&self, api: &'static str, outcome: &'static str, seconds: f64) {
        self.0.note_request(Platform::Jiandaoyun, api, outcome, seconds);
    }
}
