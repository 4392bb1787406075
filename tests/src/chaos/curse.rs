//! One entity that an OA never takes.

use std::collections::{BTreeMap, BTreeSet};

use platform_sim::{Callback, Company, Member, Oa, ROOT, Snapshot, Subject, fold};

/// So many refer to it directly, at least: else nothing would be seen.
const REFERRERS: usize = 2;
/// What the OA answers whenever it is told of it.
const STATUS: u16 = 500;
/// How many are hired at the end who refer to it.
const FOLLOWERS: usize = 3;

/// A member or a department to which an OA always answers 500.
#[derive(Debug, Clone)]
pub(super) struct Curse {
    subject: Subject,
}

impl Curse {
    /// A member if the seed is odd; else the department with the fewest who refer to it, directly or not, but some. Nobody has a
    /// direct leader here: those are named although an OA never took them (see "Known limits").
    pub(super) fn choose(seed: u64, directory: &Snapshot) -> Self {
        if is_on_member(seed) {
            let id = directory.members.keys().next().expect("a member");
            return Self { subject: Subject::Member(fold(id)) };
        }
        let referrers = referrers(directory);
        let is_wanted = |subject: &Subject| matches!(subject, Subject::Department(id) if id != ROOT);
        let enough = referrers.iter().filter(|(_, direct)| direct.len() >= REFERRERS);
        let wanted = enough.map(|(subject, _)| subject).filter(|subject| is_wanted(subject));
        let least = wanted.min_by_key(|subject| all_who_refer(&referrers, subject).len());
        Self { subject: least.expect("a department with something in it").clone() }
    }

    /// From now on.
    pub(super) fn lay_on(&self, oa: &Oa) {
        let cursed = self.subject.clone();
        oa.fail_when(move |told| (folded(told) == cursed).then_some(STATUS));
    }

    /// Whatever has become of those who referred to it: a few who do, where anybody can.
    pub(super) fn hire_followers(&self, company: &mut Company) -> Vec<Callback> {
        let department = match &self.subject {
            Subject::Department(id) => id.clone(),
            Subject::Member(_) | Subject::Other => ROOT.to_owned(),
        };
        let mut callbacks = Vec::new();
        for number in 0..FOLLOWERS {
            let id = format!("follower.{number}");
            let member = Member {
                name: id.clone(),
                departments: vec![department.clone()],
                main_department: Some(department.clone()),
                id,
                ..Member::default()
            };
            callbacks.extend(company.create_member(member).expect("a member that is legal"));
        }
        callbacks
    }

    /// How many entities it keeps from an OA, at least, when its followers are hired.
    pub(super) const fn least_held(&self) -> usize {
        match &self.subject {
            Subject::Department(_) => 1 + FOLLOWERS,
            Subject::Member(_) | Subject::Other => 1,
        }
    }

    /// The entity; a member with its folded id.
    pub(super) const fn subject(&self) -> &Subject {
        &self.subject
    }
}

/// A department that waits for another one may stand in a circle with one that moves (see "Known limits"): where one is cursed,
/// none moves.
pub(super) const fn is_on_member(seed: u64) -> bool {
    seed % 2 == 1
}

fn folded(subject: &Subject) -> Subject {
    match subject {
        Subject::Member(id) => Subject::Member(fold(id)),
        other => other.clone(),
    }
}

/// Who refers to an entity directly.
type Referrers = BTreeMap<Subject, BTreeSet<Subject>>;

fn referrers(directory: &Snapshot) -> Referrers {
    let mut referrers = Referrers::new();
    let mut refer = |who: &Subject, to: Subject| {
        referrers.entry(to).or_default().insert(who.clone());
    };
    for department in directory.departments.values() {
        let who = Subject::Department(department.id.clone());
        department.parent.iter().for_each(|parent| refer(&who, Subject::Department(parent.clone())));
    }
    for (id, member) in &directory.members {
        let who = Subject::Member(id.clone());
        member.departments.iter().for_each(|department| refer(&who, Subject::Department(department.clone())));
    }
    referrers
}

fn all_who_refer(referrers: &Referrers, to: &Subject) -> BTreeSet<Subject> {
    let mut found = BTreeSet::new();
    let mut open = vec![to];
    while let Some(subject) = open.pop() {
        for who in referrers.get(subject).into_iter().flatten() {
            if found.insert(who.clone()) {
                open.push(who);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use platform_sim::{Company, CompanyOptions};

    use super::*;

    #[test]
    fn a_department_that_is_cursed_has_few_who_refer_to_it_but_some() {
        let mut company = Company::new(CompanyOptions::default());
        company.import(250, 40, 6);
        let directory = company.snapshot();
        for seed in [1, 2] {
            let curse = Curse::choose(seed, &directory);
            assert_eq!(matches!(curse.subject(), Subject::Member(_)), is_on_member(seed));
            let held = all_who_refer(&referrers(&directory), curse.subject());
            curse.hire_followers(&mut company);
            let more = all_who_refer(&referrers(&company.snapshot()), curse.subject());
            if is_on_member(seed) {
                assert!(held.is_empty() && more.is_empty(), "{curse:?}: {more:?}");
            } else {
                assert!((REFERRERS..50).contains(&held.len()), "{curse:?}: {}", held.len());
                assert!(more.len() >= held.len() + FOLLOWERS, "{curse:?}: {}", more.len());
            }
            for number in 0..FOLLOWERS {
                company.remove_member(&format!("follower.{number}")).unwrap();
            }
        }
    }
}
