//! The members of a directory with who is where and who reports to whom.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{Member, fold};

#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    members: BTreeMap<String, Member>,
    in_department: HashMap<String, BTreeSet<String>>,
    reports: HashMap<String, BTreeSet<String>>,
}

impl Roster {
    pub(crate) fn all(&self) -> &BTreeMap<String, Member> {
        &self.members
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Member> {
        self.members.get(&fold(id))
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.members.contains_key(&fold(id))
    }

    /// Adds a member or replaces the one of that id.
    pub(crate) fn put(&mut self, member: Member) {
        let key = fold(&member.id);
        self.take(&member.id);
        for department in &member.departments {
            self.in_department.entry(department.clone()).or_default().insert(key.clone());
        }
        for leader in &member.leaders {
            self.reports.entry(fold(leader)).or_default().insert(key.clone());
        }
        self.members.insert(key, member);
    }

    /// Removes a member; those who report to it still name it.
    pub(crate) fn take(&mut self, id: &str) -> Option<Member> {
        let key = fold(id);
        let member = self.members.remove(&key)?;
        for department in &member.departments {
            forget(&mut self.in_department, department, &key);
        }
        for leader in &member.leaders {
            forget(&mut self.reports, &fold(leader), &key);
        }
        Some(member)
    }

    /// Removes a member, also as somebody's leader.
    pub(crate) fn dismiss(&mut self, id: &str) {
        for report in self.reports_of(id) {
            self.edit(&report, |member| member.leaders.retain(|leader| fold(leader) != fold(id)));
        }
        self.take(id);
    }

    /// Gives a member another id; those who report to it follow.
    pub(crate) fn rename(&mut self, id: &str, new_id: &str) {
        let reports = self.reports_of(id);
        let Some(mut member) = self.take(id) else { return };
        new_id.clone_into(&mut member.id);
        self.put(member);
        for report in reports {
            self.edit(&report, |member| {
                for leader in member.leaders.iter_mut().filter(|leader| fold(leader) == fold(id)) {
                    new_id.clone_into(leader);
                }
            });
        }
    }

    /// Whether somebody is in that department.
    pub(crate) fn occupies(&self, department: &str) -> bool {
        self.in_department.get(department).is_some_and(|members| !members.is_empty())
    }

    /// Folded ids of the members of a department.
    pub(crate) fn members_of(&self, department: &str) -> Vec<String> {
        self.in_department.get(department).into_iter().flatten().cloned().collect()
    }

    /// Folded ids of those whom a member leads directly.
    pub(crate) fn reports_of(&self, id: &str) -> Vec<String> {
        self.reports.get(&fold(id)).into_iter().flatten().cloned().collect()
    }

    fn edit(&mut self, id: &str, change: impl FnOnce(&mut Member)) {
        if let Some(mut member) = self.take(id) {
            change(&mut member);
            self.put(member);
        }
    }
}

fn forget(index: &mut HashMap<String, BTreeSet<String>>, entry: &str, key: &str) {
    if let Some(members) = index.get_mut(entry) {
        members.remove(key);
        if members.is_empty() {
            index.remove(entry);
        }
    }
}
