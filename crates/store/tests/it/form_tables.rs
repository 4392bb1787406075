//! Polls of forms, and what became of their records.

use std::collections::BTreeMap;

use common::{TenantId, UnixMillis};
use database::{Connection, Database, Result};
use store::{
    form_polls,
    form_records::{self, Noted, Settled, State},
    snapshots::Hold,
    tenants::{self, Apply},
};

use crate::support::{on_both, pass, tenant, write};

const NOW: UnixMillis = UnixMillis(1_767_225_600_000);
const FORM: &str = "64a0aa/64a0bb";

fn hold(owner: &str, seconds: i64) -> Hold<'_> {
    let now = NOW.plus_seconds(seconds);
    Hold { owner, now, until: now.plus_seconds(60) }
}

fn globex() -> TenantId {
    "globex".parse().unwrap()
}

async fn a_form_is_polled_by_one_who_may_be_followed_by_another(database: Database) {
    write(&database, |conn| {
        assert!(!form_polls::take(conn, &tenant(), FORM, &hold("a", 0))?, "it is not known");
        form_polls::announce(conn, &tenant(), FORM, NOW)?;
        form_polls::announce(conn, &tenant(), FORM, NOW.plus_seconds(9))?;
        let poll = form_polls::get(conn, &tenant(), FORM)?.unwrap();
        assert_eq!((poll.mark, poll.created_at, poll.due_at), (None, NOW, NOW));
        assert!(form_polls::take(conn, &tenant(), FORM, &hold("a", 0))?);
        assert!(!form_polls::take(conn, &tenant(), FORM, &hold("a", 1))?, "not even the one who has it");
        assert!(!form_polls::advance(conn, &tenant(), FORM, "x", &hold("b", 1))?);
        assert!(form_polls::begin(conn, &tenant(), FORM, (NOW, true, NOW.plus_seconds(300)), &hold("a", 1))?);
        assert!(form_polls::advance(conn, &tenant(), FORM, "r100", &hold("a", 30))?);
        Ok(())
    })
    .await;
    pass(&database, 91).await;
    write(&database, |conn| {
        assert!(form_polls::take(conn, &tenant(), FORM, &hold("b", 91))?, "the first one is gone");
        assert!(!form_polls::finish(conn, &tenant(), FORM, &hold("a", 91))?);
        let poll = form_polls::get(conn, &tenant(), FORM)?.unwrap();
        assert_eq!((poll.place.as_deref(), poll.mark), (Some("r100"), None), "it goes on there");
        assert!(form_polls::finish(conn, &tenant(), FORM, &hold("b", 92))?);
        form_polls::give_back(conn, &tenant(), FORM, "a")?;
        assert!(!form_polls::take(conn, &tenant(), FORM, &hold("c", 93))?, "who lost it gives nothing back");
        form_polls::give_back(conn, &tenant(), FORM, "b")?;
        assert!(form_polls::take(conn, &tenant(), FORM, &hold("c", 94))?);
        Ok(())
    })
    .await;
}

async fn the_mark_moves_to_the_beginning_of_a_poll_that_came_to_its_end(database: Database) {
    write(&database, |conn| {
        form_polls::announce(conn, &tenant(), FORM, NOW)?;
        form_polls::take(conn, &tenant(), FORM, &hold("a", 0))?;
        let begun = (NOW.plus_seconds(-5), true, NOW.plus_seconds(300));
        assert!(form_polls::begin(conn, &tenant(), FORM, begun, &hold("a", 0))?);
        assert!(form_polls::stop(conn, &tenant(), FORM, ("throttled", NOW.plus_seconds(60)), &hold("a", 1))?);
        let poll = form_polls::get(conn, &tenant(), FORM)?.unwrap();
        assert_eq!((poll.mark, poll.why.as_deref(), poll.place.as_deref()), (None, Some("throttled"), Some("")));
        assert!(form_polls::finish(conn, &tenant(), FORM, &hold("a", 2))?);
        let poll = form_polls::get(conn, &tenant(), FORM)?.unwrap();
        let began = Some(NOW.plus_seconds(-5));
        assert_eq!((poll.mark, poll.full_at, poll.why, poll.place), (began, began, None, None));
        assert!(form_polls::stop(conn, &tenant(), FORM, ("no answer", NOW.plus_seconds(9)), &hold("a", 3))?);
        let next = (NOW.plus_seconds(300), false, NOW.plus_seconds(600));
        assert!(form_polls::begin(conn, &tenant(), FORM, next, &hold("a", 3))?);
        assert_eq!(form_polls::get(conn, &tenant(), FORM)?.unwrap().why, None, "what stopped it is over");
        assert!(form_polls::finish(conn, &tenant(), FORM, &hold("a", 4))?);
        let poll = form_polls::get(conn, &tenant(), FORM)?.unwrap();
        assert_eq!((poll.mark, poll.full_at), (Some(NOW.plus_seconds(300)), began), "this one was not of all records");
        form_polls::want(conn, &tenant(), FORM, NOW.plus_seconds(400))?;
        form_polls::want(conn, &tenant(), FORM, NOW.plus_seconds(500))?;
        assert_eq!(form_polls::list(conn, &tenant())?.remove(0).1.due_at, NOW.plus_seconds(400));
        assert!(form_polls::list(conn, &globex())?.is_empty());
        Ok(())
    })
    .await;
}

fn noted<'a>(record: &'a str, content_hash: &'a str, state: State) -> Noted<'a> {
    let reasons = (state == State::Refused).then_some("[]");
    Noted { record, content_hash, state, reasons }
}

fn settled(record: &str, state: State, attempts: u32) -> Settled {
    let user_id = (state == State::Created).then(|| "zhangsan".to_owned());
    Settled { form: FORM.to_owned(), record: record.to_owned(), state, user_id, reasons: None, attempts }
}

async fn who_was_made_a_member_stays_so_whatever_is_found_later(database: Database) {
    write(&database, |conn| {
        let state = |conn: &mut Connection, record: &str| -> Result<(State, String, u32)> {
            let found = form_records::get_many(conn, &tenant(), FORM, &[record])?.remove(record).unwrap();
            Ok((found.state, found.content_hash, found.attempts))
        };
        let note = |conn: &mut Connection, hash: &str, state| {
            form_records::note(conn, &tenant(), FORM, &[noted("r1", hash, state)], NOW)
        };
        note(conn, "h1", State::Seen)?;
        note(conn, "h1", State::Sent)?;
        assert_eq!(state(conn, "r1")?, (State::Sent, "h1".to_owned(), 0));
        form_records::settle(conn, &tenant(), &[settled("r1", State::Failed, 3)], NOW)?;
        note(conn, "h2", State::Sent)?;
        assert_eq!(state(conn, "r1")?, (State::Sent, "h2".to_owned(), 3), "it may be tried again");
        form_records::settle(conn, &tenant(), &[settled("r1", State::Created, 4)], NOW)?;
        note(conn, "h3", State::Refused)?;
        form_records::settle(conn, &tenant(), &[settled("r1", State::Failed, 5)], NOW)?;
        assert_eq!(state(conn, "r1")?, (State::Created, "h3".to_owned(), 4));
        let row = form_records::get_many(conn, &tenant(), FORM, &["r1", "r2"])?;
        assert_eq!(row["r1"].user_id.as_deref(), Some("zhangsan"));
        assert_eq!((row.len(), row["r1"].reasons.as_deref()), (1, None));
        assert!(form_records::get_many(conn, &globex(), FORM, &["r1"])?.is_empty());
        // Nobody noted it before.
        form_records::settle(conn, &tenant(), &[settled("r9", State::Created, 1)], NOW)?;
        assert_eq!(state(conn, "r9")?, (State::Created, String::new(), 1));
        form_records::settle(conn, &tenant(), &[], NOW)?;
        form_records::note(conn, &tenant(), FORM, &[], NOW)
    })
    .await;
}

async fn an_outcome_is_to_be_told_until_it_was_told_as_it_is(database: Database) {
    write(&database, |conn| {
        let untold = |conn: &mut Connection| -> Result<Vec<form_records::FormRecord>> {
            form_records::untold(conn, &tenant(), FORM, 9)
        };
        let both = [noted("r1", "h1", State::Sent), noted("r2", "h2", State::Refused)];
        form_records::note(conn, &tenant(), FORM, &both, NOW)?;
        let first = untold(conn)?;
        assert_eq!(first.iter().map(|row| row.record.as_str()).collect::<Vec<_>>(), ["r2"]);
        form_records::settle(conn, &tenant(), &[settled("r1", State::Failed, 1)], NOW)?;
        assert_eq!(untold(conn)?.len(), 2);
        for row in untold(conn)? {
            form_records::note_told(conn, &tenant(), &row)?;
        }
        assert!(untold(conn)?.is_empty());
        let failed = form_records::get_many(conn, &tenant(), FORM, &["r1"])?.remove("r1").unwrap();
        form_records::settle(conn, &tenant(), &[settled("r1", State::Created, 2)], NOW.plus_seconds(1))?;
        form_records::note_told(conn, &tenant(), &failed)?;
        assert_eq!(untold(conn)?.len(), 1, "what was told is not so any more");
        let created = untold(conn)?.remove(0);
        form_records::note_told(conn, &tenant(), &created)?;
        assert!(untold(conn)?.is_empty());
        form_records::note_told(conn, &tenant(), &failed)?;
        assert_eq!(untold(conn)?, [created], "another process may have written what it knew over it");
        Ok(())
    })
    .await;
}

async fn a_request_that_is_sent_after_all_is_open_again(database: Database) {
    write(&database, |conn| {
        let both = [settled("failed", State::Failed, 0), settled("created", State::Created, 1)];
        form_records::settle(conn, &tenant(), &both, NOW)?;
        form_records::reopen(conn, &tenant(), &["failed", "created", "unknown"].map(|record| (FORM, record)), NOW)?;
        let rows = form_records::get_many(conn, &tenant(), FORM, &["failed", "created", "unknown"])?;
        assert_eq!((rows.len(), rows["created"].state), (2, State::Created));
        assert_eq!((rows["failed"].state, rows["failed"].untold), (State::Sent, false));
        Ok(())
    })
    .await;
}

async fn records_are_listed_page_by_page_and_counted_by_state(database: Database) {
    write(&database, |conn| {
        let of = |form: &str, conn: &mut Connection| {
            let all = [noted("r1", "h", State::Seen), noted("r2", "h", State::Refused)];
            form_records::note(conn, &tenant(), form, &all, NOW)
        };
        of("a/1", conn)?;
        of("a/2", conn)?;
        let page = |conn: &mut Connection, state, after, limit| -> Result<Vec<(String, String)>> {
            let page = form_records::list(conn, &tenant(), state, after, limit)?;
            Ok(page.into_iter().map(|row| (row.form, row.record)).collect())
        };
        let names = |names: &[(&str, &str)]| -> Vec<(String, String)> {
            names.iter().map(|(form, record)| ((*form).to_owned(), (*record).to_owned())).collect()
        };
        assert_eq!(page(conn, None, None, 3)?, names(&[("a/1", "r1"), ("a/1", "r2"), ("a/2", "r1")]));
        assert_eq!(page(conn, None, Some(("a/2", "r1")), 9)?, names(&[("a/2", "r2")]));
        assert_eq!(page(conn, Some(State::Refused), None, 9)?, names(&[("a/1", "r2"), ("a/2", "r2")]));
        let counts = form_records::counts(conn, &tenant())?;
        assert_eq!(counts, BTreeMap::from([(State::Seen, 2), (State::Refused, 2)]));
        Ok(())
    })
    .await;
}

async fn a_tenant_that_is_removed_is_polled_no_more_and_its_members_are_known(database: Database) {
    write(&database, |conn| {
        let id = tenant();
        let new = Apply {
            id: &id,
            document: "{}",
            data_key: "k",
            lane: "shared",
            previous_callback: None,
            destinations: &[],
        };
        tenants::apply(conn, &new, NOW)?;
        form_polls::announce(conn, &id, FORM, NOW)?;
        form_records::settle(conn, &id, &[settled("r1", State::Created, 1)], NOW)?;
        assert!(tenants::remove(conn, &id, NOW)?);
        assert_eq!(form_polls::get(conn, &id, FORM)?, None);
        assert_eq!(form_records::list(conn, &id, Some(State::Created), None, 9)?.len(), 1);
        Ok(())
    })
    .await;
}

on_both! {
    a_form_is_polled_by_one_who_may_be_followed_by_another
    the_mark_moves_to_the_beginning_of_a_poll_that_came_to_its_end
    who_was_made_a_member_stays_so_whatever_is_found_later
    an_outcome_is_to_be_told_until_it_was_told_as_it_is
    a_request_that_is_sent_after_all_is_open_again
    records_are_listed_page_by_page_and_counted_by_state
    a_tenant_that_is_removed_is_polled_no_more_and_its_members_are_known
}
