use common::EntityKey;

use super::*;

const AT: UnixMillis = UnixMillis(50_000);
const LISTED: UnixMillis = UnixMillis(40_000);

fn question(departments: &[&str], places: bool) -> Question {
    Question {
        about: EntityKey::member("Li"),
        hinted_at: UnixMillis(0),
        told_at: UnixMillis(0),
        attempts: 0,
        absent_since: None,
        is_live: false,
        exists: false,
        departments: departments.iter().map(ToString::to_string).collect(),
        places,
        traceparent: None,
    }
}

fn told(departments: &[&str]) -> Details {
    let fields = Fields::new()
        .with(Field::Name, "李")
        .with(Field::Departments, departments)
        .with(Field::Leads, departments)
        .with(Field::MainDepartment, "2");
    Details::Told(AT, Seen { id: "Li".to_owned(), fields })
}

fn place(departments: &[&str]) -> Place {
    Place { id: "Li".to_owned(), fields: Fields::new().with(Field::Departments, departments) }
}

fn answered(settled: Settled) -> Vec<(UnixMillis, What)> {
    match settled {
        Settled::Answered(told) => {
            assert!(told.iter().all(|told| told.answer && !told.hint && told.id == "Li"));
            told.into_iter().map(|told| (told.at, told.what)).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_app_that_sees_all_departments_tells_which_are_led() {
    let fields = Fields::new()
        .with(Field::Name, "李")
        .with(Field::Leads, ["4", "2"].as_slice())
        .with(Field::MainDepartment, "2");
    let settled = settle(&question(&["2", "4"], false), &told(&["4", "2"]), Listed::Unknown);
    assert_eq!(answered(settled), [(AT, What::Updated { fields })]);
}

#[test]
fn an_app_that_sees_some_departments_tells_details_only() {
    let fields = Fields::new().with(Field::Name, "李");
    let settled = settle(&question(&["2", "4"], false), &told(&["2"]), Listed::Unknown);
    assert_eq!(answered(settled), [(AT, What::Updated { fields })]);
}

#[test]
fn who_is_seen_where_nobody_knew_it_to_be_is_looked_up_in_the_list() {
    assert_eq!(settle(&question(&["2"], false), &told(&["2", "7"]), Listed::Unknown), Settled::NeedsList);
    assert_eq!(settle(&question(&["2"], true), &told(&["2"]), Listed::Unknown), Settled::NeedsList);
}

#[test]
fn memberships_come_from_the_list_and_keep_their_order_and_the_earlier_time_holds() {
    let settled = settle(&question(&["4", "2"], true), &told(&["2", "4"]), Listed::There(LISTED, &place(&["2", "4"])));
    let fields = Fields::new()
        .with(Field::Name, "李")
        .with(Field::Departments, ["4", "2"].as_slice())
        .with(Field::Leads, ["2", "4"].as_slice())
        .with(Field::MainDepartment, "2");
    assert_eq!(answered(settled), [(LISTED, What::Updated { fields })]);
}

#[test]
fn who_is_there_and_not_seen_is_nameless() {
    let settled = settle(&question(&[], true), &Details::Unseen, Listed::There(LISTED, &place(&["2"])));
    let fields = Fields::new().with(Field::Departments, ["2"].as_slice());
    assert_eq!(answered(settled), [(LISTED, What::Updated { fields }), (LISTED, What::Nameless)]);
}

#[test]
fn without_an_app_nobody_is_called_nameless() {
    let settled = settle(&question(&[], true), &Details::NoApp, Listed::There(LISTED, &place(&["2"])));
    assert_eq!(answered(settled).len(), 1);
}

#[test]
fn who_is_not_seen_is_missing_only_by_the_list() {
    assert_eq!(settle(&question(&["2"], false), &Details::Unseen, Listed::Unknown), Settled::NeedsList);
    assert_eq!(settle(&question(&["2"], false), &Details::Unseen, Listed::NotThere(LISTED)), Settled::Missing(LISTED));
}

#[test]
fn who_is_seen_is_there_whatever_the_list_says() {
    let settled = settle(&question(&["2"], false), &told(&["2"]), Listed::NotThere(LISTED));
    assert_eq!(answered(settled).len(), 1);
}

#[test]
fn who_was_never_sent_and_is_not_there_has_gone() {
    let told = |question: &Question| -> Vec<(UnixMillis, What)> {
        absent(question, LISTED).into_iter().map(|told| (told.at, told.what)).collect()
    };
    let unheard_of = question(&[], true);
    assert_eq!(told(&unheard_of), [(LISTED, What::Absent)]);
    let waiting = Question { exists: true, ..question(&["2"], true) };
    assert_eq!(told(&waiting), [(LISTED, What::Absent), (LISTED, What::Removed)]);
}

#[test]
fn details_tell_where_a_member_is_if_that_is_where_it_is_known_to_be() {
    let mut known = question(&["2", "4"], false);
    assert_eq!(place_in(&mut known, &told(&["4", "2"])), Some((AT, place(&["4", "2"]))));
    assert!(!known.places);
}

#[test]
fn who_is_shown_in_other_departments_than_known_is_looked_up() {
    let known_and_shown: [(&[&str], &[&str]); 3] = [(&["2", "4"], &["2"]), (&["2"], &["2", "4"]), (&[], &["2"])];
    for (known, shown) in known_and_shown {
        let mut question = question(known, false);
        let details = told(shown);
        assert_eq!(place_in(&mut question, &details), None, "{known:?} {shown:?}");
        assert_eq!(settle(&question, &details, Listed::Unknown), Settled::NeedsList, "{known:?} {shown:?}");
    }
}

#[test]
fn what_is_hidden_is_there_whatever_the_lists_have() {
    let empty = Fields::new();
    let settled = settle(&question(&["2"], true), &Details::Hidden, Listed::NotThere(LISTED));
    assert_eq!(answered(spelled(settled)), [(LISTED, What::Updated { fields: empty }), (LISTED, What::Nameless)]);
    assert_eq!(settle(&question(&["2"], false), &Details::Hidden, Listed::Unknown), Settled::NeedsList);
}

/// About a key, which has a spelling of its own.
fn spelled(settled: Settled) -> Settled {
    let Settled::Answered(told) = settled else { return settled };
    Settled::Answered(told.into_iter().map(|told| Observation { id: "Li".to_owned(), ..told }).collect())
}

#[test]
fn who_is_listed_and_not_found_is_asked_for_again_and_not_for_ever() {
    let listed = place(&["2"]);
    let settled = |attempts| {
        settle(&Question { attempts, ..question(&[], true) }, &Details::Gone, Listed::There(LISTED, &listed))
    };
    assert_eq!(settled(GONE_ATTEMPTS - 1), Settled::NeedsList);
    assert_eq!(answered(settled(GONE_ATTEMPTS)).len(), 2);
    assert_eq!(settle(&question(&[], true), &Details::Gone, Listed::NotThere(LISTED)), Settled::Missing(LISTED));
}
