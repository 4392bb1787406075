use database::{Database, Options};
use directory::{Fact, Record, Sent, plan::MemberRow};
use store::runs::{ItemState, NewItem};

use super::*;

const NOW: UnixMillis = UnixMillis::from_seconds(100);

fn known(told: Told) -> Known {
    let facts = vec![Fact { at: UnixMillis::from_seconds(10), told }];
    Known { record: Record { facts, ..Record::default() }, ..Known::default() }
}

fn live() -> Known {
    let entity = common::Entity { shown_id: "ann".to_owned(), fields: common::Fields::new(), incomplete: false };
    let sent = Sent { entity, at: UnixMillis::from_seconds(10), refers_to: Vec::new() };
    Known { record: Record { sent: Some(sent), ..Record::default() }, ..Known::default() }
}

fn row() -> Row {
    written(0)
}

fn written(version: u64) -> Row {
    Row::from(MemberRow { id: "P-1".to_owned(), version, ..MemberRow::default() })
}

fn item(action: plan::Action, id: Option<&str>) -> PlanItem {
    let (id, core_id) = (id.map(Into::into), Some("P-1".into()));
    let item = Item { action, kind: EntityKind::Member, id, core_id, why: Word::Gone.into() };
    let (destination, before) = ("core".parse().unwrap(), image::to_text(&row()));
    let planned = NewItem { seq: 1, destination, item, before, after: None, state: ItemState::Pending };
    PlanItem { planned, version: None, note: None }
}

/// What becomes of an item about the row `P-1`, with which `ann` is linked, if these are known.
async fn fate(item: PlanItem, members: Vec<(&str, Known)>) -> Fate {
    judged(item, members, Some("ann"), false).await
}

/// The same, whoever is linked with the row, at a product that may be behind.
async fn judged(item: PlanItem, members: Vec<(&str, Known)>, owner: Option<&str>, is_behind: bool) -> Fate {
    judged_with(row(), item, members, owner, is_behind).await
}

/// The same, whatever the row is by now.
async fn judged_with(
    row: Row,
    item: PlanItem,
    members: Vec<(&str, Known)>,
    owner: Option<&str>,
    is_behind: bool,
) -> Fate {
    let database = Database::open(&Options::new("sqlite::memory:")).unwrap();
    database.migrate(store::migrations()).unwrap();
    let members: Vec<(EntityKey, Known)> =
        members.into_iter().map(|(id, known)| (EntityKey::member(id), known)).collect();
    let link = |id: &str| Link {
        entity: EntityKey::member(id),
        core_id: "P-1".to_owned(),
        decided_by: DecidedBy::Person,
        since: UnixMillis(0),
    };
    let linked: Vec<Link> = owner.map(link).into_iter().collect();
    let judge = move |conn: &mut Connection| -> database::Result<Fate> {
        let (tenant, core): (TenantId, DestinationId) = ("acme".parse().unwrap(), "core".parse().unwrap());
        links::set(conn, &tenant, &core, &linked)?;
        records::save(conn, &tenant, &members)?;
        let rows: EntityMap<Row> = [(EntityKey::member("P-1"), row)].into_iter().collect();
        let items = [item];
        let judge = Judge::open(conn, (&tenant, &core), &items, &rows, NOW, is_behind)?;
        Ok(judge.fate(&items[0]))
    };
    database.write("test", judge).await.unwrap()
}

#[tokio::test]
async fn the_row_of_who_left_is_disabled_through_the_link_that_stays() {
    let fate = fate(item(plan::Action::Disable, None), vec![("ann", known(Told::Removed))]).await;
    let Fate::Send { change, link: None } = fate else { panic!("it is skipped, or linked anew") };
    assert_eq!((change.entity, change.action), (EntityKey::member("ann"), Action::Remove));
}

#[tokio::test]
async fn the_row_of_who_is_there_or_coming_or_goes_on_under_another_id_is_not_disabled() {
    let parked = Known { parked_since: Some(NOW), ..Known::default() };
    for ann in [live(), parked, known(Told::RenamedTo("bea".into()))] {
        let fate = fate(item(plan::Action::Disable, None), vec![("ann", ann)]).await;
        assert!(matches!(fate, Fate::Skip("the row is somebody's by now")));
    }
}

#[tokio::test]
async fn the_row_of_who_left_may_be_anothers() {
    for (ann, is_linked) in [(known(Told::Removed), true), (live(), false)] {
        let fate = fate(item(plan::Action::Link, Some("bea")), vec![("ann", ann), ("bea", live())]).await;
        assert_eq!(matches!(fate, Fate::Link(link) if link.entity == EntityKey::member("bea")), is_linked);
    }
}

#[tokio::test]
async fn a_row_is_not_linked_before_the_product_was_told_that_who_has_it_left_or_bears_another_id() {
    let ends = [(Told::Removed, Some("ann")), (Told::Removed, None), (Told::RenamedTo("bea".into()), None)];
    for (end, owner) in ends {
        for is_behind in [true, false] {
            let members = vec![(owner.unwrap_or("P-1"), known(end.clone())), ("bea", live())];
            let fate = judged(item(plan::Action::Link, Some("bea")), members, owner, is_behind).await;
            assert_eq!(matches!(fate, Fate::Link(_)), !is_behind, "{end:?} of {owner:?}");
        }
    }
}

#[tokio::test]
async fn a_row_that_is_to_get_another_id_is_not_disabled_before_the_product_was_told() {
    for is_behind in [true, false] {
        let members = vec![("P-1", known(Told::RenamedTo("bea".into())))];
        let fate = judged(item(plan::Action::Disable, None), members, None, is_behind).await;
        assert_eq!(matches!(fate, Fate::Skip("the row is somebody's by now")), is_behind);
    }
}

#[tokio::test]
async fn a_row_that_was_written_since_the_plan_is_linked_with_nobody_but_whoever_bears_its_id() {
    for (version, id, is_linked) in [(0, "bea", true), (7, "bea", false), (7, "P-1", true)] {
        let members = vec![("bea", live()), ("P-1", live())];
        let fate = judged_with(written(version), item(plan::Action::Link, Some(id)), members, None, false).await;
        assert_eq!(matches!(fate, Fate::Link(_)), is_linked, "version {version}, {id}");
    }
}
