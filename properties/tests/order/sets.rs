//! Small sets of events that are known to hurt, each in all its orders.

mod answers;

use common::{Field, Fields};

use crate::{
    bugs::Bug,
    dice::Dice,
    model::{Company, History},
    run::{Arrival, run},
    shell::Habits,
};

/// A set of events, by name.
pub(crate) struct EventSet {
    pub(crate) name: &'static str,
    pub(crate) happens: fn(&mut Company),
}

const EVENTS_MAX: usize = 7;

#[test]
fn all_orders_of_small_event_sets_end_in_the_truth() {
    assert!(SETS.len() >= 20);
    for set in SETS {
        if let Err(reason) = try_all_orders(set, None) {
            panic!("{}: {reason}", set.name);
        }
    }
}

#[test]
fn all_orders_of_answers_and_events_end_in_the_truth() {
    assert!(answers::SETS.len() >= 10);
    for set in answers::SETS {
        if let Err(reason) = try_all_orders(set, None) {
            panic!("{}: {reason}", set.name);
        }
    }
}

/// Tries every order, singly and in batches with repeats and failures.
pub(crate) fn try_all_orders(set: &EventSet, bug: Option<Bug>) -> Result<(), String> {
    let mut company = Company::new();
    (set.happens)(&mut company);
    let history = company.history();
    let mut order: Vec<usize> = (history.settled..history.events.len()).collect();
    assert!((2..=EVENTS_MAX).contains(&order.len()), "{} has {} events", set.name, order.len());
    let mut number = 0;
    for_each_permutation(&mut order, &mut |order| {
        number += 1;
        try_order(&history, order, number, bug)
    })
}

fn try_order(history: &History, order: &[usize], number: u64, bug: Option<Bug>) -> Result<(), String> {
    let singly = Arrival { deliveries: order.to_vec(), batch_max: 1, slice_max: 64, ..Arrival::default() };
    let mut dice = Dice::new(number);
    run(history, &singly, &mut dice, bug)?;
    let mut deliveries = order.to_vec();
    for _ in 0..dice.below(4) {
        let (from, to) = (dice.below(order.len()), dice.below(deliveries.len() + 1));
        deliveries.insert(to, order[from]);
    }
    let together = Arrival {
        deliveries,
        batch_max: dice.between(2, 4),
        slice_max: dice.between(1, 3),
        fails_once_in: dice.between(2, 5),
        folds: dice.once_in(2),
        habits: Habits { forgets_keys: dice.once_in(3), skips_named: dice.once_in(2) },
        oa_has_moods: true,
    };
    run(history, &together, &mut dice, bug)
}

/// Heap's algorithm: each permutation differs from the one before by one exchange.
fn for_each_permutation(
    order: &mut [usize],
    visit: &mut impl FnMut(&[usize]) -> Result<(), String>,
) -> Result<(), String> {
    let mut counters = vec![0; order.len()];
    visit(order)?;
    let mut place = 0;
    while place < order.len() {
        if counters[place] < place {
            order.swap(if place % 2 == 0 { 0 } else { counters[place] }, place);
            visit(order)?;
            counters[place] += 1;
            place = 0;
        } else {
            counters[place] = 0;
            place += 1;
        }
    }
    Ok(())
}

fn text(field: Field, value: &str) -> Fields {
    Fields::new().with(field, value)
}

fn led_by(leaders: &[&str]) -> Fields {
    Fields::new().with(Field::Leaders, leaders)
}

/// The sets.
pub(crate) const SETS: &[EventSet] = &[
    EventSet {
        name: "a tree with people in it, the leaves first in the worst case",
        happens: |company| {
            company.create_department("2", "1");
            company.create_department("3", "2");
            company.create_department("4", "3");
            company.hire("ann", &["4"]);
            company.hire("bob", &["3", "2"]);
            company.hire("cai", &["1"]);
        },
    },
    EventSet {
        name: "created, referred to and moved, which an OA may miss at any point",
        happens: |company| {
            company.create_department("2", "1");
            company.hire("ann", &["2"]);
            company.create_department("3", "1");
            company.move_department("2", "3");
            company.transfer("ann", &["3", "2"]);
            company.change_id("ann", "anna");
            company.transfer("anna", &["1"]);
        },
    },
    EventSet {
        name: "moved out of a department that is then removed",
        happens: |company| {
            company.create_department("5", "1");
            company.create_department("6", "1");
            company.hire("ann", &["5"]);
            company.transfer("ann", &["6"]);
            company.remove_department("5");
        },
    },
    EventSet {
        name: "moved out of a department that is then removed, together with a department below it",
        happens: |company| {
            company.create_department("5", "1");
            company.create_department("6", "1");
            company.create_department("7", "5");
            company.hire("ann", &["5"]);
            company.transfer("ann", &["7"]);
            company.move_department("7", "6");
            company.remove_department("5");
        },
    },
    EventSet {
        name: "a department is removed and created again with other values",
        happens: |company| {
            let first =
                text(Field::Name, "Sales").with(Field::Parent, "1").with(Field::NameEn, "Sales").with(Field::Order, 7);
            company.create_department_with("2", first);
            company.rename_department("2", "Sales East");
            company.remove_department("2");
            company.create_department("3", "1");
            company.create_department("2", "3");
            company.hire("ann", &["2"]);
        },
    },
    EventSet {
        name: "a member leaves and somebody else is hired under the id",
        happens: |company| {
            company.create_department("2", "1");
            company.hire_with(
                "ann",
                text(Field::Name, "Ann Li").with(Field::Departments, ["2"].as_slice()).with(Field::Mobile, "1"),
            );
            company.update_member("ann", text(Field::Title, "engineer"));
            company.dismiss("ann");
            company.hire("ann", &["1"]);
            company.update_member("ann", text(Field::Email, "ann@acme.example"));
        },
    },
    EventSet {
        name: "three lives of one member",
        happens: |company| {
            company.hire_with(
                "ann",
                text(Field::Name, "A").with(Field::Departments, ["1"].as_slice()).with(Field::Mobile, "1"),
            );
            company.dismiss("ann");
            company.hire_with(
                "ann",
                text(Field::Name, "B").with(Field::Departments, ["1"].as_slice()).with(Field::Email, "b"),
            );
            company.dismiss("ann");
            company.hire_with(
                "ann",
                text(Field::Name, "C").with(Field::Departments, ["1"].as_slice()).with(Field::Title, "c"),
            );
            company.update_member("ann", text(Field::Alias, "c"));
        },
    },
    EventSet {
        name: "renamed, with late events, and the old id given to a new person",
        happens: |company| {
            company.hire_with(
                "bob",
                text(Field::Name, "Bob").with(Field::Departments, ["1"].as_slice()).with(Field::Mobile, "1"),
            );
            company.update_member("bob", text(Field::Title, "engineer"));
            company.change_id("bob", "bobby");
            company.update_member("bobby", text(Field::Email, "bobby@acme.example"));
            company.hire("bob", &["1"]);
            company.update_member("bob", text(Field::Alias, "the new one"));
        },
    },
    EventSet {
        name: "renamed and moved at once into a department that is created late; the old id goes to a new person",
        happens: |company| {
            company.create_department("2", "1");
            company.hire("bob", &["2"]);
            company.create_department("3", "1");
            company.change_id_with("bob", "bobby", Fields::new().with(Field::Departments, ["3"].as_slice()));
            company.hire("bob", &["3"]);
            company.remove_department("2");
        },
    },
    EventSet {
        name: "renamed twice, and led people all the while",
        happens: |company| {
            company.hire("ann", &["1"]);
            company
                .hire_with("bob", led_by(&["ann"]).with(Field::Name, "Bob").with(Field::Departments, ["1"].as_slice()));
            company.change_id("ann", "anna");
            company.update_member("anna", text(Field::Mobile, "2"));
            company.change_id("anna", "annabel");
            company.hire("ann", &["1"]);
        },
    },
    EventSet {
        name: "renamed and back again",
        happens: |company| {
            company.hire("ann", &["1"]);
            company.change_id("ann", "anna");
            company.update_member("anna", text(Field::Mobile, "2"));
            company.change_id("anna", "ann");
            company.update_member("ann", text(Field::Title, "engineer"));
        },
    },
    EventSet {
        name: "renamed to the id of somebody who left",
        happens: |company| {
            company.hire("bob", &["1"]);
            company.hire("ann", &["1"]);
            company.update_member("bob", text(Field::Mobile, "2"));
            company.dismiss("bob");
            company.change_id("ann", "bob");
            company.update_member("bob", text(Field::Title, "engineer"));
        },
    },
    EventSet {
        name: "renamed and gone; the old id goes to a new person",
        happens: |company| {
            company.hire("bob", &["1"]);
            company.change_id("bob", "bobby");
            company.dismiss("bobby");
            company.hire("bob", &["1"]);
            company
                .hire_with("ann", led_by(&["bob"]).with(Field::Name, "Ann").with(Field::Departments, ["1"].as_slice()));
        },
    },
    EventSet {
        name: "renamed, and led by the new person with the old id",
        happens: |company| {
            company.hire("fei", &["1"]);
            company.create_department("2", "1");
            company.change_id_with("fei", "ann", Fields::new().with(Field::Departments, ["2"].as_slice()));
            company.hire("fei", &["1"]);
            company.update_member("ann", led_by(&["fei"]));
        },
    },
    EventSet {
        name: "renamed, parked and gone, while the new person with the old id leads somebody",
        happens: |company| {
            company.hire("fei", &["1"]);
            company.create_department("2", "1");
            company.change_id_with("fei", "gus", Fields::new().with(Field::Departments, ["2"].as_slice()));
            company.dismiss("gus");
            company.hire("fei", &["1"]);
            let led = led_by(&["fei"]).with(Field::Name, "Dou");
            company.hire_with("dou", led.with(Field::Departments, ["1"].as_slice()));
        },
    },
    EventSet {
        name: "two members exchange ids",
        happens: |company| {
            company.hire("ann", &["1"]);
            company.hire("bob", &["1"]);
            company.change_id("ann", "somebody");
            company.change_id("bob", "ann");
            company.change_id("somebody", "bob");
            company.update_member("bob", text(Field::Mobile, "2"));
        },
    },
    EventSet {
        name: "two members exchange ids, and one of them their department, and one leads a third",
        happens: |company| {
            company.hire("ann", &["1"]);
            company.hire("bob", &["1"]);
            company.settle();
            company.create_department("2", "1");
            company.change_id("ann", "somebody");
            company.change_id("bob", "ann");
            company.change_id_with("somebody", "bob", Fields::new().with(Field::Departments, ["2"].as_slice()));
            company
                .hire_with("cai", led_by(&["ann"]).with(Field::Name, "Cai").with(Field::Departments, ["2"].as_slice()));
            company.dismiss("bob");
        },
    },
    EventSet {
        name: "a circle of late moves: the tree is turned upside down",
        happens: |company| {
            company.create_department("2", "1");
            company.create_department("3", "2");
            company.create_department("4", "3");
            company.move_department("4", "1");
            company.move_department("3", "4");
            company.move_department("2", "3");
        },
    },
    EventSet {
        name: "a circle of late moves in a settled tree, with people and a new department between",
        happens: |company| {
            company.create_department("2", "1");
            company.create_department("3", "2");
            company.create_department("4", "3");
            company.hire("ann", &["4"]);
            company.settle();
            company.move_department("4", "1");
            company.create_department("5", "4");
            company.move_department("3", "5");
            company.move_department("2", "3");
            company.hire("bob", &["5"]);
            company.transfer("ann", &["2"]);
        },
    },
    EventSet {
        name: "a department that is there already is moved below one that is not, which hangs below it",
        happens: |company| {
            company.create_department("2", "1");
            company.create_department("3", "2");
            company.settle();
            company.create_department("4", "3");
            company.move_department("3", "1");
            company.move_department("2", "4");
            company.hire("ann", &["4"]);
        },
    },
    EventSet {
        name: "created again below what was in it",
        happens: |company| {
            company.create_department("2", "1");
            company.create_department("3", "2");
            company.move_department("3", "1");
            company.remove_department("2");
            company.create_department("2", "3");
            company.hire("ann", &["2"]);
        },
    },
    EventSet {
        name: "a department moves to and fro",
        happens: |company| {
            company.create_department("2", "1");
            company.create_department("3", "1");
            company.create_department("4", "2");
            company.move_department("4", "3");
            company.move_department("4", "2");
            company.move_department("4", "1");
            company.remove_department("3");
        },
    },
    EventSet {
        name: "a branch is closed, from the leaves to the root",
        happens: |company| {
            company.create_department("2", "1");
            company.create_department("3", "2");
            company.hire("ann", &["3"]);
            company.transfer("ann", &["1"]);
            company.remove_department("3");
            company.remove_department("2");
        },
    },
    EventSet {
        name: "all that came goes",
        happens: |company| {
            company.create_department("2", "1");
            company.create_department("3", "2");
            company.hire("ann", &["3"]);
            company.dismiss("ann");
            company.remove_department("3");
            company.remove_department("2");
        },
    },
    EventSet {
        name: "in several departments, one of which is removed",
        happens: |company| {
            company.create_department("2", "1");
            company.create_department("3", "1");
            company.hire("ann", &["2", "3"]);
            company.transfer("ann", &["3", "1"]);
            company.remove_department("2");
            company.transfer("ann", &["3"]);
        },
    },
    EventSet {
        name: "leads departments, one after the other",
        happens: |company| {
            company.create_department("2", "1");
            company.create_department("3", "1");
            company.hire("ann", &["2"]);
            let both = Fields::new().with(Field::Departments, ["2", "3"].as_slice()).with(Field::MainDepartment, "3");
            company.update_member("ann", both.with(Field::Leads, ["3"].as_slice()));
            let one = Fields::new().with(Field::Departments, ["2"].as_slice());
            company.update_member("ann", one.with(Field::Leads, Vec::<String>::new()));
            company.remove_department("3");
        },
    },
    EventSet {
        name: "the leaders of a member and of a department leave, are renamed and come back as others",
        happens: |company| {
            company.hire("bob", &["1"]);
            company.hire("cai", &["1"]);
            company.create_department_with(
                "2",
                led_by(&["bob", "cai"]).with(Field::Name, "Sales").with(Field::Parent, "1"),
            );
            company.hire_with(
                "ann",
                led_by(&["cai", "bob"]).with(Field::Name, "Ann").with(Field::Departments, ["2"].as_slice()),
            );
            company.dismiss("bob");
            company.hire("bob", &["2"]);
            company.change_id("cai", "bobby");
        },
    },
    EventSet {
        name: "two who lead each other",
        happens: |company| {
            company.hire("ann", &["1"]);
            company
                .hire_with("bob", led_by(&["ann"]).with(Field::Name, "Bob").with(Field::Departments, ["1"].as_slice()));
            company.update_member("ann", led_by(&["bob"]));
            company.change_id("ann", "anna");
            company.dismiss("bob");
            company.hire("bob", &["1"]);
        },
    },
    EventSet {
        name: "one field, many values",
        happens: |company| {
            company.hire("ann", &["1"]);
            company.update_member("ann", text(Field::Mobile, "1"));
            company.update_member("ann", text(Field::Mobile, "2").with(Field::Title, "engineer"));
            company.update_member("ann", text(Field::Mobile, ""));
            company.update_member("ann", text(Field::Title, "manager"));
            company.update_member("ann", text(Field::Mobile, "1"));
        },
    },
    EventSet {
        name: "removed and created again within a second",
        happens: |company| {
            company.create_department("2", "1");
            company.create_department("3", "1");
            company.hire("ann", &["3"]);
            company.remove_department("2");
            company.same_second().create_department("2", "3");
            company.dismiss("ann");
            company.same_second().hire("ann", &["2"]);
        },
    },
    EventSet {
        name: "everything within a second",
        happens: |company| {
            company.create_department("2", "1");
            company.same_second().create_department("3", "2");
            company.same_second().hire("ann", &["3"]);
            company.same_second().update_member("ann", text(Field::Mobile, "1"));
            company.same_second().hire("bob", &["2"]);
            company.same_second().rename_department("3", "Sales");
        },
    },
    EventSet {
        name: "capital letters come and go",
        happens: |company| {
            company.hire("Ann.Li", &["1"]);
            company.update_member("ANN.LI", text(Field::Mobile, "1"));
            company.hire_with(
                "bob",
                led_by(&["ann.li"]).with(Field::Name, "Bob").with(Field::Departments, ["1"].as_slice()),
            );
            company.change_id("Bob", "BOB.WU");
            company.update_member("bob.wu", text(Field::Mobile, "2"));
            company.dismiss("ANN.li");
        },
    },
    EventSet {
        name: "capital letters of somebody who is parked and leads a department",
        happens: |company| {
            company.hire("cai", &["1"]);
            company.dismiss("CAI");
            company.hire("cai", &["1"]);
            company.create_department("2", "1");
            company.transfer("cai", &["2"]);
            company.create_department_with("4", led_by(&["cai"]).with(Field::Name, "D4").with(Field::Parent, "1"));
        },
    },
    EventSet {
        name: "the root gets its name late and departments are led by members of others",
        happens: |company| {
            company.rename_department("1", "Acme Ltd.");
            company.create_department("2", "1");
            company.hire("ann", &["2"]);
            company.update_department("1", led_by(&["ann"]));
            company.update_department("2", led_by(&["ann"]));
            company.dismiss("ann");
        },
    },
];
