//! Of when an answer is. The rest is tried with chance beside the code itself.

use std::sync::atomic::Ordering;

use common::UnixMillis;

use super::{NOW, Reply, World, let_time_pass, member};

/// Less than a second goes by in these tests, and is rounded down, and a second more is taken off.
fn is_just_before(asked_at: UnixMillis, date: UnixMillis) -> bool {
    asked_at.0 % 1000 == 0 && (1000..=2000).contains(&date.since(asked_at))
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_of_the_platforms_time_whatever_ours_is() {
    let world = World::new(member).await;
    let_time_pass();
    for wrong_seconds in [0, -250, 250, 86_400, 1_000_000_000] {
        world.clock.0.store(NOW.plus_seconds(wrong_seconds).0, Ordering::SeqCst);
        let asked_at = world.client.member("u").await.unwrap().asked_at;
        assert!(is_just_before(asked_at, NOW), "{wrong_seconds}: {asked_at}");
    }
    world.clock.0.store(NOW.plus_seconds(-86_400).0, Ordering::SeqCst);
    let asked_at = world.client.member("u").await.unwrap().asked_at;
    assert_eq!(asked_at, NOW.plus_seconds(-86_400 + 300 - 1), "a day ahead is too much to believe");
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_date_is_reckoned_from_the_one_before() {
    let world = World::new(|asked| match asked.nth {
        0 => member(asked),
        1 => member(asked).at(None),
        _ => member(asked).at(Some("yesterday")),
    })
    .await;
    let_time_pass();
    world.clock.0.store(NOW.plus_seconds(200).0, Ordering::SeqCst);
    for _ in 0..3 {
        let asked_at = world.client.member("u").await.unwrap().asked_at;
        assert!(asked_at <= NOW && NOW.since(asked_at) <= 2000, "{asked_at}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_of_several_pages_is_of_when_its_first_page_was_asked_for() {
    let world = World::new(|asked| match asked.nth {
        0 => Reply::json(r#"{"errcode":0,"next_cursor":"a","dept_user":[]}"#),
        _ => Reply::json(r#"{"errcode":0,"dept_user":[]}"#).at(Some("Thu, 01 Jan 2026 00:04:00 GMT")),
    })
    .await;
    let_time_pass();
    assert!(is_just_before(world.client.member_ids().await.unwrap().asked_at, NOW));
    let page = world.client.member_ids_page(Some("a")).await.unwrap();
    assert!(is_just_before(page.asked_at, NOW.plus_seconds(240)));
}
