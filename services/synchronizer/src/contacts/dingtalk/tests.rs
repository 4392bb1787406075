use common::Value;

use super::*;

fn path(ids: &[&str]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn parents(paths: &[Vec<String>]) -> Vec<(String, String)> {
    let mut parents: Vec<(String, String)> = above(paths)
        .into_values()
        .map(|place| (place.id, place.fields.text(Field::Parent).unwrap_or_default().to_owned()))
        .collect();
    parents.sort();
    parents
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(id, parent)| ((*id).to_owned(), (*parent).to_owned())).collect()
}

#[test]
fn a_way_up_to_the_root_tells_the_parent_of_each_department_on_it() {
    let paths = [path(&["30", "20", "1"]), path(&["40", "20", "1"])];
    assert_eq!(parents(&paths), pairs(&[("20", "1"), ("30", "20"), ("40", "20")]));
    assert_eq!(parents(&[path(&["1"])]), pairs(&[]));
    assert_eq!(parents(&[path(&[])]), pairs(&[]));
}

#[test]
fn departments_of_external_contacts_are_none_of_the_company() {
    assert_eq!(parents(&[path(&["-7", "1"]), path(&["30", "-7"])]), pairs(&[]));
    let fields = Fields::new()
        .with(Field::Departments, ["-7", "30"].as_slice())
        .with(Field::Leads, ["-7"].as_slice())
        .with(Field::Name, "张三");
    let seen = Seen::from(Member { id: "user1".to_owned(), fields });
    assert_eq!(seen.fields.list(Field::Departments), ["30"]);
    assert_eq!(seen.fields.get(Field::Leads), Some(&Value::List(Vec::new())));
    assert_eq!(seen.fields.text(Field::Name), Some("张三"));
}
