//! How a destination stands against the truth.

use std::collections::BTreeSet;

use platform_sim::{Difference, Oa, Snapshot, Subject, ViolationKind, compare};
use serde_json::{Value, json};

use crate::{Core, as_core_sees};

/// What of the truth is at a destination, and what else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Entities, and callbacks that are passed on, that are there as they should be.
    pub applied: usize,
    /// Those that are not, or not as they should be.
    pub lost: usize,
    /// Those that are there more than once, or were to be made twice.
    pub doubled: usize,
    /// What is there and not in the truth.
    pub unexpected: usize,
}

impl Tally {
    /// The core's live rows.
    pub async fn of_core(core: &Core, truth: &Snapshot) -> Self {
        let truth = as_core_sees(truth);
        let seen = core.snapshot().await;
        let rows = usize::try_from(core.count().await).unwrap_or_default();
        let once = seen.departments.len() + seen.members.len();
        Self { doubled: rows.saturating_sub(once), ..Self::of_directory(&truth, &compare(&truth, &seen)) }
    }

    /// An OA's directory, and the `others` that it was to get as they came.
    pub fn of_oa(oa: &Oa, truth: &Snapshot, others: usize) -> Self {
        let directory = Self::of_directory(truth, &compare(truth, &oa.snapshot()));
        directory.plus(Self::of_messages(oa, others))
    }

    /// What an OA was told twice, and the `others`.
    pub(super) fn of_messages(oa: &Oa, others: usize) -> Self {
        let passed_on = oa.others();
        let once: BTreeSet<&String> = passed_on.iter().collect();
        let made_twice = |kind: ViolationKind| matches!(kind, ViolationKind::Doubled | ViolationKind::AlreadyThere);
        let made_twice = oa.violations().iter().filter(|violation| made_twice(violation.kind)).count();
        let sealed_anew = usize::try_from(oa.repeats().sealed_anew).unwrap_or(usize::MAX);
        Self {
            applied: once.len().min(others),
            lost: others.saturating_sub(once.len()),
            doubled: passed_on.len() - once.len() + made_twice + sealed_anew,
            unexpected: once.len().saturating_sub(others),
        }
    }

    fn of_directory(truth: &Snapshot, differences: &[Difference]) -> Self {
        let entities = truth.departments.len() + truth.members.len();
        let unexpected: BTreeSet<Subject> = differences.iter().filter(|it| is_unexpected(it)).map(subject).collect();
        let lost = differing(differences).difference(&unexpected).count();
        Self { applied: entities.saturating_sub(lost), lost, doubled: 0, unexpected: unexpected.len() }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        Self {
            applied: self.applied + more.applied,
            lost: self.lost + more.lost,
            doubled: self.doubled + more.doubled,
            unexpected: self.unexpected + more.unexpected,
        }
    }

    /// Nothing is missing, doubled or from nowhere.
    pub const fn is_right(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.unexpected == 0
    }

    /// As one JSON object.
    pub fn to_json(&self) -> Value {
        json!({
            "applied": self.applied, "lost": self.lost, "doubled": self.doubled, "unexpected": self.unexpected,
        })
    }
}

/// The entities that differ in anything. Members have their folded ids.
pub(super) fn differing(differences: &[Difference]) -> BTreeSet<Subject> {
    differences.iter().map(subject).collect()
}

fn subject(difference: &Difference) -> Subject {
    let id = difference.id.clone();
    if difference.kind == "department" { Subject::Department(id) } else { Subject::Member(id) }
}

fn is_unexpected(difference: &Difference) -> bool {
    difference.field == "exists" && difference.source.as_deref() == Some("false")
}

#[cfg(test)]
mod tests {
    use platform_sim::{Company, CompanyOptions};

    use super::*;

    #[test]
    fn what_is_missing_is_lost_and_what_is_not_in_the_truth_is_unexpected() {
        let mut company = Company::new(CompanyOptions::default());
        company.import(20, 5, 2);
        let truth = company.snapshot();
        let mut seen = truth.clone();
        let (first, _) = seen.members.pop_first().unwrap();
        let second = seen.members.values_mut().next().unwrap();
        second.title = "something else".to_owned();
        second.mobile = String::new();
        let tally = Tally::of_directory(&truth, &compare(&truth, &seen));
        assert_eq!(tally, Tally { applied: 23, lost: 2, doubled: 0, unexpected: 0 });
        let mut less = truth.clone();
        less.members.remove(&first);
        let tally = Tally::of_directory(&less, &compare(&less, &truth));
        assert_eq!(tally, Tally { applied: 24, lost: 0, doubled: 0, unexpected: 1 });
    }
}
