//! From what is wanted and what is there to the least that must be written.
//!
//! Changes come in the order of their versions, so what a change refers to comes before it. Departments, members and
//! removals of a segment are written in this order, each sort by one statement, and of several changes of one entity
//! only the last counts. That is the same as one by one: a removal keeps its row, so nothing ever loses what it refers
//! to, and references are checked when a statement ends. Only a rename takes a row away; it opens a new segment if
//! anything before it in the batch names one of its two ids. So does a second change of a row in which stays what it does not
//! tell: the first one may have told that. Attendance records and approvals come last; what they refer to is looked for here, so
//! that one whose member is not there does not make the whole batch fail.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
};

use common::{EntityKey, EntityKind, Field};

use super::{
    known::{Known, Row},
    papers::{Paper, Papers},
    rename::{self, Rename},
    wanted::{Content, Department, Member, Wanted},
};
use crate::Outcome;

/// What a batch comes to.
#[derive(Default)]
pub(super) struct Plan<'a> {
    pub(super) segments: Vec<Segment<'a>>,
    /// One per change: applied, once the segments are written, or refused before.
    pub(super) outcomes: Vec<Outcome>,
}

/// Renames, then rows.
#[derive(Default)]
pub(super) struct Segment<'a> {
    pub(super) renames: Vec<Rename>,
    /// By id of the entity.
    pub(super) departments: BTreeMap<&'a str, DepartmentWrite<'a>>,
    /// By folded id of the entity.
    pub(super) members: BTreeMap<&'a str, MemberWrite<'a>>,
    pub(super) gone_departments: BTreeMap<&'a str, Gone>,
    pub(super) gone_members: BTreeMap<&'a str, Gone>,
    pub(super) attendance: Papers<'a>,
    pub(super) approvals: Papers<'a>,
    /// Folded ids of all members that anything here is about or refers to.
    named: HashSet<&'a str>,
}

pub(super) struct DepartmentWrite<'a> {
    pub(super) department: &'a Department,
    /// The id of its row.
    pub(super) id: String,
    pub(super) parent_id: Option<Cow<'a, str>>,
    pub(super) leaders: Vec<String>,
    pub(super) version: i64,
    pub(super) source_time: i64,
    /// What it does not tell stays as it is.
    pub(super) keeps: bool,
}

pub(super) struct MemberWrite<'a> {
    pub(super) member: &'a Member,
    /// The id of its row.
    pub(super) id: String,
    pub(super) main_department_id: Option<Cow<'a, str>>,
    pub(super) departments: Vec<(Cow<'a, str>, bool)>,
    pub(super) manager_id: Option<String>,
    pub(super) version: i64,
    pub(super) source_time: i64,
    /// It had a row, so it may have departments that have to go.
    pub(super) had_row: bool,
    /// What it does not tell stays as it is.
    pub(super) keeps: bool,
}

pub(super) struct Gone {
    /// The id of its row.
    pub(super) id: String,
    pub(super) version: i64,
    pub(super) source_time: i64,
}

/// Decides what to write. `known` is brought up to what will be there afterwards.
pub(super) fn plan<'a>(batch: &'a [Wanted], known: &mut Known) -> Plan<'a> {
    let mut plan = Plan::default();
    let mut segment = Segment::default();
    for wanted in batch {
        if let Some(refusal) = refusal(wanted, known).or_else(|| without_member(wanted, known)) {
            plan.outcomes.push(refusal);
            continue;
        }
        plan.outcomes.push(Outcome::Applied);
        if let Content::Member(member) = &wanted.content
            && let Some(old) = &member.renamed_from
        {
            if let Some(renaming) = rename::decide(wanted, member, known) {
                if segment.named.contains(&*old.id) || segment.named.contains(&*wanted.key.id) {
                    plan.segments.push(std::mem::take(&mut segment));
                }
                segment.named.extend([&*old.id, &*wanted.key.id]);
                segment.renames.extend(renaming.carry_over(known));
            }
            known.links.rename(old, &wanted.key);
        }
        let is_row = matches!(wanted.content, Content::Department(_) | Content::Member(_));
        if is_row && segment.writes(&wanted.key) && known.keeps(&wanted.key) {
            plan.segments.push(std::mem::take(&mut segment));
        }
        match &wanted.content {
            Content::Department(department) => segment.put_department(wanted, department, known),
            Content::Member(member) => segment.put_member(wanted, member, known),
            Content::Attendance(paper) => {
                segment.name(paper);
                segment.attendance.put(wanted, paper, known);
            }
            Content::Approval(paper) => {
                segment.name(paper);
                segment.approvals.put(wanted, paper, known);
            }
            Content::Gone => segment.remove(wanted, known),
            Content::Nothing => {}
        }
    }
    plan.segments.push(segment);
    plan
}

/// Why a change cannot be written where something else has an id that it needs: a row that is linked with another entity.
fn refusal(wanted: &Wanted, known: &Known) -> Option<Outcome> {
    let former = match &wanted.content {
        Content::Department(_) => None,
        Content::Member(member) => member.renamed_from.as_ref(),
        _ => return None,
    };
    if known.links.is_empty() || known.row(&wanted.key).is_some_and(|row| row.version >= wanted.version) {
        return None;
    }
    let is_taken = |key: &EntityKey| known.links.is_taken(key.kind, &key.id);
    let brings_a_link = former.is_some_and(|former| known.links.core_id(former).is_some());
    if known.links.is_taken_for_now(&wanted.key) && !brings_a_link {
        // Somebody got the id of whoever's row that was.
        let reason = "a run is at the row with this id".to_owned();
        return Some(Outcome::Retry { reason, after: None });
    }
    if is_taken(&wanted.key) && !brings_a_link {
        let reason = "the row with this id is linked with another entity: it needs a link with a row of its own";
        return Some(Outcome::Rejected { reason: reason.to_owned() });
    }
    let missing = wanted.refers_to.iter().find(|key| is_taken(key))?;
    Some(Outcome::Missing { what: Some(missing.clone()) })
}

/// Why an attendance record or approval cannot be written where its member has no row.
fn without_member(wanted: &Wanted, known: &Known) -> Option<Outcome> {
    let (Content::Attendance(paper) | Content::Approval(paper)) = &wanted.content else { return None };
    let member = paper.member.as_ref().filter(|member| known.row(member).is_none())?;
    Some(Outcome::Missing { what: Some(member.clone()) })
}

impl<'a> Segment<'a> {
    /// Whether an entity's row is written here, as far as that matters.
    fn writes(&self, key: &EntityKey) -> bool {
        match key.kind {
            EntityKind::Department => self.departments.contains_key(&*key.id),
            EntityKind::Member => self.members.contains_key(&*key.id),
            _ => false,
        }
    }

    fn put_department(&mut self, wanted: &'a Wanted, department: &'a Department, known: &mut Known) {
        let key = &wanted.key;
        let row = known.row(key);
        if row.is_some_and(|row| row.version >= wanted.version) {
            return;
        }
        let id = row.map_or_else(|| known.department_id(&key.id).into_owned(), |row| row.id.clone());
        let keeps = known.keeps(key);
        let (version, source_time) = (wanted.version, wanted.source_time);
        known.put(key.kind, Row { id: id.clone(), version, deleted_at: None, main_department_id: None });
        self.named.extend(department.leaders.iter().map(String::as_str));
        self.gone_departments.remove(&*key.id);
        let parent_id = department.parent_id.as_deref().map(|parent| known.department_id(parent));
        let leaders = department.leaders.iter().filter_map(|leader| known.member_id(leader)).collect();
        let write = DepartmentWrite { department, id, parent_id, leaders, version, source_time, keeps };
        self.departments.insert(&key.id, write);
    }

    fn put_member(&mut self, wanted: &'a Wanted, member: &'a Member, known: &mut Known) {
        let key = &wanted.key;
        let row = known.row(key);
        if row.is_some_and(|row| row.version >= wanted.version) {
            return;
        }
        let had_row = row.is_some();
        let keeps = known.keeps(key);
        let departments: Vec<_> =
            member.departments.iter().map(|(id, leads)| (known.department_id(id), *leads)).collect();
        let main = row.filter(|_| keeps).and_then(|row| main_as_it_is(member, row, &departments));
        let main = main.or_else(|| member.main_department_id.as_deref().map(|main| known.department_id(main)));
        let id = row.map_or_else(|| known.new_member_id(key, member), |row| row.id.clone());
        let (version, source_time) = (wanted.version, wanted.source_time);
        let main_department_id = main.as_deref().map(str::to_owned);
        known.put(key.kind, Row { id: id.clone(), version, deleted_at: None, main_department_id });
        self.named.insert(&key.id);
        self.named.extend(member.manager_id.as_deref());
        self.gone_members.remove(&*key.id);
        let manager_id = member.manager_id.as_deref().and_then(|manager| known.member_id(manager));
        let write = MemberWrite {
            member,
            id,
            main_department_id: main,
            departments,
            manager_id,
            version,
            source_time,
            had_row,
            keeps,
        };
        self.members.insert(&key.id, write);
    }

    /// What comes here refers to a member's row.
    fn name(&mut self, paper: &'a Paper) {
        self.named.extend(paper.member.as_ref().map(|member| &*member.id));
    }

    fn remove(&mut self, wanted: &'a Wanted, known: &mut Known) {
        match wanted.key.kind {
            EntityKind::Attendance => self.attendance.remove(wanted),
            EntityKind::Approval => self.approvals.remove(wanted),
            _ => self.mark_gone(wanted, known),
        }
    }

    /// Marks a row; one that is not there needs no mark.
    fn mark_gone(&mut self, wanted: &'a Wanted, known: &mut Known) {
        let (version, source_time) = (wanted.version, wanted.source_time);
        let key = &wanted.key;
        let Some(row) = known.row(key).filter(|row| row.version < version) else { return };
        let marked = Row { version, deleted_at: Some(source_time), ..row.clone() };
        let gone = Gone { id: row.id.clone(), version, source_time };
        known.put(key.kind, marked);
        match key.kind {
            EntityKind::Department => drop(self.gone_departments.insert(&key.id, gone)),
            EntityKind::Member => {
                self.named.insert(&key.id);
                self.gone_members.insert(&key.id, gone);
            }
            _ => {}
        }
    }
}

/// The main department that a row keeps: the source tells none, and the row's is one of the member's.
fn main_as_it_is<'a>(member: &Member, row: &Row, departments: &[(Cow<'a, str>, bool)]) -> Option<Cow<'a, str>> {
    let main = row.main_department_id.as_deref().filter(|_| !member.told.has(Field::MainDepartment))?;
    if !member.told.has(Field::Departments) {
        return Some(Cow::Owned(main.to_owned()));
    }
    departments.iter().map(|(id, _)| id).find(|id| *id == main).cloned()
}
