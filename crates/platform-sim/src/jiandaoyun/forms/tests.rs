use std::time::Duration;

use super::*;
use crate::jiandaoyun::samples::{contract_form, rich_form};

/// 21 November 2026, noon in UTC.
const START_MS: i64 = 1_795_262_400_000;

struct Office {
    forms: Forms,
    clock: Clock,
    form: FormId,
}

fn office(new: NewForm) -> Office {
    let clock = Clock::manual(START_MS);
    let mut forms = Forms::new(FormsOptions::default(), clock.clone());
    let form = new.id.clone();
    forms.add_form(new).expect("a new form");
    Office { forms, clock, form }
}

impl Office {
    fn submit(&mut self) -> String {
        self.forms.submit(&self.form, json!({ "_widget_1001": "张三" })).expect("a known form")
    }

    fn ops(&mut self) -> Vec<Op> {
        self.forms.take_events().iter().map(|event| event.op).collect()
    }

    /// What can be read of a record now.
    fn readable(&self, id: &str) -> Option<&FormRecord> {
        self.forms.form(&self.form).expect("the form").readable_record(id, self.clock.now_ms())
    }
}

#[test]
fn what_people_do_raises_one_push_each_and_what_is_done_in_bulk_or_by_the_api_none() {
    let mut office = office(contract_form());
    let id = office.submit();
    let form = office.form.clone();
    office.forms.edit(&form, &id, json!({ "_widget_1004": "工程师" })).expect("a record");
    office.forms.step(&form, &id, FlowState::Approved).expect("a record");
    office.forms.remove(&form, &id).expect("a record");
    assert_eq!(office.forms.record(&form, &id), None);
    office.forms.recover(&form, &id).expect("a deleted record");
    assert_eq!(office.ops(), [Op::Create, Op::Update, Op::Update, Op::Remove, Op::Recover]);

    let imported = office.forms.import(&form, vec![json!({}), json!({})]).expect("a known form");
    let ids: Vec<&str> = imported.iter().map(String::as_str).collect();
    office.forms.edit_many(&form, &ids, &json!({ "_widget_1001": "李四" })).expect("records");
    office.forms.remove_many(&form, &ids).expect("records");
    let data = json!({ "_widget_1009": { "value": "已创建" } });
    office.forms.write_over(&form, &id, data.as_object().expect("an object")).expect("it is written");
    assert!(office.ops().is_empty());
    let record = office.forms.record(&form, &id).expect("a record");
    assert_eq!((record.updater.as_str(), &record.values["_widget_1009"]), ("#admin", &json!("已创建")));

    office.forms.set_pushes(&form, false).expect("the form");
    office.submit();
    assert!(office.ops().is_empty());
}

#[test]
fn what_is_not_there_is_refused() {
    let mut office = office(contract_form());
    let form = office.form.clone();
    let other = FormId::new("64a0c0ffee000000000000aa", "64a0c0ffee0000000000dead");
    assert_eq!(office.forms.submit(&other, json!({})), Err(Illegal::UnknownForm(other)));
    let unknown = Illegal::UnknownField("_widget_1".to_owned());
    assert_eq!(office.forms.submit(&form, json!({ "_widget_1": 1 })), Err(unknown));
    assert_eq!(office.forms.submit(&form, json!([])), Err(Illegal::NoObject));
    assert_eq!(office.forms.remove(&form, "x"), Err(Illegal::UnknownRecord("x".to_owned())));
    assert_eq!(office.forms.add_form(contract_form()), Err(Illegal::FormExists(form)));
}

#[test]
fn a_change_is_readable_after_its_lag_and_has_its_own_earlier_time() {
    let mut office = office(contract_form());
    let form = office.form.clone();
    let id = office.submit();
    office.forms.set_lag_ms(5_000);
    office.clock.advance(Duration::from_secs(1));
    office.forms.edit(&form, &id, json!({ "_widget_1001": "李四" })).expect("a record");
    office.clock.advance(Duration::from_millis(4_999));
    assert_eq!(office.readable(&id).map(|record| record.updated_ms), Some(START_MS));
    office.clock.advance(Duration::from_millis(1));
    let record = office.readable(&id).expect("a record");
    assert_eq!((record.updated_ms, &record.values["_widget_1001"]), (START_MS + 1_000, &json!("李四")));
    office.forms.remove(&form, &id).expect("a record");
    assert!(office.readable(&id).is_some(), "nobody knows yet");
    office.clock.advance(Duration::from_secs(5));
    assert!(office.readable(&id).is_none());
}

#[test]
fn what_happened_before_comes_with_the_id_and_the_times_of_then() {
    let mut office = office(contract_form());
    let now = office.submit();
    let form = office.form.clone();
    let then = office.forms.at(START_MS - 60_000, |forms| forms.submit(&form, json!({}))).expect("a known form");
    assert!(then < now);
    let record = office.readable(&then).expect("a record");
    assert_eq!((record.created_ms, record.updated_ms), (START_MS - 60_000, START_MS - 60_000));
    assert_eq!(office.forms.now_ms(), START_MS);
}

#[test]
fn workflows_go_on_by_themselves_each_step_at_its_time() {
    let mut office = office(contract_form());
    let form = office.form.clone();
    let id = office.submit();
    assert_eq!(office.readable(&id).and_then(|record| record.flow_state), Some(FlowState::Running));
    office.forms.live(&form, &id, Life::Reactivated, START_MS + 1_000, Duration::from_secs(1));
    office.forms.catch_up();
    office.clock.advance(Duration::from_secs(2));
    office.forms.catch_up();
    let record = office.readable(&id).expect("a record");
    assert_eq!((record.flow_state, record.updated_ms), (Some(FlowState::Running), START_MS + 2_000));
    office.forms.set_steps_move_update_time(false);
    office.clock.advance(Duration::from_secs(9));
    office.forms.catch_up();
    let record = office.readable(&id).expect("a record");
    assert_eq!((record.flow_state, record.updated_ms), (Some(FlowState::Approved), START_MS + 2_000));
    assert_eq!(office.ops().len(), 4);
}

#[test]
fn names_of_people_and_numbers_of_departments_become_what_they_name() {
    let mut office = office(rich_form());
    let form = office.form.clone();
    let left = Person { status: -1, departments: vec![12], ..Person::new("zhao", "赵") };
    office.forms.add_person(left);
    let team = Department { integrate_id: Some(12), ..Department::new(12, "研发部", 1) };
    office.forms.add_department(team);
    let values = json!({
        "_widget_2012": "zhao", "mentors": ["zhao", "nobody"], "_widget_2014": 12, "teams": [12],
        "mobile": "13800000000", "_widget_2004": START_MS,
        "schools": [{ "school": "同济", "_widget_2102": "2020-06-30T16:00:00.000Z" }],
    });
    let id = office.forms.submit(&form, values).expect("known fields");
    let events = office.forms.take_events();
    let record = office.forms.record(&form, &id).expect("a record").clone();
    let told = office.forms.told(office.forms.form(&form).expect("the form"), &record, Look::Whole);
    let zhao = json!({ "name": "赵", "username": "zhao", "status": -1, "type": 0, "departments": [12] });
    assert_eq!((&told["_widget_2012"], &told["mentors"][0]), (&zhao, &zhao));
    let team = json!({ "name": "研发部", "dept_no": 12, "type": 0, "parent_no": 1, "status": 1, "integrate_id": 12 });
    assert_eq!((&told["_widget_2014"], &told["teams"][0]), (&team, &team));
    assert_eq!(told["mobile"], json!({ "phone": "13800000000", "verified": false }));
    assert_eq!(told["_widget_2004"], "2026-11-21T12:00:00.000Z");
    assert_eq!((&told["schools"][0]["school"], told["schools"][0]["_id"].is_string()), (&json!("同济"), true));
    assert_eq!((&told["flowState"], &told["deleter"]), (&json!(0), &Value::Null));

    let pushed = &events[0].data;
    assert_eq!((&pushed["formName"], &pushed["flowState"]), (&json!("入职登记（全字段）"), &json!(0)));
    assert_eq!(pushed["_widget_2012"].as_object().map(|person| person.len()), Some(5));
    assert_eq!(
        (&pushed["_widget_2012"]["username"], &pushed["_widget_2012"]["departments"]),
        (&json!("zhao"), &Value::Null)
    );
    assert_eq!(pushed["_widget_2014"], team);
}

#[test]
fn empty_fields_are_read_in_the_way_that_was_chosen() {
    let told = |empties: Empties| {
        let mut forms = Forms::new(FormsOptions { empties, ..FormsOptions::default() }, Clock::manual(START_MS));
        let new = rich_form();
        let form = new.id.clone();
        forms.add_form(new).expect("a new form");
        let id = forms.submit(&form, json!({})).expect("a known form");
        let record = forms.record(&form, &id).expect("a record").clone();
        forms.told(forms.form(&form).expect("the form"), &record, Look::Whole)
    };
    let documented = told(Empties::Documented);
    let expected = [
        ("name", json!("")),
        ("seat", Value::Null),
        ("skills", json!([])),
        ("mobile", json!({})),
        ("home", json!({ "province": "", "city": "", "district": "", "detail": "" })),
    ];
    for (name, value) in expected {
        assert_eq!(documented[name], value, "{name}");
    }
    assert_eq!(told(Empties::Null)["mobile"], Value::Null);
    assert!(told(Empties::Absent).get("mobile").is_none());
    let mixed = told(Empties::Mixed);
    assert!(mixed.as_object().is_some_and(|mixed| mixed.len() < documented.as_object().map_or(0, |all| all.len())));
}

#[test]
fn plain_forms_have_no_flow_state_but_their_pushes_do() {
    let mut office = office(NewForm { workflow: false, ..contract_form() });
    let form = office.form.clone();
    let id = office.submit();
    assert_eq!(office.forms.step(&form, &id, FlowState::Approved), Err(Illegal::NoWorkflow(form.clone())));
    let record = office.forms.record(&form, &id).expect("a record").clone();
    let told = office.forms.told(office.forms.form(&form).expect("the form"), &record, Look::Whole);
    assert!(told.get("flowState").is_none());
    assert_eq!(office.forms.take_events()[0].data.get("flowState"), Some(&Value::Null));
}
