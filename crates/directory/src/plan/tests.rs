//! The rules of a comparison: one by one in `cases`, and all together on many small companies, against a naive comparison that was
//! written anew and against a model of a core product.

mod cases;
mod company;
mod model;
mod naive;

use std::collections::BTreeSet;

use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{RngSeed, TestRunner},
};

use self::company::{Company, company};
use super::{Action, Item, PerKind, Plan, Word};

/// `update member Bob u1: differs: name`
fn line(item: &Item) -> String {
    let (id, core_id) = (item.id.as_deref().unwrap_or("-"), item.core_id.as_deref().unwrap_or("-"));
    format!("{} {} {id} {core_id}: {}", item.action.as_str(), item.kind.as_str(), item.why)
}

fn lines(plan: &Plan) -> Vec<String> {
    plan.items().iter().map(line).collect()
}

const fn does_something(item: &Item) -> bool {
    !matches!(item.action, Action::Unsure | Action::Impossible)
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(20_261_126), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(6_000))]

    #[test]
    fn a_naive_comparison_finds_the_same(company in company()) {
        let mut found = lines(&company.plan());
        found.sort();
        prop_assert_eq!(found, naive::lines(&company));
    }

    #[test]
    fn it_does_not_matter_in_which_order_it_is_fed(company in company()) {
        let company = company.sound();
        prop_assert_eq!(company.plan().into_items(), company.plan_backwards().into_items());
    }

    #[test]
    fn applied_in_order_it_breaks_no_reference_and_leaves_nothing_to_do(company in company()) {
        let mut company = company.sound();
        let plan = company.plan();
        prop_assert_eq!(company.apply(&plan), Ok(()));
        // An id that was taken may be free now.
        let was_taken = plan.items().iter().any(|item| item.why.word == Word::IdTaken);
        if was_taken {
            let plan = company.plan();
            prop_assert_eq!(company.apply(&plan), Ok(()));
        }
        let next = company.plan();
        let left: Vec<String> = next.items().iter().filter(|item| does_something(item)).map(line).collect();
        prop_assert!(left.is_empty(), "left to do: {left:?}");
    }

    #[test]
    fn nothing_goes_unless_both_sides_are_whole(company in company()) {
        let plan = company.plan();
        let is_whole = company.options.source_complete && company.options.destination_complete;
        prop_assert_eq!(plan.is_complete(), is_whole);
        prop_assert!(is_whole || plan.removals() == PerKind::default());
    }

    #[test]
    fn what_is_unsure_is_not_touched(company in company()) {
        let plan = company.plan();
        let touched: Vec<&Item> = plan.items().iter().filter(|item| does_something(item)).collect();
        for unsure in plan.items().iter().filter(|item| item.action == Action::Unsure) {
            let same_kind = || touched.iter().filter(move |item| item.kind == unsure.kind);
            let writes = |item: &&&Item| item.action != Action::Link && item.id == unsure.id;
            prop_assert_eq!(same_kind().find(writes), None);
            for candidate in &unsure.why.candidates {
                prop_assert_eq!(same_kind().find(|item| item.core_id.as_ref() == Some(candidate)), None);
            }
        }
    }
}

#[test]
fn a_drawn_company_has_something_of_everything() {
    // Else the properties above would hold for want of cases.
    let mut runner = TestRunner::new(config(1));
    let (mut words, mut actions) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..2_000 {
        let company: Company = company().new_tree(&mut runner).unwrap().current();
        for item in company.plan().items() {
            words.insert(item.why.word.as_str());
            actions.insert(item.action);
        }
    }
    assert_eq!(actions.len(), 7, "{actions:?}");
    assert_eq!(words.len(), 23, "{words:?}");
}
