//! Who is who.

use std::collections::BTreeMap;

use common::{EntityKey, Field};

use super::{DAY, below_root, check, company, department, department_row, member, member_row, root, with};
use crate::plan::{MemberRow, Row, tests::company::NOW};

#[test]
fn a_row_of_the_products_own_is_linked_by_its_id_once() {
    let row = MemberRow { version: 0, ..member_row("ANN", "Ann", &["1"]) };
    let mut company = below_root(vec![member("ann", "Ann", &["1"])], vec![row.into()]);
    check(&company, &["link member ann ANN: same_id"]);
    company.links.push((EntityKey::member("ann"), "ANN".to_owned(), true));
    check(&company, &[]);
}

#[test]
fn members_are_known_by_mobile_email_or_number() {
    let source = vec![
        with(member("a", "A", &["1"]), Field::Mobile, "+86 138-0000-0001"),
        with(member("b", "B", &["1"]), Field::Email, "B@x.cn"),
        with(member("c", "C", &["1"]), Field::Attributes, BTreeMap::from([("number".to_owned(), "7".to_owned())])),
    ];
    let rows = vec![
        MemberRow { mobile: Some("13800000001".into()), ..member_row("u1", "A", &["1"]) }.into(),
        MemberRow { email: Some("b@X.cn".into()), ..member_row("u2", "B", &["1"]) }.into(),
        MemberRow { employee_number: Some("7".into()), ..member_row("u3", "C", &["1"]) }.into(),
    ];
    check(
        &below_root(source, rows),
        &[
            "link member a u1: mobile",
            "link member b u2: email",
            "link member c u3: employee_number",
            "update member a u1: differs: mobile",
            "update member b u2: differs: email",
            "update member c u3: differs: attributes",
        ],
    );
}

#[test]
fn a_number_that_the_platform_has_a_field_for_counts_before_an_attribute() {
    let rows = vec![MemberRow { employee_number: Some("7".into()), ..member_row("u3", "C", &["1"]) }.into()];
    let numbered = with(member("c", "C", &["1"]), Field::EmployeeNumber, "7");
    check(&below_root(vec![numbered.clone()], rows.clone()), &["link member c u3: employee_number"]);
    let other = BTreeMap::from([("number".to_owned(), "8".to_owned())]);
    check(
        &below_root(vec![with(numbered, Field::Attributes, other)], rows),
        &["link member c u3: employee_number", "update member c u3: differs: attributes"],
    );
}

#[test]
fn a_value_that_several_bear_decides_nothing() {
    let source =
        vec![with(member("a", "A", &["1"]), Field::Mobile, "1"), with(member("b", "B", &["1"]), Field::Mobile, "1")];
    let rows = vec![MemberRow { mobile: Some("1".into()), ..member_row("u1", "X", &["1"]) }.into()];
    check(
        &below_root(source, rows),
        &[
            "unsure member a -: ambiguous: mobile (candidates u1)",
            "unsure member b -: ambiguous: mobile (candidates u1)",
        ],
    );
}

#[test]
fn two_values_that_point_at_different_rows_decide_nothing() {
    let source = vec![with(with(member("a", "A", &["1"]), Field::Mobile, "1"), Field::Email, "a@x.cn")];
    let rows = vec![
        MemberRow { mobile: Some("1".into()), ..member_row("u1", "X", &["1"]) }.into(),
        MemberRow { email: Some("a@x.cn".into()), ..member_row("u2", "Y", &["1"]) }.into(),
    ];
    check(&below_root(source, rows), &["unsure member a -: ambiguous: mobile, email (candidates u1, u2)"]);
}

#[test]
fn a_value_is_free_for_others_once_its_bearer_is_known() {
    let source =
        vec![with(member("a", "A", &["1"]), Field::Mobile, "1"), with(member("b", "B", &["1"]), Field::Mobile, "1")];
    let rows = vec![
        MemberRow { mobile: Some("1".into()), ..member_row("a", "A", &["1"]) }.into(),
        MemberRow { mobile: Some("1".into()), ..member_row("u1", "B", &["1"]) }.into(),
    ];
    check(&below_root(source, rows), &["link member b u1: mobile"]);
}

#[test]
fn a_person_who_rejects_one_of_two_candidates_leaves_the_other() {
    let source = vec![with(member("a", "A", &["1"]), Field::Mobile, "1")];
    let rows = vec![
        MemberRow { mobile: Some("1".into()), ..member_row("u1", "A", &["1"]) }.into(),
        MemberRow { mobile: Some("1".into()), ..member_row("u2", "A", &["1"]) }.into(),
    ];
    let mut company = below_root(source, rows);
    check(&company, &["unsure member a -: ambiguous: mobile (candidates u1, u2)"]);
    company.rejected.push((EntityKey::member("a"), "u2".to_owned()));
    check(&company, &["link member a u1: mobile", "disable member - u2: gone"]);
}

#[test]
fn the_same_name_in_the_same_department_is_for_a_person_to_decide() {
    let rows = vec![member_row("u1", "Ann", &["1"]).into()];
    let mut company = below_root(vec![member("ann", "Ann", &["1"])], rows);
    check(&company, &["unsure member ann -: same_name: name (candidates u1)"]);
    company.rejected.push((EntityKey::member("ann"), "u1".to_owned()));
    check(&company, &["create member ann ann: absent", "disable member - u1: gone"]);
}

#[test]
fn a_disabled_row_is_taken_back_by_id_but_not_by_a_value() {
    let left = |id: &str| MemberRow {
        mobile: Some("1".into()),
        status: Some("left".into()),
        deleted_at: Some(NOW.plus_millis(-DAY)),
        ..member_row(id, "Ann", &["1"])
    };
    let source = vec![with(member("ann", "Ann", &["1"]), Field::Mobile, "1")];
    check(
        &below_root(source.clone(), vec![left("u1").into()]),
        &["unsure member ann -: disabled: mobile (candidates u1)"],
    );
    let plan =
        check(&below_root(source.clone(), vec![left("ann").into()]), &["update member ann ann: returned: deleted_at"]);
    let Some(Row::Member(after)) = plan.after(&plan.items()[0], Some(&source[0].1), Some(&left("ann").into())) else {
        panic!("no row");
    };
    assert_eq!((after.status.as_deref(), after.deleted_at), (Some("active"), None));
}

#[test]
fn a_link_that_nobody_confirmed_asks_and_one_that_somebody_did_decides() {
    let rows = vec![member_row("u1", "Somebody", &["1"]).into()];
    let mut company = below_root(vec![member("ann", "Ann", &["1"])], rows);
    company.links.push((EntityKey::member("ann"), "u1".to_owned(), false));
    check(&company, &["unsure member ann -: proposed (candidates u1)"]);
    company.links.push((EntityKey::member("ann"), "u1".to_owned(), true));
    check(&company, &["update member ann u1: differs: name"]);
}

#[test]
fn departments_are_known_by_their_names_below_the_same_parent() {
    let source = vec![
        department("2", "Sales", "1"),
        department("3", "North", "2"),
        department("4", "North", "1"),
        member("ann", "Ann", &["3"]),
    ];
    let rows = vec![
        department_row("s", "Sales", Some("1")).into(),
        department_row("n", "North", Some("s")).into(),
        department_row("m", "North", Some("1")).into(),
        member_row("ann", "Ann", &["n"]).into(),
    ];
    check(
        &below_root(source, rows),
        &["link department 2 s: name", "link department 3 n: name", "link department 4 m: name"],
    );
}

#[test]
fn the_root_is_the_only_row_without_a_parent() {
    let rows: Vec<Row> = vec![department_row("hq", "Headquarters", None).into()];
    check(
        &company(vec![root()], rows.clone()),
        &["link department 1 hq: root", "update department 1 hq: differs: name"],
    );
    let rows = [rows, vec![department_row("hq2", "More", None).into()]].concat();
    check(
        &company(vec![root(), department("2", "B", "1")], rows),
        &["unsure department 1 -: ambiguous (candidates hq, hq2)", "unsure department 2 -: blocked by department 1"],
    );
}

#[test]
fn what_an_undecided_department_holds_is_left_alone() {
    let source = vec![department("2", "Sales", "1"), department("3", "North", "2"), member("ann", "Ann", &["2"])];
    let rows = vec![
        department_row("s1", "Sales", Some("1")).into(),
        department_row("s2", "Sales", Some("1")).into(),
        department_row("n", "North", Some("s1")).into(),
        member_row("u1", "Somebody", &["n"]).into(),
    ];
    check(
        &below_root(source, rows),
        &[
            "unsure department 2 -: ambiguous: name (candidates s1, s2)",
            "unsure department 3 -: blocked by department 2",
            "unsure member ann -: blocked by department 2",
        ],
    );
}

#[test]
fn an_id_that_is_somebody_elses_is_not_taken() {
    let rows = vec![member_row("ann", "Bob", &["1"]).into()];
    let mut company = below_root(vec![member("ann", "Ann", &["1"]), member("bob", "Bob", &["1"])], rows);
    company.links.push((EntityKey::member("bob"), "ann".to_owned(), true));
    check(&company, &["impossible member ann -: id_taken"]);
}
