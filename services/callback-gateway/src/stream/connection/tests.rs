use std::sync::atomic::Ordering;

use serde_json::json;

use super::*;
use crate::stream::testing::{Desk, Far, line};

/// A connection, the platform's end of it, and who takes events over.
async fn connected() -> (Connection, Far, Arc<Desk>) {
    let (socket, far) = line().await;
    let desk = Arc::new(Desk::default());
    (Connection::new(socket, Arc::clone(&desk) as Arc<dyn Receive>), far, desk)
}

#[tokio::test(start_paused = true)]
async fn each_event_is_answered_by_itself_once_it_is_taken_over() {
    let (mut connection, mut far, desk) = connected().await;
    for (id, millis) in [("slow", 2000), ("quick", 100), ("quicker", 0)] {
        far.event(id, millis).await;
    }
    let began = Instant::now();
    let asking = async {
        let mut answered = Vec::new();
        for _ in 0..3 {
            let (id, code) = far.answered().await.unwrap();
            answered.push((id, code, began.elapsed().as_millis() / 100 * 100));
        }
        answered
    };
    let stop = CancellationToken::new();
    let answered = select! {
        ended = connection.serve(&stop) => panic!("{ended:?}"),
        answered = asking => answered,
    };
    let expected = [("quicker", 200, 0), ("quick", 200, 100), ("slow", 200, 2000)];
    assert_eq!(answered, expected.map(|(id, code, at)| (id.to_owned(), code, at)));
    assert_eq!(desk.taken.load(Ordering::SeqCst), 3);
    assert!(connection.has_carried());
}

#[tokio::test(start_paused = true)]
async fn pings_are_echoed_and_what_nobody_takes_is_not_found() {
    let (mut connection, mut far, desk) = connected().await;
    far.say("SYSTEM", "ping", "m1", "{\"opaque\":\"x\"}").await;
    far.say("SYSTEM", "KEEPALIVE", "m2", "{}").await;
    far.say("SYSTEM", "CONNECTED", "m3", "{}").await;
    far.say("CALLBACK", "/v1.0/im/bot/messages/get", "m4", "{}").await;
    far.raw("no frame").await;
    let asking = async {
        let echo = far.answer().await.unwrap();
        assert_eq!((&echo["code"], &echo["data"]), (&json!(200), &json!("{\"opaque\":\"x\"}")));
        [far.answered().await.unwrap(), far.answered().await.unwrap()]
    };
    let stop = CancellationToken::new();
    let answered = select! {
        ended = connection.serve(&stop) => panic!("{ended:?}"),
        answered = asking => answered,
    };
    assert_eq!(answered, [("m2".to_owned(), 200), ("m4".to_owned(), 404)]);
    assert!(!connection.has_carried());
    let misread = async {
        while desk.misread.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await
        }
    };
    select! {
        ended = connection.serve(&stop) => panic!("{ended:?}"),
        () = misread => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_half_dead_socket_is_noticed_within_a_minute() {
    let (mut connection, mut far, _desk) = connected().await;
    // It works for a while; then the other side is gone without a word, and what we send vanishes.
    let stop = CancellationToken::new();
    select! {
        ended = connection.serve(&stop) => panic!("{ended:?}"),
        () = async {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_secs(20)).await;
                far.event("m", 0).await;
                far.answered().await.unwrap();
            }
        } => {}
    }
    let silent_since = Instant::now();
    assert_eq!(connection.serve(&stop).await, Ended::Silent);
    let noticed_after = silent_since.elapsed().as_secs();
    assert!((45..60).contains(&noticed_after), "{noticed_after}");
}

#[tokio::test(start_paused = true)]
async fn a_quiet_connection_that_answers_pings_stays_open() {
    let (mut connection, mut far, _desk) = connected().await;
    let stop = CancellationToken::new();
    select! {
        ended = connection.serve(&stop) => panic!("{ended:?}"),
        answer = far.answer() => panic!("{answer:?}"),
        () = tokio::time::sleep(Duration::from_secs(3600)) => {}
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_is_read_than_can_be_held() {
    let (mut connection, mut far, desk) = connected().await;
    for number in 0..200 {
        far.event(&format!("m{number}"), 1000).await;
    }
    let stop = CancellationToken::new();
    select! {
        ended = connection.serve(&stop) => panic!("{ended:?}"),
        () = async {
            for _ in 0..200 {
                far.answered().await.unwrap();
            }
        } => {}
    }
    assert_eq!(desk.most_at_once.load(Ordering::SeqCst), MOST_IN_HAND);
}

#[tokio::test(start_paused = true)]
async fn told_to_stop_it_answers_what_is_in_hand_and_takes_nothing_more() {
    let (mut connection, mut far, desk) = connected().await;
    far.event("in hand", 1500).await;
    let stop = CancellationToken::new();
    let told = async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        far.event("too late", 0).await;
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(connection.serve(&stop), told);
    assert_eq!(ended, Ended::Told);
    let last = async {
        let answered = far.answered().await;
        (answered, far.answer().await)
    };
    let ((), (answered, closed)) = tokio::join!(connection.finish(), last);
    assert_eq!(answered, Some(("in hand".to_owned(), 200)));
    assert_eq!((closed, desk.taken.load(Ordering::SeqCst)), (None, 1));
}

#[tokio::test(start_paused = true)]
async fn what_is_in_hand_when_the_line_breaks_is_taken_over_all_the_same() {
    let (mut connection, mut far, desk) = connected().await;
    far.event("in hand", 1500).await;
    drop(far);
    assert_eq!(connection.serve(&CancellationToken::new()).await, Ended::Broken);
    assert_eq!(desk.taken.load(Ordering::SeqCst), 0);
    connection.abandon().await;
    assert_eq!(desk.taken.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_is_too_long_ends_the_connection() {
    let (mut connection, mut far, _desk) = connected().await;
    far.raw(&"x".repeat(dingtalk::stream::LONGEST_FRAME_BYTES + 1)).await;
    assert_eq!(connection.serve(&CancellationToken::new()).await, Ended::Broken);
}

#[tokio::test(start_paused = true)]
async fn a_close_and_a_cut_are_told_apart() {
    let stop = CancellationToken::new();
    let (mut connection, mut far, _desk) = connected().await;
    far.close().await;
    assert_eq!(connection.serve(&stop).await, Ended::Closed);
    let (mut connection, far, _desk) = connected().await;
    drop(far);
    assert_eq!(connection.serve(&stop).await, Ended::Broken);
}
