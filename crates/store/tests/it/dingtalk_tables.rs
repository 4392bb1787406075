//! What DingTalk needs kept: quotas, failed pushes, what is pulled again, whose an app is, who people of another platform are.

use common::{EntityKey, EntityKind, Platform, TenantId, UnixMillis};
use database::{Connection, Database, Result};
use store::{
    failed_pushes,
    links::DecidedBy,
    people::{self, Person},
    quota::{self, Kind},
    repulls,
    tenants::{self, Apply},
};

use crate::support::{on_both, tenant, write};

const NOW: UnixMillis = UnixMillis(1_767_225_600_000);
const MONTH: &str = "2026-11";
const DINGTALK: Platform = Platform::Dingtalk;

fn globex() -> TenantId {
    "globex".parse().unwrap()
}

fn apply(conn: &mut Connection, id: &TenantId) -> Result<i64> {
    let new = Apply { id, document: "{}", data_key: "k", lane: "shared", previous_callback: None, destinations: &[] };
    tenants::apply(conn, &new, NOW)
}

async fn what_is_counted_adds_up_by_tenant_kind_and_month(database: Database) {
    write(&database, |conn| {
        let add = |conn: &mut Connection, kind, month, n| quota::add(conn, &tenant(), DINGTALK, kind, month, n);
        assert_eq!(quota::used(conn, &tenant(), DINGTALK, Kind::Api, MONTH)?, 0);
        assert_eq!(add(conn, Kind::Api, MONTH, 3)?, 3);
        assert_eq!(add(conn, Kind::Api, MONTH, 4)?, 7);
        assert_eq!(add(conn, Kind::Stream, MONTH, 1)?, 1);
        assert_eq!(add(conn, Kind::Api, "2026-12", 2)?, 2);
        assert_eq!(quota::used(conn, &tenant(), DINGTALK, Kind::Api, MONTH)?, 7);
        assert_eq!(quota::used(conn, &globex(), DINGTALK, Kind::Api, MONTH)?, 0);
        let listed = quota::list(conn, &tenant())?;
        let shown: Vec<(&str, &str, u64)> =
            listed.iter().map(|quota| (quota.month.as_str(), quota.kind.as_str(), quota.used)).collect();
        assert_eq!(shown, [("2026-12", "api", 2), (MONTH, "api", 7), (MONTH, "stream", 1)]);
        assert!(listed.iter().all(|quota| quota.platform == DINGTALK && quota.warned == 0));
        Ok(())
    })
    .await;
}

async fn those_who_count_at_once_lose_nothing(database: Database) {
    let counters: Vec<_> = (0..20)
        .map(|_| {
            let database = database.clone();
            tokio::spawn(async move {
                write(&database, |conn| quota::add(conn, &tenant(), DINGTALK, Kind::Api, MONTH, 1)).await
            })
        })
        .collect();
    let mut seen = Vec::new();
    for counter in counters {
        seen.push(counter.await.unwrap());
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=20).collect::<Vec<u64>>(), "each knows how many there are with its own");
}

async fn a_warning_is_given_once_for_each_share_and_only_upward(database: Database) {
    write(&database, |conn| {
        let warn =
            |conn: &mut Connection, percent| quota::warn(conn, &tenant(), DINGTALK, Kind::Stream, MONTH, percent);
        assert!(!warn(conn, 70)?, "nothing is used");
        quota::add(conn, &tenant(), DINGTALK, Kind::Stream, MONTH, 70)?;
        let mut given = Vec::new();
        for percent in [70, 70, 100, 90, 100] {
            given.push(warn(conn, percent)?);
        }
        assert_eq!(given, [true, false, true, false, false]);
        quota::add(conn, &tenant(), DINGTALK, Kind::Stream, MONTH, 1)?;
        assert_eq!(quota::list(conn, &tenant())?[0].warned, 100, "counting does not forget it");
        Ok(())
    })
    .await;
}

async fn a_page_of_failed_pushes_is_there_until_it_is_taken_over(database: Database) {
    write(&database, |conn| {
        let put = |conn: &mut Connection, id: &str, seconds, content: &str| {
            failed_pushes::put(conn, &tenant(), id, NOW.plus_seconds(seconds), content)
        };
        put(conn, "b", 0, "first")?;
        put(conn, "c", 5, "third")?;
        put(conn, "a", 1, "second")?;
        put(conn, "b", 9, "another")?;
        failed_pushes::put(conn, &globex(), "b", NOW, "of others")?;
        let contents = |conn: &mut Connection, limit| -> Result<Vec<String>> {
            Ok(failed_pushes::oldest(conn, &tenant(), limit)?.into_iter().map(|page| page.content).collect())
        };
        assert_eq!(contents(conn, 2)?, ["first", "second"]);
        failed_pushes::remove(conn, &tenant(), &["b".to_owned(), "a".to_owned()])?;
        assert_eq!(contents(conn, 9)?, ["third"]);
        assert_eq!(failed_pushes::oldest(conn, &globex(), 9)?.len(), 1);
        assert!(failed_pushes::is_under_way(conn, &tenant())?);
        failed_pushes::remove(conn, &tenant(), &["c".to_owned()])?;
        assert!(!failed_pushes::is_under_way(conn, &tenant())?);
        failed_pushes::begin_read(conn, &tenant(), "me", NOW, NOW)?;
        assert!(failed_pushes::is_under_way(conn, &tenant())?);
        failed_pushes::end_read(conn, &tenant(), "me")?;
        assert!(!failed_pushes::is_under_way(conn, &tenant())?);
        Ok(())
    })
    .await;
}

fn day(date: &str) -> EntityKey {
    EntityKey::new(EntityKind::AttendanceDay, &common::attendance::day_id("ann", date))
}

async fn what_is_pulled_again_is_taken_at_each_of_its_times_and_once(database: Database) {
    let approval = EntityKey::new(EntityKind::Approval, "Proc-1");
    let planned = [
        (day("2026-11-29"), NOW.plus_seconds(10)),
        (day("2026-11-28"), NOW.plus_seconds(3)),
        (day("2026-11-28"), NOW.plus_seconds(7)),
        (approval.clone(), NOW.plus_seconds(60)),
    ];
    let again = [(day("2026-11-29"), NOW.plus_seconds(5)), (day("2026-11-28"), NOW.plus_seconds(9))];
    write(&database, move |conn| {
        apply(conn, &tenant())?;
        repulls::plan(conn, &tenant(), &planned)?;
        repulls::plan(conn, &tenant(), &again)?;
        repulls::plan(conn, &tenant(), &[])?;
        let take = |conn: &mut Connection, seconds, limit| {
            repulls::take_due(conn, &tenant(), NOW.plus_seconds(seconds), limit)
        };
        assert!(take(conn, 2, 9)?.is_empty());
        assert!(repulls::tenants_with_due(conn, NOW.plus_seconds(2))?.is_empty());
        assert_eq!(repulls::tenants_with_due(conn, NOW.plus_seconds(3))?, [tenant()]);
        assert_eq!(take(conn, 5, 1)?, [day("2026-11-28")], "whose time came first");
        assert_eq!(take(conn, 5, 9)?, [day("2026-11-29")]);
        assert!(take(conn, 5, 9)?.is_empty(), "they were taken");
        assert_eq!(take(conn, 59, 9)?, [day("2026-11-28"), day("2026-11-29")], "both had later times, one of them two");
        assert_eq!(take(conn, 60, 9)?, [approval]);
        Ok(())
    })
    .await;
}

async fn what_is_taken_and_not_committed_is_still_due(database: Database) {
    write(&database, |conn| repulls::plan(conn, &tenant(), &[(day("2026-11-29"), NOW)])).await;
    let fails = |conn: &mut Connection| -> Result<()> {
        assert_eq!(repulls::take_due(conn, &tenant(), NOW, 9)?.len(), 1);
        Err(diesel::result::Error::RollbackTransaction.into())
    };
    assert!(database.write("test", fails).await.is_err());
    assert_eq!(write(&database, |conn| repulls::take_due(conn, &tenant(), NOW, 9)).await, [day("2026-11-29")]);
}

async fn an_app_belongs_to_one_tenant_until_that_is_removed_or_has_another_one(database: Database) {
    write(&database, |conn| {
        let mut claim = |id: TenantId, app: Option<&str>| -> Result<Option<TenantId>> {
            let owner = tenants::claim_client_id(conn, &id, app)?;
            apply(conn, &id)?;
            Ok(owner)
        };
        assert_eq!(claim(tenant(), Some("ding1"))?, None);
        assert_eq!(claim(tenant(), Some("ding1"))?, None, "its own");
        assert_eq!(claim(globex(), Some("ding1"))?, Some(tenant()));
        assert_eq!(claim(globex(), Some("ding2"))?, None);
        assert_eq!(claim(tenant(), Some("ding2"))?, Some(globex()));
        assert_eq!(claim(globex(), Some("ding1"))?, Some(tenant()), "who is refused keeps what it had");
        assert_eq!(claim(tenant(), Some("ding3"))?, None);
        assert_eq!(claim(globex(), Some("ding1"))?, None, "it was given back");
        assert_eq!(claim(tenant(), Some("ding2"))?, None);
        assert_eq!(claim(tenant(), None)?, None);
        assert_eq!(claim(globex(), Some("ding2"))?, None);
        tenants::remove(conn, &globex(), NOW)?;
        assert_eq!(tenants::claim_client_id(conn, &tenant(), Some("ding2"))?, None, "nobody uses it any more");
        assert_eq!(tenants::claim_client_id(conn, &globex(), Some("ding2"))?, Some(tenant()));
        Ok(())
    })
    .await;
}

async fn a_tenant_that_is_removed_is_asked_nothing_more(database: Database) {
    write(&database, |conn| {
        apply(conn, &tenant())?;
        repulls::plan(conn, &tenant(), &[(day("2026-11-29"), NOW)])?;
        failed_pushes::put(conn, &tenant(), "a", NOW, "{}")?;
        quota::add(conn, &tenant(), DINGTALK, Kind::Api, MONTH, 5)?;
        assert!(tenants::remove(conn, &tenant(), NOW)?);
        assert!(repulls::take_due(conn, &tenant(), NOW, 9)?.is_empty());
        assert!(failed_pushes::oldest(conn, &tenant(), 9)?.is_empty());
        assert_eq!(quota::used(conn, &tenant(), DINGTALK, Kind::Api, MONTH)?, 5, "the platform counts on");
        Ok(())
    })
    .await;
}

fn person(foreign_id: &str, member: Option<&str>, decided_by: Option<DecidedBy>) -> Person {
    let member = member.map(str::to_owned);
    let mobile_digest = Some("digest".to_owned());
    Person { foreign_id: foreign_id.to_owned(), member, decided_by, mobile_digest, updated_at: NOW }
}

async fn who_people_are_is_found_by_their_folded_ids(database: Database) {
    write(&database, |conn| {
        apply(conn, &tenant())?;
        let new = [person("M7", Some("ann"), Some(DecidedBy::Mobile)), person("m8", None, None)];
        people::set(conn, &tenant(), DINGTALK, &new)?;
        people::set(conn, &tenant(), DINGTALK, &[])?;
        let found = people::get(conn, &tenant(), DINGTALK, &["m7", "M8", "m9"])?;
        assert_eq!(found.keys().collect::<Vec<_>>(), ["m7", "m8"]);
        assert_eq!(found["m7"], person("m7", Some("ann"), Some(DecidedBy::Mobile)));
        assert!(people::get(conn, &tenant(), Platform::Wecom, &["m7"])?.is_empty());
        assert!(people::get(conn, &globex(), DINGTALK, &["m7"])?.is_empty());
        Ok(())
    })
    .await;
}

async fn what_a_person_said_of_somebody_holds(database: Database) {
    write(&database, |conn| {
        apply(conn, &tenant())?;
        let mut told = Vec::new();
        for (member, decided_by) in [
            ("ann", DecidedBy::Mobile),
            ("bob", DecidedBy::Id),
            ("cai", DecidedBy::Person),
            ("ann", DecidedBy::Mobile),
            ("dan", DecidedBy::Person),
        ] {
            people::set(conn, &tenant(), DINGTALK, &[person("m7", Some(member), Some(decided_by))])?;
            told.extend(people::get(conn, &tenant(), DINGTALK, &["m7"])?["m7"].member.clone());
        }
        assert_eq!(told, ["ann", "bob", "cai", "cai", "dan"]);
        Ok(())
    })
    .await;
}

async fn those_who_are_not_matched_are_listed_page_by_page(database: Database) {
    write(&database, |conn| {
        apply(conn, &tenant())?;
        let matched = person("m2", Some("ann"), Some(DecidedBy::Id));
        let new = [person("m3", None, None), matched, person("m1", None, None), person("m4", None, None)];
        people::set(conn, &tenant(), DINGTALK, &new)?;
        let page = |conn: &mut Connection, after: Option<&str>| -> Result<Vec<String>> {
            let page = people::list_unmatched(conn, &tenant(), DINGTALK, after, 2)?;
            Ok(page.into_iter().map(|person| person.foreign_id).collect())
        };
        assert_eq!(page(conn, None)?, ["m1", "m3"]);
        assert_eq!(page(conn, Some("m3"))?, ["m4"]);
        let all = people::list(conn, &tenant(), DINGTALK, Some("m1"), 2)?;
        assert_eq!(all.iter().map(|person| person.foreign_id.as_str()).collect::<Vec<_>>(), ["m2", "m3"]);
        assert!(people::list(conn, &globex(), DINGTALK, None, 9)?.is_empty());
        Ok(())
    })
    .await;
}

on_both! {
    what_is_counted_adds_up_by_tenant_kind_and_month
    those_who_count_at_once_lose_nothing
    a_warning_is_given_once_for_each_share_and_only_upward
    a_page_of_failed_pushes_is_there_until_it_is_taken_over
    what_is_pulled_again_is_taken_at_each_of_its_times_and_once
    what_is_taken_and_not_committed_is_still_due
    an_app_belongs_to_one_tenant_until_that_is_removed_or_has_another_one
    a_tenant_that_is_removed_is_asked_nothing_more
    who_people_are_is_found_by_their_folded_ids
    what_a_person_said_of_somebody_holds
    those_who_are_not_matched_are_listed_page_by_page
}
