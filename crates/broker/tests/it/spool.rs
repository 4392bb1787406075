//! The spool, in front of a broker that fails, hangs and comes back by script.

mod main_broker;
mod order;
mod promises;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use broker::{Broker, ConsumeOptions, Error, Lane, Outgoing, SpoolOptions, SpoolStats, Spooled};
use common::{Disposition, Hop};
use database::{Database, Fault, Faults};

use self::main_broker::{Main, Mode};
use crate::support::{Files, quick, until};

/// Long beside what a write to a disk takes, short beside what a test may take.
const PATIENCE: Duration = Duration::from_millis(400);

fn options() -> SpoolOptions {
    let forwarding = ConsumeOptions { handler_deadline: Duration::from_millis(300), ..quick() };
    SpoolOptions { patience: PATIENCE, forwarding, ..SpoolOptions::new(1 << 20) }
}

async fn spooled(files: &Files, main: &Arc<Main>) -> Spooled {
    over(files.database(), main, options()).await
}

async fn over(database: Database, main: &Arc<Main>, options: SpoolOptions) -> Spooled {
    Spooled::open(Arc::clone(main) as Arc<dyn Broker>, database, options).await.unwrap()
}

async fn publish(spooled: &Spooled, key: &str, number: usize) -> broker::Result<()> {
    spooled.publish(Hop::Events, &Lane::shared(), vec![Outgoing::new(key, number.to_string())]).await
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

const EMPTY: SpoolStats = SpoolStats { events: 0, bytes: 0 };

#[tokio::test]
async fn a_broker_that_works_gets_everything_at_once() {
    let (files, main) = (Files::new(), Main::new(Mode::Works));
    let spooled = spooled(&files, &main).await;
    for number in 0..20 {
        publish(&spooled, "acme", number).await.unwrap();
        assert_eq!((main.taken().len(), spooled.stats()), (number + 1, EMPTY));
    }
    assert_eq!(main.payloads("acme"), numbers(0..20));
}

#[tokio::test]
async fn while_the_broker_is_away_messages_are_kept_and_follow_in_order() {
    let (files, main) = (Files::new(), Main::new(Mode::Fails));
    let spooled = spooled(&files, &main).await;
    for number in 0..200 {
        publish(&spooled, "acme", number).await.unwrap();
    }
    assert_eq!(spooled.stats().events, 200);
    assert_eq!(spooled.depth(Hop::Events).await.unwrap(), 200);
    assert_eq!(main.taken().len(), 0);
    main.set(Mode::Works);
    until(|| spooled.stats() == EMPTY).await;
    assert_eq!(main.payloads("acme"), numbers(0..200));
    publish(&spooled, "acme", 200).await.unwrap();
    assert_eq!((main.payloads("acme"), spooled.stats()), (numbers(0..201), EMPTY), "directly again");
}

#[tokio::test]
async fn a_broker_that_hangs_is_waited_for_once_and_not_per_message() {
    let (files, main) = (Files::new(), Main::new(Mode::Hangs));
    let spooled = spooled(&files, &main).await;
    let began = Instant::now();
    publish(&spooled, "acme", 0).await.unwrap();
    assert!(began.elapsed() >= PATIENCE);
    let began = Instant::now();
    for number in 1..20 {
        publish(&spooled, "acme", number).await.unwrap();
    }
    assert!(began.elapsed() < PATIENCE * 10, "{:?}", began.elapsed());
    main.set(Mode::Works);
    until(|| spooled.stats() == EMPTY).await;
    assert_eq!(main.payloads("acme"), numbers(0..20));
}

#[tokio::test]
async fn a_message_whose_fate_is_unknown_is_kept_too() {
    let (files, main) = (Files::new(), Main::new(Mode::TakesAndHangs));
    let spooled = spooled(&files, &main).await;
    publish(&spooled, "acme", 0).await.unwrap();
    assert_eq!(spooled.stats().events, 1);
    main.set(Mode::Works);
    until(|| spooled.stats() == EMPTY).await;
    let taken = main.payloads("acme");
    assert!(taken.len() >= 2 && taken.iter().all(|payload| payload == "0"), "{taken:?}");
}

#[tokio::test]
async fn what_a_former_process_left_is_brought_from_every_lane() {
    let (files, main) = (Files::new(), Main::new(Mode::Fails));
    let first = spooled(&files, &main).await;
    let places = [(Hop::Events, "shared"), (Hop::Events, "big"), (Hop::Changes, "shared")];
    for number in 0..60 {
        for (hop, lane) in places {
            let message = Outgoing::new("acme", format!("\"{}/{lane}/{number}\"", hop.as_str()));
            first.publish(hop, &Lane::new(lane), vec![message]).await.unwrap();
        }
    }
    let left = first.stats();
    assert_eq!(left.events, 180);
    first.close().await;
    drop(first);
    let second = spooled(&files, &main).await;
    assert_eq!(second.stats(), left, "known at once");
    main.set(Mode::Works);
    until(|| second.stats() == EMPTY).await;
    for (hop, lane) in places {
        let expected: Vec<_> = (0..60).map(|number| format!("\"{}/{lane}/{number}\"", hop.as_str())).collect();
        assert_eq!(main.in_lane(hop, &Lane::new(lane)), expected);
    }
    second.close().await;
    drop(second);
    assert_eq!(spooled(&files, &main).await.stats(), EMPTY, "and gone from the disk");
}

#[tokio::test]
async fn past_its_size_nothing_is_taken_over_and_with_room_it_is_again() {
    let (files, main) = (Files::new(), Main::new(Mode::Fails));
    let spooled = over(files.database(), &main, SpoolOptions { max_bytes: 1000, ..options() }).await;
    let mut kept = 0;
    let refused = loop {
        match publish(&spooled, "acme", kept).await {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused.disposition(), Disposition::Retry { .. }), "{refused}");
    let stats = spooled.stats();
    assert!(kept > 10 && stats.events == kept as u64 && stats.bytes <= 1000, "{kept} of {stats:?}");
    publish(&spooled, "acme", 777).await.unwrap_err();
    main.set(Mode::Works);
    until(|| spooled.stats() == EMPTY).await;
    publish(&spooled, "acme", kept).await.unwrap();
    assert_eq!(main.payloads("acme"), numbers(0..kept + 1), "and what was refused did not come");
}

/// A disk that takes nothing as long as this says so.
struct Full(AtomicBool);

impl Faults for Full {
    fn before(&self, what: &'static str) -> Fault {
        let full = self.0.load(Ordering::SeqCst);
        if full && what == "queue.publish" { Fault::Fail } else { Fault::None }
    }

    fn after(&self, _: &'static str) -> Fault {
        Fault::None
    }
}

#[tokio::test]
async fn a_full_disk_is_a_refusal_and_the_broker_is_tried_all_the_same() {
    let (files, main) = (Files::new(), Main::new(Mode::Fails));
    let full = Arc::new(Full(true.into()));
    let spooled = over(files.database().with_faults(full.clone()), &main, options()).await;
    let refused = publish(&spooled, "acme", 0).await.unwrap_err();
    assert!(matches!(refused.disposition(), Disposition::Retry { .. }));
    assert_eq!(spooled.stats(), EMPTY);
    main.set(Mode::Works);
    publish(&spooled, "acme", 1).await.unwrap();
    main.set(Mode::Fails);
    full.0.store(false, Ordering::SeqCst);
    publish(&spooled, "acme", 2).await.unwrap();
    main.set(Mode::Works);
    until(|| spooled.stats() == EMPTY).await;
    assert_eq!(main.payloads("acme"), ["1", "2"]);
}

#[tokio::test]
async fn closing_in_the_middle_keeps_what_is_left() {
    let (files, main) = (Files::new(), Main::new(Mode::Fails));
    let first = spooled(&files, &main).await;
    for call in 0..20 {
        let messages = (call * 50..(call + 1) * 50).map(|number| Outgoing::new("acme", number.to_string()));
        first.publish(Hop::Events, &Lane::shared(), messages.collect()).await.unwrap();
    }
    main.set(Mode::Slow(Duration::from_millis(250)));
    until(|| !main.taken().is_empty()).await;
    let began = Instant::now();
    first.close().await;
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    let (taken, left) = (main.payloads("acme"), first.stats().events);
    assert!(taken.len() < 1000 && left > 0, "{} were brought, {left} are left", taken.len());
    assert_eq!(taken, numbers(0..taken.len()));
    publish(&first, "acme", 1000).await.unwrap();
    drop(first);
    main.set(Mode::Works);
    let second = spooled(&files, &main).await;
    until(|| second.stats() == EMPTY).await;
    assert_eq!(order::without_repeats(&main.payloads("acme")), numbers(0..1001));
}

#[tokio::test]
async fn closing_does_not_wait_for_a_broker_that_hangs() {
    let (files, main) = (Files::new(), Main::new(Mode::Hangs));
    let patient = ConsumeOptions { handler_deadline: Duration::from_secs(3600), ..quick() };
    let spooled = over(files.database(), &main, SpoolOptions { forwarding: patient, ..options() }).await;
    publish(&spooled, "acme", 0).await.unwrap();
    let began = Instant::now();
    spooled.close().await;
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    assert_eq!(spooled.stats().events, 1);
}

#[tokio::test]
async fn what_is_no_document_is_refused_while_the_broker_is_away_too() {
    let (files, main) = (Files::new(), Main::new(Mode::Fails));
    let spooled = spooled(&files, &main).await;
    let messages = vec![Outgoing::new("acme", "1"), Outgoing::new("acme", "1,2")];
    let refused = spooled.publish(Hop::Events, &Lane::shared(), messages).await;
    assert!(matches!(refused, Err(Error::NotJson { index: 1 })));
    assert_eq!(spooled.stats(), EMPTY);
}

#[tokio::test]
async fn a_caller_who_stops_waiting_leaves_the_count_right() {
    let (files, main) = (Files::new(), Main::new(Mode::Fails));
    let spooled = spooled(&files, &main).await;
    for number in 0..50 {
        drop(tokio::time::timeout(Duration::ZERO, publish(&spooled, "acme", number)).await);
    }
    publish(&spooled, "acme", 50).await.unwrap();
    assert_eq!(spooled.stats().events, spooled.depth(Hop::Events).await.unwrap());
    main.set(Mode::Works);
    until(|| spooled.stats() == EMPTY).await;
    assert_eq!(main.payloads("acme"), numbers(0..51));
}
