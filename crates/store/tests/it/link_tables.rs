//! Links between entities and rows of a destination, and pairs that were rejected.

use common::{DestinationId, EntityKey, EntityKind, UnixMillis};
use database::{Connection, Constraint, Database};
use store::links::{self, DecidedBy, Link};

use crate::support::{tenant, write};

const NOW: UnixMillis = UnixMillis(1_767_225_600_000);

fn core() -> DestinationId {
    "core".parse().unwrap()
}

fn link(entity: EntityKey, core_id: &str, decided_by: DecidedBy) -> Link {
    Link { entity, core_id: core_id.to_owned(), decided_by, since: NOW }
}

fn member(id: &str, core_id: &str) -> Link {
    link(EntityKey::member(id), core_id, DecidedBy::Mobile)
}

fn department(id: &str, core_id: &str) -> Link {
    link(EntityKey::department(id), core_id, DecidedBy::Name)
}

fn set(conn: &mut Connection, new: &[Link]) -> database::Result<()> {
    links::set(conn, &tenant(), &core(), new)
}

/// Entities and rows, as text.
fn pairs(links: Vec<Link>) -> Vec<String> {
    let mut pairs: Vec<String> = links.iter().map(|link| format!("{} = {}", link.entity, link.core_id)).collect();
    pairs.sort();
    pairs
}

/// All of one kind.
fn all(conn: &mut Connection, kind: EntityKind) -> database::Result<Vec<String>> {
    Ok(pairs(links::list(conn, &tenant(), &core(), kind, None, 100)?))
}

async fn links_of_entities_come_with_those_of_rows_that_are_spelled_like_them(database: Database) {
    write(&database, |conn| {
        set(conn, &[member("ZhangSan", "P-1"), member("lisi", "WangWu"), department("7", "2"), department("8", "80")])?;
        let keys = [EntityKey::member("zhangSAN"), EntityKey::member("wangwu"), EntityKey::department("2")];
        let found = links::load(conn, &tenant(), &core(), &keys)?;
        assert_eq!(pairs(found), ["department 7 = 2", "member lisi = WangWu", "member zhangsan = P-1"]);
        let own = links::of_entities(conn, &tenant(), &core(), &keys)?;
        assert_eq!(pairs(own), ["member zhangsan = P-1"]);
        assert!(links::load(conn, &tenant(), &"other".parse().unwrap(), &keys)?.is_empty());
        assert!(links::load(conn, &"globex".parse().unwrap(), &core(), &keys)?.is_empty());
        assert!(links::load(conn, &tenant(), &core(), &[])?.is_empty());
        Ok(())
    })
    .await;
}

async fn many_are_loaded_at_once_and_none_twice(database: Database) {
    write(&database, |conn| {
        // Everybody has the row that is spelled like the next one.
        let new: Vec<Link> = (0..1200).map(|n| member(&format!("m{n}"), &format!("M{}", n + 1))).collect();
        set(conn, &new)?;
        let keys: Vec<EntityKey> = (0..1200).rev().map(|n| EntityKey::member(&format!("m{n}"))).collect();
        let found = links::load(conn, &tenant(), &core(), &keys)?;
        assert_eq!(pairs(found), pairs(new));
        Ok(())
    })
    .await;
}

async fn a_link_says_what_it_was_made_for(database: Database) {
    write(&database, |conn| {
        let ways = [
            DecidedBy::Id,
            DecidedBy::Mobile,
            DecidedBy::Email,
            DecidedBy::EmployeeNumber,
            DecidedBy::Name,
            DecidedBy::Person,
        ];
        let new: Vec<Link> = ways
            .into_iter()
            .enumerate()
            .map(|(n, way)| link(EntityKey::member(&format!("m{n}")), &format!("p{n}"), way))
            .collect();
        set(conn, &new)?;
        assert_eq!(links::list(conn, &tenant(), &core(), EntityKind::Member, None, 100)?, new);
        Ok(())
    })
    .await;
}

async fn an_entity_has_one_row_and_a_row_one_entity(database: Database) {
    write(&database, |conn| {
        set(conn, &[member("a", "x"), member("b", "y"), department("a", "x")])?;
        set(conn, &[member("a", "z")])?;
        assert_eq!(all(conn, EntityKind::Member)?, ["member a = z", "member b = y"]);
        set(conn, &[member("a", "y"), member("b", "z")])?;
        assert_eq!(all(conn, EntityKind::Member)?, ["member a = y", "member b = z"], "they may change places");
        Ok(())
    })
    .await;
    let taken = database.write("test", |conn| set(conn, &[member("c", "Y")])).await.unwrap_err();
    assert_eq!(taken.constraint(), Some(Constraint::Unique), "two spellings are one row");
    let rest = write(&database, |conn| Ok((all(conn, EntityKind::Member)?, all(conn, EntityKind::Department)?))).await;
    assert_eq!(rest.0, ["member a = y", "member b = z"]);
    assert_eq!(rest.1, ["department a = x"]);
}

async fn rows_tell_whose_they_are(database: Database) {
    write(&database, |conn| {
        set(conn, &[member("a", "Row-1"), member("b", "Row-2"), department("9", "row-1")])?;
        let rows = ["row-1".to_owned(), "nobody".to_owned()];
        let found = links::of_rows(conn, &tenant(), &core(), EntityKind::Member, &rows)?;
        assert_eq!(pairs(found), ["member a = Row-1"]);
        links::remove(conn, &tenant(), &core(), &[EntityKey::member("A"), EntityKey::member("never-linked")])?;
        assert!(links::of_rows(conn, &tenant(), &core(), EntityKind::Member, &rows)?.is_empty());
        assert_eq!(all(conn, EntityKind::Member)?, ["member b = Row-2"]);
        Ok(())
    })
    .await;
}

async fn lists_come_in_pages_and_by_kind(database: Database) {
    write(&database, |conn| {
        let new: Vec<Link> = (0..5).map(|n| member(&format!("m{n}"), &format!("p{n}"))).collect();
        set(conn, &new)?;
        set(conn, &[department("2", "20")])?;
        let mut seen = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = links::list(conn, &tenant(), &core(), EntityKind::Member, after.as_deref(), 2)?;
            let Some(last) = page.last() else { break };
            after = Some(last.entity.id.to_string());
            seen.push(page.len());
        }
        assert_eq!(seen, [2, 2, 1]);
        assert_eq!(all(conn, EntityKind::Department)?, ["department 2 = 20"]);
        Ok(())
    })
    .await;
}

async fn a_rename_takes_the_link_along_and_what_was_rejected(database: Database) {
    write(&database, |conn| {
        let (a, b) = (EntityKey::member("a"), EntityKey::member("b"));
        set(conn, &[member("a", "x")])?;
        links::reject(conn, &tenant(), &core(), &a, "y", NOW)?;
        links::reject(conn, &tenant(), &core(), &b, "y", NOW)?;
        assert!(links::rename(conn, &tenant(), &core(), &a, &b)?);
        assert!(!links::rename(conn, &tenant(), &core(), &a, &b)?, "there is nothing to move any more");
        assert_eq!(all(conn, EntityKind::Member)?, ["member b = x"]);
        assert_eq!(links::rejected(conn, &tenant(), &core(), EntityKind::Member)?, [(b.clone(), "y".to_owned())]);
        set(conn, &[member("c", "z")])?;
        assert!(!links::rename(conn, &tenant(), &core(), &EntityKey::member("c"), &b)?);
        assert_eq!(all(conn, EntityKind::Member)?, ["member b = x", "member c = z"], "both rows are still there");
        assert!(!links::rename(conn, &tenant(), &core(), &b, &b)?);
        assert_eq!(links::rejected(conn, &tenant(), &core(), EntityKind::Member)?.len(), 1);
        Ok(())
    })
    .await;
}

async fn a_no_ends_a_link_and_a_persons_yes_ends_a_no(database: Database) {
    write(&database, |conn| {
        let a = EntityKey::member("a");
        set(conn, &[member("a", "X"), member("b", "y")])?;
        for _ in 0..2 {
            links::reject(conn, &tenant(), &core(), &a, "x", NOW)?;
            assert_eq!(all(conn, EntityKind::Member)?, ["member b = y"]);
            assert_eq!(links::rejected(conn, &tenant(), &core(), EntityKind::Member)?.len(), 1);
        }
        links::reject(conn, &tenant(), &core(), &a, "y", NOW)?;
        assert_eq!(all(conn, EntityKind::Member)?, ["member b = y"], "that row is another's");
        links::allow(conn, &tenant(), &core(), &a, "Y")?;
        set(conn, &[link(a, "X", DecidedBy::Person)])?;
        assert!(links::rejected(conn, &tenant(), &core(), EntityKind::Member)?.is_empty());
        Ok(())
    })
    .await;
}

async fn nothing_is_left_of_a_destination_that_is_cleared(database: Database) {
    write(&database, |conn| {
        set(conn, &[member("a", "x"), department("2", "20")])?;
        links::reject(conn, &tenant(), &core(), &EntityKey::member("a"), "y", NOW)?;
        let other: DestinationId = "other".parse().unwrap();
        links::set(conn, &tenant(), &other, &[member("a", "x")])?;
        links::clear(conn, &tenant(), &core())?;
        assert!(all(conn, EntityKind::Member)?.is_empty() && all(conn, EntityKind::Department)?.is_empty());
        assert!(links::rejected(conn, &tenant(), &core(), EntityKind::Member)?.is_empty());
        assert_eq!(links::list(conn, &tenant(), &other, EntityKind::Member, None, 9)?.len(), 1);
        Ok(())
    })
    .await;
}

crate::support::on_both! {
    links_of_entities_come_with_those_of_rows_that_are_spelled_like_them
    many_are_loaded_at_once_and_none_twice
    a_link_says_what_it_was_made_for
    an_entity_has_one_row_and_a_row_one_entity
    rows_tell_whose_they_are
    lists_come_in_pages_and_by_kind
    a_rename_takes_the_link_along_and_what_was_rejected
    a_no_ends_a_link_and_a_persons_yes_ends_a_no
    nothing_is_left_of_a_destination_that_is_cleared
}
