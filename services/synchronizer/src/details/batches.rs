//! Many days, few calls.

use std::collections::BTreeMap;

use dingtalk::{
    api::{MOST_DAYS_OF_RESULTS, MOST_MEMBERS_OF_RESULTS},
    china_time,
};

use super::{day::Day, looks::day_after};

/// Days that are asked about together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Whose they are, each once.
    pub(crate) members: Vec<String>,
    /// The first date that is asked for.
    pub(crate) first: String,
    /// The last one.
    pub(crate) last: String,
    pub(crate) days: Vec<Day>,
}

impl Batch {
    /// The same in two halves; `None` where it is one day only.
    pub(crate) fn halved(mut self) -> Option<[Self; 2]> {
        let half = self.days.len() / 2;
        if half == 0 {
            return None;
        }
        let other = self.days.split_off(half);
        let members = |days: &[Day]| distinct(days.iter().map(|day| day.member.clone()));
        let (mine, theirs) = (members(&self.days), members(&other));
        let second = Self { members: theirs, first: self.first.clone(), last: self.last.clone(), days: other };
        Some([Self { members: mine, ..self }, second])
    }
}

/// Batches for punches: an answer has no pages, so days of a week go together. A day's punches may be on the date before or after it (night
/// shifts), so these are asked for, too.
pub(crate) fn of_punches(days: Vec<Day>) -> Vec<Batch> {
    let mut rest = days;
    let mut batches = Vec::new();
    while let Some(latest) = rest.iter().map(|day| day.date.clone()).max() {
        let earliest = before(&latest, MOST_DAYS_OF_RESULTS - 3);
        let (week, others): (Vec<Day>, Vec<Day>) = rest.into_iter().partition(|day| day.date >= earliest);
        rest = others;
        for days in of_members(week) {
            let dates = || days.iter().map(|day| day.date.as_str());
            let (Some(first), Some(last)) = (dates().min(), dates().max()) else { continue };
            let first = before(first, 1);
            let last = day_after(last).unwrap_or_else(|| last.to_owned());
            batches.push(batch(days, first, last));
        }
    }
    batches
}

/// Batches for results: an answer comes in pages, so nothing is asked for that is not wanted.
pub(crate) fn of_results(days: Vec<Day>) -> Vec<Batch> {
    let mut by_date: BTreeMap<String, Vec<Day>> = BTreeMap::new();
    for day in days {
        by_date.entry(day.date.clone()).or_default().push(day);
    }
    let of_date = |(date, days): (String, Vec<Day>)| {
        of_members(days).into_iter().map(move |days| batch(days, date.clone(), date.clone()))
    };
    by_date.into_iter().flat_map(of_date).collect()
}

/// One call for each day.
pub(crate) fn of_whole_days(days: Vec<Day>) -> Vec<Batch> {
    days.into_iter()
        .map(|day| (day.date.clone(), day))
        .map(|(date, day)| batch(vec![day], date.clone(), date))
        .collect()
}

fn batch(days: Vec<Day>, first: String, last: String) -> Batch {
    let members = distinct(days.iter().map(|day| day.member.clone()));
    Batch { members, first, last, days }
}

/// The days of as many members as one call may ask about, and of the next ones.
fn of_members(days: Vec<Day>) -> Vec<Vec<Day>> {
    let mut by_member: BTreeMap<String, Vec<Day>> = BTreeMap::new();
    for day in days {
        by_member.entry(day.member.clone()).or_default().push(day);
    }
    let members: Vec<Vec<Day>> = by_member.into_values().collect();
    members.chunks(MOST_MEMBERS_OF_RESULTS).map(|some| some.iter().flatten().cloned().collect()).collect()
}

fn distinct(members: impl Iterator<Item = String>) -> Vec<String> {
    let mut members: Vec<String> = members.collect();
    members.sort_unstable();
    members.dedup();
    members
}

/// The date so many days before.
fn before(date: &str, days: usize) -> String {
    (0..days).fold(date.to_owned(), |date, _| china_time::day_before(&date).unwrap_or(date))
}

#[cfg(test)]
mod tests {
    use common::{EntityKey, EntityKind, attendance::day_id};

    use super::*;

    fn day(member: &str, date: &str) -> Day {
        Day::of(EntityKey::new(EntityKind::AttendanceDay, &day_id(member, date)), None, None).unwrap()
    }

    fn shown(batches: &[Batch]) -> Vec<(usize, &str, &str, usize)> {
        let show = |batch: &Batch| (batch.members.len(), batch.days.len());
        let dates = batches.iter().map(|batch| (batch.first.as_str(), batch.last.as_str()));
        let sizes = batches.iter().map(show);
        sizes.zip(dates).map(|((members, days), (first, last))| (members, first, last, days)).collect()
    }

    #[test]
    fn punches_of_fifty_members_are_one_call_with_the_night_before_and_after() {
        let mut days: Vec<Day> = (0..120).map(|number| day(&format!("m{number:03}"), "2026-09-21")).collect();
        // Who came home in the morning.
        days.extend((0..10).map(|number| day(&format!("m{number:03}"), "2026-09-20")));
        days.push(day("late", "2026-08-31"));
        let batches = of_punches(days);
        let night = ("2026-09-19", "2026-09-22");
        let day_only = ("2026-09-20", "2026-09-22");
        assert_eq!(
            shown(&batches),
            [
                (50, night.0, night.1, 60),
                (50, day_only.0, day_only.1, 50),
                (20, day_only.0, day_only.1, 20),
                (1, "2026-08-30", "2026-09-01", 1)
            ]
        );
    }

    #[test]
    fn punches_never_span_more_than_a_week() {
        let days = (1..=30).map(|number| day("ann", &format!("2026-09-{number:02}"))).collect();
        for batch in of_punches(days) {
            let asked = china_time::dates_between(&batch.first, &batch.last, 100).len();
            assert!(asked <= MOST_DAYS_OF_RESULTS, "{asked} days");
            assert!(batch.days.iter().all(|day| batch.first < day.date && day.date < batch.last));
        }
    }

    #[test]
    fn results_are_asked_for_by_date() {
        let mut days: Vec<Day> = (0..60).map(|number| day(&format!("m{number:03}"), "2026-09-21")).collect();
        days.push(day("m000", "2026-09-20"));
        let (today, yesterday) = (("2026-09-21", "2026-09-21"), ("2026-09-20", "2026-09-20"));
        let batches = of_results(days);
        assert_eq!(
            shown(&batches),
            [(1, yesterday.0, yesterday.1, 1), (50, today.0, today.1, 50), (10, today.0, today.1, 10)]
        );
    }

    #[test]
    fn a_batch_is_halved_until_it_is_one_day() {
        let batch = of_results((0..3).map(|number| day(&format!("m{number}"), "2026-09-21")).collect()).remove(0);
        let [one, two] = batch.halved().unwrap();
        assert_eq!((one.members, two.members.len()), (vec!["m0".to_owned()], 2));
        assert_eq!(one.days.len(), 1);
        assert_eq!(two.halved().unwrap().map(|half| half.days.len()), [1, 1]);
    }
}
