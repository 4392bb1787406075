//! Rows that are nobody's: they are disabled, and deleted a month later.

use std::collections::BTreeSet;

use platform_sim::ROOT;

use super::{Naive, refers_to};
use crate::product::{DepartmentRow, MemberRow};

/// The time between disabling and deleting.
const MONTH_MILLIS: i64 = 30 * 86_400_000;

impl Naive<'_> {
    pub(super) fn gone(&self, lines: &mut Vec<String>) {
        let undecided = self.undecided();
        let members = self.rows.members.iter().filter(|(id, row)| self.is_nobodys_member(id, row, &undecided));
        let members: Vec<(&String, &MemberRow)> = members.collect();
        for (_, row) in &members {
            match row.deleted_at {
                None => lines.push(format!("disable member - {}: gone", row.id)),
                Some(at) if at + MONTH_MILLIS < self.now.0 => {
                    lines.push(format!("delete member - {}: expired", row.id));
                }
                Some(_) => {}
            }
        }
        let gone_members = members.into_iter().filter(|(_, row)| row.deleted_at.is_none());
        let gone_members: BTreeSet<&String> = gone_members.map(|(id, _)| id).collect();
        let candidates: BTreeSet<&String> =
            self.rows.departments.values().filter(|row| self.is_nobodys(row, &undecided)).map(|row| &row.id).collect();
        let mut gone: BTreeSet<&String> = BTreeSet::new();
        loop {
            let stays = |id: &String| self.stays_in(id, &gone_members, &gone);
            let next: Vec<&String> =
                candidates.iter().filter(|id| !gone.contains(*id) && !stays(id)).copied().collect();
            if next.is_empty() {
                break;
            }
            gone.extend(next);
        }
        for id in candidates {
            lines.push(match gone.contains(id) {
                true => format!("disable department - {id}: gone"),
                false => format!("impossible department - {id}: not_empty"),
            });
        }
    }

    /// Departments that somebody in doubt may be, and whatever of nobody's lies below them.
    fn undecided(&self) -> BTreeSet<String> {
        let mut undecided = self.departments.contested.clone();
        loop {
            let below = |row: &&DepartmentRow| {
                let is_below = row.parent.as_ref().is_some_and(|parent| undecided.contains(parent));
                is_below && !self.departments.is_owned(&row.id) && !undecided.contains(&row.id)
            };
            let next: Vec<String> = self.rows.departments.values().filter(below).map(|row| row.id.clone()).collect();
            if next.is_empty() {
                return undecided;
            }
            undecided.extend(next);
        }
    }

    fn is_nobodys(&self, row: &DepartmentRow, undecided: &BTreeSet<String>) -> bool {
        row.deleted_at.is_none() && !self.departments.is_owned(&row.id) && !undecided.contains(&row.id)
    }

    fn is_nobodys_member(&self, id: &str, row: &MemberRow, undecided: &BTreeSet<String>) -> bool {
        let is_open = !self.members.is_owned(id) && !self.members.contested.contains(id);
        is_open && refers_to(row).into_iter().all(|department| !undecided.contains(department))
    }

    /// Whether something stays in a department's row when everything is written: who is written is only where the platform says.
    fn stays_in(&self, id: &String, gone_members: &BTreeSet<&String>, gone: &BTreeSet<&String>) -> bool {
        let member_stays = self.rows.members.iter().any(|(member, row)| {
            let is_in = row.deleted_at.is_none() && refers_to(row).contains(id);
            is_in && !gone_members.contains(member) && !self.is_written_member(member)
        });
        let department_stays = self.rows.departments.values().any(|row| {
            let is_in = row.deleted_at.is_none() && row.parent.as_ref() == Some(id);
            is_in && !gone.contains(&row.id) && !self.is_moved(&row.id)
        });
        member_stays || department_stays
    }

    fn is_written_member(&self, row: &str) -> bool {
        let owner = self.members.owner(row);
        owner.is_some_and(|id| self.member_bar(id, &self.company.members[id]).is_none())
    }

    /// Whether a department's row is put below another one. The root stays where the product has it.
    fn is_moved(&self, row: &str) -> bool {
        let owner = self.departments.owner(row);
        owner.is_some_and(|id| id != ROOT && self.department_bar(id).is_none())
    }
}
