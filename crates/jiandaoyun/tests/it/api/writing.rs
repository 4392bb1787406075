//! A status that is written back.

use serde_json::json;

use super::{Reply, World, form, id, let_time_pass, record};

#[tokio::test(start_paused = true)]
async fn a_status_is_written_and_written_again_where_nobody_answered() {
    let world = World::new(|asked| if asked.nth == 0 { Reply::none() } else { Reply::data(&record(1)) }).await;
    let_time_pass();
    let data = json!({"_widget_9": {"value": "created"}});
    world.client.update(&form(), &id(1), data.as_object().unwrap()).await.unwrap();
    assert_eq!(world.server.count(), 2);
    let asked = world.server.asked().remove(1);
    assert_eq!(asked.api, "data/update");
    assert_eq!(
        asked.json(),
        json!({"app_id": "64a0c0ffee000000000000aa", "entry_id": "64a0c0ffee000000000000bb", "data_id": id(1), "data": data})
    );
}

#[tokio::test]
async fn what_says_nothing_was_not_written() {
    for (reply, label) in [
        (Reply::json("{}"), "incomplete"),
        (Reply::code(4001), "not_found"),
        (Reply::code(17032), "not_writable"),
        (Reply::code(4402), "rejected"),
    ] {
        let world = World::new(move |_| reply.clone()).await;
        assert_eq!(world.client.update(&form(), &id(1), &serde_json::Map::new()).await.unwrap_err().label(), label);
        assert_eq!(world.server.count(), 1);
    }
}
