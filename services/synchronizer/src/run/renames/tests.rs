use database::{Database, Options};
use directory::Fact;
use store::links::DecidedBy;

use super::*;

const SINCE: UnixMillis = UnixMillis::from_seconds(10);

fn ended(told: Told, second: i64) -> records::Row {
    let facts = vec![Fact { at: UnixMillis::from_seconds(second), told }];
    records::Row { record: Record { facts, ..Record::default() }, ..records::Row::default() }
}

fn renamed_to(id: &str, second: i64) -> records::Row {
    ended(Told::RenamedTo(id.into()), second)
}

/// Who is linked with which row, after links of these members were followed.
async fn followed(linked: &[&str], known: Vec<(&str, records::Row)>) -> Vec<(String, String)> {
    let database = Database::open(&Options::new("sqlite::memory:")).unwrap();
    database.migrate(store::migrations()).unwrap();
    let link = |id: &&str| Link {
        entity: EntityKey::member(id),
        core_id: format!("P-{id}"),
        decided_by: DecidedBy::Person,
        since: SINCE,
    };
    let linked: Vec<Link> = linked.iter().map(link).collect();
    let known: Vec<(EntityKey, records::Row)> =
        known.into_iter().map(|(id, row)| (EntityKey::member(id), row)).collect();
    let work = move |conn: &mut Connection| -> database::Result<Vec<Link>> {
        let (tenant, core): (TenantId, DestinationId) = ("acme".parse().unwrap(), "core".parse().unwrap());
        links::set(conn, &tenant, &core, &linked)?;
        records::save(conn, &tenant, &known)?;
        follow_all(conn, &tenant, &core)?;
        links::list(conn, &tenant, &core, EntityKind::Member, None, PAGE)
    };
    let found = database.write("test", work).await.unwrap();
    found.into_iter().map(|link| (link.entity.id.to_string(), link.core_id)).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(id, row)| ((*id).to_owned(), (*row).to_owned())).collect()
}

#[tokio::test]
async fn a_link_follows_a_rename_after_it_was_made_however_often() {
    let known = vec![("ann", renamed_to("bea", 12)), ("bea", renamed_to("abe", 14)), ("old", renamed_to("new", 9))];
    assert_eq!(followed(&["ann", "old"], known).await, pairs(&[("abe", "P-ann"), ("old", "P-old")]));
}

#[tokio::test]
async fn the_link_of_who_left_stays_and_so_does_one_whose_place_is_taken() {
    let known = vec![("ann", ended(Told::Removed, 12)), ("bob", renamed_to("cem", 12))];
    let linked = pairs(&[("ann", "P-ann"), ("bob", "P-bob"), ("cem", "P-cem")]);
    assert_eq!(followed(&["ann", "bob", "cem"], known).await, linked);
}
