use super::*;

#[tokio::test]
async fn a_planned_disconnect_stops_events_at_once_and_closes_ten_seconds_later() {
    let stage = Stage::new(|_options| {});
    let mut old = stage.client().await;
    stage.stream.push(&events(0..1));
    let last = old.frame().await;
    let id = stage.stream.live()[0];
    assert!(stage.stream.disconnect(id, "connection is expired"));
    let frame = old.frame().await;
    assert_eq!((&frame["type"], &frame["headers"]["topic"]), (&json!("SYSTEM"), &json!("disconnect")));
    assert_eq!(frame["data"], json!(r#"{"reason":"connection is expired"}"#));
    assert_eq!(stage.stream.connections()[0].state, ConnectionState::Leaving);
    let mut new = stage.client().await;
    stage.stream.push(&events(1..9));
    for _event in 1..9 {
        let frame = new.frame().await;
        new.ack(&frame).await;
    }
    // What was sent before can still be acknowledged.
    old.ack(&last).await;
    stage.stream.settled().await;
    assert_eq!(stage.stream.tally().delivered, 9);
    assert!(!stage.stream.disconnect(id, "again"));
    let before_ms = stage.clock.now_ms();
    stage.pass(|stream| stream.connections()[0].state == ConnectionState::Closed).await;
    assert!(stage.clock.now_ms() - before_ms >= 10_000);
    assert_eq!(old.hear().await, Heard::Close(Some(1000)));
}

#[tokio::test]
async fn a_connection_that_stalls_hears_nothing_and_still_gets_its_share_for_a_while() {
    let stage = Stage::new(|options| options.dead_channel = Duration::from_secs(5));
    let mut dead = stage.client().await;
    assert!(stage.stream.stall(stage.stream.live()[0]));
    stage.stream.push(&events(0..1));
    stage.stream.until(|stream| stream.tally().sent == 1).await;
    dead.send(9, b"anybody there").await;
    stage.pass(|stream| stream.tally().unanswered == 1).await;
    let mut live = stage.client().await;
    stage.pass(|stream| stream.tally().sent == 2).await;
    let frame = live.frame().await;
    live.ack(&frame).await;
    stage.stream.settled().await;
    assert_eq!(stage.stream.connections()[0].sent, 1);
    let silent = tokio::time::timeout(Duration::from_millis(50), dead.hear()).await;
    assert!(silent.is_err(), "it is open and says nothing");
    drop(dead);
    stage.stream.until(|stream| stream.connections()[0].state == ConnectionState::Closed).await;
}

#[tokio::test]
async fn a_cut_connection_ends_without_a_close_frame_and_a_closed_one_with_it() {
    let stage = Stage::new(|_options| {});
    let mut client = stage.client().await;
    assert!(stage.stream.cut(stage.stream.live()[0]));
    assert_eq!(client.hear().await, Heard::Nothing);
    let mut client = stage.client().await;
    assert!(stage.stream.close(stage.stream.live()[0]));
    assert_eq!(client.hear().await, Heard::Close(Some(1000)));
    stage.stream.until(|stream| stream.connections().iter().all(|one| one.state == ConnectionState::Closed)).await;
    assert!(!stage.stream.cut(1) && !stage.stream.close(2) && !stage.stream.stall(2) && !stage.stream.cut(77));
}

#[tokio::test]
async fn connections_can_be_closed_or_silent_from_the_beginning() {
    let stage = Stage::new(|_options| {});
    stage.stream.close_at_once(1);
    let ticket = stage.ticket().await;
    let mut client = Client::connect(stage.server.address(), &ticket).await.expect("it enters");
    assert_eq!(client.hear().await, Heard::Close(Some(1000)));
    stage.stream.stall_at_once(1);
    let ticket = stage.ticket().await;
    let _silent = Client::connect(stage.server.address(), &ticket).await.expect("it enters");
    stage.stream.until(|stream| stream.connections().len() == 2).await;
    assert_eq!(stage.stream.connections()[1].state, ConnectionState::Stalled);
    stage.client().await;
}

#[tokio::test]
async fn pings_of_both_kinds_are_answered() {
    let stage = Stage::new(|options| options.ping_every = Some(Duration::from_secs(30)));
    let mut client = stage.client().await;
    client.send(9, b"abc").await;
    assert_eq!(client.hear().await, Heard::Pong(b"abc".to_vec()));
    stage.pass(|stream| stream.tally().pings > 0).await;
    let id = stage.stream.live()[0];
    let asked = stage.stream.send_callback(id, "/v1.0/unknown", "{}").expect("it is open");
    let frame = after_pings(&mut client).await;
    assert_eq!((&frame["type"], &frame["headers"]["messageId"]), (&json!("CALLBACK"), &json!(asked)));
    stage.stream.until(|stream| stream.tally().echoes > 0).await;
    let kept = stage.stream.send_system(id, "KEEPALIVE", "{}").expect("it is open");
    assert_eq!(after_pings(&mut client).await["headers"]["messageId"], json!(kept));
    client.send(1, b"not JSON").await;
    stage.stream.until(|stream| stream.tally().unreadable == 1).await;
}

/// The next frame that is no ping; pings are echoed.
async fn after_pings(client: &mut Client) -> Value {
    loop {
        let frame = client.frame().await;
        if frame["headers"]["topic"] != json!("ping") {
            return frame;
        }
        client.ack(&frame).await;
    }
}

#[tokio::test]
async fn old_connections_are_disconnected_by_themselves() {
    let stage = Stage::new(|options| options.max_age = Some(Duration::from_secs(60)));
    let mut client = stage.client().await;
    stage.pass(|stream| stream.live().is_empty()).await;
    assert!(stage.clock.now_ms() - START_MS >= 60_000);
    assert_eq!(client.frame().await["headers"]["topic"], json!("disconnect"));
}

#[tokio::test]
async fn a_server_that_stops_leaves_no_connection_behind() {
    let stage = Stage::new(|_options| {});
    let mut client = stage.client().await;
    stage.server.stop().await;
    stage.stream.until(|stream| stream.live().is_empty()).await;
    assert!(matches!(client.hear().await, Heard::Nothing | Heard::Close(_)));
}
