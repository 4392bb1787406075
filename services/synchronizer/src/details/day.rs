//! A member's day that is asked about, and how.

use common::{
    EntityKey, Field, UnixMillis, Value,
    attendance::{AMENDED, BEHIND, REFRESHED, split_day},
};
use dingtalk::api::Worth;
use directory::{Record, Why};
use store::questions::Claimed;

use super::tell::{newest, newest_text};
use crate::questions::early;

/// A look that comes so soon after the last answer is the one for late results; what comes later is for what is amended.
const SOON_MILLIS: i64 = 300_000;
/// After so long nothing is expected any more that did not come.
const PATIENCE_MILLIS: i64 = 3_600_000;

/// How a day is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// Its punches (`listRecord`): up to fifty members in one call.
    Punches,
    /// Its results (`list`): up to fifty of them in one call.
    Results,
    /// Both.
    Both,
    /// All of it, approvals that apply to it included (`getupdatedata`): a call for each day.
    Whole,
}

/// A day that is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) key: EntityKey,
    /// Whose it is, as the platform spells it.
    pub(crate) member: String,
    /// `yyyy-MM-dd`.
    pub(crate) date: String,
    /// The platform's time of what is asked about; 0 where any answer will do.
    pub(crate) about_at: UnixMillis,
    /// When it was first asked about, by our clock.
    pub(crate) asked_at: UnixMillis,
    /// How often it was asked about in vain.
    pub(crate) attempts: u32,
    /// The records that it was last answered with.
    pub(crate) records: Vec<String>,
    why: Why,
    /// When it was last answered.
    answered_at: Option<UnixMillis>,
    /// What was told of it last, see [`common::attendance`].
    standing: Option<(UnixMillis, String)>,
    /// The last answer did not have what was to be expected.
    is_behind: bool,
    /// Its member left, or was not found: the platform may tell nothing of it any more.
    pub(crate) is_of_former: bool,
}

impl Way {
    /// Whether records of a kind are told completely, so that what is not told is not there.
    pub(crate) fn tells_all_of(self, kind: &str) -> bool {
        match kind {
            "result" => self != Self::Punches,
            "punch" | "makeup" => self != Self::Results,
            _ => self == Self::Whole,
        }
    }
}

impl Day {
    /// `None` for an id that is no day's. `spelled` is how the directory spells the member's id.
    pub(crate) fn new(claimed: Claimed, record: Option<&Record>, spelled: Option<&str>) -> Option<Self> {
        let mut day = Self::of(claimed.about, record, spelled)?;
        (day.about_at, day.asked_at) = (claimed.about_at, claimed.asked_at);
        (day.attempts, day.why) = (claimed.attempts, claimed.why);
        Some(day)
    }

    /// A day that nobody asked about.
    pub(crate) fn of(key: EntityKey, record: Option<&Record>, spelled: Option<&str>) -> Option<Self> {
        let (member, date) = split_day(&key.id)?;
        let told = record.and_then(|record| newest_text(record, Field::Member));
        let (member, date) = (told.or(spelled).unwrap_or(member).to_owned(), date.to_owned());
        let records = record.and_then(|record| newest(record, Field::Records));
        let ids = match records {
            Some((_, Value::List(ids))) => ids.clone(),
            _ => Vec::new(),
        };
        let standing = record.and_then(|record| newest(record, Field::Status));
        let standing = standing.and_then(|(at, value)| match value {
            Value::Text(text) => Some((at, text.clone())),
            _ => None,
        });
        Some(Self {
            key,
            member,
            date,
            about_at: UnixMillis(0),
            asked_at: UnixMillis(0),
            attempts: 0,
            records: ids,
            why: Why::Hint,
            answered_at: records.map(|(at, _)| at),
            standing,
            is_behind: record.and_then(|record| newest_text(record, Field::Outcome)) == Some(BEHIND),
            is_of_former: false,
        })
    }

    /// The cheapest way that shows what is to be expected.
    pub(crate) fn way(&self) -> Way {
        match self.why {
            _ if self.is_amended() || self.is_refreshed() => Way::Whole,
            Why::Missing | Why::Undecided | Why::Blocking => Way::Whole,
            Why::Hint if self.is_live() => Way::Punches,
            Why::Hint if self.is_behind => Way::Both,
            Why::Hint => Way::Results,
        }
    }

    /// What the answer is worth: somebody waits for what a callback said; what is late comes to light with the next look, too.
    pub(crate) fn worth(&self, now: UnixMillis) -> Worth {
        let is_soon = self.answered_at.is_some_and(|at| now.since(at) < SOON_MILLIS);
        match self.why {
            _ if self.is_live() => Worth::Essential,
            Why::Missing | Why::Undecided | Why::Blocking => Worth::Useful,
            Why::Hint if is_soon => Worth::Useful,
            Why::Hint => Worth::Low,
        }
    }

    /// Whether a callback said that it is different.
    pub(crate) fn is_live(&self) -> bool {
        self.about_at != UnixMillis(0)
    }

    /// Whether something was to be different that no answer has shown yet.
    pub(crate) fn is_amended(&self) -> bool {
        self.stands(AMENDED)
    }

    fn is_refreshed(&self) -> bool {
        self.stands(REFRESHED)
    }

    fn stands(&self, as_what: &str) -> bool {
        self.standing.as_ref().is_some_and(|(_, told)| told == as_what)
    }

    /// Whether what did not come yet may still come.
    pub(crate) fn may_be_late(&self, now: UnixMillis) -> bool {
        let since = match &self.standing {
            Some((at, _)) if self.is_amended() => Some(*at),
            _ if self.is_live() => Some(self.about_at),
            _ => self.answered_at,
        };
        since.is_some_and(|since| now.since(since) < PATIENCE_MILLIS)
    }

    /// How many milliseconds an answer of that time is too early; 0 where it does.
    pub(crate) fn lacks(&self, at: UnixMillis) -> i64 {
        early::lacks(self.about_at, at)
    }

    /// How long to wait until an answer will be late enough, if that is soon; if it is not, our clock is wrong.
    pub(crate) fn wait(&self, now: UnixMillis) -> Option<i64> {
        early::wait(self.about_at, now)
    }
}

#[cfg(test)]
mod tests {
    use common::{EntityKind, Fields, attendance::WHOLE};
    use directory::{Fact, Told};

    use super::*;

    const NOW: UnixMillis = UnixMillis(1_790_000_000_000);

    fn at(seconds: i64) -> UnixMillis {
        NOW.plus_seconds(seconds)
    }

    fn record(told: &[(i64, Field, &str)]) -> Record {
        let fact = |(seconds, field, text): &(i64, Field, &str)| {
            let fields = match field {
                Field::Records => Fields::new().with(*field, [*text].as_slice()),
                _ => Fields::new().with(*field, *text),
            };
            Fact { at: at(*seconds), told: Told::Updated(fields) }
        };
        Record { facts: told.iter().map(fact).collect(), ..Record::default() }
    }

    fn day(why: Why, about_at: UnixMillis, told: &[(i64, Field, &str)]) -> Day {
        let about = EntityKey::new(EntityKind::AttendanceDay, "ann/2026-09-21");
        let claimed = Claimed { about, why, about_at, asked_at: NOW, attempts: 0, absent_since: None };
        Day::new(claimed, Some(&record(told)), Some("ANN")).unwrap()
    }

    #[test]
    fn each_question_is_asked_in_the_cheapest_way_that_shows_what_is_different() {
        let (punched, looked) = (at(-30), UnixMillis(0));
        let (answered, late) = ((-60, Field::Records, "r"), (-60, Field::Outcome, BEHIND));
        let amended = (-10, Field::Status, AMENDED);
        for (why, about_at, told, way, worth) in [
            (Why::Hint, punched, vec![], Way::Punches, Worth::Essential),
            (Why::Hint, punched, vec![amended], Way::Whole, Worth::Essential),
            (Why::Hint, punched, vec![(-10, Field::Status, REFRESHED)], Way::Whole, Worth::Essential),
            (Why::Hint, punched, vec![amended, (-5, Field::Status, WHOLE)], Way::Punches, Worth::Essential),
            (Why::Hint, looked, vec![answered], Way::Results, Worth::Useful),
            (Why::Hint, looked, vec![answered, late], Way::Both, Worth::Useful),
            (Why::Hint, looked, vec![(-600, Field::Records, "r")], Way::Results, Worth::Low),
            (Why::Hint, looked, vec![(-600, Field::Records, "r"), amended], Way::Whole, Worth::Low),
            (Why::Missing, looked, vec![], Way::Whole, Worth::Useful),
        ] {
            let day = day(why, about_at, &told);
            assert_eq!((day.way(), day.worth(NOW)), (way, worth), "{why:?} {told:?}");
        }
    }

    #[test]
    fn a_member_is_asked_about_as_the_platform_spells_it() {
        assert_eq!(day(Why::Hint, at(0), &[(0, Field::Member, "Ann")]).member, "Ann");
        assert_eq!(day(Why::Hint, at(0), &[]).member, "ANN", "as the directory spells it");
        let key = EntityKey::new(EntityKind::AttendanceDay, "ann/2026-09-21");
        assert_eq!(Day::of(key, None, None).unwrap().member, "ann");
        assert_eq!(Day::of(EntityKey::new(EntityKind::AttendanceDay, "ann"), None, None), None);
    }

    #[test]
    fn an_answer_has_to_be_later_than_what_it_is_asked_about() {
        let day = day(Why::Hint, at(0), &[]);
        assert_eq!((day.wait(at(0)), day.wait(at(3)), day.wait(at(4))), (Some(4_000), Some(1_000), None));
        assert_eq!(day.wait(at(-600)), None, "our clock is wrong, and waiting mends nothing");
        assert_eq!((day.lacks(at(1)), day.lacks(at(2))), (1_000, 0));
    }
}
