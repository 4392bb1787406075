use proptest::prelude::*;

use super::*;

fn member(number: u8, departments: &[u8]) -> Wanted {
    Wanted {
        about: EntityKey::member(&format!("m{number}")),
        departments: departments.iter().map(ToString::to_string).collect(),
        places: false,
    }
}

fn department(number: u8, places: bool) -> Wanted {
    Wanted { about: EntityKey::department(&number.to_string()), departments: Vec::new(), places }
}

fn planned(wanted: &[Wanted]) -> Plan {
    coalesce(wanted, true, &BTreeSet::new())
}

/// Whom a call answers.
fn answered(call: &Call) -> Vec<EntityKey> {
    match call {
        Call::Member(about) | Call::Department(about) => vec![about.clone()],
        Call::MembersOf { about, .. } | Call::Departments(about) => about.clone(),
    }
}

prop_compose! {
    fn questions()(
        members in prop::collection::btree_map(any::<u8>(), (prop::collection::vec(0_u8..12, 0..4), any::<bool>()), 0..60),
        departments in prop::collection::btree_map(0_u8..12, any::<bool>(), 0..6),
    ) -> Vec<Wanted> {
        let members = members.into_iter().map(|(id, (within, places))| Wanted { places, ..member(id, &within) });
        members.chain(departments.into_iter().map(|(id, places)| department(id, places))).collect()
    }
}

proptest! {
    #[test]
    fn every_question_is_in_exactly_one_call(wanted in questions()) {
        let mut in_calls: Vec<EntityKey> = planned(&wanted).details.iter().flat_map(answered).collect();
        in_calls.sort();
        let mut asked: Vec<EntityKey> = wanted.iter().map(|wanted| wanted.about.clone()).collect();
        asked.sort();
        prop_assert_eq!(in_calls, asked);
    }

    #[test]
    fn a_list_answers_two_or_more_that_are_in_it(wanted in questions()) {
        for call in planned(&wanted).details {
            if let Call::MembersOf { department, about } = call {
                prop_assert!(about.len() >= 2);
                for key in about {
                    let within = wanted.iter().find(|wanted| wanted.about == key).unwrap();
                    prop_assert!(within.departments.contains(&department));
                }
            }
        }
    }

    #[test]
    fn no_list_could_have_answered_two_that_are_asked_singly(wanted in questions()) {
        let plan = planned(&wanted);
        let singly = |wanted: &&Wanted| plan.details.contains(&Call::Member(wanted.about.clone()));
        let mut singles: BTreeMap<&String, u32> = BTreeMap::new();
        for member in wanted.iter().filter(singly) {
            for department in member.departments.iter().collect::<BTreeSet<_>>() {
                *singles.entry(department).or_default() += 1;
            }
        }
        prop_assert!(singles.values().all(|singles| *singles < 2), "{:?}", singles);
    }

    #[test]
    fn the_order_of_questions_does_not_matter(wanted in questions()) {
        let backwards: Vec<Wanted> = wanted.iter().rev().cloned().collect();
        let sorted = |plan: Plan| plan.details.into_iter().map(|call| {
            let mut about = answered(&call);
            about.sort();
            about
        }).collect::<BTreeSet<_>>();
        prop_assert_eq!(sorted(planned(&wanted)), sorted(planned(&backwards)));
    }

    #[test]
    fn without_an_app_only_ids_are_asked_for(wanted in questions()) {
        let plan = coalesce(&wanted, false, &BTreeSet::new());
        prop_assert!(plan.details.is_empty());
        let places = |kind| wanted.iter().filter(move |wanted| wanted.about.kind == kind && wanted.places).count();
        prop_assert_eq!(plan.member_ids, places(EntityKind::Member) > 0);
        prop_assert_eq!(plan.department_ids == DepartmentIds::All, places(EntityKind::Department) > 1);
    }

    #[test]
    fn a_department_that_is_too_large_is_not_listed(wanted in questions()) {
        let too_large: BTreeSet<String> = ["3".to_owned(), "7".to_owned()].into();
        for call in coalesce(&wanted, true, &too_large).details {
            let asks_too_much = matches!(call, Call::MembersOf { department, .. } if too_large.contains(&department));
            prop_assert!(!asks_too_much);
        }
    }
}

#[test]
fn the_department_that_answers_most_is_listed() {
    let plan = planned(&[member(1, &[5, 6]), member(2, &[6]), member(3, &[6, 7]), member(4, &[7]), member(5, &[])]);
    let about = [1, 2, 3].map(|number| EntityKey::member(&format!("m{number}")));
    let singles = [4, 5].map(|number| Call::Member(EntityKey::member(&format!("m{number}"))));
    let mut expected = vec![Call::MembersOf { department: "6".to_owned(), about: about.to_vec() }];
    expected.extend(singles);
    assert_eq!(plan.details, expected);
}

#[test]
fn two_departments_are_one_list_and_two_missing_parents_are_one_more() {
    assert_eq!(planned(&[department(5, true)]).department_ids, DepartmentIds::Below(EntityKey::department("5")));
    let plan = planned(&[department(5, true), department(6, true), department(7, false)]);
    assert_eq!((plan.details.len(), plan.department_ids, plan.member_ids), (1, DepartmentIds::All, false));
}
