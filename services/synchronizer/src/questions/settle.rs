//! What the answers about one entity come to. A field takes its values only from a source that sees it whole: details from
//! the app, and where somebody is only from the lists of ids of the contact secret.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use common::{EntityKind, Field, Fields, Observation, UnixMillis, What};
use wecom::api::{Department, Member};

use super::known::Question;
use crate::ids::{Listed, Place};

/// What the app told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Details {
    /// All that it sees, as of this time.
    Told(UnixMillis, Seen),
    /// The app does not see it.
    Unseen,
    /// There is no app that could be asked.
    NoApp,
}

/// What an app sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The id as the platform spells it.
    pub(crate) id: String,
    /// All fields, where it is among them.
    pub(crate) fields: Fields,
}

/// What the answers come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It is answered.
    Answered(Vec<Observation>),
    /// Only a whole list of ids can tell the rest.
    NeedsList,
    /// A whole list that was begun at this time does not have it.
    Missing(UnixMillis),
}

/// Puts together what was told of one entity.
pub(crate) fn settle(question: &Question, details: &Details, listed: Listed<'_>) -> Settled {
    match (details, listed) {
        (Details::Told(at, seen), Listed::There(listed_at, place)) => {
            let known = place.fields.list(Field::Departments);
            let mut fields = details_of(question, seen, known);
            for (field, value) in placed(question, place) {
                fields.set(field, value);
            }
            // Of the time that holds for all of it.
            Settled::Answered(vec![updated(question, &seen.id, (*at).min(listed_at), fields)])
        }
        // A list that was begun before it came into being, or a page that it slipped through: what is seen is there.
        (Details::Told(at, seen), Listed::NotThere(_)) => {
            let fields = details_of(question, seen, &question.departments);
            Settled::Answered(vec![updated(question, &seen.id, *at, fields)])
        }
        (Details::Told(at, seen), Listed::Unknown) => {
            if question.places || is_elsewhere(question, seen) {
                return Settled::NeedsList;
            }
            let fields = details_of(question, seen, &question.departments);
            Settled::Answered(vec![updated(question, &seen.id, *at, fields)])
        }
        (Details::Unseen | Details::NoApp, Listed::There(at, place)) => {
            let fields: Fields = placed(question, place);
            let mut told = vec![updated(question, &place.id, at, fields)];
            if *details == Details::Unseen {
                // It is there and has a name that nobody tells us: its id will do.
                told.push(answer(question, &place.id, at, What::Nameless));
            }
            Settled::Answered(told)
        }
        (Details::Unseen | Details::NoApp, Listed::NotThere(at)) => Settled::Missing(at),
        (Details::Unseen | Details::NoApp, Listed::Unknown) => Settled::NeedsList,
    }
}

/// The answers about something that is not there and was never sent: about the id that was asked, never about a successor. What was
/// told to exist, and waits for what nobody will tell any more, has gone; since nobody ever had it, no brake need count it.
pub(crate) fn absent(question: &Question, asked_at: UnixMillis) -> Vec<Observation> {
    let about = |what: What| answer(question, &question.about.id, asked_at, what);
    let mut told = vec![about(What::Absent)];
    if question.exists {
        told.push(about(What::Removed));
    }
    told
}

/// A department as an app sees it.
impl From<Department> for Seen {
    fn from(Department { id, fields }: Department) -> Self {
        Self { id, fields }
    }
}

/// A member as an app sees it.
impl From<Member> for Seen {
    fn from(Member { id, fields }: Member) -> Self {
        Self { id, fields }
    }
}

/// Of what an app tells, what is to be believed. What it tells of a member's departments, which of them it leads and
/// which is the main one, is of those that the app sees: so it counts where those are all of them (reference wecom 3.4).
fn details_of(question: &Question, seen: &Seen, known: &[String]) -> Fields {
    let mut fields = seen.fields.clone();
    if question.about.kind == EntityKind::Member {
        let sees_all = !known.is_empty() && set(seen.fields.list(Field::Departments)) == set(known);
        let is_partial = |field| matches!(field, Field::Leads | Field::MainDepartment);
        fields.retain(|field, _| field != Field::Departments && (sees_all || !is_partial(field)));
    } else {
        fields.remove(Field::Parent);
    }
    fields
}

/// Whether the app shows a member in a department that we do not know it to be in.
fn is_elsewhere(question: &Question, seen: &Seen) -> bool {
    question.about.kind == EntityKind::Member
        && !set(seen.fields.list(Field::Departments)).is_subset(&set(&question.departments))
}

/// Where something is by a list. The list has no order of its own, so departments that are the same stay in theirs.
fn placed(question: &Question, place: &Place) -> Fields {
    let mut fields = place.fields.clone();
    if fields.has(Field::Departments) && set(fields.list(Field::Departments)) == set(&question.departments) {
        fields.set(Field::Departments, question.departments.clone());
    }
    fields
}

fn updated(question: &Question, id: &str, at: UnixMillis, fields: Fields) -> Observation {
    answer(question, id, at, What::Updated { fields })
}

fn answer(question: &Question, id: &str, at: UnixMillis, what: What) -> Observation {
    Observation { kind: question.about.kind, id: id.to_owned(), at, what, hint: false, answer: true }
}

fn set(ids: &[String]) -> BTreeSet<&String> {
    ids.iter().collect()
}
