//! What came of the demo, for people and programs.

use directory::plan::Counts;
use serde::Serialize;

/// The last line of `demo --json`.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Summary {
    /// Members of the company at the end.
    pub(super) members: usize,
    /// Its departments at the end, the root included.
    pub(super) departments: usize,
    /// What the plan of the first sync was to do.
    pub(super) plan: Counts,
    /// Callbacks of the simulated WeCom and events of the simulated DingTalk that were sent, each counted once.
    pub(super) events_sent: usize,
    /// Callbacks that never arrived.
    pub(super) callbacks_lost: usize,
    /// Sendings beyond the first of each callback and event: copies and repeats.
    pub(super) duplicates_sent: usize,
    /// Changes that reached the core product, those of the plant included.
    pub(super) changes_applied: u64,
    /// Changes made in all, by their versions.
    pub(super) changes: u64,
    /// Messages that the OA took.
    pub(super) oa_messages: usize,
    /// Departments of the plant, its root included.
    pub(super) plant_departments: usize,
    /// Members of the plant.
    pub(super) plant_members: usize,
    /// Attendance records of the plant that the core product has.
    pub(super) attendance: usize,
    /// Approvals of the plant that the core product has.
    pub(super) approvals: usize,
    /// Events of the plant that could not be pushed, and were found in DingTalk's list of those.
    pub(super) pushes_recovered: usize,
    /// Members that came of the form.
    pub(super) hires_created: u64,
    /// Records of it that were refused, and created once they were corrected.
    pub(super) hires_refused: u64,
    /// Most entities that were seen waiting at once.
    pub(super) parked_peak: u64,
    /// Entities that still wait.
    pub(super) parked_now: u64,
    /// Dead letters.
    pub(super) dead_letters: u64,
    /// Most changes that were seen waiting for the OA while it was down.
    pub(super) oa_backlog_peak: u64,
    /// Fields that differed between source and core product before the reconciliation.
    pub(super) differences_before: usize,
    /// Entities that callbacks should have told of, and that the reconciliation found.
    pub(super) untold: u64,
    /// Fields that differ between the sources, the plant's included, and the core product.
    pub(super) core_differences: usize,
    /// Fields that differ between source and OA.
    pub(super) oa_differences: usize,
    /// Messages that the OA could not apply: something in them was not there, or there already.
    pub(super) oa_violations: usize,
    /// Callbacks that were never answered well.
    pub(super) unanswered: usize,
    /// Badly signed callbacks that were refused, of one.
    pub(super) forgeries_refused: usize,
    /// What kept a stage from its end.
    pub(super) failure: Option<String>,
    /// From the first callback to the end of the comparison.
    pub(super) seconds: f64,
    /// What everything random followed from.
    pub(super) seed: u64,
}

impl Summary {
    /// Source, core product and OA are equal, and nothing is lost, waiting or given up on.
    pub(super) fn is_fine(&self) -> bool {
        self.is_equal() && self.is_nothing_left() && self.forgeries_refused == 1 && self.failure.is_none()
    }

    /// The three directories are equal, and the OA could apply all that it got.
    pub(super) fn is_equal(&self) -> bool {
        self.core_differences + self.oa_differences + self.oa_violations == 0
    }

    /// Nothing waits, was given up on, or was never answered.
    pub(super) fn is_nothing_left(&self) -> bool {
        self.parked_now + self.dead_letters == 0 && self.unanswered == 0
    }
}
