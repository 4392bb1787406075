//! Callbacks in any order, each one to four times, with processes killed on the way.

use std::time::Duration;

use platform_sim::{Act, Order, Script};
use tests::{Bridge, Deployment, Setup};

use crate::agreement::{company, core_agrees, dispatcher, nothing_is_left, oa, oa_agrees, others_arrive};

/// A file import, then ordinary life: moves, renames, removals, ids given to new people.
async fn ends_right(deployment: Deployment, order: Order, kills: usize) {
    let oa = oa();
    let mut bridge = Bridge::start(&Setup { deployment, oa: Some(oa.url()), ..Setup::default() }).await;
    let dispatcher = dispatcher(&bridge);
    dispatcher.verify_url().await.unwrap();
    dispatcher.verify_url_with_raw_plus().await.unwrap();

    let mut company = company(7);
    let mut callbacks = company.import(300, 40, 6);
    callbacks.extend(company.live(300));
    let others =
        [company.update_tag(12, (&["a"], &[]), (&[], &["3"])), company.batch_job_result("J0b", "sync_user", 0)];
    callbacks.extend(others);
    let verbatim = callbacks.iter().filter(|callback| callback.act == Act::Other).count();
    let script = Script { order, seed: 11, copies: 4, concurrency: 8, ..Script::default() };

    let sending = tokio::spawn({
        let callbacks = callbacks.clone();
        async move { dispatcher.send(&callbacks, &script).await }
    });
    for kill in 0..kills {
        let share = (kill + 1) * callbacks.len() / (kills + 1);
        wait_for_published(&bridge, share).await;
        bridge.kill(kill);
        bridge.launch().await;
    }
    let stats = sending.await.unwrap();
    assert!(stats.failed.is_empty() && stats.refused == 0, "{stats:?}");

    let truth = company.snapshot();
    core_agrees(&bridge, &truth).await;
    oa_agrees(&oa, &truth).await;
    others_arrive(&oa, verbatim).await;
    nothing_is_left(&mut bridge);
    assert_eq!(oa.repeats().sealed_anew, 0, "what is sent again is sent byte for byte");
    if kills == 0 {
        assert_eq!(oa.repeats().all, 0, "an OA sees a message twice only after a crash");
    }
}

/// Waits until so many callbacks were taken over since the gateway was started, or everything is over anyway.
async fn wait_for_published(bridge: &Bridge, count: usize) {
    for _ in 0..200 {
        let metrics = bridge.metrics().await;
        let published: f64 = metrics
            .lines()
            .filter(|line| line.starts_with("orgbridge_events_published_total{"))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum();
        if published as usize >= count / 2 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

in_each_deployment! {
    in_natural_order: ends_right(Order::Natural, 0);
    in_random_order: ends_right(Order::Shuffled(3), 0);
    leaves_first_root_last: ends_right(Order::Worst, 0);
    in_natural_order_killed_three_times: ends_right(Order::Natural, 3);
    in_random_order_killed_three_times: ends_right(Order::Shuffled(5), 3);
    leaves_first_root_last_killed_three_times: ends_right(Order::Worst, 3);
}
