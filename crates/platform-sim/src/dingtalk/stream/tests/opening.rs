use super::*;

#[tokio::test]
async fn a_ticket_is_handed_out_for_the_right_secret_and_opens_one_connection() {
    let stage = Stage::new(|_options| {});
    let (status, opened) = stage.open(&asking("secret1")).await;
    assert_eq!(status, 200);
    assert_eq!(opened["endpoint"], json!(format!("ws://{}/connect", stage.server.address())));
    let ticket = opened["ticket"].as_str().expect("a ticket");
    assert!(ticket.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{ticket}");
    let _client = Client::connect(stage.server.address(), ticket).await.expect("it enters");
    let again = Client::connect(stage.server.address(), ticket).await.err();
    assert_eq!(again.as_deref(), Some("401"));
    assert_eq!(Client::connect(stage.server.address(), "x").await.err().as_deref(), Some("401"));
    let connections = stage.stream.connections();
    assert_eq!((connections.len(), connections[0].ua.as_str()), (1, "test-sdk-rust/1"));
    assert_eq!(stage.stream.tally().spent_tickets, 1);
}

#[tokio::test]
async fn a_ticket_lives_ninety_seconds() {
    let stage = Stage::new(|_options| {});
    let (young, old) = (stage.ticket().await, stage.ticket().await);
    stage.clock.advance(Duration::from_millis(89_999));
    assert!(Client::connect(stage.server.address(), &young).await.is_ok());
    stage.clock.advance(Duration::from_millis(1));
    assert_eq!(Client::connect(stage.server.address(), &old).await.err().as_deref(), Some("401"));
}

#[tokio::test]
async fn wrong_credentials_and_wrong_topics_are_refused() {
    let stage = Stage::new(|_options| {});
    let (status, refusal) = stage.open(&asking("secret2")).await;
    assert_eq!((status, &refusal["code"], &refusal["message"]), (401, &json!("authFailed"), &json!("鉴权失败")));
    let id = refusal["requestid"].as_str().expect("an id");
    assert_eq!((id.len(), id.to_uppercase().as_str()), (36, id));
    let mut stranger = asking("secret1");
    stranger["clientId"] = json!("dingapp2");
    assert_eq!(stage.open(&stranger).await.0, 401);
    for subscriptions in [json!([]), json!([{"type": "EVENT", "topic": "user_add_org"}]), json!([{"type": "CALLBACK"}])]
    {
        let mut body = asking("secret1");
        body["subscriptions"] = subscriptions;
        assert_eq!(stage.open(&body).await.0, 400, "{body}");
    }
}

#[tokio::test]
async fn what_the_sdks_send_is_accepted() {
    let stage = Stage::new(|_options| {});
    let bodies = [
        json!({"clientId": "dingapp1", "clientSecret": "secret1", "ua": "", "subscriptions": [
            {"type": "EVENT", "topic": "*"}, {"type": "CALLBACK", "topic": "/v1.0/im/bot/messages/get"}]}),
        json!({"clientId": "dingapp1", "clientSecret": "secret1", "extras": {"a": "b"}, "subscriptions": [
            {"type": "SYSTEM", "topic": "disconnect"}, {"type": "EVENT", "topic": "*"}]}),
    ];
    for body in bodies {
        assert_eq!(stage.open(&body).await.0, 200, "{body}");
    }
}

#[tokio::test]
async fn who_does_not_ask_for_json_gets_xml() {
    let stage = Stage::new(|_options| {});
    let url = format!("{}/v1.0/gateway/connections/open", stage.server.url());
    let request = crate::dispatcher::client().expect("a client").post(url).body(asking("secret1").to_string());
    let response = request.send().await.expect("an answer");
    assert!(response.text().await.expect("a body").starts_with('<'));
}

#[tokio::test]
async fn scripted_refusals_come_as_often_as_scripted() {
    let stage = Stage::new(|_options| {});
    stage.stream.fail_open(OpenFault::Unauthorized, 1);
    stage.stream.fail_open(OpenFault::Status(503), 2);
    let mut statuses = Vec::new();
    for _time in 0..4 {
        statuses.push(stage.open(&asking("secret1")).await.0);
    }
    assert_eq!(statuses, [401, 503, 503, 200]);
    stage.stream.fail_open(OpenFault::Hang, 1);
    stage.stream.heal();
    assert_eq!(stage.open(&asking("secret1")).await.0, 200);
    assert_eq!((stage.stream.tally().opened, stage.stream.tally().refused), (2, 3));
}
