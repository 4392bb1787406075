use std::net::TcpListener;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::crypto::{random_aes_key, random_token};
use crate::{Company, CompanyOptions, Subject, query};

fn keys() -> Keys {
    Keys::new(&random_token(1), &random_aes_key(1), "wwcorp").expect("good keys")
}

fn dispatcher(address: std::net::SocketAddr) -> Dispatcher {
    let options = DispatcherOptions { pause: Duration::from_millis(5), ..DispatcherOptions::default() };
    Dispatcher::new(&format!("http://{address}/callback"), keys(), options, Arc::new(|| 1_767_225_600))
        .expect("a client")
}

/// Answers one handshake with what `answer` makes of the right text.
async fn answering(slow: Duration, answer: fn(String) -> String) -> Result<(), VerifyError> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(async move {
        let (mut socket, _peer) = listener.accept().await.expect("a connection");
        let mut buffer = vec![0; 4096];
        let read = socket.read(&mut buffer).await.expect("a request");
        let request = String::from_utf8_lossy(&buffer[..read]).into_owned();
        let target = request.split(' ').nth(1).expect("a target").split_once('?').expect("a query").1.to_owned();
        let echo = query::parameter(&target, "echostr").expect("an echo");
        let text = String::from_utf8(keys().decrypt(&echo).expect("decryptable")).expect("text");
        tokio::time::sleep(slow).await;
        let response = answer(text);
        // The other side may have given up.
        socket.write_all(response.as_bytes()).await.ok();
    });
    let result = dispatcher(address).verify_url().await;
    server.abort();
    result
}

fn http(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn the_handshake_takes_exactly_the_text_and_nothing_around_it() {
    let at_once = Duration::ZERO;
    answering(at_once, |text| http(&text)).await.expect("the exact text");
    let wrong: [fn(String) -> String; 4] = [
        |text| http(&format!("\"{text}\"")),
        |text| http(&format!("{text}\n")),
        |text| http(&format!("\u{feff}{text}")),
        |_text| http(""),
    ];
    for answer in wrong {
        assert!(matches!(answering(at_once, answer).await, Err(VerifyError::Body { .. })));
    }
    let created = answering(at_once, |text| http(&text).replace("200 OK", "201 Created")).await;
    assert!(matches!(created, Err(VerifyError::Status(201))));
}

#[tokio::test]
async fn the_handshake_takes_no_more_than_a_second() {
    let late = answering(Duration::from_millis(1500), |text| http(&text)).await;
    assert!(matches!(late, Err(VerifyError::Slow)), "{late:?}");
}

#[tokio::test]
async fn nobody_there_is_tried_three_times_and_recorded() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let callbacks = Company::new(CompanyOptions::default()).import(2, 2, 1);
    let stats = dispatcher(address).send(&callbacks, &Script::default()).await;
    assert_eq!((stats.events, stats.sent, stats.retried, stats.broken, stats.answered), (3, 9, 6, 9, 0));
    assert_eq!(stats.failed, [0, 1, 2]);
}

#[test]
fn the_worst_order_sends_leaves_first_and_the_top_last() {
    let callbacks = Company::new(CompanyOptions::default()).import(40, 20, 6);
    let plan = plan(&callbacks, &Script { order: Order::Worst, ..Script::default() });
    let depths = |of_members: bool| -> Vec<u32> {
        let sent = plan.order.iter().map(|index| &callbacks[*index]);
        sent.filter(|c| matches!(c.subject, Subject::Member(_)) == of_members).map(|c| c.depth).collect()
    };
    assert!(depths(true).is_sorted_by(|a, b| a >= b) && depths(false).is_sorted_by(|a, b| a >= b));
    let first_department =
        plan.order.iter().position(|index| matches!(callbacks[*index].subject, Subject::Department(_)));
    assert_eq!(first_department, Some(40), "all members come first");
}

#[test]
fn copies_and_losses_follow_from_the_seed_and_are_recorded() {
    let callbacks = Company::new(CompanyOptions::default()).import(400, 20, 6);
    let script = Script { order: Order::Shuffled(3), copies: 3, loss: 0.1, ..Script::default() };
    let first = plan(&callbacks, &script);
    assert_eq!(first, plan(&callbacks, &script));
    assert_eq!(first.order.len(), callbacks.len() - first.lost.len() + first.duplicates);
    assert!(first.lost.len() > 10 && first.duplicates > 100);
    assert!(first.lost.iter().all(|index| !first.order.contains(index)));
    let late = plan(&callbacks, &Script { order: Order::Late { seed: 1, places: 5 }, ..Script::default() });
    let farthest = late.order.iter().enumerate().map(|(place, index)| place.abs_diff(*index)).max();
    assert!(farthest.is_some_and(|places| places > 0 && places <= 5), "{farthest:?}");
}
