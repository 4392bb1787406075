use common::{UnixMillis, Value};
use directory::{Fact, Sent, Told as FactTold};

use super::*;

fn member() -> EntityKey {
    EntityKey::member("Li")
}

fn part(at: i64, fields: Fields) -> Part {
    Part { at: UnixMillis(at), fields }
}

fn row(place: Option<Part>, details: Option<Part>) -> Row {
    Row { id: "Li".to_owned(), place, details }
}

fn within(departments: &[&str]) -> Fields {
    Fields::new().with(Field::Departments, departments)
}

fn record(facts: &[(i64, FactTold)]) -> Record {
    let facts = facts.iter().map(|(at, told)| Fact { at: UnixMillis(*at), told: told.clone() }).collect();
    Record { facts, ..Record::default() }
}

fn live(facts: &[(i64, FactTold)]) -> Record {
    let entity = common::Entity { shown_id: "Li".to_owned(), fields: Fields::new(), incomplete: false };
    let sent = Sent { entity, at: UnixMillis(0), refers_to: Vec::new() };
    Record { sent: Some(sent), ..record(facts) }
}

/// The fields that are told.
fn told(difference: Option<Difference>) -> Vec<(i64, &'static str, Vec<Field>)> {
    let Some(Difference::Told(told)) = difference else { return Vec::new() };
    let fields = |what: &What| what.fields().unwrap().iter().map(|(field, _)| field).collect();
    told.iter().map(|told| (told.at.0, told.what.as_str(), fields(&told.what))).collect()
}

fn compare(key: &EntityKey, row: Option<&Row>, record: Option<&Record>) -> Option<Difference> {
    super::compare(key, row, record, &Reborn::default())
}

fn compare_details(key: &EntityKey, row: &Row, record: &Record) -> Option<Observation> {
    super::compare_details(key, row, record, &Reborn::default())
}

#[test]
fn only_what_differs_is_told() {
    let known = live(&[(10, FactTold::Created(within(&["2", "4"]).with(Field::Name, "李").with(Field::Title, "a")))]);
    let details = within(&["4", "2"]).with(Field::Name, "李").with(Field::Title, "b");
    let row = row(Some(part(50, within(&["4", "2"]))), Some(part(60, details)));
    assert_eq!(told(compare(&member(), Some(&row), Some(&known))), [(50, "updated", vec![Field::Title])]);
}

#[test]
fn what_was_told_since_is_left_alone() {
    let known = live(&[(70, FactTold::Updated(within(&["9"]).with(Field::Title, "newer")))]);
    let row = row(Some(part(50, within(&["2"]))), Some(part(60, within(&["2"]).with(Field::Title, "b"))));
    assert_eq!(compare(&member(), Some(&row), Some(&known)), None);
}

#[test]
fn who_left_after_being_listed_is_not_brought_back() {
    let row = row(Some(part(50, within(&["2"]))), Some(part(60, within(&["2"]).with(Field::Title, "b"))));
    let left = record(&[(10, FactTold::Created(within(&["2"]))), (50, FactTold::Removed)]);
    assert_eq!(compare(&member(), Some(&row), Some(&left)), None);
    let back = live(&[(55, FactTold::Removed), (70, FactTold::Created(within(&["9"])))]);
    assert_eq!(compare(&member(), Some(&row), Some(&back)), None, "what it was before is no part of its new life");
}

#[test]
fn who_is_new_or_was_removed_is_created() {
    let row = row(Some(part(50, within(&["2"]))), None);
    let gone = record(&[(10, FactTold::Created(within(&["2"]))), (20, FactTold::Removed)]);
    for record in [None, Some(&gone)] {
        assert_eq!(told(compare(&member(), Some(&row), record)), [(50, "created", vec![Field::Departments])]);
    }
}

#[test]
fn memberships_of_an_app_that_sees_some_departments_are_not_believed() {
    let known = live(&[(10, FactTold::Created(within(&["2", "4"]).with(Field::Leads, ["4"].as_slice())))]);
    let details = within(&["2"]).with(Field::Leads, Value::List(Vec::new())).with(Field::MainDepartment, "2");
    let row = row(Some(part(50, within(&["2", "4"]))), Some(part(60, details)));
    assert_eq!(compare(&member(), Some(&row), Some(&known)), None);
}

#[test]
fn who_is_missing_is_only_said_to_be_so_where_the_mirror_has_it_live() {
    let facts = [(10, FactTold::Created(within(&["2"])))];
    assert_eq!(compare(&member(), None, Some(&live(&facts))), Some(Difference::Missing));
    assert_eq!(compare(&member(), None, Some(&record(&facts))), None);
    assert_eq!(compare(&EntityKey::department("1"), None, Some(&live(&facts))), None);
}

#[test]
fn what_differs_answers_no_question() {
    let known = live(&[(10, FactTold::Created(within(&["2"])))]);
    let row = row(Some(part(50, within(&["2"]))), Some(part(60, within(&["4"]).with(Field::Title, "b"))));
    let Some(Difference::Told(pulled)) = compare(&member(), Some(&row), Some(&known)) else {
        panic!("nothing differs")
    };
    let walked = compare_details(&member(), &row, &known).unwrap();
    assert!(pulled.iter().chain([&walked]).all(|told| !told.answer), "where the member is was not told");
}

#[test]
fn who_only_the_app_has_is_unsure() {
    let row = row(None, Some(part(60, within(&["2"]))));
    assert_eq!(compare(&member(), Some(&row), None), Some(Difference::Unsure));
}

#[test]
fn details_alone_tell_nothing_of_somebody_who_is_not_there() {
    let details = within(&["2"]).with(Field::Title, "b");
    let row = row(None, Some(part(60, details)));
    let facts = [(10, FactTold::Created(within(&["2"])))];
    let seen = compare_details(&member(), &row, &live(&facts)).unwrap();
    assert_eq!(seen.what.fields().unwrap().iter().map(|(field, _)| field).collect::<Vec<_>>(), [Field::Title]);
    let gone = record(&[(10, FactTold::Created(within(&["2"]))), (20, FactTold::Removed)]);
    assert_eq!(compare_details(&member(), &row, &gone), None);
}
