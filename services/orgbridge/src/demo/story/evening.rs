//! The evening: what callbacks did not tell is found, and the three directories are compared.

use std::time::Instant;

use platform_sim::{Difference, compare};
use store::runs::Wanted;

use super::{Story, seconds};
use crate::{
    demo::{
        display::Display,
        texts,
        watch::Seen,
        world::{CORE, OA},
    },
    failure::Failure,
};

/// Differences that are told one by one.
const TOLD: usize = 5;

impl Story {
    pub(super) async fn reconciliation(&mut self, display: &mut Display<'_, '_>) -> Result<(), Failure> {
        let (language, started) = (display.language(), Instant::now());
        display.begin(texts::reconciliation(language))?;
        self.sum.differences_before = compare(&self.world.source(), &self.world.core_snapshot().await?).len();
        self.world.sync(&self.world.tenant, Wanted::Apply, display).await?;
        self.sum.untold = self.world.untold().await?;
        // Who is missing is believed to be gone the second time, half a minute later.
        self.wait(display, "reconciliation", Seen::is_answered).await?;
        let (fields, untold) = (self.sum.differences_before, self.sum.untold);
        Ok(display.end(texts::reconciliation_done(language, fields, untold, seconds(started.elapsed())))?)
    }

    pub(super) async fn comparison(&mut self, display: &mut Display<'_, '_>, started: Instant) -> Result<(), Failure> {
        let language = display.language();
        display.begin(texts::comparison(language))?;
        let source = self.world.source();
        let core = compare(&source, &self.world.core_snapshot().await?);
        let oa = compare(&source, &self.world.oa_snapshot());
        let (truth, kept) = (self.world.plant.truth(), self.world.plant.kept().await?);
        let plant = truth.differences(&kept);
        let seen = self.world.look().await?;
        let sum = &mut self.sum;
        sum.members = source.members.len();
        sum.departments = source.departments.len();
        sum.plant_departments = truth.directory().0;
        sum.plant_members = truth.directory().1;
        sum.attendance = kept.attendance();
        sum.approvals = kept.approvals();
        sum.core_differences = core.len() + plant.len();
        sum.oa_differences = oa.len();
        sum.oa_violations = self.world.oa.violations().len();
        sum.oa_messages = self.world.oa.received_count();
        sum.changes = seen.versions;
        sum.changes_applied = self.world.applied_at_core();
        sum.parked_now = seen.parked;
        sum.dead_letters = seen.dead;
        sum.seconds = (started.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        self.judge(display, [(CORE, &core), (CORE, &plant), (OA, &oa)])
    }

    fn judge(&self, display: &mut Display<'_, '_>, sides: [(&str, &[Difference]); 3]) -> Result<(), Failure> {
        let (language, sum) = (display.language(), &self.sum);
        if sum.is_equal() {
            display.end(texts::equal(language, sum.departments, sum.members))?;
            let (departments, members) = (sum.plant_departments, sum.plant_members);
            display.line(texts::plant_equal(language, departments, members, sum.attendance, sum.approvals))?;
        } else {
            let (core, oa) = (sum.core_differences, sum.oa_differences);
            display.end(texts::different(language, core, oa, sum.oa_violations))?;
        }
        for (side, differences) in sides {
            for one in differences.iter().take(TOLD) {
                let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
                let (there, here) = (value(&one.source), value(&one.destination));
                display.line(texts::difference(language, side, &one.kind, &one.id, &one.field, there, here))?;
            }
        }
        if !sum.is_nothing_left() {
            display.line(texts::left_over(language, sum.parked_now, sum.dead_letters, sum.unanswered))?;
        }
        if sum.is_fine() {
            let (events, copies) = (sum.events_sent, sum.duplicates_sent);
            display.line(texts::done(language, events, copies, sum.changes_applied, sum.seconds))?;
        }
        Ok(())
    }
}
