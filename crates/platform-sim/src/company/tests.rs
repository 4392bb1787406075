use std::collections::{BTreeSet, HashSet};

use super::*;
use crate::ROOT;
use crate::message::Message;

fn company(seed: u64, profile: Profile) -> Company {
    Company::new(CompanyOptions { seed, profile, ..CompanyOptions::default() })
}

fn check_legal(snapshot: &Snapshot) {
    for department in snapshot.departments.values() {
        let mut above = BTreeSet::new();
        let mut current = department;
        while let Some(parent) = &current.parent {
            assert!(above.insert(current.id.clone()), "a cycle at {}", current.id);
            current = &snapshot.departments[parent];
        }
        assert_eq!(current.id, ROOT);
        assert!(above.len() <= MAX_DEPTH as usize);
    }
    let siblings: HashSet<_> = snapshot.departments.values().map(|d| (d.parent.clone(), d.name.clone())).collect();
    assert_eq!(siblings.len(), snapshot.departments.len(), "sibling names are unique");
    for (key, member) in &snapshot.members {
        assert_eq!(key, &fold(&member.id));
        assert!(!member.departments.is_empty());
        assert!(member.departments.iter().all(|id| snapshot.departments.contains_key(id)));
        assert!(member.departments.contains(member.main_department.as_ref().expect("a main department")));
        assert!(member.leads.iter().all(|id| member.departments.contains(id)));
        assert!(member.leaders.iter().all(|id| snapshot.members[&fold(id)].id == *id), "{:?}", member.leaders);
    }
}

#[test]
fn two_thousand_steps_stay_legal_and_all_callbacks_parse() {
    for profile in [Profile::Full, Profile::Reduced] {
        let mut company = company(11, profile);
        let mut callbacks = company.import(200, 40, 6);
        for _block in 0..20 {
            callbacks.extend(company.live(100));
            check_legal(&company.snapshot());
        }
        let mut created = HashSet::new();
        for (index, callback) in callbacks.iter().enumerate() {
            assert_eq!(callback.sequence, index as u64);
            let message = Message::parse(&callback.plaintext).expect("well-formed");
            assert_eq!(message.create_time, callback.at_seconds);
            assert_eq!(message.from, "sys");
            assert_eq!(message.about(), (callback.subject.clone(), callback.act));
            if let (Subject::Department(id), Act::Create) = (&callback.subject, callback.act) {
                assert!(created.insert(id.clone()), "department id {id} was used twice");
            }
        }
        let acts: HashSet<_> = callbacks.iter().map(|callback| callback.act).collect();
        assert_eq!(acts.len(), 4);
    }
}

#[test]
fn the_same_seed_lives_the_same_life_and_the_profile_does_not_change_it() {
    let live = |seed, profile| {
        let mut company = company(seed, profile);
        let callbacks = [company.import(50, 10, 4), company.live(300)].concat();
        (company.snapshot(), callbacks)
    };
    let (full, reduced) = (live(5, Profile::Full), live(5, Profile::Reduced));
    assert_eq!(full, live(5, Profile::Full));
    assert_eq!(full.0, reduced.0);
    assert!(reduced.1.len() < full.1.len());
    assert_ne!(full.0, live(6, Profile::Full).0);
}

#[test]
fn reduced_callbacks_carry_ids_only() {
    let mut company = company(2, Profile::Reduced);
    for callback in [company.import(50, 10, 4), company.live(500)].concat() {
        let message = Message::parse(&callback.plaintext).expect("well-formed");
        if callback.subject != Subject::Other {
            let known = ["UserID", "NewUserID", "Department", "Id", "ParentId"];
            assert!(message.fields.keys().all(|name| known.contains(&name.as_str())), "{}", callback.plaintext);
            assert_eq!(message.attributes, None);
        }
    }
}

#[test]
fn what_wecom_refuses_is_refused() {
    let mut company = company(3, Profile::Full);
    let (a, _) = company.create_department("甲", ROOT).expect("legal");
    let (b, _) = company.create_department("乙", &a).expect("legal");
    assert_eq!(company.create_department("甲", ROOT), Err(Illegal::NameTaken("甲".to_owned())));
    assert_eq!(company.move_department(&a, &b), Err(Illegal::Cycle(a.clone())));
    assert_eq!(company.remove_department(&a), Err(Illegal::NotEmpty(a.clone())));
    assert_eq!(company.remove_department(ROOT), Err(Illegal::Root));
    let (main, name) = (Some(b.clone()), "李".to_owned());
    let member =
        Member { id: "Li".to_owned(), name, departments: vec![b.clone()], main_department: main, ..Member::default() };
    company.create_member(member.clone()).expect("legal");
    assert_eq!(company.remove_department(&b), Err(Illegal::NotEmpty(b)));
    assert_eq!(company.create_member(Member { id: "LI".to_owned(), ..member }), Err(Illegal::IdTaken("LI".to_owned())));
    company.rename_member("li", "li.new").expect("the first time");
    assert_eq!(company.rename_member("li.new", "x"), Err(Illegal::AlreadyRenamed("li.new".to_owned())));
}

#[test]
fn several_operations_share_a_second_but_not_on_one_entity() {
    let options = CompanyOptions { pace: Pace::PerSecond(50), ..CompanyOptions::default() };
    let mut company = Company::new(options);
    let callbacks = [company.import(100, 20, 4), company.live(300)].concat();
    let seconds: HashSet<i64> = callbacks.iter().map(|callback| callback.at_seconds).collect();
    assert!(seconds.len() < callbacks.len() / 4, "{} seconds", seconds.len());
    let mut seen = HashSet::new();
    for callback in callbacks.iter().filter(|callback| callback.subject != Subject::Other) {
        assert!(seen.insert((callback.at_seconds, callback.subject.clone())));
    }
}

#[test]
fn an_import_reaches_its_depth_and_sizes() {
    let mut company = company(4, Profile::Full);
    let callbacks = company.import(30, 50, 7);
    assert_eq!((company.member_count(), company.department_count(), callbacks.len()), (30, 50, 79));
    let deepest = callbacks.iter().filter(|c| matches!(c.subject, Subject::Department(_))).map(|c| c.depth).max();
    assert_eq!(deepest, Some(7));
}

#[test]
fn what_is_kept_outlives_everybody_and_without_reorganisation_no_department_moves() {
    let options = CompanyOptions { reorganises: false, ..CompanyOptions::default() };
    let mut company = Company::new(options);
    company.import(10, 5, 3);
    let before = company.snapshot();
    let members: Vec<String> = before.members.values().map(|member| member.id.clone()).collect();
    let (kept, others) = members.split_first().expect("members");
    company.keep(Subject::Member(kept.to_uppercase()));
    company.keep(Subject::Department("2".to_owned()));
    company.live(5_000);
    let after = company.snapshot();
    assert!(after.members.contains_key(&fold(kept)) && after.departments.contains_key("2"));
    assert!(others.iter().any(|id| !after.members.contains_key(&fold(id))), "others go or change their ids");
    for (id, department) in &before.departments {
        assert!(after.departments.get(id).is_none_or(|later| later.parent == department.parent), "{id} moved");
    }
}

#[test]
fn what_was_there_all_along_is_what_an_import_would_have_made() {
    let (mut imported, mut populated) = (company(9, Profile::Full), company(9, Profile::Full));
    imported.import(300, 40, 6);
    populated.populate(300, 40, 6);
    assert_eq!(populated.snapshot(), imported.snapshot());
    assert_eq!(populated.live(20)[0].sequence, 0, "nothing was told before");
    let members = imported.snapshot().members;
    assert!(members.values().all(|member| !member.mobile.is_empty()));
    assert!(members.values().any(|member| member.departments.len() > 1 && !member.attributes.is_empty()));
}

#[test]
fn drifting_changes_names_numbers_positions_and_leaders_and_the_reduced_profile_says_nothing() {
    let drift = |profile| {
        let mut company = company(6, profile);
        company.populate(60, 12, 4);
        let (before, callbacks) = (company.snapshot(), company.drift(400));
        (before, company.snapshot(), callbacks.len())
    };
    let ((before, after, told), (_before, same, told_in_full)) = (drift(Profile::Reduced), drift(Profile::Full));
    assert_eq!((told, &after), (0, &same));
    assert!(told_in_full > 300, "{told_in_full}");
    let fields: HashSet<String> = crate::compare(&before, &after).into_iter().map(|found| found.field).collect();
    for field in ["name", "mobile", "title", "leaders", "email"] {
        assert!(fields.contains(field), "{field}");
    }
    for field in ["exists", "departments", "leads", "main_department", "parent"] {
        assert!(!fields.contains(field), "{field}");
    }
    check_legal(&after);
}
