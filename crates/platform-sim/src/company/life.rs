//! A company's ordinary life: random operations, all of them legal.

use rand::RngExt;

use super::{Callback, Company, Illegal, names};
use crate::{Gender, Member, ROOT, Status, Subject, fold};

/// More members are not moved out of a department only to remove it.
const MAX_DISSOLVED: usize = 8;

impl Company {
    /// Lives through so many steps; each is one operation or a few that belong together, such as emptying a department
    /// and removing it. In the reduced profile many raise no callback.
    pub fn live(&mut self, steps: usize) -> Vec<Callback> {
        let mut callbacks = Vec::new();
        for _step in 0..steps {
            // What is drawn may be impossible just now: then something else happens.
            let done = (0..64).find_map(|_attempt| self.something().ok());
            callbacks.extend(done.unwrap_or_default());
        }
        callbacks
    }

    /// Lives through so many changes of which the reduced profile says nothing: names, numbers, mail addresses,
    /// positions, states and direct leaders of members, and names of departments (reference wecom 2.1).
    pub fn drift(&mut self, steps: usize) -> Vec<Callback> {
        let mut callbacks = Vec::new();
        for _step in 0..steps {
            let done = (0..64).find_map(|_attempt| self.something_quiet().ok());
            callbacks.extend(done.unwrap_or_default());
        }
        callbacks
    }

    fn something_quiet(&mut self) -> Result<Vec<Callback>, Illegal> {
        match self.random.random_range(0..10) {
            0 => self.rebrand(),
            1 | 2 => self.follow(),
            _ => self.edit_somebody(),
        }
    }

    fn something(&mut self) -> Result<Vec<Callback>, Illegal> {
        match self.random.random_range(0..100) {
            0..=5 => self.found_department(),
            6..=10 if self.options.reorganises => self.reorganise(),
            6..=14 => self.rebrand(),
            15..=19 => self.dissolve(),
            20..=43 => Ok(self.hire()),
            44..=58 => self.transfer(),
            59..=76 => self.edit_somebody(),
            77..=82 => self.new_leader(),
            83..=85 => self.marry(),
            86..=95 => self.let_go(),
            _ => Ok(vec![self.some_other()]),
        }
    }

    fn any_department(&mut self) -> String {
        self.department_pool.draw(&mut self.random).unwrap_or_else(|| ROOT.to_owned())
    }

    fn anybody(&mut self) -> Result<String, Illegal> {
        self.member_pool.draw(&mut self.random).ok_or_else(|| Illegal::UnknownMember(String::new()))
    }

    fn found_department(&mut self) -> Result<Vec<Callback>, Illegal> {
        let parent = self.any_department();
        let name = self.new_department_name(&parent);
        self.create_department(&name, &parent).map(|(_id, callbacks)| callbacks)
    }

    fn reorganise(&mut self) -> Result<Vec<Callback>, Illegal> {
        let (id, parent) = (self.any_department(), self.any_department());
        if self.tree.get(&id).is_some_and(|department| department.parent.as_ref() == Some(&parent)) {
            return Err(Illegal::Cycle(id));
        }
        self.move_department(&id, &parent)
    }

    fn rebrand(&mut self) -> Result<Vec<Callback>, Illegal> {
        let id = self.any_department();
        let parent = self.tree.get(&id).and_then(|department| department.parent.clone()).ok_or(Illegal::Root)?;
        let name = self.new_department_name(&parent);
        self.rename_department(&id, &name)
    }

    /// Members go to the department above, then the empty department goes.
    fn dissolve(&mut self) -> Result<Vec<Callback>, Illegal> {
        let id = self.any_department();
        let parent = self.tree.get(&id).and_then(|department| department.parent.clone()).ok_or(Illegal::Root)?;
        self.may_go(&Subject::Department(id.clone()))?;
        let members = self.roster.members_of(&id);
        if self.tree.has_children(&id) || members.len() > MAX_DISSOLVED {
            return Err(Illegal::NotEmpty(id));
        }
        let mut callbacks = Vec::new();
        for member in members {
            callbacks.extend(self.update_member(&member, |member| leave(member, &id, &parent))?);
        }
        callbacks.extend(self.remove_department(&id)?);
        Ok(callbacks)
    }

    fn transfer(&mut self) -> Result<Vec<Callback>, Illegal> {
        let id = self.anybody()?;
        let departments = self.some_departments();
        let main = departments.get(self.random.random_range(0..departments.len().max(1))).cloned();
        let leads = self.random.random_ratio(1, 6);
        if self.roster.get(&id).is_some_and(|member| member.departments == departments) {
            return Err(Illegal::Inconsistent { id, why: "it is there already" });
        }
        self.update_member(&id, |member| {
            member.leads = main.iter().filter(|_main| leads).cloned().collect();
            member.main_department = main;
            member.departments = departments;
        })
    }

    fn edit_somebody(&mut self) -> Result<Vec<Callback>, Illegal> {
        let id = self.anybody()?;
        let name = names::person(&mut self.random).name;
        let title = names::position(&mut self.random);
        let number = self.next_person;
        self.next_person += 1;
        let status = [Status::Active, Status::Disabled, Status::Inactive];
        let status = status.get(self.random.random_range(0..3)).copied().unwrap_or_default();
        let what = self.random.random_range(0..12);
        self.update_member(&id, |member| match what {
            0 | 1 => member.name = name,
            2..=4 => member.title = title,
            5 => member.title.clear(),
            6 => member.mobile = format!("15{number:09}"),
            7 => member.email = format!("new{number}@corp.example"),
            8 => member.email.clear(),
            9 => member.gender = if member.gender == Gender::Male { Gender::Female } else { Gender::Male },
            10 => member.status = status,
            _ => {
                member.attributes.insert("工号".to_owned(), format!("B-{number:05}"));
            }
        })
    }

    fn new_leader(&mut self) -> Result<Vec<Callback>, Illegal> {
        let (id, leader) = (self.anybody()?, self.anybody()?);
        let leader =
            self.shown_id(&leader).filter(|_leader| self.options.leader_share > 0.0 && self.random.random_bool(0.8));
        let leads = self.random.random_bool(0.3);
        self.update_member(&id, |member| {
            member.leaders = leader.into_iter().collect();
            if leads {
                member.leads.clone_from(&member.departments);
            }
        })
    }

    fn follow(&mut self) -> Result<Vec<Callback>, Illegal> {
        let (id, leader) = (self.anybody()?, self.anybody()?);
        let leaders = self.shown_id(&leader).into_iter().collect();
        self.update_member(&id, |member| member.leaders = leaders)
    }

    fn marry(&mut self) -> Result<Vec<Callback>, Illegal> {
        let id = self.anybody()?;
        self.may_go(&Subject::Member(fold(&id)))?;
        let pinyin = names::person(&mut self.random).pinyin;
        let new_id = format!("{pinyin}.new{}", self.next_person);
        self.next_person += 1;
        self.rename_member(&id, &new_id)
    }

    fn let_go(&mut self) -> Result<Vec<Callback>, Illegal> {
        let id = self.anybody()?;
        self.may_go(&Subject::Member(fold(&id)))?;
        self.remove_member(&fold(&id))
    }

    fn may_go(&self, subject: &Subject) -> Result<(), Illegal> {
        match subject {
            Subject::Department(id) | Subject::Member(id) if self.kept.contains(subject) => {
                Err(Illegal::Kept(id.clone()))
            }
            _ => Ok(()),
        }
    }
}

fn leave(member: &mut Member, department: &str, instead: &str) {
    member.departments.retain(|id| id != department);
    member.leads.retain(|id| id != department);
    if member.departments.is_empty() {
        member.departments.push(instead.to_owned());
    }
    if member.main_department.as_deref() == Some(department) {
        member.main_department = member.departments.first().cloned();
    }
}
