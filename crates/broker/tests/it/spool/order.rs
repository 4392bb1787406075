//! Order, while the broker comes and goes.

use std::{collections::HashSet, sync::Arc, time::Duration};

use broker::SpoolOptions;
use futures::future::join_all;

use super::{EMPTY, Main, Mode, numbers, options, over, publish};
use crate::support::{Files, until};

/// What came for the first time, in the order in which it came.
pub(super) fn without_repeats(payloads: &[String]) -> Vec<String> {
    let mut seen = HashSet::new();
    payloads.iter().filter(|payload| seen.insert(payload.as_str())).cloned().collect()
}

/// Whatever may come twice comes twice, nothing is missing, and nothing overtakes what its caller published before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_kept_per_caller_whatever_the_broker_does() {
    let (files, main) = (Files::new(), Main::new(Mode::Works));
    let options = SpoolOptions { patience: Duration::from_millis(30), ..options() };
    let spooled = Arc::new(over(files.database(), &main, options).await);
    let moods = [
        Mode::Fails,
        Mode::Works,
        Mode::Hangs,
        Mode::Works,
        Mode::TakesAndHangs,
        Mode::Slow(Duration::from_millis(20)),
        Mode::Fails,
        Mode::Slow(Duration::from_millis(60)),
    ];
    let moody = tokio::spawn({
        let main = Arc::clone(&main);
        async move {
            for mood in moods.into_iter().cycle() {
                main.set(mood);
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
        }
    });
    let callers = (0..16).map(|caller| {
        let spooled = &spooled;
        async move {
            for number in 0..60 {
                publish(spooled, &format!("key-{caller}"), number).await.unwrap();
            }
        }
    });
    join_all(callers).await;
    moody.abort();
    drop(moody.await);
    main.set(Mode::Works);
    until(|| spooled.stats() == EMPTY).await;
    for caller in 0..16 {
        assert_eq!(without_repeats(&main.payloads(&format!("key-{caller}"))), numbers(0..60), "of caller {caller}");
    }
}

/// Under a load in which the spool would never be empty by itself, publishing goes straight again soon.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_the_spool_comes_to_an_end() {
    let (files, main) = (Files::new(), Main::new(Mode::Fails));
    let spooled = Arc::new(over(files.database(), &main, options()).await);
    publish(&spooled, "first", 0).await.unwrap();
    main.set(Mode::Slow(Duration::from_millis(5)));
    let callers = (0..32).map(|caller| {
        let spooled = &spooled;
        async move {
            for number in 0..100 {
                publish(spooled, &format!("key-{caller}"), number).await.unwrap();
            }
        }
    });
    join_all(callers).await;
    assert_eq!(spooled.stats(), EMPTY, "the last ones went directly");
    for caller in 0..32 {
        assert_eq!(main.payloads(&format!("key-{caller}")), numbers(0..100));
    }
}
