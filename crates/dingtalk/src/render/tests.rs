use std::collections::BTreeMap;

use common::{Callback, Field, Fields};

use super::*;

const CORP: &str = "ding0000test0000corp";
const AT: UnixMillis = UnixMillis(1_790_000_000_123);

fn entity(shown_id: &str, fields: Fields) -> Entity {
    Entity { shown_id: shown_id.into(), fields, incomplete: false }
}

fn change(version: u64, entity: EntityKey, action: Action) -> Change {
    Change {
        tenant: "acme".parse().unwrap(),
        version,
        entity,
        action,
        source_time: AT,
        received_at: AT,
        traceparent: None,
        refers_to: vec![],
        leaves: vec![],
        first: false,
        only_for: None,
    }
}

fn rendered(key: EntityKey, action: Action, previous: Option<&Told>) -> Option<Value> {
    let text = callback_of(&change(7, key, action), previous, CORP, AT)?;
    Some(serde_json::from_str(&text).unwrap())
}

fn upsert(kind: EntityKind, new: &Entity, previous: Option<&Told>) -> Option<Value> {
    rendered(EntityKey::new(kind, &new.shown_id), Action::Upsert { entity: new.clone(), renamed_from: None }, previous)
}

fn member() -> Fields {
    Fields::new()
        .with(Field::Name, "张三")
        .with(Field::Departments, ["5"].as_slice())
        .with(Field::Mobile, "139")
        .with(Field::Leaders, ["boss"].as_slice())
        .with(Field::EmployeeNumber, "A001")
}

#[test]
fn a_new_member_is_named_in_the_present_dialect() {
    let new = entity("User0001", member());
    let action = Action::Upsert { entity: new, renamed_from: None };
    let text = callback_of(&change(7, EntityKey::member("User0001"), action), None, CORP, AT).unwrap();
    let id_of = |version, member| event_id(&change(version, EntityKey::member(member), Action::Remove), CORP);
    let id = id_of(7, "User0001");
    let expected = format!(
        r#"{{"EventType":"user_add_org","EventTime":1790000000123,"CorpId":"ding0000test0000corp","BizId":"{id}","eventId":"{id}","timeStamp":"1790000000123","userId":["User0001"]}}"#
    );
    assert_eq!(text, expected);
    assert_eq!(id.len(), 32);
    assert_ne!(id, id_of(8, "User0001"));
    assert_ne!(id, id_of(7, "former"), "a former id goes under the same version");
}

#[test]
fn a_modified_member_has_what_differs() {
    let old = Told::surely(entity("u1", member()));
    assert_eq!(upsert(EntityKind::Member, &old.entity, Some(&old)), None);
    let map = BTreeMap::from([("厂区".to_owned(), "一厂".to_owned())]);
    let mut fields = member().with(Field::Name, "张三丰").with(Field::Attributes, map).with(Field::Telephone, "");
    fields.remove(Field::Leaders);
    let pushed = upsert(EntityKind::Member, &entity("u1", fields), Some(&old)).unwrap();
    assert_eq!((&pushed["EventType"], &pushed["userId"]), (&json!("user_modify_org"), &json!(["u1"])));
    let expected = json!([{
        "prev": { "name": "张三", "managerUserid": "boss" },
        "curr": { "name": "张三丰", "extFields": "{\"厂区\":\"一厂\"}" },
        "userid": "u1",
    }]);
    assert_eq!(pushed["diffInfo"], expected);
    let moved = entity("u1", member().with(Field::Departments, ["6"].as_slice()));
    let pushed = upsert(EntityKind::Member, &moved, Some(&old)).unwrap();
    assert_eq!((&pushed["EventType"], pushed.get("diffInfo")), (&json!("user_modify_org"), None));
}

#[test]
fn what_a_receiver_may_have_is_told_anew() {
    let mut told = Told::surely(entity("u1", member()));
    told.may_be(&entity("u1", member().with(Field::Name, "李四")));
    let pushed = upsert(EntityKind::Member, &entity("u1", member()), Some(&told)).unwrap();
    assert_eq!(pushed["diffInfo"][0]["curr"], json!({ "name": "张三" }));
}

#[test]
fn a_renamed_member_is_read_again_under_both_ids() {
    let old = Told::surely(entity("Old", member()));
    let pushed = upsert(EntityKind::Member, &entity("New", member()), Some(&old)).unwrap();
    assert_eq!((&pushed["EventType"], &pushed["userId"]), (&json!("user_modify_org"), &json!(["Old", "New"])));
}

#[test]
fn who_leaves_leaves_under_the_id_that_the_receiver_knows() {
    let old = Told::surely(entity("User0001", member()));
    let left = |previous| rendered(EntityKey::member("User0001"), Action::Remove, previous).unwrap();
    assert_eq!(
        (&left(Some(&old))["EventType"], &left(Some(&old))["userId"]),
        (&json!("user_leave_org"), &json!(["User0001"]))
    );
    assert_eq!(left(None)["userId"], json!(["user0001"]));
}

#[test]
fn departments_have_numbers_and_the_root_is_there_already() {
    let old = entity("900000001", Fields::new().with(Field::Name, "一车间").with(Field::Parent, "1"));
    let new = upsert(EntityKind::Department, &old, None).unwrap();
    assert_eq!((&new["EventType"], &new["deptId"]), (&json!("org_dept_create"), &json!([900_000_001])));
    assert_eq!(new.get("timeStamp"), None);
    let told = Told::surely(old.clone());
    assert_eq!(upsert(EntityKind::Department, &old, Some(&told)), None);
    let renamed = entity("900000001", old.fields.clone().with(Field::Name, "二车间"));
    assert_eq!(upsert(EntityKind::Department, &renamed, Some(&told)).unwrap()["EventType"], "org_dept_modify");
    let gone = rendered(EntityKey::department("900000001"), Action::Remove, Some(&told)).unwrap();
    assert_eq!((&gone["EventType"], &gone["deptId"]), (&json!("org_dept_remove"), &json!([900_000_001])));
    let root = entity("1", Fields::new().with(Field::Name, "ACME"));
    assert_eq!(upsert(EntityKind::Department, &root, None), None);
    assert_eq!(rendered(EntityKey::department("1"), Action::Remove, None), None);
    let told = Told::surely(entity("1", Fields::new()));
    assert_eq!(upsert(EntityKind::Department, &root, Some(&told)).unwrap()["deptId"], json!([1]));
}

#[test]
fn our_own_reader_takes_it_for_dingtalks() {
    let new = entity("u1", member());
    let action = Action::Upsert { entity: new, renamed_from: None };
    let text = callback_of(&change(7, EntityKey::member("u1"), action), None, CORP, AT).unwrap();
    let tenant = "acme".parse().unwrap();
    let events = crate::normalise_http(&tenant, CORP, &text, AT, None, crate::Wanted::ALL).unwrap();
    assert_eq!(events.iter().map(common::Event::type_name).collect::<Vec<_>>(), ["member.created"]);
}

#[test]
fn callbacks_of_dingtalk_pass_untouched_and_nothing_else_does() {
    let of = |platform| {
        let callback = Callback { name: "x".into(), at: AT, content: "{\"a\": 1}".into(), platform };
        callback_of(&change(1, EntityKey::new(EntityKind::Callback, "c"), Action::Callback(callback)), None, CORP, AT)
    };
    assert_eq!(of(Platform::Dingtalk).as_deref(), Some("{\"a\": 1}"));
    assert_eq!(of(Platform::Wecom), None);
    for kind in [EntityKind::Attendance, EntityKind::Approval, EntityKind::AttendanceDay] {
        assert_eq!(upsert(kind, &entity("a", Fields::new()), None), None);
        assert_eq!(rendered(EntityKey::new(kind, "a"), Action::Remove, None), None);
    }
}
