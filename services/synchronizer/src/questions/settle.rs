//! What the answers about one entity come to. A field takes its values only from a source that sees it whole: details from
//! the app, and where somebody is only from lists of ids, or from details that agree with what is known.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use common::{EntityKind, Field, Fields, Observation, UnixMillis, What};

use super::known::Question;
use crate::{
    contacts::Seen,
    ids::{Listed, Place},
};

/// So often the platform may say that there is no such thing as its own lists have, before that is taken for not visible.
const GONE_ATTEMPTS: u32 = 5;

/// What the app told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Details {
    /// All that it sees, as of this time.
    Told(UnixMillis, Seen),
    /// The app does not see it, or it is not there.
    Unseen,
    /// It is there, and the app does not see it.
    Hidden,
    /// The platform says that there is no such thing.
    Gone,
    /// There is no app that could be asked.
    NoApp,
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
        // It has only just come into being: soon it will be seen.
        (Details::Gone, Listed::There(..)) if question.attempts < GONE_ATTEMPTS => Settled::NeedsList,
        (Details::Unseen | Details::Hidden | Details::Gone | Details::NoApp, Listed::There(at, place)) => {
            let fields: Fields = placed(question, place);
            let mut told = vec![updated(question, &place.id, at, fields)];
            if *details != Details::NoApp {
                // It is there and has a name that nobody tells us: its id will do.
                told.push(answer(question, &place.id, at, What::Nameless));
            }
            Settled::Answered(told)
        }
        // It is in what nobody shows us: there is no more to be told.
        (Details::Hidden, Listed::NotThere(at)) => {
            let id = &question.about.id;
            let told = updated(question, id, at, Fields::new());
            Settled::Answered(vec![told, answer(question, id, at, What::Nameless)])
        }
        (Details::Unseen | Details::Gone | Details::NoApp, Listed::NotThere(at)) => Settled::Missing(at),
        (Details::Unseen | Details::Hidden | Details::Gone | Details::NoApp, Listed::Unknown) => Settled::NeedsList,
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

/// Where something is by its details, on a platform where they may be taken for that: of a department its parent; of a member its
/// departments, if they are those that it is known to be in. Where they are others the app may not see all of them (reference dingtalk
/// 4.5), so then a list is needed, which the question remembers.
pub(crate) fn place_in(question: &mut Question, details: &Details) -> Option<(UnixMillis, Place)> {
    let Details::Told(at, seen) = details else { return None };
    let told = match question.about.kind {
        EntityKind::Member => Field::Departments,
        _ => Field::Parent,
    };
    if told == Field::Departments {
        let known = set(&question.departments);
        if known.is_empty() || set(seen.fields.list(told)) != known {
            question.places = true;
            return None;
        }
    }
    let fields = Fields::new().with(told, seen.fields.get(told)?.clone());
    Some((*at, Place { id: seen.id.clone(), fields }))
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
