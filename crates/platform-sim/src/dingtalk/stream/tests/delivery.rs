use super::*;

#[tokio::test]
async fn an_event_goes_to_one_connection_and_is_done_once_it_is_acknowledged() {
    let stage = Stage::new(|_options| {});
    let mut client = stage.client().await;
    let told = events(1..2);
    stage.stream.push(&told);
    let frame = client.frame().await;
    assert_eq!((&frame["type"], &frame["headers"]["eventId"]), (&json!("EVENT"), &json!(told[0].id)));
    assert_eq!(frame["data"], json!(told[0].stream_data()));
    client.ack(&frame).await;
    stage.stream.settled().await;
    let deliveries = stage.stream.deliveries_of(&told[0].id);
    assert_eq!((deliveries.len(), deliveries[0].fate, deliveries[0].attempt), (1, Fate::Delivered, 1));
    assert_eq!(stage.stream.told()[0].reply.code, 200);
    assert_eq!(stage.failed.waiting(), 0);
}

#[tokio::test]
async fn events_are_shared_among_the_connections_of_an_app() {
    let stage = Stage::new(|_options| {});
    let (mut first, mut second) = (stage.client().await, stage.client().await);
    stage.stream.push(&events(0..60));
    let taken = [&mut first, &mut second].map(|client| async move {
        loop {
            match client.hear().await {
                Heard::Text(frame) => client.ack(&frame).await,
                other => return other,
            }
        }
    });
    let [first, second] = taken;
    tokio::select! {
        other = first => panic!("{other:?}"),
        other = second => panic!("{other:?}"),
        () = stage.stream.settled() => {}
    }
    let connections = stage.stream.connections();
    assert_eq!(connections[0].replied + connections[1].replied, 60);
    assert!(connections.iter().all(|connection| connection.sent >= 10), "{connections:?}");
    assert_eq!(stage.stream.deliveries().len(), 60);
}

#[tokio::test]
async fn what_is_not_acknowledged_comes_again_after_10_and_30_seconds_and_is_parked_then() {
    let stage = Stage::new(|_options| {});
    let mut client = stage.client().await;
    let told = events(1..2);
    stage.stream.push(&told);
    let first = client.frame().await;
    client.reply(&first, 200, r#"{"status":"LATER","message":"busy"}"#).await;
    stage.pass(|stream| stream.tally().sent == 2).await;
    let second = client.frame().await;
    client.reply(&second, 404, "{}").await;
    stage.pass(|stream| stream.tally().sent == 3).await;
    let third = client.frame().await;
    client.reply(&third, 500, r#"{"status":"LATER"}"#).await;
    stage.stream.settled().await;
    for header in ["eventId", "messageId", "eventBornTime"] {
        assert_eq!(first["headers"][header], third["headers"][header], "{header}");
    }
    let deliveries = stage.stream.deliveries();
    let fates: Vec<_> = deliveries.iter().map(|delivery| (delivery.attempt, delivery.fate)).collect();
    assert_eq!(fates, [(1, Fate::Later), (2, Fate::Failed), (3, Fate::Later)]);
    assert!(deliveries[1].sent_ms - deliveries[0].sent_ms >= 10_000, "{deliveries:?}");
    assert!(deliveries[2].sent_ms - deliveries[1].sent_ms >= 30_000, "{deliveries:?}");
    assert_eq!(stage.failed.take(stage.clock.now_ms()).entries, [told[0].failed_entry()]);
}

#[tokio::test]
async fn an_ack_after_three_seconds_is_too_late() {
    let stage = Stage::new(|options| options.keep_message_id = false);
    let mut client = stage.client().await;
    stage.stream.push(&events(1..2));
    let first = client.frame().await;
    stage.pass(|stream| stream.tally().unanswered == 1).await;
    client.ack(&first).await;
    stage.stream.until(|stream| stream.tally().late_replies == 1).await;
    stage.pass(|stream| stream.tally().sent == 2).await;
    let second = client.frame().await;
    assert_ne!(first["headers"]["messageId"], second["headers"]["messageId"]);
    assert_eq!(first["headers"]["eventId"], second["headers"]["eventId"]);
    client.ack(&second).await;
    stage.stream.settled().await;
    let deliveries = stage.stream.deliveries();
    assert_eq!((deliveries[0].fate, deliveries[0].late), (Fate::Unanswered, Some(Fate::Delivered)));
    assert_eq!(deliveries[1].fate, Fate::Delivered);
}

#[tokio::test]
async fn without_a_connection_events_are_tried_in_vain_and_parked() {
    let stage = Stage::new(|_options| {});
    stage.stream.push(&events(0..3));
    stage.pass(|stream| stream.under_way() == 0).await;
    let tally = stage.stream.tally();
    assert_eq!((tally.nobody, tally.parked, tally.sent, stage.failed.waiting()), (9, 3, 0, 3));
    stage.stream.configure(|options| options.list_failures = false);
    stage.stream.push(&events(3..4));
    stage.pass(|stream| stream.under_way() == 0).await;
    assert_eq!((stage.stream.tally().lost, stage.failed.waiting()), (1, 3));
}

#[tokio::test]
async fn what_is_not_ticked_is_not_sent() {
    let stage = Stage::new(|options| options.subscribed = Some(["bpms_task_change".to_owned()].into()));
    let _client = stage.client().await;
    stage.stream.push(&events(0..2));
    assert_eq!((stage.stream.tally().unsubscribed, stage.stream.under_way()), (2, 0));
}

#[tokio::test]
async fn by_chance_an_event_comes_twice_at_once_or_again_after_its_ack() {
    let stage = Stage::new(|options| options.chances.burst = 1.0);
    let mut client = stage.client().await;
    stage.stream.push(&events(1..2));
    let (first, second) = (client.frame().await, client.frame().await);
    assert_eq!(first["headers"]["eventId"], second["headers"]["eventId"]);
    assert_ne!(first["headers"]["messageId"], second["headers"]["messageId"]);
    client.ack(&first).await;
    client.ack(&second).await;
    stage.stream.settled().await;
    stage.stream.configure(|options| options.chances = Chances { late_duplicate: 1.0, ..Chances::default() });
    stage.stream.push(&events(2..3));
    let first = client.frame().await;
    client.ack(&first).await;
    stage.pass(|stream| stream.tally().sent == 4).await;
    let second = client.frame().await;
    assert_eq!(first["headers"]["eventId"], second["headers"]["eventId"]);
    client.ack(&second).await;
    stage.stream.settled().await;
    assert_eq!(stage.stream.tally().delivered, 4);
}
