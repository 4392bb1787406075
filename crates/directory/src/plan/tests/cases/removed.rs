//! What is removed.

use common::EntityKind;

use super::{DAY, below_root, check, company, department, department_row, member, member_row, root};
use crate::plan::{Brake, DepartmentRow, Excess, Limit, MemberRow, PerKind, Verdict, tests::company::NOW};

#[test]
fn departments_go_last_and_children_before_parents() {
    let rows = vec![
        department_row("2", "B", Some("1")).into(),
        department_row("3", "C", Some("2")).into(),
        member_row("ann", "Ann", &["3"]).into(),
        member_row("bob", "Bob", &["3"]).into(),
    ];
    check(
        &below_root(vec![member("ann", "Ann", &["1"])], rows),
        &[
            "update member ann ann: differs: main_department_id, departments",
            "disable member - bob: gone",
            "disable department - 3: gone",
            "disable department - 2: gone",
        ],
    );
}

#[test]
fn a_department_in_which_something_stays_is_kept() {
    let rows = vec![department_row("2", "B", Some("1")).into(), member_row("ann", "Ann", &["2"]).into()];
    // Where she is now is nowhere, so her row stays as it is.
    check(
        &below_root(vec![member("ann", "Ann", &["9"])], rows),
        &["impossible member ann ann: orphan by department 9", "impossible department - 2: not_empty"],
    );
}

#[test]
fn who_was_disabled_for_long_enough_is_deleted() {
    let gone =
        |id: &str, days: i64| MemberRow { deleted_at: Some(NOW.plus_millis(-days * DAY)), ..member_row(id, id, &[]) };
    let emptied = MemberRow { name: String::new(), ..gone("d", 99) };
    let closed = DepartmentRow { deleted_at: Some(NOW.plus_millis(-31 * DAY)), ..department_row("2", "B", Some("1")) };
    let held = DepartmentRow { id: "3".into(), ..closed.clone() };
    let recent = MemberRow { main_department_id: Some("3".into()), ..gone("c", 30) };
    let rows = vec![gone("a", 31).into(), recent.into(), emptied.into(), closed.into(), held.into()];
    check(&below_root(vec![], rows), &["delete member - a: expired", "delete department - 2: expired"]);
}

#[test]
fn an_incomplete_side_removes_nothing() {
    let rows = vec![department_row("2", "B", Some("1")).into(), member_row("ann", "Ann", &["2"]).into()];
    let mut company = below_root(vec![member("bob", "Bob", &["2"])], rows);
    company.options.source_complete = false;
    // Department 2 may be there: its row is.
    check(&company, &["create member bob bob: absent"]);
    company.options.source_complete = true;
    company.options.destination_complete = false;
    check(&company, &["create member bob bob: absent"]);
    company.options.destination_complete = true;
    check(
        &company,
        &[
            "disable member - ann: gone",
            "disable department - 2: gone",
            "impossible member bob -: orphan by department 2",
        ],
    );
}

#[test]
fn a_product_s_own_tree_above_the_root_stays() {
    let source = vec![root(), department("2", "B", "1")];
    let rows = vec![
        department_row("0", "Group", None).into(),
        department_row("1", "Acme", Some("0")).into(),
        department_row("2", "B", Some("1")).into(),
    ];
    check(&company(source, rows), &["impossible department - 0: not_empty"]);
}

#[test]
fn the_brake_stops_what_exceeds_share_and_count_or_the_maximum() {
    let brake = Brake { share: 0.1, count: 5, max: 200 };
    let verdict = |departments: (u64, u64), members: (u64, u64)| {
        let removals = PerKind { departments: departments.0, members: members.0 };
        brake.verdict(removals, PerKind { departments: departments.1, members: members.1 })
    };
    // Five of five are all, but only five; ten of a hundred are a tenth and no more.
    assert_eq!(verdict((5, 5), (10, 100)), Verdict::Allowed);
    assert_eq!(verdict((0, 5), (200, 100_000)), Verdict::Allowed);
    let excess = |kind, removals, live, limit| Excess { kind, removals, live, limit };
    let members = excess(EntityKind::Member, 11, 100, Limit::Share);
    assert_eq!(verdict((5, 5), (11, 100)), Verdict::Quarantine { why: vec![members] });
    assert_eq!(members.to_string(), "11 of 100 members");
    let departments = excess(EntityKind::Department, 201, 100_000, Limit::Max);
    assert_eq!(verdict((201, 100_000), (11, 100)), Verdict::Quarantine { why: vec![departments, members] });
}

#[test]
fn a_plan_counts_what_goes_and_what_is_alive() {
    let left = MemberRow { deleted_at: Some(NOW.plus_millis(-31 * DAY)), ..member_row("b", "B", &[]) };
    let rows = vec![member_row("a", "A", &["1"]).into(), left.into(), department_row("2", "B", Some("1")).into()];
    let plan = below_root(vec![], rows).plan();
    assert_eq!(plan.removals(), PerKind { departments: 1, members: 2 });
    assert_eq!(plan.live(), PerKind { departments: 2, members: 1 });
}
