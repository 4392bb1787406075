use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::jiandaoyun::{FormId, Op};
use crate::query;

const SECRET: &str = "jdy-secret";

/// A request as it came.
struct Request {
    deliver_id: String,
    sound: bool,
    body: String,
}

fn event() -> Event {
    let data = json!({ "_id": "69d8ab62d78c62093e724f25", "name": "张三", "flowState": 1 });
    let form = FormId::new("64a0c0ffee000000000000aa", "64a0c0ffee000000000000bb");
    let record = "69d8ab62d78c62093e724f25".to_owned();
    Event { op: Op::Update, at_ms: 1_778_575_509_018, form, record, data }
}

async fn read(socket: &mut TcpStream) -> Option<Request> {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let header = |name: &str| {
                let start = format!("{name}: ");
                head.lines().find_map(|line| {
                    let (name, value) = line.split_at_checked(start.len())?;
                    name.eq_ignore_ascii_case(&start).then(|| value.to_owned())
                })
            };
            let length: usize = header("content-length")?.parse().ok()?;
            if body.len() >= length {
                let query = head.split(' ').nth(1)?.split_once('?')?.1;
                let of = |name| query::parameter(query, name).unwrap_or_default();
                let expected = signature(&of("nonce"), body.as_bytes(), SECRET, &of("timestamp"));
                let sound = header("x-jdy-signature")? == expected;
                return Some(Request { deliver_id: header("x-jdy-deliverid")?, sound, body: body.to_owned() });
            }
        }
        if socket.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
}

/// A receiver that answers one request after the other with those statuses and then with 200; 0 is no answer.
async fn receiver(statuses: Vec<u16>) -> (String, Arc<Mutex<Vec<Request>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/jiandaoyun/acme?from=test", listener.local_addr().expect("an address"));
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    tokio::spawn(async move {
        for status in statuses.into_iter().chain(std::iter::repeat(200)) {
            let (mut socket, _peer) = listener.accept().await.expect("a connection");
            let seen = Arc::clone(&seen);
            tokio::spawn(async move {
                let Some(request) = read(&mut socket).await else { return };
                seen.lock().expect("a lock").push(request);
                if status == 0 {
                    std::future::pending::<()>().await;
                }
                let answer = format!("HTTP/1.1 {status} Told\r\nContent-Length: 7\r\nConnection: close\r\n\r\nsuccess");
                socket.write_all(answer.as_bytes()).await.expect("it is read");
            });
        }
    });
    (url, requests)
}

fn push_to(url: &str, options: PushOptions) -> Push {
    Push::new(url, SECRET, options, Clock::manual(1_778_575_510_000)).expect("a client")
}

fn at_once() -> PushOptions {
    PushOptions { retries: vec![Duration::ZERO; 5], ..PushOptions::default() }
}

#[test]
fn signatures_are_those_of_the_reference() {
    let short = r#"{"op":"data_create","data":{}}"#.as_bytes();
    assert_eq!(signature("0f5ade", short, "test-secret", "1498586609"), "1457e6b79d7c7fed8c46aecf197d7436b8943ebc");
    let long = r#"{"op":"data_update","opTime":1778575509018,"data":{"_id":"69d8ab62d78c62093e724f25","name":"张三","flowState":1}}"#;
    let expected = "083e2cccd1f55c1bfda6d885b708d118419da61a";
    assert_eq!(signature("a1b2c3", long.as_bytes(), SECRET, "1778575510"), expected);
}

#[test]
fn a_body_is_compact_and_its_characters_are_not_escaped() {
    let body = event().body();
    assert!(body.starts_with(r#"{"op":"data_update","opTime":1778575509018,"data":{"#), "{body}");
    assert!(body.contains(r#""name":"张三""#), "{body}");
}

#[tokio::test]
async fn a_push_is_tried_six_times_under_one_id_and_signed_each_time() {
    let (url, requests) = receiver(vec![503, 401, 500, 302, 0]).await;
    let push = push_to(&url, PushOptions { deadline: Duration::from_secs(1), ..at_once() });
    assert_eq!(push.send(&event()).await, PushOutcome::Delivered);
    let requests = requests.lock().expect("a lock");
    assert_eq!(requests.len(), 6);
    assert!(requests.iter().all(|request| request.sound && request.body == event().body()));
    assert!(requests.iter().all(|request| request.deliver_id == requests[0].deliver_id));
    let fates: Vec<PushFate> = push.reports().iter().map(|report| report.fate).collect();
    let statuses = [503, 401, 500, 302].map(PushFate::Status);
    assert_eq!((&fates[..4], &fates[4..]), (&statuses[..], &[PushFate::Late, PushFate::Success][..]));
}

#[tokio::test]
async fn after_so_many_failures_in_a_row_nothing_is_sent_until_somebody_switches_it_on() {
    let (url, requests) = receiver(vec![500; 6]).await;
    let push = push_to(&url, PushOptions { off_after: 6, ..at_once() });
    assert_eq!(push.send(&event()).await, PushOutcome::Lost);
    assert_eq!((push.is_on(), push.send(&event()).await), (false, PushOutcome::Off));
    push.turn_on();
    assert_eq!(push.send(&event()).await, PushOutcome::Delivered);
    let requests = requests.lock().expect("a lock");
    assert_eq!(requests.len(), 7);
    assert_ne!(requests[0].deliver_id, requests[6].deliver_id);
}

#[tokio::test]
async fn the_pauses_between_tries_go_by_the_clock() {
    let (url, _requests) = receiver(vec![500]).await;
    let clock = Clock::manual(0);
    let push = Push::new(&url, SECRET, PushOptions::default(), clock.clone()).expect("a client");
    let sending = tokio::spawn({
        let push = push.clone();
        async move { push.send(&event()).await }
    });
    while !sending.is_finished() {
        clock.advance(Duration::from_millis(100));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(sending.await.expect("it ends"), PushOutcome::Delivered);
    let reports = push.reports();
    assert!(reports[1].sent_ms - reports[0].sent_ms >= 1_000, "{reports:?}");
}

#[tokio::test]
async fn a_script_sends_copies_with_ids_of_their_own_and_forged_ones_with_wrong_signatures() {
    let (url, requests) = receiver(Vec::new()).await;
    let push = push_to(&url, at_once());
    let script = Script { duplicate_share: 1.0, forged_share: 1.0, ..Script::default() };
    let sent = push.send_all(&[event(), event()], &script).await;
    assert_eq!((sent.len(), sent.iter().filter(|sent| sent.forged).count()), (6, 2));
    let requests = requests.lock().expect("a lock");
    assert_eq!(requests.iter().filter(|request| !request.sound).count(), 2);
    let ids: std::collections::BTreeSet<&String> = requests.iter().map(|request| &request.deliver_id).collect();
    assert_eq!(ids.len(), 6);
}

#[tokio::test]
async fn the_connection_test_is_signed_and_counts_for_nothing() {
    let (url, requests) = receiver(vec![500]).await;
    let push = push_to(&url, PushOptions { off_after: 1, ..at_once() });
    assert_eq!(push.test().await, PushFate::Status(500));
    assert!(push.is_on());
    assert_eq!(push.test().await, PushFate::Success);
    assert!(requests.lock().expect("a lock").iter().all(|request| request.sound));
}
