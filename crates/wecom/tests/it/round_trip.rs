//! What we render for an OA is read back, by our own reader, as what it was.

use std::collections::BTreeMap;

use common::{
    Action, Change, Entity, EntityKey, EntityKind, EventBody, Field, Fields, Observation, Told, UnixMillis, Value, What,
};
use proptest::prelude::*;
use wecom::render::contact_change;

use super::{normalise, tenant};

const SECOND: i64 = 1_767_225_600;

fn told(key: &EntityKey, entity: &Entity, previous: Option<&Entity>) -> Option<Observation> {
    let change = Change {
        tenant: tenant(),
        version: 1,
        entity: key.clone(),
        action: Action::Upsert { entity: entity.clone(), renamed_from: None },
        source_time: UnixMillis(0),
        received_at: UnixMillis(0),
        traceparent: None,
        refers_to: vec![],
        leaves: vec![],
        first: false,
        only_for: None,
    };
    let previous = previous.cloned().map(Told::surely);
    let text = contact_change("ww1", SECOND, &change, previous.as_ref())?;
    match normalise(&text).unwrap().remove(0).body {
        EventBody::Directory(seen) => Some(seen),
        EventBody::Callback(_) => panic!("not understood: {text}"),
    }
}

/// XML has no control characters and one sort of line end; our reader takes white space alone for nothing.
fn text() -> impl Strategy<Value = String> {
    "([\\PC\t\n]{0,12}|]]>|<a>&amp;|欧阳𠮷)".prop_map(|text| if text.trim().is_empty() { String::new() } else { text })
}

fn ids() -> impl Strategy<Value = Vec<String>> {
    prop::collection::btree_set(1u32..50, 0..5).prop_map(|ids| ids.iter().map(u32::to_string).collect())
}

fn optional<T: Into<Value> + std::fmt::Debug>(
    field: Field,
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = Option<(Field, Value)>> {
    prop::option::of(value.prop_map(move |value| (field, value.into())))
}

fn fields(some: impl IntoIterator<Item = Option<(Field, Value)>>) -> Fields {
    let mut fields = Fields::new();
    for (field, value) in some.into_iter().flatten() {
        fields.set(field, value);
    }
    fields
}

fn member() -> impl Strategy<Value = Entity> {
    let texts =
        [Field::Title, Field::Email, Field::BizMail, Field::Avatar, Field::Alias, Field::Telephone, Field::Address];
    let texts: Vec<_> = texts.into_iter().map(|field| optional(field, text())).collect();
    let name = "[\\w·]{1,12}";
    let departments = (ids(), prop::collection::vec(any::<bool>(), 5)).prop_map(|(ids, flags)| {
        let leads: Vec<String> = ids.iter().zip(flags).filter(|(_, leads)| *leads).map(|(id, _)| id.clone()).collect();
        [Some((Field::Departments, Value::List(ids))), Some((Field::Leads, Value::List(leads)))]
    });
    let attributes = prop::collection::btree_map("[\\w]{1,6}", "[\\w<>&:/]{0,9}", 0..4);
    let codes = (
        optional(Field::Gender, prop::sample::select(vec!["male", "female", "unknown"])),
        optional(Field::Status, prop::sample::select(vec!["active", "inactive", "disabled", "left"])),
        optional(Field::MainDepartment, prop_oneof![Just(String::new()), (1u32..50).prop_map(|id| id.to_string())]),
        optional(Field::Mobile, "(|1[0-9]{10}|\\+86 1[0-9]{10})"),
        optional(Field::Leaders, prop::collection::vec("[a-z][a-z.@-]{0,8}", 0..3)),
        optional(Field::Attributes, attributes),
    );
    (name, departments, texts, codes).prop_map(|(name, departments, texts, (a, b, c, d, e, f))| Entity {
        shown_id: "Ou".into(),
        fields: fields(
            departments.into_iter().chain(texts).chain([a, b, c, d, e, f]).chain([Some((Field::Name, name.into()))]),
        ),
        incomplete: false,
    })
}

fn department() -> impl Strategy<Value = Entity> {
    let order = (0i64..=4_294_967_295).prop_map(Value::Number);
    ("[\\w·]{1,12}", (1u32..50), optional(Field::Order, order)).prop_map(|(name, parent, order)| {
        let known = [Some((Field::Name, name.into())), Some((Field::Parent, parent.to_string().into())), order];
        Entity { shown_id: "42".into(), fields: fields(known), incomplete: false }
    })
}

/// Applies an update as an OA does.
fn applied(mut old: Fields, update: &Fields) -> Fields {
    for (field, value) in update.iter() {
        old.set(field, value.clone());
    }
    old
}

/// What an OA is to have after an update from `old` to `new`: all of the new, and emptied what is there no more. An order is
/// never taken back.
fn replaced(old: &Fields, new: &Fields) -> Fields {
    let mut whole = new.clone();
    for (field, had) in old.iter().filter(|(field, _)| !new.has(*field)) {
        let emptied = match (field, had) {
            (Field::Gender, _) => "unknown".into(),
            (Field::Status, _) => "active".into(),
            (Field::Order, had) => had.clone(),
            (_, Value::Map(map)) => Value::Map(map.keys().map(|name| (name.clone(), String::new())).collect()),
            (_, Value::List(_)) => Value::List(Vec::new()),
            _ => "".into(),
        };
        whole.set(field, emptied);
    }
    whole
}

fn check(key: &EntityKey, one: &Entity, two: &Entity) {
    let created = told(key, one, None).unwrap();
    let What::Created { fields } = &created.what else { panic!("{created:?}") };
    assert_eq!((fields, created.id.as_str(), created.hint), (&one.fields, one.shown_id.as_str(), false));
    assert_eq!(created.at, UnixMillis::from_seconds(SECOND));

    let expected = replaced(&one.fields, &two.fields);
    match told(key, two, Some(one)) {
        Some(updated) => {
            let What::Updated { fields } = &updated.what else { panic!("{updated:?}") };
            assert_eq!(applied(one.fields.clone(), fields), expected);
        }
        None => assert_eq!(expected, one.fields),
    }
}

proptest! {
    #[test]
    fn members_come_back_as_they_were(one in member(), two in member()) {
        check(&EntityKey::member("Ou"), &one, &two);
    }

    #[test]
    fn departments_come_back_as_they_were(one in department(), two in department()) {
        check(&EntityKey::department("42"), &one, &two);
    }

    #[test]
    fn renames_come_back_as_they_were(one in member(), two in member()) {
        let two = Entity { shown_id: "Yang".into(), ..two };
        let seen = told(&EntityKey::member("Yang"), &two, Some(&one)).unwrap();
        prop_assert_eq!(seen.id.as_str(), "Ou");
        let What::Renamed { to, fields } = &seen.what else { panic!("{seen:?}") };
        prop_assert_eq!(to.as_str(), "Yang");
        prop_assert_eq!(applied(one.fields.clone(), fields), replaced(&one.fields, &two.fields));
    }
}

#[test]
fn removals_come_back_as_they_were() {
    for key in [EntityKey::member("ou"), EntityKey::department("42")] {
        let change = Change {
            tenant: tenant(),
            version: 1,
            entity: key.clone(),
            action: Action::Remove,
            source_time: UnixMillis(0),
            received_at: UnixMillis(0),
            traceparent: None,
            refers_to: vec![],
            leaves: vec![],
            first: false,
            only_for: None,
        };
        let text = contact_change("ww1", SECOND, &change, None).unwrap();
        let EventBody::Directory(seen) = normalise(&text).unwrap().remove(0).body else { panic!("{text}") };
        assert_eq!((seen.key(), seen.what), (key.clone(), What::Removed));
        assert_ne!(key.kind, EntityKind::Callback);
    }
}

#[test]
fn an_attribute_that_is_gone_is_gone_from_the_list() {
    let with = |pairs: &[(&str, &str)]| {
        let map: BTreeMap<String, String> =
            pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Entity { shown_id: "u".into(), fields: Fields::new().with(Field::Attributes, map), incomplete: false }
    };
    let seen = told(&EntityKey::member("u"), &with(&[("b", "2")]), Some(&with(&[("a", "1"), ("b", "2")]))).unwrap();
    assert_eq!(seen.what.fields().unwrap(), &with(&[("b", "2")]).fields);
}
