//! Of when an answer is. The rest is tried with chance beside the code itself.

use std::sync::atomic::Ordering;

use common::UnixMillis;
use jiandaoyun::api::Query;
use serde_json::json;

use super::{NOW, Reply, World, form, id, let_time_pass};

/// Less than a second goes by in these tests, and is rounded down, and a second more is taken off.
fn is_just_before(asked_at: UnixMillis, date: UnixMillis) -> bool {
    asked_at.0 % 1000 == 0 && (1000..=2000).contains(&date.since(asked_at))
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_of_the_platforms_time_whatever_ours_is() {
    let world = World::new(|_| Reply::data(&json!([]))).await;
    let_time_pass();
    for wrong_seconds in [0, -250, 250, 86_400, 1_000_000_000] {
        world.clock.0.store(NOW.plus_seconds(wrong_seconds).0, Ordering::SeqCst);
        let asked_at = world.client.records_page(&form(), &Query::ALL).await.unwrap().asked_at;
        assert!(is_just_before(asked_at, NOW), "{wrong_seconds}: {asked_at}");
    }
}

#[tokio::test(start_paused = true)]
async fn that_something_is_not_there_is_of_that_time_too() {
    let world = World::new(|_| Reply::code(4001)).await;
    let_time_pass();
    let answer = world.client.record(&form(), &id(1)).await.unwrap();
    assert!(answer.value.is_none() && is_just_before(answer.asked_at, NOW));
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_date_is_reckoned_from_the_one_before() {
    let world = World::new(|asked| {
        let reply = Reply::data(&json!([]));
        if asked.nth == 0 { reply } else { reply.at(None) }
    })
    .await;
    let_time_pass();
    world.clock.0.store(NOW.plus_seconds(200).0, Ordering::SeqCst);
    for _ in 0..3 {
        let asked_at = world.client.records_page(&form(), &Query::ALL).await.unwrap().asked_at;
        assert!(asked_at <= NOW && NOW.since(asked_at) <= 2000, "{asked_at}");
    }
}
