use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::super::crypto::{open_callback, success};
use super::super::failed::FailedOptions;
use super::*;

const MOMENT: Moment<'_> = Moment { timestamp: "1790000000789", nonce: "Rply0001", random16: *b"fedcba9876543210" };

/// How a receiver answers.
#[derive(Clone, Copy)]
enum Answer {
    Success,
    Plain,
    Status,
    Nothing,
}

fn keys() -> Keys {
    Keys::new("brgTok2026", "Qm9udFRlc3RLZXkwMTIzNDU2Nzg5YWJjZGVmZ2hpamo", "dingabcd1234efgh5678").expect("good keys")
}

fn event() -> Event {
    Event::new(1, 1, "ding0000test0000corp", "bpms_instance_change", 1_790_000_000_123, json!({"type": "start"}))
}

/// A request: its query and its body.
async fn read(socket: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                let query = head.split(' ').nth(1)?.split_once('?')?.1.to_owned();
                return Some((query, body.as_bytes().to_vec()));
            }
        }
        if socket.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
}

async fn answer(mut socket: TcpStream, answer: Answer, texts: Arc<Mutex<Vec<String>>>) {
    let Some((query, body)) = read(&mut socket).await else { return };
    texts.lock().expect("a lock").push(open_callback(&keys(), &query, &body).expect("it opens"));
    let (status, body) = match answer {
        Answer::Success => ("200 OK", success(&keys(), &MOMENT)),
        Answer::Plain => ("200 OK", "success".to_owned()),
        Answer::Status => ("503 Busy", String::new()),
        Answer::Nothing => std::future::pending().await,
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    socket.write_all((head + &body).as_bytes()).await.expect("it is read");
}

/// A receiver that answers one request after the other like that, and what it was told.
async fn receiver(answers: Vec<Answer>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/dingtalk/callback?from=test", listener.local_addr().expect("an address"));
    let texts = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&texts);
    tokio::spawn(async move {
        for how in answers {
            let (socket, _peer) = listener.accept().await.expect("a connection");
            tokio::spawn(answer(socket, how, Arc::clone(&told)));
        }
    });
    (url, texts)
}

fn push_to(url: &str, options: PushOptions) -> (Push, FailedList) {
    let failed = FailedList::new(FailedOptions { delay: Duration::ZERO, ..FailedOptions::default() });
    // It stands for the pauses, which are zero here: nothing waits for it.
    let clock = Clock::manual(1_790_000_000_000);
    let push = Push::new(url, keys(), options, clock, failed.clone(), PushMeter::new(None)).expect("a client");
    (push, failed)
}

fn at_once() -> PushOptions {
    PushOptions { retries: vec![Duration::ZERO, Duration::ZERO], ..PushOptions::default() }
}

#[tokio::test]
async fn a_url_is_saved_only_if_it_answers_the_check_with_the_encrypted_word() {
    let (url, texts) = receiver(vec![Answer::Plain, Answer::Success, Answer::Success]).await;
    let (push, _failed) = push_to(&url, at_once());
    assert_eq!(push.check_url().await, Err(PushFate::BadReply(BadReply::Shape)));
    assert_eq!(push.send(&event()).await, PushOutcome::Withheld);
    assert_eq!(push.check_url().await, Ok(()));
    assert_eq!(push.send(&event()).await, PushOutcome::Delivered);
    let texts = texts.lock().expect("a lock").clone();
    let check = r#"{"EventType":"check_url"}"#.to_owned();
    assert_eq!(texts, [check.clone(), check, event().http_text(Dialect::Current)]);
}

#[tokio::test]
async fn a_callback_that_fails_three_times_gets_into_the_list_and_every_try_says_the_same() {
    let (url, texts) = receiver(vec![Answer::Success, Answer::Status, Answer::Plain, Answer::Nothing]).await;
    let options = PushOptions { deadline: Duration::from_secs(1), dialect: Dialect::Old, ..at_once() };
    let (push, failed) = push_to(&url, options);
    push.check_url().await.expect("it is saved");
    assert_eq!(push.send(&event()).await, PushOutcome::Parked);
    let fates: Vec<_> = push.reports().into_iter().map(|report| (report.attempt, report.fate)).collect();
    let bad = PushFate::BadReply(BadReply::Shape);
    assert_eq!(fates, [(1, PushFate::Success), (1, PushFate::Status(503)), (2, bad), (3, PushFate::Late)]);
    let texts = texts.lock().expect("a lock").clone();
    assert_eq!(texts[1..], vec![event().http_text(Dialect::Old); 3]);
    assert_eq!(failed.take(1_790_000_000_000).entries, [event().failed_entry()]);
}

#[tokio::test]
async fn the_pauses_between_tries_go_by_the_clock() {
    let (url, _texts) = receiver(vec![Answer::Success, Answer::Status, Answer::Success]).await;
    let clock = Clock::manual(0);
    let failed = FailedList::default();
    let push =
        Push::new(&url, keys(), PushOptions::default(), clock.clone(), failed, PushMeter::default()).expect("it");
    push.check_url().await.expect("it is saved");
    let sending = tokio::spawn({
        let push = push.clone();
        async move { push.send(&event()).await }
    });
    while !sending.is_finished() {
        clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(sending.await.expect("it ends"), PushOutcome::Delivered);
    let reports = push.reports();
    assert!(reports[2].sent_ms - reports[1].sent_ms >= 10_000, "{reports:?}");
}

#[tokio::test]
async fn what_is_not_ticked_or_over_the_quota_is_not_sent() {
    let (url, texts) = receiver(vec![Answer::Success]).await;
    let meter = PushMeter::new(Some(0));
    let clock = Clock::manual(0);
    let push = Push::new(&url, keys(), at_once(), clock, FailedList::default(), meter.clone()).expect("a client");
    push.check_url().await.expect("it is saved");
    assert_eq!(push.send(&event()).await, PushOutcome::Withheld);
    meter.set_limit(None);
    push.configure(|options| options.subscribed = Some(BTreeSet::from(["user_add_org".to_owned()])));
    assert_eq!(push.send(&event()).await, PushOutcome::Withheld);
    assert_eq!(texts.lock().expect("a lock").len(), 1);
    assert_eq!(meter.refused(), 1);
}
