//! A file import by an administrator: many entities at once, one callback each.

use rand::RngExt;

use super::{Callback, Company, MAX_DEPTH, names};
use crate::{Gender, Member, ROOT, Status};

impl Company {
    /// Imports so many members and departments; `departments` counts the root, `depth` (1 to 15) is how many levels
    /// lie below it. The callbacks come in natural order: parents first, then members; shuffling is the dispatcher's work.
    pub fn import(&mut self, members: usize, departments: usize, depth: u32) -> Vec<Callback> {
        let mut callbacks = self.found_departments(departments, depth);
        callbacks.reserve(members);
        for _number in 0..members {
            callbacks.extend(self.hire());
        }
        callbacks
    }

    /// The same departments and members as [`Company::import`], but there all along: nothing raises a callback, and a
    /// million members take seconds.
    pub fn populate(&mut self, members: usize, departments: usize, depth: u32) {
        self.silently(|company| company.found_departments(departments, depth));
        for _number in 0..members {
            let member = self.candidate();
            self.admit(member);
        }
    }

    fn found_departments(&mut self, departments: usize, depth: u32) -> Vec<Callback> {
        let depth = depth.clamp(1, MAX_DEPTH);
        let mut callbacks = Vec::with_capacity(departments);
        let mut parents = vec![(ROOT.to_owned(), 0)];
        for number in 1..departments {
            // The first ones form a chain, so that the depth is reached.
            let chained = parents.get(number - 1).filter(|(_id, level)| number <= depth as usize && *level < depth);
            let parent = chained.cloned().or_else(|| self.shallow(&parents, depth));
            let (parent, level) = parent.unwrap_or_else(|| (ROOT.to_owned(), 0));
            let name = self.new_department_name(&parent);
            if let Ok((id, created)) = self.create_department(&name, &parent) {
                parents.push((id, level + 1));
                callbacks.extend(created);
            }
        }
        callbacks
    }

    fn shallow(&mut self, parents: &[(String, u32)], depth: u32) -> Option<(String, u32)> {
        (0..32).find_map(|_attempt| {
            let drawn = parents.get(self.random.random_range(0..parents.len()))?;
            (drawn.1 < depth).then(|| drawn.clone())
        })
    }

    /// A name that no department under that parent has.
    pub(super) fn new_department_name(&mut self, parent: &str) -> String {
        let name = names::department(&mut self.random);
        let taken = self.tree.children(parent).any(|sibling| sibling.name == name);
        if taken { format!("{name}{}", self.next_department) } else { name }
    }

    /// Creates one member as the random source likes it.
    pub(super) fn hire(&mut self) -> Vec<Callback> {
        let member = self.candidate();
        self.create_member(member).unwrap_or_default()
    }

    fn candidate(&mut self) -> Member {
        let number = self.next_person;
        self.next_person += 1;
        let person = names::person(&mut self.random);
        let departments = self.some_departments();
        let main_department = departments.get(self.random.random_range(0..departments.len().max(1))).cloned();
        let leads = departments.iter().filter(|_id| self.random.random_ratio(1, 8)).cloned().collect();
        let leader =
            self.member_pool.draw(&mut self.random).filter(|_id| self.random.random_bool(self.options.leader_share));
        let leaders = leader.and_then(|id| self.shown_id(&id)).into_iter().collect();
        let id = self.new_member_id(&person.pinyin, number);
        let gender = [Gender::Unknown, Gender::Male, Gender::Female];
        let status = [Status::Active, Status::Active, Status::Inactive];
        let mut member = Member {
            name: person.name,
            main_department,
            leads,
            leaders,
            mobile: format!("13{number:09}"),
            email: if self.random.random_bool(0.8) {
                format!("{}{number}@corp.example", person.pinyin)
            } else {
                String::new()
            },
            gender: gender.get(self.random.random_range(0..3)).copied().unwrap_or_default(),
            status: status.get(self.random.random_range(0..3)).copied().unwrap_or_default(),
            departments,
            id,
            ..Member::default()
        };
        if self.random.random_bool(0.9) {
            member.title = names::position(&mut self.random);
        }
        if self.random.random_bool(0.8) {
            member.attributes.insert("工号".to_owned(), format!("A-{number:05}"));
        }
        member
    }

    /// Mostly pinyin and a number, sometimes in mixed case, sometimes as the system makes them up, sometimes one that
    /// somebody had before.
    fn new_member_id(&mut self, pinyin: &str, number: u64) -> String {
        if self.options.reuse_member_ids && self.random.random_ratio(1, 12) {
            let free = self.free_ids.len();
            let id = if free == 0 { None } else { Some(self.free_ids.swap_remove(self.random.random_range(0..free))) };
            if let Some(id) = id.filter(|id| !self.roster.contains(id)) {
                return id;
            }
        }
        match self.random.random_range(0..10) {
            0 => format!("woAJ2GCAAA{:08X}{number}", self.random.random::<u32>()),
            1 => format!("{}.{number}", pinyin.to_uppercase()),
            _ => format!("{pinyin}{number}"),
        }
    }

    pub(super) fn shown_id(&self, id: &str) -> Option<String> {
        self.roster.get(id).map(|member| member.id.clone())
    }

    /// One department mostly, at times two or three different ones.
    pub(super) fn some_departments(&mut self) -> Vec<String> {
        let wanted = match self.random.random_range(0..10) {
            0 => 3,
            1 | 2 => 2,
            _ => 1,
        };
        let mut departments: Vec<String> = Vec::with_capacity(wanted);
        for _attempt in 0..wanted {
            let drawn = self.department_pool.draw(&mut self.random);
            departments.extend(drawn.filter(|id| !departments.contains(id)));
        }
        departments
    }
}
