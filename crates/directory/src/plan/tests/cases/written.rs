//! What is written.

use common::{EntityKey, Field};

use super::{below_root, check, company, department, department_row, member, member_row, root, with};
use crate::plan::{MemberRow, Row};

#[test]
fn an_empty_core_gets_everything_parents_first() {
    let source = vec![
        member("Ann", "Ann", &["3"]),
        department("3", "C", "2"),
        department("2", "B", "1"),
        root(),
        department("10", "D", "1"),
    ];
    check(
        &company(source, vec![]),
        &[
            "create department 1 1: absent",
            "create department 10 10: absent",
            "create department 2 2: absent",
            "create department 3 3: absent",
            "create member Ann Ann: absent",
        ],
    );
}

#[test]
fn two_sides_that_agree_need_nothing() {
    let source = vec![department("2", "B", "1"), member("Ann", "Ann", &["2", "1"])];
    let rows = vec![department_row("2", "B", Some("1")).into(), member_row("ann", "Ann", &["2", "1"]).into()];
    check(&below_root(source, rows), &[]);
}

#[test]
fn only_what_the_source_tells_is_compared_and_changed() {
    let row = MemberRow {
        title: Some("Engineer".into()),
        mobile: Some("1".into()),
        attributes: [("alias".to_owned(), "A".to_owned()), ("shoe size".to_owned(), "43".to_owned())].into(),
        ..member_row("ann", "Ann", &["1"])
    };
    let told = with(with(member("ann", "Anne", &["1"]), Field::Mobile, ""), Field::Alias, "B");
    let company = below_root(vec![told.clone()], vec![row.clone().into()]);
    let plan = check(&company, &["update member ann ann: differs: name, mobile, attributes"]);
    let after = plan.after(&plan.items()[0], Some(&told.1), Some(&row.clone().into()));
    let expected = MemberRow {
        name: "Anne".into(),
        mobile: None,
        status: Some("active".into()),
        attributes: [("alias".to_owned(), "B".to_owned()), ("shoe size".to_owned(), "43".to_owned())].into(),
        ..row
    };
    assert_eq!(after, Some(Row::Member(expected)));
}

#[test]
fn an_id_that_stands_in_for_a_name_replaces_no_name() {
    let mut nameless = member("ann", "ann", &["1"]);
    nameless.1.incomplete = true;
    check(&below_root(vec![nameless.clone()], vec![member_row("ann", "Ann", &["1"]).into()]), &[]);
    let plan = check(&below_root(vec![nameless.clone()], vec![]), &["create member ann ann: absent"]);
    let Some(Row::Member(row)) = plan.after(&plan.items()[0], Some(&nameless.1), None) else { panic!("no row") };
    assert_eq!(row.name, "ann");
}

#[test]
fn references_are_told_in_the_ids_of_the_destination() {
    let source = vec![
        department("2", "Sales", "1"),
        with(member("ann", "Ann", &["2", "1"]), Field::Leaders, &["Bob"][..]),
        member("bob", "Bob", &["1"]),
    ];
    let rows = vec![department_row("s", "Sales", Some("1")).into(), member_row("u7", "Robert", &["1"]).into()];
    let mut company = below_root(source.clone(), rows);
    company.links.push((EntityKey::member("bob"), "u7".to_owned(), true));
    let plan = check(
        &company,
        &["link department 2 s: name", "create member ann ann: absent", "update member bob u7: differs: name"],
    );
    let Some(Row::Member(row)) = plan.after(&plan.items()[1], Some(&source[1].1), None) else { panic!("no row") };
    assert_eq!((row.main_department_id.as_deref(), row.manager_id.as_deref()), (Some("s"), Some("u7")));
    let places: Vec<&str> = row.departments.iter().map(|place| place.department_id.as_str()).collect();
    assert_eq!(places, ["s", "1"]);
    assert_eq!(plan.core_id(&EntityKey::member("BOB")).as_deref(), Some("u7"));
}

#[test]
fn circles_orphans_and_duplicates_are_impossible() {
    let source = vec![
        department("2", "B", "3"),
        department("3", "C", "2"),
        department("4", "D", "3"),
        department("5", "E", "9"),
        member("ann", "Ann", &["5"]),
        member("bob", "Bob", &["1"]),
        member("BOB", "Bob", &["1"]),
        member("cy", "C\0", &["1"]),
    ];
    let rows = vec![
        member_row("bob", "Bob", &["1"]).into(),
        member_row("u", "U", &["1"]).into(),
        member_row("U", "U", &["1"]).into(),
    ];
    check(
        &below_root(source, rows),
        &[
            "impossible department 2 -: cycle",
            "impossible department 3 -: cycle",
            "impossible department 4 -: blocked by department 3",
            "impossible department 5 -: orphan by department 9",
            "impossible member ann -: blocked by department 5",
            "impossible member bob bob: duplicate_id",
            "impossible member cy -: unstorable",
            "impossible member - u: duplicate_row",
        ],
    );
}

#[test]
fn a_department_cannot_go_below_one_that_cannot_be_placed() {
    // Else 3 would lie below 2, which stays below 3.
    let source = vec![department("2", "B", "9"), department("3", "C", "2")];
    let rows = vec![department_row("2", "B", Some("3")).into(), department_row("3", "C", Some("1")).into()];
    check(
        &below_root(source, rows),
        &["impossible department 2 2: orphan by department 9", "impossible department 3 3: blocked by department 2"],
    );
}
