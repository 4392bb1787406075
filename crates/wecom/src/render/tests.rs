use common::{Callback, Fields, Platform, UnixMillis};

use super::*;

const HEAD: &str = "<xml><ToUserName><![CDATA[ww1]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>\
    <CreateTime>1767225600</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[change_contact]]></Event>";

fn entity(shown_id: &str, fields: Fields) -> Entity {
    Entity { shown_id: shown_id.into(), fields, incomplete: false }
}

fn change(entity: EntityKey, action: Action) -> Change {
    let at = UnixMillis(1);
    let tenant = "acme".parse().unwrap();
    Change {
        tenant,
        version: 1,
        entity,
        action,
        source_time: at,
        received_at: at,
        traceparent: None,
        refers_to: vec![],
        leaves: vec![],
        first: false,
        only_for: None,
    }
}

/// The rendering without its common beginning and end.
fn rendered(key: EntityKey, action: Action, previous: Option<&Entity>) -> Option<String> {
    let previous = previous.cloned().map(Told::surely);
    rendered_after(key, action, previous.as_ref())
}

fn rendered_after(key: EntityKey, action: Action, previous: Option<&Told>) -> Option<String> {
    let text = contact_change("ww1", 1_767_225_600, &change(key, action), previous)?;
    Some(text.strip_prefix(HEAD).unwrap().strip_suffix("</xml>").unwrap().to_owned())
}

fn upsert(kind: EntityKind, new: &Entity, previous: Option<&Entity>) -> Option<String> {
    rendered(EntityKey::new(kind, &new.shown_id), Action::Upsert { entity: new.clone(), renamed_from: None }, previous)
}

fn member() -> Fields {
    Fields::new()
        .with(Field::Name, "欧阳")
        .with(Field::Departments, ["3", "17"].as_slice())
        .with(Field::Leads, ["17"].as_slice())
        .with(Field::Mobile, "139")
        .with(Field::Gender, "female")
        .with(Field::Status, "inactive")
        .with(Field::Attributes, BTreeMap::from([("工号".to_owned(), "7".to_owned())]))
}

#[test]
fn a_new_member_is_told_in_full() {
    let text = upsert(EntityKind::Member, &entity("Ou", member()), None).unwrap();
    let expected = "<ChangeType>create_user</ChangeType><UserID><![CDATA[Ou]]></UserID><Name><![CDATA[欧阳]]></Name>\
        <Department><![CDATA[3,17]]></Department><IsLeaderInDept><![CDATA[0,1]]></IsLeaderInDept><Mobile>139</Mobile>\
        <Gender>2</Gender><Status>4</Status><ExtAttr><Item><Name><![CDATA[工号]]></Name><Type>0</Type><Text>\
        <Value><![CDATA[7]]></Value></Text></Item></ExtAttr>";
    assert_eq!(text, expected);
    let nameless = upsert(EntityKind::Member, &entity("x", Fields::new()), None).unwrap();
    let expected = "<ChangeType>create_user</ChangeType><UserID><![CDATA[x]]></UserID><Name><![CDATA[x]]></Name>";
    assert_eq!(nameless, expected);
}

#[test]
fn an_update_carries_what_differs() {
    let old = entity("Ou", member());
    assert_eq!(upsert(EntityKind::Member, &old, Some(&old)), None);
    let check = |fields: Fields, expected: Option<&str>| {
        let text = upsert(EntityKind::Member, &entity("Ou", fields), Some(&old));
        let head = "<ChangeType>update_user</ChangeType><UserID><![CDATA[Ou]]></UserID>";
        assert_eq!(text, expected.map(|expected| format!("{head}{expected}")));
    };
    check(member().with(Field::Mobile, ""), Some("<Mobile><![CDATA[]]></Mobile>"));
    check(member().with(Field::Title, "经理"), Some("<Position><![CDATA[经理]]></Position>"));
    check(
        member().with(Field::Departments, ["17"].as_slice()),
        Some("<Department><![CDATA[17]]></Department><IsLeaderInDept><![CDATA[1]]></IsLeaderInDept>"),
    );
    check(
        member().with(Field::Leads, Vec::new()),
        Some("<Department><![CDATA[3,17]]></Department><IsLeaderInDept><![CDATA[0,0]]></IsLeaderInDept>"),
    );
    check(member().with(Field::NameEn, "no element of it"), None);
    let mut unknown = member();
    unknown.remove(Field::Mobile);
    check(unknown, Some("<Mobile><![CDATA[]]></Mobile>"));
}

#[test]
fn what_a_receiver_may_have_is_told_anew() {
    let key = EntityKey::member("Ou");
    let upsert = |fields: &Fields| Action::Upsert { entity: entity("Ou", fields.clone()), renamed_from: None };
    let mut told = Told::surely(entity("Ou", member()));
    let mut other = member().with(Field::Title, "经理").with(Field::Mobile, "138");
    other.remove(Field::Gender);
    let map = BTreeMap::from([("工号".to_owned(), "7".to_owned()), ("楼层".to_owned(), "3".to_owned())]);
    told.may_be(&entity("Ou", other.clone().with(Field::Attributes, map)));
    let expected = "<ChangeType>update_user</ChangeType><UserID><![CDATA[Ou]]></UserID><Position><![CDATA[]]></Position>\
        <Mobile>139</Mobile><Gender>2</Gender><ExtAttr><Item><Name><![CDATA[工号]]></Name><Type>0</Type><Text>\
        <Value><![CDATA[7]]></Value></Text></Item></ExtAttr>";
    let back = rendered_after(key.clone(), upsert(&member()), Some(&told));
    assert_eq!(back.as_deref(), Some(expected));
    let mut bare = other;
    bare.remove(Field::Attributes);
    let text = rendered_after(key, upsert(&bare), Some(&told)).unwrap();
    assert!(text.contains("<Mobile>138</Mobile>") && text.contains("<Gender>0</Gender>"), "{text}");
    assert!(text.contains("工号") && text.contains("楼层") && !text.contains("<Name><![CDATA[欧阳"), "{text}");
}

#[test]
fn a_rename_is_one_update() {
    let old = entity("Ou", member());
    let new = entity("Yang", member().with(Field::Name, "杨"));
    let renamed_from = Some(EntityKey::member("Ou"));
    let action = Action::Upsert { entity: new.clone(), renamed_from };
    let expected = "<ChangeType>update_user</ChangeType><UserID><![CDATA[Ou]]></UserID><NewUserID><![CDATA[Yang]]>\
        </NewUserID>\
        <Name><![CDATA[杨]]></Name>";
    assert_eq!(rendered(EntityKey::member("Yang"), action.clone(), Some(&old)).as_deref(), Some(expected));
    let bare = Action::Upsert { entity: entity("Yang", member()), renamed_from: None };
    let text = rendered(EntityKey::member("Yang"), bare, Some(&old)).unwrap();
    assert!(text.ends_with("<NewUserID><![CDATA[Yang]]></NewUserID>"));
    assert!(rendered(EntityKey::member("Yang"), action.clone(), None).unwrap().contains("create_user"));
    assert_eq!(rendered(EntityKey::member("Yang"), action, Some(&new)), None);
}

#[test]
fn departments_are_told_like_members() {
    let fields = Fields::new().with(Field::Name, "研发").with(Field::Parent, "17").with(Field::Order, 4_294_967_295);
    let old = entity("42", fields.clone());
    let text = upsert(EntityKind::Department, &old, None).unwrap();
    let expected = "<ChangeType>create_party</ChangeType><Id>42</Id><Name><![CDATA[研发]]></Name>\
        <ParentId><![CDATA[17]]></ParentId><Order>4294967295</Order>";
    assert_eq!(text, expected);
    let moved = entity("42", fields.with(Field::Parent, "3"));
    let expected = "<ChangeType>update_party</ChangeType><Id>42</Id><ParentId><![CDATA[3]]></ParentId>";
    assert_eq!(upsert(EntityKind::Department, &moved, Some(&old)).as_deref(), Some(expected));
    assert_eq!(upsert(EntityKind::Department, &old, Some(&old)), None);
}

#[test]
fn the_root_is_there_already() {
    let root = entity("1", Fields::new().with(Field::Name, "ACME"));
    assert_eq!(upsert(EntityKind::Department, &root, None), None);
    assert_eq!(rendered(EntityKey::department("1"), Action::Remove, Some(&root)), None);
    let renamed = entity("1", Fields::new().with(Field::Name, "ACME 制造"));
    let expected = "<ChangeType>update_party</ChangeType><Id>1</Id><Name><![CDATA[ACME 制造]]></Name>";
    assert_eq!(upsert(EntityKind::Department, &renamed, Some(&root)).as_deref(), Some(expected));
}

#[test]
fn removals_use_the_id_that_the_receiver_knows() {
    let old = entity("Ou", member());
    let gone = "<ChangeType>delete_user</ChangeType><UserID><![CDATA[Ou]]></UserID>";
    assert_eq!(rendered(EntityKey::member("Ou"), Action::Remove, Some(&old)).as_deref(), Some(gone));
    let unknown = "<ChangeType>delete_user</ChangeType><UserID><![CDATA[ou]]></UserID>";
    assert_eq!(rendered(EntityKey::member("Ou"), Action::Remove, None).as_deref(), Some(unknown));
    let party = "<ChangeType>delete_party</ChangeType><Id>42</Id>";
    assert_eq!(rendered(EntityKey::department("42"), Action::Remove, None).as_deref(), Some(party));
}

#[test]
fn callbacks_pass_untouched() {
    let content = "{\"a\": 1}".to_owned();
    let callback = Callback { name: "x".into(), at: UnixMillis(1), content, platform: Platform::Wecom };
    let key = EntityKey::new(EntityKind::Callback, "c1");
    let text = contact_change("ww1", 1, &change(key, Action::Callback(callback)), None);
    assert_eq!(text.as_deref(), Some("{\"a\": 1}"));
}
