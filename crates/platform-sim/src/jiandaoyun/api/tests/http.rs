//! The API on a socket.

use std::net::TcpListener;

use super::*;
use crate::dispatcher::client;
use crate::jiandaoyun::Server;

fn serve(stage: &Stage) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    Server::start(listener, stage.api.clone()).expect("a server")
}

/// A list over HTTP.
async fn list(server: &Server, stage: &Stage) -> Result<reqwest::Response, reqwest::Error> {
    let body = json!({ "app_id": stage.form.app, "entry_id": stage.form.entry }).to_string();
    let url = format!("{}/v5/app/entry/data/list", server.api_base());
    let request = client().expect("a client").post(url).timeout(Duration::from_secs(10));
    request.header("Authorization", format!("Bearer {KEY}")).body(body).send().await
}

#[tokio::test]
async fn a_list_comes_with_the_platforms_time() {
    let stage = Stage::new().with(|options| options.skew_ms = 90_000);
    let id = stage.submit(json!({ "_widget_1001": "𠮷野😀" }));
    let server = serve(&stage);
    let response = list(&server, &stage).await.expect("an answer");
    assert_eq!(response.status(), 200);
    let date = response.headers().get("date").and_then(|date| date.to_str().ok()).map(str::to_owned);
    assert_eq!(date.as_deref(), Some("Sat, 21 Nov 2026 12:01:30 GMT"));
    let body: Value = serde_json::from_slice(&response.bytes().await.expect("a body")).expect("JSON");
    assert_eq!((ids(&body), &body["data"][0]["_widget_1001"]), (vec![id], &json!("𠮷野😀")));
    server.stop().await;
}

#[tokio::test]
async fn a_connection_can_be_cut_before_an_answer_and_in_the_middle_of_one() {
    let stage = Stage::new();
    stage.submit_many(3);
    let server = serve(&stage);
    stage.api.fail(Fault::new(Trouble::Cut).times(1));
    assert!(list(&server, &stage).await.is_err());
    stage.api.fail(Fault::new(Trouble::Half).times(1));
    let broken = match list(&server, &stage).await {
        Ok(response) => response.bytes().await.is_err(),
        Err(_error) => true,
    };
    assert!(broken);
    stage.api.fail(Fault::new(Trouble::Status(502)).times(1));
    let page = list(&server, &stage).await.expect("an answer");
    assert_eq!(page.status(), 502);
    assert!(page.text().await.expect("a page").contains("<html>"));
    server.stop().await;
}

#[tokio::test]
async fn calls_that_are_under_way_count_towards_the_parallel_limit() {
    let stage = Stage::new().with(|options| options.limits.parallel = Some(1));
    stage.api.fail(Fault::new(Trouble::Never).times(1));
    let server = serve(&stage);
    let hanging = list(&server, &stage);
    let other = async {
        while stage.api.records().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        list(&server, &stage).await.expect("an answer").status()
    };
    tokio::select! {
        answer = hanging => panic!("nobody answers: {answer:?}"),
        status = other => assert_eq!(status, 429),
    }
    server.stop().await;
}
