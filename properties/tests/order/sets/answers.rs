//! Sets with what the platform says when it is asked: departments that it does not show, members without a name. What is still to
//! be asked in the end, a company's history asks by itself.

use common::{Field, Fields};

use super::{EventSet, led_by, text};

/// The sets.
pub(super) const SETS: &[EventSet] = &[
    EventSet {
        name: "in a department that is not shown, and in one that is",
        happens: |company| {
            company.create_department("2", "1");
            company.hide_department("9");
            company.hire("ann", &["2", "9"]);
            company.hire("bob", &["9"]);
            company.transfer("ann", &["9", "1"]);
        },
    },
    EventSet {
        name: "a branch below a department that is not shown",
        happens: |company| {
            company.hide_department("9");
            company.create_department("2", "9");
            company.create_department("3", "2");
            company.hire("ann", &["3", "9"]);
            company.move_department("3", "9");
            company.move_department("2", "3");
        },
    },
    EventSet {
        name: "shown after it was asked for",
        happens: |company| {
            company.create_department("2", "1");
            company.hide_department("9");
            company.hire("ann", &["2", "9"]);
            company.create_department("3", "9");
            company.answer_absent("9");
            company.show_department("9", "2");
        },
    },
    EventSet {
        name: "shown, left and removed, and asked for again",
        happens: |company| {
            company.hide_department("9");
            company.hire("ann", &["9"]);
            company.answer_absent("9");
            company.show_department("9", "1");
            company.transfer("ann", &["1"]);
            company.remove_department("9");
            company.answer_absent("9");
        },
    },
    EventSet {
        name: "removed while somebody's move is late, and asked for then",
        happens: |company| {
            company.create_department("9", "1");
            company.create_department("2", "9");
            company.hire("ann", &["9", "2"]);
            company.transfer("ann", &["1"]);
            company.move_department("2", "1");
            company.remove_department("9");
            company.answer_absent("9");
        },
    },
    EventSet {
        name: "absent, and created again",
        happens: |company| {
            company.create_department("9", "1");
            company.remove_department("9");
            company.answer_absent("9");
            company.create_department("2", "1");
            company.create_department("9", "2");
            company.hire("ann", &["9"]);
            company.move_department("9", "1");
        },
    },
    EventSet {
        name: "answered before, in the second of, and after the reference",
        happens: |company| {
            company.hide_department("9");
            company.answer_absent("9");
            company.hire("ann", &["9"]);
            company.answer_absent("9");
            company.same_second().hire("bob", &["9"]);
            company.answer_absent("9");
        },
    },
    EventSet {
        name: "the tree is turned upside down above a department that is shown late",
        happens: |company| {
            company.create_department("2", "1");
            company.hide_department("9");
            company.create_department("3", "9");
            company.settle();
            company.move_department("2", "3");
            company.answer_absent("9");
            company.move_department("3", "1");
            company.show_department("9", "2");
            company.hire("ann", &["9"]);
        },
    },
    EventSet {
        name: "two departments that are not shown, one of which is the main one",
        happens: |company| {
            company.hide_department("8");
            company.hide_department("9");
            company.hire("ann", &["8", "9"]);
            company.answer_absent("8");
            company.update_member("ann", Fields::new().with(Field::Leads, ["8"].as_slice()));
            company.show_department("8", "1");
        },
    },
    EventSet {
        name: "renamed out of a department that is not shown, and the old id given to a new person",
        happens: |company| {
            company.hide_department("9");
            company.hire("bob", &["9"]);
            company.answer_absent("9");
            company.change_id_with("bob", "bobby", Fields::new().with(Field::Departments, ["1"].as_slice()));
            company.hire("bob", &["9"]);
            company.update_member("bobby", text(Field::Mobile, "1"));
        },
    },
    EventSet {
        name: "nobody can tell a name",
        happens: |company| {
            company.create_department("2", "1");
            company.hire_reduced("Ann", &["2"]);
            company.answer_nameless("ann");
            company.transfer("ann", &["1"]);
            company.update_member("ANN", text(Field::Mobile, "1"));
        },
    },
    EventSet {
        name: "a name is told after all, and taken away with a life",
        happens: |company| {
            company.hire_reduced("ann", &["1"]);
            company.answer_nameless("ann");
            company.update_member("ann", text(Field::Name, "Ann Li"));
            company.dismiss("ann");
            company.hire_reduced("ann", &["1"]);
            company.update_member("ann", text(Field::Title, "engineer"));
        },
    },
    EventSet {
        name: "without a name or a department, renamed, and leading somebody",
        happens: |company| {
            company.hide_department("9");
            company.hire_reduced("ann", &["9"]);
            company.change_id("ann", "anna");
            company.hire_with(
                "bob",
                led_by(&["anna"]).with(Field::Name, "Bob").with(Field::Departments, ["9"].as_slice()),
            );
        },
    },
];
