//! What an answer tells of a day beside what the mirror has.

use std::collections::BTreeMap;

use common::{
    EntityKey, EntityKind, Field, Fields, Observation, UnixMillis, What,
    attendance::{AWAITED, BEHIND, SEEN, WHOLE},
};
use directory::Record;

use super::{
    day::{Day, Way},
    tell::newest,
};

/// What follows from an answer about a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// What the mirror has otherwise, or not at all.
    pub(crate) told: Vec<Observation>,
    /// What it has just so.
    pub(crate) same: Vec<Observation>,
    /// What the day had before and has no more.
    pub(crate) gone: Vec<Observation>,
    /// The records of the day, as far as known.
    pub(crate) records: Vec<String>,
}

impl Difference {
    /// Compares what was answered at `at` of a day, in that way. The records are told under the ids that members have in the directory.
    pub(crate) fn of(
        day: &Day,
        way: Way,
        answered: Vec<(String, Fields)>,
        at: UnixMillis,
        mirror: &BTreeMap<EntityKey, Record>,
    ) -> Self {
        let mut difference = Self::default();
        // Of who left there may be no answer but an empty one (reference dingtalk 4.3): what was recorded stays.
        let tells_nothing = day.is_of_former && answered.is_empty();
        for id in day.records.iter().filter(|id| answered.iter().all(|(told, _)| told != *id)) {
            if way.tells_all_of(kind_of(id)) && !tells_nothing {
                difference.gone.push(observation(id, at, What::Removed));
            } else {
                difference.records.push(id.clone());
            }
        }
        for (id, fields) in answered {
            let known = mirror.get(&EntityKey::new(EntityKind::Attendance, &id));
            let is_same = known.is_some_and(|record| is_told(record, &fields));
            let told = if is_same { &mut difference.same } else { &mut difference.told };
            told.push(observation(&id, at, What::Updated { fields }));
            difference.records.push(id);
        }
        difference.records.sort_unstable();
        difference
    }

    /// Whether anything is new.
    pub(crate) fn is_any(&self) -> bool {
        !self.told.is_empty() || !self.gone.is_empty()
    }

    /// The answer about the day itself. `is_new` says whether something is new of this member, on whichever of the days that were asked
    /// about: a punch of the night is a reason to ask about two.
    pub(crate) fn answer(&self, day: &Day, way: Way, is_new: bool, at: UnixMillis, now: UnixMillis) -> Observation {
        let mut fields =
            Fields::new().with(Field::Member, day.member.as_str()).with(Field::Records, self.records.clone());
        let is_awaited = !is_new && day.may_be_late(now);
        match way {
            // What somebody said is not shown yet: it is looked at as a whole again.
            Way::Whole if day.is_amended() && is_awaited => fields.set(Field::Outcome, AWAITED),
            Way::Whole => {
                fields.set(Field::Status, WHOLE);
                fields.set(Field::Outcome, SEEN);
            }
            Way::Punches | Way::Both => fields.set(Field::Outcome, if is_awaited { BEHIND } else { SEEN }),
            Way::Results => {}
        }
        let what = What::Updated { fields };
        let id = day.key.id.to_string();
        Observation { kind: EntityKind::AttendanceDay, id, at, what, hint: false, answer: true }
    }
}

/// Which sort of record an id is of: `{member}/{date}/{kind}/{key}`.
pub(crate) fn kind_of(id: &str) -> &str {
    id.split('/').nth(2).unwrap_or_default()
}

/// Whether the mirror has all of this just so.
fn is_told(record: &Record, fields: &Fields) -> bool {
    let is_so = |field, value| newest(record, field).is_some_and(|(_, told)| told == value);
    record.exists() && fields.iter().all(|(field, value)| is_so(field, value))
}

fn observation(id: &str, at: UnixMillis, what: What) -> Observation {
    Observation { kind: EntityKind::Attendance, id: id.to_owned(), at, what, hint: false, answer: false }
}

#[cfg(test)]
mod tests {
    use common::attendance::AMENDED;
    use directory::{Fact, Told};

    use super::*;

    const NOW: UnixMillis = UnixMillis(1_790_000_000_000);
    const RESULT: &str = "ann/2026-09-21/result/1";
    const PUNCH: &str = "ann/2026-09-21/punch/2";
    const LEAVE: &str = "ann/2026-09-21/leave/p";

    fn of_day(told: &[Fields]) -> Day {
        let facts = told.iter().map(|fields| Fact { at: NOW, told: Told::Updated(fields.clone()) }).collect();
        let record = Record { facts, ..Record::default() };
        Day::of(EntityKey::new(EntityKind::AttendanceDay, "ann/2026-09-21"), Some(&record), None).unwrap()
    }

    fn day() -> Day {
        of_day(&[Fields::new().with(Field::Records, [LEAVE, PUNCH, RESULT].as_slice())])
    }

    fn outcome(text: &str) -> Fields {
        Fields::new().with(Field::Outcome, text)
    }

    fn mirror(id: &str, fields: Fields) -> BTreeMap<EntityKey, Record> {
        let record = Record { facts: vec![Fact { at: NOW, told: Told::Updated(fields) }], ..Record::default() };
        [(EntityKey::new(EntityKind::Attendance, id), record)].into()
    }

    fn ids(seen: &[Observation]) -> Vec<&str> {
        seen.iter().map(|seen| seen.id.as_str()).collect()
    }

    #[test]
    fn only_what_an_answer_would_have_told_is_gone_when_it_is_not_told() {
        let answered = || vec![(PUNCH.to_owned(), outcome("x"))];
        let of = |way| Difference::of(&day(), way, answered(), NOW, &BTreeMap::new());
        for (way, gone, records) in [
            (Way::Punches, vec![], vec![LEAVE, PUNCH, RESULT]),
            (Way::Results, vec![RESULT], vec![LEAVE, PUNCH]),
            (Way::Both, vec![RESULT], vec![LEAVE, PUNCH]),
            (Way::Whole, vec![LEAVE, RESULT], vec![PUNCH]),
        ] {
            let difference = of(way);
            let known: Vec<&str> = difference.records.iter().map(String::as_str).collect();
            assert_eq!((ids(&difference.gone), known), (gone, records), "{way:?}");
            assert_eq!(ids(&difference.told), [PUNCH]);
        }
    }

    #[test]
    fn of_who_left_nothing_is_gone_because_nothing_is_told() {
        let mut former = day();
        former.is_of_former = true;
        let of = |day: &Day, answered| Difference::of(day, Way::Whole, answered, NOW, &BTreeMap::new());
        let silent = of(&former, Vec::new());
        assert_eq!((silent.gone.len(), silent.records.len()), (0, 3));
        let told = of(&former, vec![(PUNCH.to_owned(), outcome("x"))]);
        assert_eq!(ids(&told.gone), [LEAVE, RESULT], "what is told is believed");
        assert_eq!(of(&day(), Vec::new()).gone.len(), 3);
    }

    #[test]
    fn what_the_mirror_has_just_so_is_no_difference() {
        let of = |told: &str| {
            let mirror = mirror(RESULT, outcome("Late"));
            Difference::of(&day(), Way::Punches, vec![(RESULT.to_owned(), outcome(told))], NOW, &mirror)
        };
        let (same, other) = (of("Late"), of("Normal"));
        assert_eq!((ids(&same.same), same.told.len()), (vec![RESULT], 0));
        assert_eq!((ids(&other.told), other.same.len()), (vec![RESULT], 0));
        assert!(other.is_any());
        assert_eq!(ids(&other.gone), [PUNCH], "it would have been told");
    }

    fn told_of(day: &Day, way: Way, is_new: bool, seconds: i64) -> (Option<String>, Option<String>) {
        let answer = Difference::default().answer(day, way, is_new, NOW, NOW.plus_seconds(seconds));
        assert!(answer.answer && !answer.hint);
        let fields = answer.what.fields().unwrap();
        assert!(fields.has(Field::Records), "without records, too");
        let text = |field| fields.text(field).map(str::to_owned);
        (text(Field::Status), text(Field::Outcome))
    }

    #[test]
    fn a_day_that_was_amended_stays_so_until_that_is_seen_or_nobody_waits_for_it_any_more() {
        let amended = of_day(&[Fields::new().with(Field::Status, AMENDED)]);
        let whole = (Some(WHOLE.to_owned()), Some(SEEN.to_owned()));
        assert_eq!(told_of(&amended, Way::Whole, false, 60), (None, Some(AWAITED.to_owned())));
        assert_eq!(told_of(&amended, Way::Whole, true, 60), whole);
        assert_eq!(told_of(&amended, Way::Whole, false, 7200), whole);
        assert_eq!(told_of(&day(), Way::Whole, false, 60), whole, "nothing was said to be different");
    }

    #[test]
    fn an_answer_without_the_punch_that_was_told_of_is_behind() {
        let looked_at = |is_new, seconds| told_of(&day(), Way::Both, is_new, seconds);
        assert_eq!(looked_at(false, 60), (None, Some(BEHIND.to_owned())));
        assert_eq!(looked_at(true, 60), (None, Some(SEEN.to_owned())));
        assert_eq!(looked_at(false, 7200), (None, Some(SEEN.to_owned())));
        assert_eq!(told_of(&day(), Way::Results, false, 60), (None, None));
    }
}
