//! What comes in and goes out, and how much.

use common::{Entity, EntityKey, EntityKind, Field, Fields};

use super::{below_root, department, department_row, member, member_row, with};
use crate::plan::{Columns, Comparison, Item, MemberRow, Row, tests::company::Company};

#[test]
fn a_tree_may_be_as_deep_and_as_wide_as_it_likes() {
    let deep = (2..20_000).map(|id| department(&id.to_string(), "D", &(id - 1).to_string()));
    let wide = (20_000..40_000).map(|id| department(&id.to_string(), &format!("W{id}"), "1"));
    let mut company = below_root(deep.chain(wide).collect(), vec![]);
    let plan = company.plan();
    assert_eq!(plan.counts().create, 39_998);
    // The same company under other ids.
    for (key, entity) in &company.source[1..] {
        let parent =
            entity.fields.text(Field::Parent).filter(|parent| *parent != "1").map(|parent| format!("c{parent}"));
        let name = entity.fields.text(Field::Name).unwrap();
        company.rows.push(department_row(&format!("c{}", key.id), name, parent.as_deref().or(Some("1"))).into());
    }
    let plan = company.plan();
    assert_eq!((plan.counts().link, plan.items().len()), (39_998, 39_998));
    company.source.truncate(1);
    let plan = company.plan();
    assert_eq!((plan.counts().disable, plan.items().len()), (39_998, 39_998));
}

#[test]
fn items_can_be_kept_as_json() {
    let source = vec![
        with(with(member("a", "A", &["1"]), Field::Mobile, "1"), Field::Email, "a@x.cn"),
        member("b", "B", &["9"]),
    ];
    let rows = vec![
        MemberRow { mobile: Some("1".into()), email: Some("a@x.cn".into()), ..member_row("u1", "X", &["1"]) }.into(),
    ];
    let company = below_root([source, vec![with(member("c", "C", &["1"]), Field::Mobile, "1")]].concat(), rows);
    let items = company.plan().into_items();
    let text = serde_json::to_string(&items).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Item>>(&text).unwrap(), items);
    let expected = concat!(
        r#"{"action":"unsure","kind":"member","id":"a","core_id":null,"#,
        r#""why":{"word":"ambiguous","columns":["mobile","email"],"candidates":["u1"]}}"#
    );
    assert_eq!(serde_json::to_string(&items[0]).unwrap(), expected);
    assert!(items.iter().any(|item| item.why.reference == Some(EntityKey::department("9"))));
    assert!(Columns::default().is_empty());
}

#[test]
fn a_row_shows_nothing_personal() {
    let row =
        MemberRow {
            mobile: Some("13900001111".into()), email: Some("a@x.cn".into()), ..member_row("u1", "张三", &[])
        };
    let shown = format!("{:?} {:?}", row, Row::from(row.clone()));
    assert!(["13900001111", "a@x.cn", "张三"].iter().all(|secret| !shown.contains(secret)), "{shown}");
    let shown = format!("{:?}", department_row("2", "研发部", None));
    assert!(!shown.contains("研发部"), "{shown}");
}

#[test]
fn what_is_no_part_of_the_directory_is_nothing_to_compare() {
    for kind in EntityKind::ALL.into_iter().filter(|kind| !kind.is_directory()) {
        let mut comparison = Comparison::new(Company::default().options);
        let entity = Entity { shown_id: "x".into(), fields: Fields::new(), incomplete: false };
        let key = EntityKey::new(kind, "x");
        comparison.source(&key, &entity);
        comparison.link(&key, "x", true);
        comparison.reject(&key, "x");
        let plan = comparison.plan();
        assert_eq!((plan.items().len(), plan.core_id(&key)), (0, None), "{kind:?}");
    }
}
