//! What goes wrong by script and by chance.

use super::*;

const READER: Identity = Identity::App(AGENT);

fn list(stage: &Stage, department: &str) -> i64 {
    code(&stage.get(READER, Interface::UserList, &[("department_id", department)]))
}

#[test]
fn a_department_can_fail_for_ever_and_others_do_not() {
    let stage = Stage::small();
    stage.api.fail(Fault::new(Trouble::Code(-1)).on(Interface::UserList).about(About::department("2")));
    assert_eq!((list(&stage, "2"), list(&stage, "3"), list(&stage, "2")), (-1, 0, -1));
    let simple = stage.get(READER, Interface::UserSimpleList, &[("department_id", "2")]);
    assert_eq!(code(&simple), 0, "another interface");
    stage.api.heal();
    assert_eq!(list(&stage, "2"), 0);
}

#[test]
fn a_page_can_fail_so_many_times() {
    let stage = Stage::of(50, 5);
    let failing = Fault::new(Trouble::Code(6000)).on(Interface::UserListId).about(About::Page(2)).times(2);
    stage.api.fail(failing);
    let first = stage.write(Interface::UserListId, &json!({"limit": 10}));
    let second = || code(&stage.write(Interface::UserListId, &json!({"limit": 10, "cursor": first["next_cursor"]})));
    assert_eq!((second(), second(), second()), (6000, 6000, 0));
}

#[test]
fn a_fault_can_wait_and_can_concern_one_identity_or_member() {
    let stage = Stage::small();
    stage.api.fail(Fault::new(Trouble::Code(-1)).on(Interface::DepartmentSimpleList).by(READER).after(1).times(1));
    let ask = |identity| code(&stage.get(identity, Interface::DepartmentSimpleList, &[]));
    assert_eq!((ask(Identity::Contact), ask(READER), ask(READER), ask(READER)), (0, 0, -1, 0));
    stage.api.fail(Fault::new(Trouble::Code(-1)).about(About::member("BOSS")));
    let get = |id| code(&stage.get(READER, Interface::UserGet, &[("userid", id)]));
    assert_eq!((get("Boss"), get("li")), (-1, 0));
}

#[test]
fn a_call_that_is_cut_is_done_or_not_as_scripted() {
    let stage = Stage::small();
    let create = |name: &str| {
        let query = stage.token_query(Identity::Contact);
        let body = json!({"name": name, "parentid": 1}).to_string();
        stage.call(Interface::DepartmentCreate, &query, body.as_bytes()).delivery
    };
    stage.api.fail(Fault::new(Trouble::Cut).on(Interface::DepartmentCreate).times(1));
    stage.api.fail(Fault::new(Trouble::CutAfter).on(Interface::DepartmentCreate).times(1));
    assert_eq!((create("丁"), create("戊"), create("己")), (Delivery::Cut, Delivery::Cut, Delivery::Now));
    let names: BTreeSet<String> =
        stage.api.company().snapshot().departments.into_values().map(|department| department.name).collect();
    assert!(!names.contains("丁") && names.contains("戊") && names.contains("己"));
    let outcomes: Vec<Outcome> = stage.api.records().iter().map(|record| record.outcome).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Cut).count(), 2);
}

#[test]
fn an_answer_can_be_another_status_or_late_or_held() {
    let stage = Stage::small();
    let query = stage.token_query(READER);
    let answer = |trouble| {
        stage.api.fail(Fault::new(trouble).times(1));
        let answer = stage.call(Interface::GetCallbackIp, &query, b"");
        (answer.status, answer.delivery, answer.body.is_empty())
    };
    let second = Duration::from_secs(1);
    assert_eq!(answer(Trouble::Status(502)), (502, Delivery::Now, true));
    assert_eq!(answer(Trouble::Late(second)), (200, Delivery::Late(second), false));
    assert_eq!(answer(Trouble::Held), (200, Delivery::Held, false));
    stage.api.configure(|options| options.latency = second);
    assert_eq!(answer(Trouble::Late(second)), (200, Delivery::Late(2 * second), false));
    assert_eq!(stage.call(Interface::GetCallbackIp, &query, b"").delivery, Delivery::Late(second));
}

#[test]
fn busy_answers_come_at_their_rate_and_do_not_depend_on_who_is_first() {
    let ask = |order: Vec<usize>| {
        let stage = Stage::of(400, 5).with(|options| options.busy_share = 0.2);
        let members: Vec<String> = stage.api.company().snapshot().members.into_keys().collect();
        // The token first: asking for it may be answered "busy" too.
        let token = (0..50).find_map(|_turn| stage.ask_for_token(APP)["access_token"].as_str().map(str::to_owned));
        let token = token.expect("a token");
        let get = |index: &usize| {
            let id = members[*index].as_str();
            (*index, code(&stage.ask_with(&token, Interface::UserGet, &[("userid", id)], &Value::Null)))
        };
        order.iter().map(get).collect::<std::collections::BTreeMap<usize, i64>>()
    };
    let (forwards, backwards) = (ask((0..400).collect()), ask((0..400).rev().collect()));
    assert_eq!(forwards, backwards);
    let busy = forwards.values().filter(|code| **code == -1).count();
    assert!((40..120).contains(&busy), "{busy} of 400");
    assert!(forwards.values().all(|code| [0, -1].contains(code)));
}

#[test]
fn conflicts_happen_to_writes_and_change_nothing() {
    let stage = Stage::small().with(|options| options.conflict_share = 1.0);
    assert_eq!(list(&stage, "2"), 0);
    assert_eq!(code(&stage.write(Interface::DepartmentCreate, &json!({"name": "丁", "parentid": 1}))), 6000);
    assert_eq!(stage.api.company().department_count(), 4);
}

#[test]
fn each_call_is_kept_with_who_when_and_what() {
    let stage = Stage::small();
    stage.pass_ms(5);
    list(&stage, "2");
    let records = stage.api.records();
    let [token, listed] = records.as_slice() else { panic!("two records, not {records:?}") };
    assert_eq!((token.interface, token.identity, token.outcome), (Interface::GetToken, Some(READER), Outcome::Code(0)));
    let wanted = Record {
        interface: Interface::UserList,
        at_ms: START_MS + 5,
        identity: Some(READER),
        peer: HOME,
        about: Some(About::department("2")),
        outcome: Outcome::Code(0),
    };
    assert_eq!(*listed, wanted);
}
