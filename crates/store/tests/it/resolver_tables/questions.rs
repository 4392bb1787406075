//! Questions: asked, claimed, answered, put off.

use std::collections::BTreeSet;

use common::{EntityKey, EntityKind, TenantId, UnixMillis};
use database::{Connection, Database};
use directory::{Question, Why};
use store::{
    questions::{self, Claimed},
    tenants,
};

use super::{NOW, with_tenant};
use crate::support::{is_file, tenant, write};

fn ann() -> EntityKey {
    EntityKey::member("ann")
}

fn hint(about: EntityKey, at: UnixMillis) -> Question {
    Question { about, why: Why::Hint, at }
}

async fn ask(database: &Database, asked: impl IntoIterator<Item = Question>, now: UnixMillis) {
    let asked: BTreeSet<Question> = asked.into_iter().collect();
    write(database, move |conn| questions::ask(conn, &tenant(), &asked, now)).await;
}

/// Claims for a minute.
async fn claim(database: &Database, now: UnixMillis, limit: i64) -> Vec<Claimed> {
    claim_kinds(database, &EntityKind::DIRECTORY, now, limit).await
}

async fn claim_kinds(database: &Database, kinds: &'static [EntityKind], now: UnixMillis, limit: i64) -> Vec<Claimed> {
    write(database, move |conn| questions::claim(conn, &tenant(), kinds, now, now.plus_seconds(60), limit)).await
}

async fn claimed_ids(database: &Database, now: UnixMillis) -> Vec<String> {
    claim(database, now, 100).await.into_iter().map(|question| question.about.id.to_string()).collect()
}

async fn answer(database: &Database, about: EntityKey, at: UnixMillis, now: UnixMillis) -> usize {
    write(database, move |conn| questions::answered(conn, &tenant(), &[(about, at)], now)).await
}

async fn count(database: &Database) -> u64 {
    write(database, |conn| questions::count_open(conn, &tenant())).await
}

async fn many_hints_about_one_are_one_question_with_the_newest_time(database: Database) {
    let missing = Question { about: ann(), why: Why::Missing, at: UnixMillis(0) };
    ask(&database, [missing, hint(ann(), NOW.plus_seconds(-5)), hint(ann(), NOW)], NOW).await;
    ask(&database, [hint(ann(), NOW.plus_seconds(-2)), hint(EntityKey::department("2"), NOW)], NOW.plus_seconds(1))
        .await;
    assert_eq!(count(&database).await, 2);
    let claimed = claim(&database, NOW.plus_seconds(1), 10).await;
    let first =
        Claimed { about: ann(), why: Why::Missing, about_at: NOW, asked_at: NOW, attempts: 0, absent_since: None };
    assert_eq!(claimed[0], first, "more is asked than a hint asks");
    assert_eq!((claimed.len(), claimed[1].about.clone()), (2, EntityKey::department("2")));
}

async fn a_hint_that_somebody_is_blocked_by_is_asked_for_more(database: Database) {
    let asked = |why| Question { about: ann(), why, at: UnixMillis(0) };
    ask(&database, [hint(ann(), NOW)], NOW).await;
    ask(&database, [asked(Why::Blocking)], NOW).await;
    ask(&database, [asked(Why::Missing), hint(ann(), NOW)], NOW).await;
    let claimed = claim(&database, NOW, 10).await;
    assert_eq!((claimed[0].why, claimed[0].about_at), (Why::Blocking, NOW));
}

async fn what_is_claimed_is_nobody_elses_until_the_claim_ends(database: Database) {
    let about = ["a", "b", "c"].map(EntityKey::member);
    ask(&database, about.into_iter().map(|about| hint(about, NOW)), NOW).await;
    assert!(claimed_ids(&database, NOW.plus_millis(-1)).await.is_empty(), "nothing is due yet");
    assert_eq!(claim(&database, NOW, 2).await.len(), 2);
    assert_eq!(claimed_ids(&database, NOW).await, ["c"]);
    assert!(claimed_ids(&database, NOW.plus_seconds(59)).await.is_empty());
    assert_eq!(claimed_ids(&database, NOW.plus_seconds(60)).await, ["a", "b", "c"]);
}

async fn only_questions_about_the_kinds_that_are_wanted_are_claimed(database: Database) {
    let day = EntityKey::new(EntityKind::AttendanceDay, "ann/2026-11-29");
    let approval = EntityKey::new(EntityKind::Approval, "Proc-1");
    ask(&database, [day.clone(), approval.clone(), ann()].map(|about| hint(about, NOW)), NOW).await;
    assert!(claim_kinds(&database, &[], NOW, 10).await.is_empty());
    assert_eq!(claimed_ids(&database, NOW).await, ["ann"]);
    let others = claim_kinds(&database, &[EntityKind::AttendanceDay, EntityKind::Approval], NOW, 10).await;
    assert_eq!(others.into_iter().map(|question| question.about).collect::<Vec<_>>(), [approval.clone(), day.clone()]);
    for about in [day, approval] {
        assert_eq!(answer(&database, about, NOW.plus_seconds(2), NOW).await, 1);
    }
    assert_eq!(count(&database).await, 1);
}

async fn two_who_claim_at_once_get_different_questions(database: Database) {
    if is_file(&database).await {
        // There is one process, and one writer at a time.
        return;
    }
    let about: Vec<Question> = (0..40).map(|id| hint(EntityKey::member(&id.to_string()), NOW)).collect();
    ask(&database, about, NOW).await;
    let mut all = Vec::new();
    let (one, other) = tokio::join!(claim(&database, NOW, 30), claim(&database, NOW, 30));
    all.extend(one.into_iter().chain(other).map(|question| question.about));
    all.extend(claim(&database, NOW, 100).await.into_iter().map(|question| question.about));
    let different: BTreeSet<&EntityKey> = all.iter().collect();
    assert_eq!((all.len(), different.len()), (40, 40));
}

async fn an_answer_closes_only_what_is_two_seconds_older(database: Database) {
    for (later_millis, closed) in [(1999, 0), (2000, 1)] {
        ask(&database, [hint(ann(), NOW)], NOW).await;
        claim(&database, NOW, 10).await;
        assert_eq!(answer(&database, ann(), NOW.plus_millis(later_millis), NOW.plus_seconds(3)).await, closed);
    }
    assert_eq!(count(&database).await, 0);
    assert_eq!(answer(&database, ann(), NOW.plus_seconds(9), NOW).await, 0, "nobody asked");
}

async fn an_answer_that_is_not_late_enough_makes_its_question_due_at_once(database: Database) {
    ask(&database, [hint(ann(), NOW), hint(EntityKey::member("bob"), NOW)], NOW).await;
    claim(&database, NOW, 10).await;
    // A newer hint comes while the answer is on its way.
    ask(&database, [hint(ann(), NOW.plus_seconds(4))], NOW.plus_seconds(5)).await;
    assert!(claimed_ids(&database, NOW.plus_seconds(5)).await.is_empty());
    assert_eq!(answer(&database, ann(), NOW.plus_seconds(3), NOW.plus_seconds(6)).await, 0);
    let again = claim(&database, NOW.plus_seconds(6), 10).await;
    assert_eq!((again.len(), again[0].about_at), (1, NOW.plus_seconds(4)));
    assert_eq!(answer(&database, ann(), NOW.plus_seconds(6), NOW.plus_seconds(7)).await, 1);
}

async fn answers_to_many_are_each_measured_by_their_own_question(database: Database) {
    let (bob, department) = (EntityKey::member("bob"), EntityKey::department("2"));
    ask(
        &database,
        [hint(ann(), NOW), hint(bob.clone(), NOW.plus_seconds(5)), hint(department.clone(), UnixMillis(0))],
        NOW,
    )
    .await;
    let at = NOW.plus_seconds(3);
    // Of two answers to one the later counts.
    let answers = vec![(ann(), NOW), (ann(), at), (bob, at), (department, at), (EntityKey::member("cai"), at)];
    let closed = write(&database, move |conn| questions::answered(conn, &tenant(), &answers, at)).await;
    assert_eq!((closed, claimed_ids(&database, at).await), (2, vec!["bob".to_owned()]));
    let nothing = write(&database, |conn| questions::answered(conn, &tenant(), &[], NOW)).await;
    assert_eq!(nothing, 0);
}

async fn what_is_put_off_counts_as_an_attempt_or_not(database: Database) {
    let database = with_tenant(database).await;
    let bob = EntityKey::member("bob");
    ask(&database, [hint(ann(), NOW), hint(bob.clone(), NOW)], NOW).await;
    let later = [(ann(), NOW.plus_seconds(10)), (bob, NOW.plus_seconds(20))];
    write(&database, move |conn| {
        questions::postpone(conn, &tenant(), &later, true)?;
        questions::postpone(conn, &tenant(), &later[..1], false)
    })
    .await;
    assert!(claimed_ids(&database, NOW.plus_seconds(9)).await.is_empty());
    let due = claim(&database, NOW.plus_seconds(10), 10).await;
    assert_eq!((due.len(), due[0].about.clone(), due[0].attempts), (1, ann(), 1));
    assert_eq!(claimed_ids(&database, NOW.plus_seconds(20)).await, ["bob"]);
}

async fn the_first_absence_is_noted_until_something_newer_is_told(database: Database) {
    let database = with_tenant(database).await;
    ask(&database, [hint(ann(), NOW)], NOW).await;
    for second in [3, 40] {
        let at = NOW.plus_seconds(second);
        write(&database, move |conn| questions::note_absent(conn, &tenant(), &[ann()], at)).await;
    }
    ask(&database, [hint(ann(), NOW)], NOW).await;
    let noted = claim(&database, NOW, 10).await;
    assert_eq!(noted[0].absent_since, Some(NOW.plus_seconds(3)));
    ask(&database, [hint(ann(), NOW.plus_seconds(41))], NOW).await;
    let noted = claim(&database, NOW.plus_seconds(60), 10).await;
    assert_eq!(noted[0].absent_since, None);
}

async fn due(database: &Database, now: UnixMillis) -> Vec<TenantId> {
    write(database, move |conn| questions::tenants_with_due(conn, now)).await
}

async fn tenants_are_known_by_what_is_due(database: Database) {
    ask(&database, [hint(ann(), NOW)], NOW).await;
    assert!(due(&database, NOW).await.is_empty(), "nobody has applied it");
    let database = with_tenant(database).await;
    assert!(due(&database, NOW.plus_millis(-1)).await.is_empty());
    assert_eq!(due(&database, NOW).await, [tenant()]);
    claim(&database, NOW, 10).await;
    assert!(due(&database, NOW).await.is_empty());
    write(&database, |conn| tenants::remove(conn, &tenant(), NOW)).await;
    assert!(due(&database, NOW.plus_seconds(60)).await.is_empty(), "it was removed");
}

async fn silence_begins_once_and_ends(database: Database) {
    let since = |conn: &mut Connection| questions::silent_since(conn, &tenant());
    assert_eq!(write(&database, since).await, None);
    for second in [0, 5] {
        let at = Some(NOW.plus_seconds(second));
        write(&database, move |conn| questions::set_silent(conn, &tenant(), at)).await;
        assert_eq!(write(&database, since).await, Some(NOW));
    }
    for _ in 0..2 {
        write(&database, |conn| questions::set_silent(conn, &tenant(), None)).await;
        assert_eq!(write(&database, since).await, None);
    }
}

crate::support::on_both! {
    many_hints_about_one_are_one_question_with_the_newest_time
    a_hint_that_somebody_is_blocked_by_is_asked_for_more
    what_is_claimed_is_nobody_elses_until_the_claim_ends
    only_questions_about_the_kinds_that_are_wanted_are_claimed
    two_who_claim_at_once_get_different_questions
    an_answer_closes_only_what_is_two_seconds_older
    an_answer_that_is_not_late_enough_makes_its_question_due_at_once
    answers_to_many_are_each_measured_by_their_own_question
    what_is_put_off_counts_as_an_attempt_or_not
    the_first_absence_is_noted_until_something_newer_is_told
    tenants_are_known_by_what_is_due
    silence_begins_once_and_ends
}
