//! From what is wanted and what is there to the least that must be written.
//!
//! Changes come in the order of their versions, so what a change refers to comes before it. Departments, members and
//! removals of a segment are written in this order, each sort by one statement, and of several changes of one entity
//! only the last counts. That is the same as one by one: a removal keeps its row, so nothing ever loses what it refers
//! to, and references are checked when a statement ends. Only a rename takes a row away; it opens a new segment if
//! anything before it in the batch names one of its two ids.

use std::collections::{BTreeMap, HashSet};

use common::EntityKind;

use super::{
    known::{Known, MemberRow},
    wanted::{Content, Department, Member, Wanted},
};

/// Renames, then rows.
#[derive(Default)]
pub(super) struct Segment<'a> {
    pub(super) renames: Vec<Rename>,
    /// By id.
    pub(super) departments: BTreeMap<&'a str, DepartmentWrite<'a>>,
    /// By folded id.
    pub(super) members: BTreeMap<&'a str, MemberWrite<'a>>,
    pub(super) gone_departments: BTreeMap<&'a str, Gone>,
    pub(super) gone_members: BTreeMap<&'a str, Gone>,
    /// Folded ids of all members that anything here is about or refers to.
    named: HashSet<&'a str>,
}

/// A member goes on under another id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rename {
    /// The id of its row.
    pub(super) from: String,
    /// The new one.
    pub(super) to: String,
    /// The new id has a row already: references move there, the old row goes.
    pub(super) merge: bool,
}

pub(super) struct DepartmentWrite<'a> {
    pub(super) department: &'a Department,
    pub(super) leaders: Vec<String>,
    pub(super) version: i64,
    pub(super) source_time: i64,
}

pub(super) struct MemberWrite<'a> {
    pub(super) member: &'a Member,
    pub(super) id: String,
    pub(super) manager_id: Option<String>,
    pub(super) version: i64,
    pub(super) source_time: i64,
    /// It had a row, so it may have departments that have to go.
    pub(super) had_row: bool,
}

pub(super) struct Gone {
    /// The id of its row.
    pub(super) id: String,
    pub(super) version: i64,
    pub(super) source_time: i64,
}

/// Decides what to write. `known` is brought up to what will be there afterwards.
pub(super) fn plan<'a>(batch: &'a [Wanted], known: &mut Known) -> Vec<Segment<'a>> {
    let mut segments = vec![];
    let mut segment = Segment::default();
    for wanted in batch {
        match &wanted.content {
            Content::Department(department) => segment.put_department(wanted, department, known),
            Content::Member(member) => {
                if let Some((old, rename)) = rename(wanted, member, known) {
                    if segment.named.contains(old) || segment.named.contains(&*wanted.key.id) {
                        segments.push(std::mem::take(&mut segment));
                    }
                    segment.named.extend([old, &*wanted.key.id]);
                    carry_over(wanted, old, &rename, known);
                    segment.renames.push(rename);
                }
                segment.put_member(wanted, member, known);
            }
            Content::Gone => segment.remove(wanted, known),
            Content::Nothing => {}
        }
    }
    segments.push(segment);
    segments
}

/// The rename that a change stands for, with the folded old id; `None` when there is nothing to rename (any more). The old row may
/// have come after the change itself, which was sent before and not heard of: then it goes all the same.
fn rename<'a>(wanted: &Wanted, member: &'a Member, known: &Known) -> Option<(&'a str, Rename)> {
    let old = member.renamed_from.as_deref()?;
    let row = known.members.get(old).filter(|row| row.version < wanted.version)?;
    let there = known.members.get(&*wanted.key.id).filter(|_| old != &*wanted.key.id);
    let to = there.map_or_else(|| row_id(wanted, member), |there| there.id.clone());
    (row.id != to).then(|| (old, Rename { from: row.id.clone(), to, merge: there.is_some() }))
}

/// After a rename the new id has a row; its version is still to be written.
fn carry_over(wanted: &Wanted, old: &str, rename: &Rename, known: &mut Known) {
    let version = known.members.remove(old).map_or(0, |row| row.version);
    let row = MemberRow { id: rename.to.clone(), version };
    known.members.entry(wanted.key.id.as_ref().to_owned()).or_insert(row);
}

/// The id of a new row: as people see it, if the database can tell that it is the same id. It folds the letters A to Z
/// only.
fn row_id(wanted: &Wanted, member: &Member) -> String {
    if member.shown_id.eq_ignore_ascii_case(&wanted.key.id) {
        member.shown_id.clone()
    } else {
        wanted.key.id.as_ref().to_owned()
    }
}

impl<'a> Segment<'a> {
    fn put_department(&mut self, wanted: &'a Wanted, department: &'a Department, known: &mut Known) {
        let id = &*wanted.key.id;
        if known.departments.get(id).is_some_and(|&version| version >= wanted.version) {
            return;
        }
        known.departments.insert(id.to_owned(), wanted.version);
        self.named.extend(department.leaders.iter().map(String::as_str));
        self.gone_departments.remove(id);
        let leaders = department.leaders.iter().map(|folded| known.member_id(folded)).collect();
        let (version, source_time) = (wanted.version, wanted.source_time);
        self.departments.insert(id, DepartmentWrite { department, leaders, version, source_time });
    }

    fn put_member(&mut self, wanted: &'a Wanted, member: &'a Member, known: &mut Known) {
        let folded = &*wanted.key.id;
        let row = known.members.get(folded);
        if row.is_some_and(|row| row.version >= wanted.version) {
            return;
        }
        let had_row = row.is_some();
        let id = row.map_or_else(|| row_id(wanted, member), |row| row.id.clone());
        let (version, source_time) = (wanted.version, wanted.source_time);
        known.members.insert(folded.to_owned(), MemberRow { id: id.clone(), version });
        self.named.insert(folded);
        self.named.extend(member.manager_id.as_deref());
        self.gone_members.remove(folded);
        let manager_id = member.manager_id.as_deref().map(|manager| known.member_id(manager));
        self.members.insert(folded, MemberWrite { member, id, manager_id, version, source_time, had_row });
    }

    /// Marks a row; one that is not there needs no mark.
    fn remove(&mut self, wanted: &'a Wanted, known: &mut Known) {
        let key = &*wanted.key.id;
        let (version, source_time) = (wanted.version, wanted.source_time);
        match wanted.key.kind {
            EntityKind::Department => {
                if let Some(there) = known.departments.get_mut(key).filter(|there| **there < version) {
                    *there = version;
                    self.gone_departments.insert(key, Gone { id: key.to_owned(), version, source_time });
                }
            }
            EntityKind::Member => {
                if let Some(there) = known.members.get_mut(key).filter(|there| there.version < version) {
                    there.version = version;
                    self.named.insert(key);
                    self.gone_members.insert(key, Gone { id: there.id.clone(), version, source_time });
                }
            }
            EntityKind::Callback => {}
        }
    }
}
