//! What follows from what the platform tells of one approval.

use std::collections::BTreeSet;

use common::{
    EntityKey, EntityKind, Field, Fields, Observation, UnixMillis, What,
    attendance::{AMENDED, day_id},
};
use dingtalk::api::Approval;
use directory::{Record, Why};
use store::{approvals::Day, questions::Claimed};

use super::tell::{newest, newest_text};
use crate::questions::early;

/// By how much the times of an answer may be ahead of the truth, at most: their zone is not documented (reference dingtalk 4.6).
const TIMES_AHEAD_MILLIS: i64 = 8 * 3_600_000;

/// An approval that is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) key: EntityKey,
    /// The platform's time of the newest callback; 0 where any answer will do.
    pub(crate) about_at: UnixMillis,
    pub(crate) attempts: u32,
    /// When the platform first said that there is none.
    pub(crate) absent_since: Option<UnixMillis>,
    /// What was told of it so far.
    pub(crate) known: Fields,
    /// Something told that it exists.
    pub(crate) exists: bool,
    /// It existed, and a callback said that it does no more.
    pub(crate) is_ended: bool,
    why: Why,
}

impl Question {
    pub(crate) fn new(claimed: Claimed, record: Option<&Record>) -> Self {
        let Claimed { about: key, about_at, attempts, absent_since, why, .. } = claimed;
        let exists = record.is_some_and(Record::exists);
        let is_ended = record.is_some_and(|record| !record.exists() && record.ended_at().is_some());
        Self {
            known: record.map(known).unwrap_or_default(),
            key,
            about_at,
            attempts,
            absent_since,
            exists,
            is_ended,
            why,
        }
    }

    /// Whether a callback said that it is different.
    pub(crate) fn is_live(&self) -> bool {
        self.about_at != UnixMillis(0)
    }

    /// Whether it is asked about though it is known and nobody said that it is different.
    pub(crate) fn is_a_look(&self) -> bool {
        !self.is_live() && self.why == Why::Hint
    }

    /// How many milliseconds an answer of that time is too early.
    pub(crate) fn lacks(&self, at: UnixMillis) -> i64 {
        early::lacks(self.about_at, at)
    }

    /// How long to wait until an answer will be late enough, if that is soon: the callbacks of one moment are answered together.
    pub(crate) fn wait(&self, now: UnixMillis) -> Option<i64> {
        early::wait(self.about_at, now)
    }

    /// Whether it was known before that it is agreed to.
    pub(crate) fn was_agreed(&self) -> bool {
        self.known.text(Field::Status) == Some("completed") && self.known.text(Field::Result) == Some("agree")
    }
}

/// The newest values of what was told of an approval.
fn known(record: &Record) -> Fields {
    let mut known = Fields::new();
    for field in [Field::Template, Field::Status, Field::Result, Field::StartedAt, Field::FinishedAt] {
        if let Some((_, value)) = newest(record, field) {
            known.set(field, value.clone());
        }
    }
    known
}

/// The approvals beside this one that are to be asked about: those that correct it and of which nothing is known, and the one that it
/// corrects, if that does not say so yet. `mirror` has what is known of them.
pub(crate) fn relatives(
    id: &str,
    approval: &Approval,
    mirror: impl Fn(&EntityKey) -> Option<Record>,
) -> BTreeSet<String> {
    let record = |id: &String| mirror(&EntityKey::new(EntityKind::Approval, id));
    let details = |id: &String| record(id).and_then(|record| newest_text(&record, Field::Details).map(str::to_owned));
    let unknown = approval.attached.iter().filter(|other| details(other).is_none());
    let is_silent = |main: &&String| !details(main).is_some_and(|details| details.contains(id));
    let main = approval.main.iter().filter(is_silent);
    unknown.chain(main).filter(|other| *other != id).cloned().collect()
}

/// The days to which an approval applies, as they are kept.
pub(crate) fn days_of(approval: &Approval) -> Vec<Day> {
    let mut days: Vec<Day> = approval
        .days
        .iter()
        .filter(|(member, _)| !member.is_empty() && !member.contains('/'))
        .map(|(member, date)| Day { id: day_id(member, date), member: member.clone() })
        .collect();
    days.sort_unstable();
    days.dedup_by(|one, other| one.id == other.id);
    days
}

/// Has a day looked at as a whole: an approval applies to it, or does no more.
pub(crate) fn amended(day: Day, at: UnixMillis) -> Observation {
    let fields = Fields::new().with(Field::Member, day.member).with(Field::Status, AMENDED);
    let what = What::Updated { fields };
    Observation { kind: EntityKind::AttendanceDay, id: day.id, at, what, hint: true, answer: false }
}

/// Has an approval asked about.
pub(crate) fn hinted(id: String, at: UnixMillis) -> Observation {
    let what = What::Updated { fields: Fields::new() };
    Observation { kind: EntityKind::Approval, id, at, what, hint: true, answer: false }
}

/// Takes the times out of what was answered, as something that was told before whatever a callback tells: that is exact, and may come later
/// than an answer, which has minutes only.
pub(crate) fn times(id: &str, fields: &mut Fields) -> Option<Observation> {
    let told = [Field::StartedAt, Field::FinishedAt].map(|field| (field, fields.number(field)));
    let at = UnixMillis(told.iter().filter_map(|(_, time)| *time).min()?).plus_millis(-TIMES_AHEAD_MILLIS);
    let mut times = Fields::new();
    for (field, time) in told {
        fields.remove(field);
        if let Some(time) = time {
            times.set(field, time);
        }
    }
    let what = What::Updated { fields: times };
    Some(Observation { kind: EntityKind::Approval, id: id.to_owned(), at, what, hint: false, answer: false })
}

/// What was answered of an approval.
pub(crate) fn answered(id: &str, at: UnixMillis, what: What) -> Observation {
    Observation { kind: EntityKind::Approval, id: id.to_owned(), at, what, hint: false, answer: true }
}

#[cfg(test)]
mod tests {
    use directory::{Fact, Told};

    use super::*;

    const AT: UnixMillis = UnixMillis(1_790_000_000_000);

    fn record(told: Told) -> Record {
        Record { facts: vec![Fact { at: AT, told }], ..Record::default() }
    }

    fn question(record: Option<&Record>) -> Question {
        let about = EntityKey::new(EntityKind::Approval, "Proc-1");
        let claimed = Claimed { about, why: Why::Hint, about_at: AT, asked_at: AT, attempts: 0, absent_since: None };
        Question::new(claimed, record)
    }

    #[test]
    fn an_approval_was_agreed_to_when_it_was_told_to_be_over_and_agreed() {
        let agreed = Fields::new().with(Field::Status, "completed").with(Field::Result, "agree");
        let refused = agreed.clone().with(Field::Result, "refuse");
        for (fields, is_agreed) in [(agreed, true), (refused, false), (Fields::new(), false)] {
            assert_eq!(question(Some(&record(Told::Updated(fields)))).was_agreed(), is_agreed);
        }
        assert!(!question(None).was_agreed());
    }

    #[test]
    fn one_that_was_deleted_is_known_to_be_gone() {
        let gone = question(Some(&record(Told::Removed)));
        assert!((gone.is_ended, gone.exists) == (true, false));
        assert!(!question(None).is_ended);
    }

    #[test]
    fn times_of_an_answer_give_way_to_those_of_a_callback_that_comes_later() {
        let told = |started: i64, finished: i64| {
            Fields::new().with(Field::StartedAt, started).with(Field::FinishedAt, finished).with(Field::Details, "{}")
        };
        let mut fields = told(AT.0, AT.0 + 60_000);
        let beside = times("Proc-1", &mut fields).unwrap();
        assert_eq!(fields, Fields::new().with(Field::Details, "{}"));
        assert!(beside.at < AT.plus_seconds(-3600) && !beside.hint && !beside.answer);
        let times_told = beside.what.fields().unwrap();
        assert_eq!(times_told.number(Field::StartedAt), Some(AT.0));
        assert_eq!(times_told.number(Field::FinishedAt), Some(AT.0 + 60_000));
        assert!(!times_told.has(Field::Details));
        assert_eq!(times("Proc-1", &mut fields), None);
    }

    #[test]
    fn a_hint_about_a_day_names_its_member_as_the_platform_spells_it() {
        let hint = amended(Day { id: "ann/2026-09-21".into(), member: "Ann".into() }, AT);
        let fields = hint.what.fields().unwrap();
        assert!(hint.hint && !hint.answer);
        assert_eq!((fields.text(Field::Member), fields.text(Field::Status)), (Some("Ann"), Some(AMENDED)));
    }
}
