//! What came of the members of a round, and how far that can be noted.

use std::collections::BTreeSet;

use common::EntityKey;
use destinations::{Unavailable, Written, Wrote};

use crate::{
    courier::{Decision, Step},
    worker::round::Sent,
};

/// What came of writing a member.
pub(super) struct Answer {
    pub(super) wrote: Wrote,
    pub(super) sent: Sent,
}

/// What came of a step.
pub(super) enum Called {
    /// There is nothing to write.
    Not,
    /// A member was made of it in an earlier life.
    Before,
    /// It is to be written, and was not begun.
    Open,
    /// It was written, or not.
    Answered(Answer),
}

/// What came of each step of a round.
pub(super) struct Answers(Vec<Called>);

impl Answers {
    /// Nothing is begun yet; `made` are the requests that have made a member already.
    pub(super) fn of(steps: &[Step], made: &BTreeSet<EntityKey>) -> Self {
        let called = |step: &Step| match step.decision {
            Decision::Deliver if made.contains(&step.key) => Called::Before,
            Decision::Deliver => Called::Open,
            _ => Called::Not,
        };
        Self(steps.iter().map(called).collect())
    }

    /// The steps that are to be written, with their places.
    pub(super) fn open<'a>(&self, steps: &'a [Step]) -> Vec<(usize, &'a Step)> {
        let open = self.0.iter().zip(steps).enumerate();
        open.filter(|(_, (called, _))| matches!(called, Called::Open)).map(|(place, (_, step))| (place, step)).collect()
    }

    /// Takes in what came of one; nothing where it was not begun.
    pub(super) fn put(&mut self, place: usize, answer: Option<Answer>) {
        if let (Some(called), Some(answer)) = (self.0.get_mut(place), answer) {
            *called = Called::Answered(answer);
        }
    }

    pub(super) fn get(&self, place: usize) -> &Called {
        self.0.get(place).unwrap_or(&Called::Open)
    }

    /// Those that were begun, with their places.
    pub(super) fn begun(&self) -> impl Iterator<Item = (usize, &Answer)> {
        self.0.iter().enumerate().filter_map(|(place, called)| match called {
            Called::Answered(answer) => Some((place, answer)),
            Called::Not | Called::Before | Called::Open => None,
        })
    }

    /// The places of those that the destination may have taken: nothing was written where it takes nothing.
    pub(super) fn sent(&self) -> impl Iterator<Item = usize> {
        let may_be_taken = |(_, answer): &(usize, &Answer)| !matches!(answer.wrote, Wrote::Stopped { .. });
        self.begun().filter(may_be_taken).map(|(place, _)| place)
    }

    /// The members that are there now, with the places of their steps.
    pub(super) fn written(&self) -> impl Iterator<Item = (usize, &Written)> {
        self.begun().filter_map(|(place, answer)| match &answer.wrote {
            Wrote::There(written) => Some((place, written)),
            _ => None,
        })
    }

    /// Whether the destination answered about any of them.
    pub(super) fn is_any_heard(&self) -> bool {
        self.begun().any(|(_, answer)| !matches!(answer.wrote, Wrote::Unheard { .. } | Wrote::Stopped { .. }))
    }

    /// Why it takes nothing for now, for how long at least, and whether a person has to do something about it; `None` where it goes on.
    pub(super) fn stopped(&self) -> Option<(Unavailable, bool)> {
        let stopped = self.begun().filter_map(|(_, answer)| match &answer.wrote {
            Wrote::Stopped { unavailable, needs_person } => Some((unavailable, *needs_person)),
            _ => None,
        });
        // Of several reasons the one that lasts longest.
        let longest = stopped.max_by_key(|(unavailable, needs_person)| (unavailable.after, *needs_person));
        longest.map(|(unavailable, needs_person)| (unavailable.clone(), needs_person))
    }

    /// Why nobody answered.
    pub(super) fn silence(&self) -> &str {
        let unheard = self.begun().find_map(|(_, answer)| match &answer.wrote {
            Wrote::Unheard { reason } => Some(reason.as_str()),
            _ => None,
        });
        unheard.unwrap_or("no answer")
    }

    /// Up to which place all is to be noted: what is behind it was not begun, or met a destination that takes nothing. What met that
    /// before others were answered is held.
    pub(super) fn end(&self) -> usize {
        let is_left = |called: &Called| match called {
            Called::Open => true,
            Called::Answered(answer) => matches!(answer.wrote, Wrote::Stopped { .. }),
            Called::Not | Called::Before => false,
        };
        let is_answered = |called: &Called| matches!(called, Called::Answered(_)) && !is_left(called);
        let answered = self.0.iter().rposition(is_answered).map_or(0, |last| last + 1);
        let left = self.0.iter().skip(answered).position(is_left);
        left.map_or(self.0.len(), |left| answered + left)
    }
}

#[cfg(test)]
mod tests {
    use common::UnixMillis;

    use super::*;

    /// One letter a step: nothing to write, made before, not begun, rejected, unheard, stopped.
    fn answers(letters: &str) -> Answers {
        let reason = || "why".to_owned();
        let answered = |wrote| Called::Answered(Answer { wrote, sent: Sent { at: UnixMillis(0), took_millis: 0 } });
        let called = |letter| match letter {
            'n' => Called::Not,
            'b' => Called::Before,
            'o' => Called::Open,
            'r' => answered(Wrote::Rejected { field: "", reason: reason() }),
            'u' => answered(Wrote::Unheard { reason: reason() }),
            's' => answered(Wrote::Stopped { unavailable: Unavailable::new("full"), needs_person: false }),
            other => panic!("{other}"),
        };
        Answers(letters.chars().map(called).collect())
    }

    #[test]
    fn what_was_not_begun_and_what_met_a_stop_stays_unless_others_behind_it_were_answered() {
        for (letters, end) in [
            ("", 0),
            ("nbn", 3),
            ("rrr", 3),
            ("rro", 2),
            ("nrsoo", 2),
            ("sr", 2),
            ("srso", 2),
            ("rsr", 3),
            ("rsnb", 1),
            ("sso", 0),
            ("nso", 1),
            ("uu", 2),
            ("ro", 1),
        ] {
            assert_eq!(answers(letters).end(), end, "{letters}");
        }
    }

    #[test]
    fn silence_and_a_stop_are_no_answers() {
        assert!(!answers("nuusob").is_any_heard());
        assert!(answers("uur").is_any_heard());
        assert_eq!(answers("nuu").silence(), "why");
        assert!(answers("ru").stopped().is_none());
        assert_eq!(answers("rus").stopped(), Some((Unavailable::new("full"), false)));
        assert_eq!(answers("nrbuo").begun().map(|(place, _)| place).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(answers("nrbuso").sent().collect::<Vec<_>>(), [1, 3]);
    }
}
