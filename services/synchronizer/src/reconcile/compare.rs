//! One entity of the source beside the mirror's.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use common::{EntityKey, EntityKind, Field, Fields, Observation, Value, What};
use directory::Record;

use super::{reborn::Reborn, told::Told};
use crate::pull::row::{Part, Row};

/// What follows from a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Difference {
    /// The source tells what the mirror has not got.
    Told(Vec<Observation>),
    /// Only the app's list has it: it is to be asked for singly.
    Unsure,
    /// The source has not got it, and the mirror has it live.
    Missing,
}

/// Compares one entity; `None` where nothing follows.
pub(crate) fn compare(
    key: &EntityKey,
    row: Option<&Row>,
    record: Option<&Record>,
    reborn: &Reborn,
) -> Option<Difference> {
    let Some(row) = row else {
        // The root is there whatever anybody says.
        return record.filter(|record| record.is_live() && !key.is_root()).map(|_| Difference::Missing);
    };
    let told = record.map(Told::of).unwrap_or_default();
    let is_new = !record.is_some_and(Record::exists);
    let Some(place) = &row.place else { return is_new.then_some(Difference::Unsure) };
    if !is_of_this_life(place, record) {
        return None;
    }
    let places = differing(&told, &ordered(place, &told), reborn);
    let details = row.details.as_ref().map(|part| believed(key, part, place));
    let details = details.filter(|part| is_of_this_life(part, record)).map(|part| differing(&told, &part, reborn));
    let parts = [Some(places), details].into_iter().flatten().filter(|part| !part.fields.is_empty());
    let observations: Vec<Observation> = parts.map(|part| observation(key, row, part, is_new)).collect();
    (!observations.is_empty()).then_some(Difference::Told(observations))
}

/// What an app told of something that the mirror has, where it differs. Where that is, and whether it is there, is not compared.
pub(crate) fn compare_details(key: &EntityKey, row: &Row, record: &Record, reborn: &Reborn) -> Option<Observation> {
    let told = Told::of(record);
    let details = row.details.as_ref().filter(|_| record.exists())?;
    let departments = told.list(Field::Departments).to_vec();
    let known = Part { at: details.at, fields: Fields::new().with(Field::Departments, departments) };
    let part = differing(&told, &believed(key, details, &known), reborn);
    (is_of_this_life(details, Some(record)) && !part.fields.is_empty()).then(|| observation(key, row, part, false))
}

/// Whether no life of the entity ended since the source said so: it left, or left and came back, after it had been listed.
fn is_of_this_life(part: &Part, record: Option<&Record>) -> bool {
    record.and_then(Record::ended_at).is_none_or(|ended_at| ended_at < part.at)
}

/// Departments in the order in which they were told, if they are the same ones.
fn ordered(place: &Part, told: &Told<'_>) -> Part {
    let mut place = place.clone();
    let known = told.list(Field::Departments);
    if place.fields.has(Field::Departments) && set(place.fields.list(Field::Departments)) == set(known) {
        place.fields.set(Field::Departments, known.to_vec());
    }
    place
}

/// Of what an app tells, what is to be believed: which departments a member leads, and which is the main one, only where the app
/// sees all of them (reference wecom 3.4).
fn believed(key: &EntityKey, part: &Part, place: &Part) -> Part {
    let mut part = part.clone();
    if key.kind == EntityKind::Member {
        let sees_all = set(part.fields.list(Field::Departments)) == set(place.fields.list(Field::Departments));
        let is_partial = |field| matches!(field, Field::Leads | Field::MainDepartment);
        part.fields.retain(|field, _| field != Field::Departments && (sees_all || !is_partial(field)));
        // Of the time that holds for both.
        if sees_all {
            part.at = part.at.min(place.at);
        }
    }
    part
}

fn differing(told: &Told<'_>, part: &Part, reborn: &Reborn) -> Part {
    let mut fields = part.fields.clone();
    let means_others = |field, value: &Value| {
        field == Field::Leaders && told.at(field).is_some_and(|told_at| reborn.mean_others(value, told_at, part.at))
    };
    fields.retain(|field, value| told.differs(field, part.at, value) || means_others(field, value));
    Part { at: part.at, fields }
}

/// It answers no question: only what differs is told, and whoever asked may have asked for the rest.
fn observation(key: &EntityKey, row: &Row, Part { at, fields }: Part, is_new: bool) -> Observation {
    let what = if is_new { What::Created { fields } } else { What::Updated { fields } };
    Observation { kind: key.kind, id: row.id.clone(), at, what, hint: false, answer: false }
}

fn set(ids: &[String]) -> BTreeSet<&String> {
    ids.iter().collect()
}
