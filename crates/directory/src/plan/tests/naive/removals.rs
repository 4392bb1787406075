//! What goes.

use std::collections::BTreeSet;

use common::{EntityKey, EntityKind, Field};

use super::{Naive, is_live, refers_to};
use crate::plan::{Row, tests::company::NOW};

impl Naive<'_> {
    pub(super) fn removals(&self, lines: &mut Vec<String>) {
        let all: Vec<usize> = (0..self.rows.len()).collect();
        let of_kind = |kind: EntityKind| all.iter().copied().filter(move |row| self.rows[*row].key.kind == kind);
        let parent = |row: usize| {
            refers_to(self.rows[row].what).pop_first().and_then(|id| self.row(&EntityKey::department(&id)))
        };

        // Whom a person must decide on, and what is below that.
        let mut undecided: BTreeSet<usize> =
            self.contested.iter().copied().filter(|row| self.rows[*row].key.kind == EntityKind::Department).collect();
        for _ in 0..all.len() {
            let below = of_kind(EntityKind::Department)
                .filter(|row| parent(*row).is_some_and(|above| undecided.contains(&above)));
            let below: Vec<usize> = below.filter(|row| self.owner(*row).is_none()).collect();
            undecided.extend(below);
        }
        let is_inside = |row: usize| {
            let inside = &self.rows[row].refers_to;
            undecided.iter().any(|department| inside.contains(self.rows[*department].what.id()))
        };
        let is_nobodys = |row: usize| {
            let is_department = self.rows[row].key.kind == EntityKind::Department;
            let is_kept = if is_department { undecided.contains(&row) } else { is_inside(row) };
            self.is_open_row(row) && !self.rows[row].twice && !is_kept
        };
        let goes = |row: usize| is_nobodys(row) && is_live(self.rows[row].what);
        let expires =
            |row: usize| is_nobodys(row) && is_expired(self.rows[row].what) && !is_emptied(self.rows[row].what);
        // What a row refers to once everything is written. Who is written is only in departments that stay.
        let ends_in = |row: usize| -> BTreeSet<String> {
            let there = &self.rows[row];
            let owner = self.owner(row).filter(|key| !self.bars.contains_key(key));
            let is_moved = owner.is_some_and(|key| match key.kind {
                EntityKind::Department => !key.is_root(),
                _ => self.entity(key).unwrap().what.fields.has(Field::Departments),
            });
            if is_moved { BTreeSet::new() } else { there.refers_to.clone() }
        };
        let stays_alive = |row: usize| {
            let is_written = self.owner(row).is_some_and(|key| !self.bars.contains_key(key));
            is_written || (is_live(self.rows[row].what) && !goes(row))
        };

        let member_goes = of_kind(EntityKind::Member).filter(|row| goes(*row));
        lines.extend(member_goes.map(|row| format!("disable member - {}: gone", self.rows[row].what.id())));
        let mut gone: BTreeSet<usize> = BTreeSet::new();
        for _ in 0..all.len() {
            let is_empty = |department: usize| {
                let id = self.rows[department].what.id();
                all.iter().copied().filter(|row| *row != department && !gone.contains(row)).all(|row| {
                    let is_department = self.rows[row].key.kind == EntityKind::Department;
                    let stays = stays_alive(row) || (is_department && goes(row));
                    !stays || !ends_in(row).contains(id)
                })
            };
            let next: Vec<usize> = of_kind(EntityKind::Department).filter(|row| goes(*row) && is_empty(*row)).collect();
            gone.extend(next);
        }
        for row in of_kind(EntityKind::Department).filter(|row| goes(*row)) {
            let (action, why) = if gone.contains(&row) { ("disable", "gone") } else { ("impossible", "not_empty") };
            lines.push(format!("{action} department - {}: {why}", self.rows[row].what.id()));
        }

        let mut deleted: BTreeSet<usize> = of_kind(EntityKind::Member).filter(|row| expires(*row)).collect();
        for _ in 0..all.len() {
            let is_free = |department: usize| {
                let id = self.rows[department].what.id();
                all.iter().copied().filter(|row| *row != department && !deleted.contains(row)).all(|row| {
                    match self.rows[row].what {
                        Row::Member(member) if goes(row) => member.main_department_id.as_deref() != Some(id),
                        _ => !ends_in(row).contains(id),
                    }
                })
            };
            let next: Vec<usize> =
                of_kind(EntityKind::Department).filter(|row| expires(*row) && is_free(*row)).collect();
            deleted.extend(next);
        }
        let line = |row: &usize| {
            format!("delete {} - {}: expired", self.rows[*row].key.kind.as_str(), self.rows[*row].what.id())
        };
        lines.extend(deleted.iter().map(line));
    }
}

fn is_expired(row: &Row) -> bool {
    let at = match row {
        Row::Department(row) => row.deleted_at,
        Row::Member(row) => row.deleted_at,
    };
    at.is_some_and(|at| NOW.since(at) > 30 * 86_400_000)
}

/// A member of whom nothing is left but the row.
fn is_emptied(row: &Row) -> bool {
    let Row::Member(row) = row else { return false };
    let texts = [&row.mobile, &row.email, &row.title, &row.employee_number];
    let is_empty = |text: &&Option<String>| text.as_deref().unwrap_or_default().is_empty();
    row.name.is_empty() && row.attributes.is_empty() && texts.iter().all(is_empty)
}
