//! Of when an answer is. The rest is tried with chance beside the code itself.

use std::sync::atomic::Ordering;

use common::UnixMillis;
use serde_json::json;

use super::{NOW, Reply, World, ids, let_time_pass, member};

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
}

#[tokio::test(start_paused = true)]
async fn that_something_is_not_there_is_of_the_platforms_time_too() {
    let world = World::new(|_| Reply::word(400, "processInstanceNotExist")).await;
    let_time_pass();
    for wrong_seconds in [0, -250, 250, 86_400] {
        world.clock.0.store(NOW.plus_seconds(wrong_seconds).0, Ordering::SeqCst);
        let asked_at = world.client.approval("p").await.unwrap_err().asked_at().unwrap();
        assert!(is_just_before(asked_at, NOW), "{wrong_seconds}: {asked_at}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_date_is_reckoned_from_the_one_before() {
    let world = World::new(|asked| if asked.nth == 0 { member(asked) } else { member(asked).at(None) }).await;
    let_time_pass();
    world.clock.0.store(NOW.plus_seconds(200).0, Ordering::SeqCst);
    for _ in 0..3 {
        let asked_at = world.client.member("u").await.unwrap().asked_at;
        assert!(asked_at <= NOW && NOW.since(asked_at) <= 2000, "{asked_at}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_of_several_pages_is_of_when_its_first_page_was_asked_for() {
    let world = World::new(|asked| {
        let row = json!({"userId": "u", "workDate": NOW.0, "planId": asked.nth + 1});
        let page = json!({"errcode": 0, "hasMore": asked.nth == 0, "recordresult": [row]}).to_string();
        let date = if asked.nth == 0 { super::DATE } else { "Thu, 01 Jan 2026 00:04:00 GMT" };
        Reply::json(page).at(Some(date))
    })
    .await;
    let_time_pass();
    let answer = world.client.attendance_results(&ids(&["u"]), "2026-01-01", "2026-01-01").await.unwrap();
    assert!(answer.value.len() == 2 && is_just_before(answer.asked_at, NOW));
}
