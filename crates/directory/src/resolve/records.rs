//! Attendance records and approvals. They refer to a member and nothing refers to them: no order but that of the member matters, and
//! nobody waits for them to come or to go.

use std::collections::BTreeSet;

use common::{Entity, EntityKey, EntityKind, Field, Fields, UnixMillis, What, attendance};

use super::Resolver;
use crate::{
    ANSWERS_LATER_BY_MILLIS,
    life::{Life, follow},
    record::{Fact, Wait, WaitFor},
};

/// What is known of the member whose a record is.
enum Person {
    /// It is live, and shown like this.
    There(EntityKey, String),
    /// It left. Its row stays at destinations, so that the record can go out all the same.
    Left(String),
    /// The platform neither has nor shows it, and there is something to tell without it.
    Absent(EntityKey),
    /// It did not come yet.
    Awaited,
}

impl Resolver {
    /// The record as it is to be sent and the member that it refers to, or `None` while it cannot be sent. Adds what it waits for.
    pub(super) fn compose_record(
        &self,
        key: &EntityKey,
        life: &Life,
        mut fields: Fields,
        waits: &mut BTreeSet<Wait>,
    ) -> Option<(Entity, Vec<EntityKey>)> {
        let (whose, is_whole) = match key.kind {
            EntityKind::Attendance => (Field::Member, is_whole_attendance(&fields)),
            EntityKind::Approval => (Field::Applicant, fields.has(Field::Details)),
            _ => return None,
        };
        if !is_whole {
            waits.insert(Wait { on: tells_whole(key), why: WaitFor::Details });
            return None;
        }
        if key.kind == EntityKind::Approval && fields.text(Field::Status) == Some("running") {
            // A callback tells when it ended before the details tell how.
            fields.remove(Field::FinishedAt);
        }
        let refers_to = self.refer(whose, life.leaders_at, &mut fields, waits)?;
        let shown_id = self.record(key).shown.as_ref().map_or(&*key.id, |(_, id)| id).to_owned();
        Some((Entity { shown_id, fields, incomplete: false }, refers_to))
    }

    /// What a record refers to: its member, if that is live. Nothing while it has to wait for it.
    fn refer(
        &self,
        whose: Field,
        told_at: UnixMillis,
        fields: &mut Fields,
        waits: &mut BTreeSet<Wait>,
    ) -> Option<Vec<EntityKey>> {
        let Some(told) = fields.text(whose).filter(|id| !id.is_empty()).map(EntityKey::member) else {
            return Some(Vec::new());
        };
        match self.person(&told, whose, told_at, waits) {
            Person::There(member, shown) => {
                fields.set(whose, shown);
                Some(vec![member])
            }
            Person::Left(shown) => {
                fields.set(whose, shown);
                Some(Vec::new())
            }
            Person::Absent(member) => {
                waits.insert(Wait { on: member, why: WaitFor::Absent });
                fields.set(whose, String::new());
                Some(Vec::new())
            }
            Person::Awaited => None,
        }
    }

    /// The member that a reference of that time means, through renames. Adds what is waited for where it is awaited.
    fn person(&self, told: &EntityKey, whose: Field, told_at: UnixMillis, waits: &mut BTreeSet<Wait>) -> Person {
        let trail = follow(&self.session.records, told, told_at);
        let member = trail.ids.last().unwrap_or(told);
        let record = self.record(member);
        let shown = || record.shown.as_ref().map_or(&*member.id, |(_, id)| id).to_owned();
        if !trail.goes_on {
            return Person::Left(shown());
        }
        if let Some(row) = self.own_row(member) {
            return Person::There(member.clone(), row.entity.shown_id.clone());
        }
        if !record.exists() && !record.is_live() {
            if record.ended_at().is_some() {
                return Person::Left(shown());
            }
            // An approval goes out without its applicant. Attendance is nothing without its member, and a destination has no row that it
            // could refer to: it waits until the member is shown.
            if whose == Field::Applicant && self.is_absent(member, told_at) {
                return Person::Absent(member.clone());
            }
        }
        // A fact that comes late may lead to somebody else.
        let passed = trail.ids.iter().filter(|id| *id != member);
        waits.extend(passed.map(|on| Wait { on: on.clone(), why: WaitFor::Leader }));
        waits.insert(Wait { on: member.clone(), why: WaitFor::Reference });
        Person::Awaited
    }

    /// Whether a hint was answered before it came: what was told whole, late enough after it, needs no second look. Duplicates of
    /// hints may come hours later, and what they ask for costs money (reference dingtalk 5.1). What is told of contacts is not always
    /// all of it: about them every hint asks.
    pub(super) fn is_answered(&self, about: &EntityKey, hinted_at: UnixMillis, of_all: bool) -> bool {
        let answer = match about.kind {
            // What only a look at all of a day shows is not answered by a look at its punches.
            EntityKind::AttendanceDay if of_all => Field::Status,
            EntityKind::AttendanceDay => Field::Records,
            EntityKind::Approval => Field::Details,
            _ => return false,
        };
        let is_whole = |fields: &Fields| answer != Field::Status || fields.text(answer) == Some(attendance::WHOLE);
        let enough = hinted_at.plus_millis(ANSWERS_LATER_BY_MILLIS);
        let answers = |fact: &Fact| {
            fact.at >= enough && fact.fields().is_some_and(|fields| fields.has(answer) && is_whole(fields))
        };
        self.record(about).facts.iter().any(answers)
    }

    /// A day was asked about for its punches or results, and something that only all of it shows was told meanwhile: what was told last
    /// is not answered, however late the answer is.
    pub(super) fn leave_open_what_was_seen_in_part(&mut self) {
        let told = self.session.told.iter().zip(&self.session.of_all).filter(|(told, of_all)| {
            let seen = &told.observation;
            seen.answer
                && seen.kind == EntityKind::AttendanceDay
                && matches!(seen.what, What::Updated { .. })
                && !**of_all
        });
        let mut open: Vec<EntityKey> = told.map(|(told, _)| told.observation.key()).collect();
        open.retain(|day| {
            let standing = self.record(day).facts.iter().rev().find_map(|fact| fact.fields()?.text(Field::Status));
            standing.is_some_and(|standing| standing != attendance::WHOLE)
        });
        self.effects.left_open = open;
    }
}

fn is_whole_attendance(fields: &Fields) -> bool {
    let is_told = |field| fields.text(field).is_some_and(|text| !text.is_empty());
    [Field::Member, Field::WorkDate, Field::RecordKind].into_iter().all(is_told)
}

/// What is asked about to hear the whole of a record: its day, or the approval itself.
fn tells_whole(key: &EntityKey) -> EntityKey {
    let day = attendance::day_of_record(&key.id).filter(|_| key.kind == EntityKind::Attendance);
    day.map_or_else(|| key.clone(), |day| EntityKey::new(EntityKind::AttendanceDay, day))
}
