//! Leases, what is held, what was taken, messages, attempts, dead letters.

use common::{Action, Change, Entity, EntityKey, Field, Fields, Reason, Told, UnixMillis};
use database::{Database, on_backend};
use diesel::connection::SimpleConnection;
use store::{
    dead_letters::{self, NewDeadLetter, Resolution, Stage},
    deliveries::{self, Attempt},
    destinations::{self, Declared, Lease, Progress, State},
    held::{self, FormerId, Held, HeldState},
    messages, taken, tenants,
};

use crate::support::{is_file, pass, tenant, write};

const NOW: UnixMillis = UnixMillis(1_767_225_600_000);

fn oa() -> common::DestinationId {
    "oa".parse().unwrap()
}

fn entity(name: &str) -> Entity {
    Entity { shown_id: name.into(), fields: Fields::new().with(Field::Name, name), incomplete: false }
}

/// Members `m1`, `m2`, ... with versions from 1.
pub(crate) fn changes(count: u64) -> Vec<Change> {
    let change = |version: u64| Change {
        tenant: tenant(),
        version,
        entity: EntityKey::member(&format!("m{version}")),
        action: Action::Upsert { entity: entity("m"), renamed_from: None },
        source_time: NOW,
        received_at: NOW,
        traceparent: None,
        refers_to: Vec::new(),
        leaves: Vec::new(),
        first: true,
        only_for: None,
    };
    (1..=count).map(change).collect()
}

async fn with_oa(database: Database) -> Database {
    write(&database, |conn| {
        let id = tenant();
        let declared = [Declared { id: oa(), kind: "wecom-callback".into(), backfill: false, compared: false }];
        let new = tenants::Apply {
            id: &id,
            document: "{}",
            data_key: "k",
            lane: "shared",
            previous_callback: None,
            destinations: &declared,
        };
        tenants::apply(conn, &new, NOW)
    })
    .await;
    database
}

async fn acquire(database: &Database, owner: &'static str, at_seconds: i64) -> Option<Lease> {
    let now = NOW.plus_seconds(at_seconds);
    write(database, move |conn| destinations::acquire(conn, &tenant(), &oa(), owner, now, now.plus_seconds(60))).await
}

async fn a_lease_has_one_holder_and_who_lost_it_records_nothing(database: Database) {
    let database = with_oa(database).await;
    let mine = acquire(&database, "me", 0).await.unwrap();
    pass(&database, 59).await;
    assert!(acquire(&database, "you", 59).await.is_none());
    pass(&database, 1).await;
    let yours = acquire(&database, "you", 60).await.unwrap();
    assert!(yours.fence > mine.fence);
    write(&database, move |conn| {
        let progress = |position| Progress { position, last_second: Some(3), delivered_at: Some(NOW) };
        assert!(!destinations::renew(conn, &mine, NOW, NOW.plus_seconds(999))?);
        assert!(!destinations::holds(conn, &mine)?);
        assert!(!destinations::advance(conn, &mine, &progress(9))?);
        destinations::failed(conn, &yours, "refused", NOW)?;
        destinations::failed(conn, &yours, "timed out", NOW.plus_seconds(5))?;
        let row = destinations::get(conn, &tenant(), &oa())?.unwrap();
        assert_eq!((row.position, row.last_error), (0, Some(("timed out".to_owned(), NOW))));
        assert!(destinations::advance(conn, &yours, &progress(4))?);
        let row = destinations::get(conn, &tenant(), &oa())?.unwrap();
        assert_eq!((row.position, row.last_second, row.last_error, row.last_success_at), (4, Some(3), None, Some(NOW)));
        destinations::release(conn, &yours)
    })
    .await;
    write(&database, |conn| destinations::set_state(conn, &tenant(), &oa(), State::Paused)).await;
    assert!(acquire(&database, "me", 0).await.is_none(), "nothing is delivered while it is paused");
    write(&database, |conn| destinations::set_state(conn, &tenant(), &oa(), State::Active)).await;
    assert!(acquire(&database, "me", 0).await.is_some(), "what is given back is free at once");
    write(&database, destinations::free_leases).await;
    let free = acquire(&database, "you", 0).await.is_some();
    assert_eq!(free, is_file(&database).await, "one process has a SQLite file for itself");
}

fn held_row(id: &str, version: u64) -> Held {
    Held {
        entity: EntityKey::member(id),
        version,
        state: HeldState::Waiting,
        reason: Some("waits".into()),
        absent: true,
        unsure: true,
        removal: false,
        there: vec![EntityKey::department("3"), EntityKey::department("4")],
        left: vec![EntityKey::department("3")],
        waits_for: vec![EntityKey::department("2")],
        formerly: vec![FormerId { key: EntityKey::member("old"), version: 7, unsure: true }],
        attempts: 2,
        next_attempt: NOW,
        since: NOW,
    }
}

async fn what_is_held_comes_back_as_it_was_with_its_change(database: Database) {
    let database = with_oa(database).await;
    write(&database, |conn| {
        let all = changes(2);
        let (first, second) = (held_row("m1", 1), held_row("m2", 2));
        held::put(conn, &tenant(), &oa(), &[(first.clone(), all.first()), (second.clone(), all.get(1))])?;
        assert_eq!(held::load(conn, &tenant(), &oa())?, [first.clone(), second]);

        let dead = Held { state: HeldState::Dead, waits_for: Vec::new(), ..first };
        held::put(conn, &tenant(), &oa(), &[(dead.clone(), None)])?;
        held::remove(conn, &tenant(), &oa(), &[EntityKey::member("m2")])?;
        held::shift_clocks(conn, &tenant(), &oa(), NOW, 1000)?;
        assert_eq!(held::load(conn, &tenant(), &oa())?, [dead], "the clocks of dead ones stand still");
        let keys = [EntityKey::member("m1"), EntityKey::member("m2")];
        let kept = held::changes(conn, &tenant(), &oa(), &keys)?;
        assert_eq!(kept.into_values().collect::<Vec<_>>(), all.get(..1).unwrap());
        assert_eq!(held::counts(conn)?, [((tenant(), oa(), "dead"), 1)].into());
        assert!(destinations::watch(conn)?.iter().all(|watched| !watched.has_held));
        Ok(())
    })
    .await;
}

async fn former_ids_are_read_as_another_release_wrote_them(database: Database) {
    let database = with_oa(database).await;
    write(&database, |conn| {
        let row = held_row("m1", 1);
        held::put(conn, &tenant(), &oa(), &[(row.clone(), changes(1).first())])?;
        let pairs = serde_json::to_string(&[(EntityKey::member("old"), 7)]).unwrap();
        let former_release = format!("UPDATE held SET formerly = '{pairs}'");
        on_backend!(conn, c => c.batch_execute(&former_release))?;
        let formerly = vec![FormerId { key: EntityKey::member("old"), version: 7, unsure: false }];
        assert_eq!(held::load(conn, &tenant(), &oa())?, [Held { formerly, ..row }]);
        Ok(())
    })
    .await;
}

async fn what_was_taken_and_what_is_to_be_sent_is_remembered(database: Database) {
    let database = with_oa(database).await;
    write(&database, |conn| {
        let (a, b) = (EntityKey::member("a"), EntityKey::member("b"));
        taken::put(conn, &tenant(), &oa(), &[(&a, 1, &entity("old")), (&b, 2, &entity("b"))])?;
        taken::put(conn, &tenant(), &oa(), &[(&a, 3, &entity("new"))])?;
        taken::remove(conn, &tenant(), &oa(), std::slice::from_ref(&b))?;
        assert_eq!(
            taken::load(conn, &tenant(), &oa(), &[a.clone(), b.clone()])?,
            [(a.clone(), Told::surely(entity("new")))].into()
        );

        let sent = [(a.clone(), entity("newer")), (b, entity("unknown"))];
        taken::doubt(conn, &tenant(), &oa(), &sent)?;
        let doubt = Fields::new().with(Field::Name, "newer");
        let keys = [a.clone()];
        let doubtful = [(a.clone(), Told { entity: entity("new"), doubt })].into();
        assert_eq!(taken::load(conn, &tenant(), &oa(), &keys)?, doubtful);
        taken::put(conn, &tenant(), &oa(), &[(&a, 4, &entity("newest"))])?;
        assert_eq!(taken::load(conn, &tenant(), &oa(), &keys)?, [(a.clone(), Told::surely(entity("newest")))].into());

        let nobody = EntityKey::member("nobody");
        taken::doubt_all(conn, &tenant(), &oa(), &[a.clone(), nobody])?;
        let all = Told { doubt: entity("newest").fields, ..Told::surely(entity("newest")) };
        assert_eq!(taken::load(conn, &tenant(), &oa(), &keys)?, [(a, all)].into());

        messages::put(conn, &tenant(), &oa(), &[(1, "one".into()), (2, "two".into())], NOW)?;
        messages::remove(conn, &tenant(), &oa(), &[1])?;
        assert_eq!(messages::load(conn, &tenant(), &oa())?, [(2, "two".to_owned())].into());
        messages::clear(conn, &tenant(), &oa())?;
        assert!(messages::load(conn, &tenant(), &oa())?.is_empty());
        Ok(())
    })
    .await;
}

async fn the_newest_attempts_are_kept(database: Database) {
    let database = with_oa(database).await;
    write(&database, |conn| {
        let attempt = |version: u64| Attempt {
            from_version: version,
            to_version: version + 1,
            changes: 2,
            entity: Some(EntityKey::member("a")),
            at: NOW,
            took_millis: 5,
            outcome: "applied".into(),
            answer: None,
        };
        let all: Vec<Attempt> = (1..=5).map(attempt).collect();
        deliveries::record(conn, &tenant(), &oa(), &all)?;
        assert_eq!(deliveries::prune(conn, &tenant(), &oa(), 2)?, 3);
        let left = deliveries::list(conn, &tenant(), Some(&oa()), 10)?;
        assert_eq!(left.into_iter().map(|listed| listed.attempt).collect::<Vec<_>>(), [attempt(5), attempt(4)]);
        assert_eq!(deliveries::of_version(conn, &tenant(), 5)?.len(), 2);
        Ok(())
    })
    .await;
}

fn letter(entity: &str, destination: Option<common::DestinationId>) -> NewDeadLetter {
    NewDeadLetter {
        tenant: tenant(),
        stage: if destination.is_some() { Stage::Sink } else { Stage::Resolver },
        kind: "member".into(),
        entity: entity.into(),
        reason: Reason::RejectedByDestination,
        detail: "no".into(),
        content: "{}".into(),
        destination,
        version: Some(3),
        since: NOW,
    }
}

async fn dead_letters_are_listed_until_they_end(database: Database) {
    let database = with_oa(database).await;
    write(&database, |conn| {
        let letters = [letter("a", Some(oa())), letter("b", Some(oa())), letter("a", None)];
        let ids = dead_letters::insert(conn, &letters)?;
        assert_eq!(dead_letters::list(conn, Some(&tenant()))?.len(), 3);
        assert_eq!(dead_letters::show(conn, &ids[0])?.map(|dead| dead.letter), Some(letters[0].clone()));
        assert_eq!(dead_letters::counts(conn)?.iter().map(|(_, _, count)| count).sum::<u64>(), 3);

        let (a, how) = ([EntityKey::member("a")], (Resolution::Applied, NOW));
        assert_eq!(dead_letters::resolve_entities(conn, &tenant(), Stage::Sink, Some(&oa()), &a, how)?, 1);
        assert!(dead_letters::discard(conn, &ids[1], NOW)?);
        assert!(!dead_letters::discard(conn, &ids[1], NOW)?, "it has ended");
        let left = dead_letters::find(conn, &tenant(), Some(Reason::RejectedByDestination), Some(NOW))?;
        assert_eq!(left.iter().map(|dead| &dead.id).collect::<Vec<_>>(), [&ids[2]]);
        assert!(dead_letters::find(conn, &tenant(), Some(Reason::RetriesExhausted), None)?.is_empty());
        let ended = dead_letters::show(conn, &ids[1])?.unwrap().resolved;
        assert_eq!(ended, Some(("discarded".to_owned(), NOW)));
        assert_eq!(dead_letters::prune(conn, NOW.plus_seconds(1))?, 2);
        Ok(())
    })
    .await;
}

async fn backlog_counts_what_is_open(database: Database) {
    let database = with_oa(database).await;
    write(&database, |conn| {
        let mut all = changes(3);
        store::outbox::append(conn, &tenant(), 0, &mut all, NOW)?;
        let lease = destinations::acquire(conn, &tenant(), &oa(), "me", NOW, NOW.plus_seconds(60))?.unwrap();
        destinations::advance(conn, &lease, &Progress { position: 2, last_second: None, delivered_at: None })?;
        let since = NOW.plus_seconds(-5);
        held::put(conn, &tenant(), &oa(), &[(Held { since, ..held_row("m1", 1) }, all.first())])?;
        let backlog = destinations::backlog(conn)?;
        assert_eq!(backlog.iter().map(|one| (one.changes, one.oldest)).collect::<Vec<_>>(), [(2, Some(since))]);
        assert!(destinations::set_state(conn, &tenant(), &oa(), State::Paused)?);
        destinations::touch(conn, &tenant(), &oa())?;
        let watched = destinations::watch(conn)?;
        assert!(watched.iter().all(|one| one.has_held && one.state == State::Paused && one.touched == 1));
        Ok(())
    })
    .await;
}

crate::support::on_both! {
    a_lease_has_one_holder_and_who_lost_it_records_nothing
    what_is_held_comes_back_as_it_was_with_its_change
    former_ids_are_read_as_another_release_wrote_them
    what_was_taken_and_what_is_to_be_sent_is_remembered
    the_newest_attempts_are_kept
    dead_letters_are_listed_until_they_end
    backlog_counts_what_is_open
}
