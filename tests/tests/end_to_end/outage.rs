//! An OA that is down for the whole run holds up nothing else, and gets everything, parents first, when it is back.

use platform_sim::{Order, Script, State};
use tests::{Bridge, Deployment, Setup};

use crate::agreement::{company, core_agrees, dispatcher, nothing_is_left, oa, oa_agrees};

async fn holds_up_nothing(deployment: Deployment) {
    let oa = oa();
    oa.set_state(State::Down);
    let mut bridge = Bridge::start(&Setup { deployment, oa: Some(oa.url()), ..Setup::default() }).await;
    let mut company = company(23);
    let mut callbacks = company.import(200, 30, 5);
    callbacks.extend(company.live(200));
    let script = Script { order: Order::Worst, seed: 2, copies: 2, concurrency: 8, ..Script::default() };
    let stats = dispatcher(&bridge).send(&callbacks, &script).await;
    assert!(stats.failed.is_empty(), "{stats:?}");

    let truth = company.snapshot();
    core_agrees(&bridge, &truth).await;
    assert_eq!(oa.received_count(), 0);
    let metrics = bridge.metrics().await;
    let backlog = metrics
        .lines()
        .find(|line| line.starts_with("orgbridge_backlog_changes{") && line.contains("destination=\"oa\""));
    assert!(backlog.is_some_and(|line| !line.ends_with(" 0")), "{backlog:?}");

    oa.set_state(State::Up);
    oa_agrees(&oa, &truth).await;
    nothing_is_left(&mut bridge);
}

in_each_deployment! {
    an_oa_that_is_down_holds_up_nothing_and_gets_everything_later: holds_up_nothing();
}
