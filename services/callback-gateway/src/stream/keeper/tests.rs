use common::jitter_of;
use service::Metrics;
use tokio::{
    sync::mpsc::UnboundedReceiver,
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::*;
use crate::stream::testing::{Desk, Dials, Far};

/// A keeper at work.
struct Scene {
    dials: Arc<Dials>,
    ends: UnboundedReceiver<Far>,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    began: Instant,
    keeping: JoinHandle<()>,
}

impl Scene {
    fn start(failures: impl IntoIterator<Item = NoConnection>) -> Self {
        let (dials, ends) = Dials::new(failures);
        let (metrics, stop) = (Arc::new(Metrics::new().unwrap()), CancellationToken::new());
        let tenant: TenantId = "acme".parse().unwrap();
        let keeper = Keeper {
            dial: Arc::clone(&dials) as Arc<dyn Dial>,
            receiver: Arc::new(Desk::default()),
            standing: Standing::new(&metrics, &tenant, State::Opening),
            tenant,
            pace: Pace::new(NAME.to_owned()),
            alarm: Alarm::default(),
            stop: stop.clone(),
        };
        let keeping = tokio::spawn(keeper.keep());
        Self { dials, ends, metrics, stop, began: Instant::now(), keeping }
    }

    /// The platform's end of the next connection.
    async fn next(&mut self) -> Far {
        self.ends.recv().await.unwrap()
    }

    /// How many connections are open, being opened, refused, draining.
    fn standing(&self) -> [i64; 4] {
        let count = |state| self.metrics.stream_connections.with_label_values(&["acme", state]).get();
        ["open", "opening", "refused", "draining"].map(count)
    }

    /// When it was tried to open one, in seconds.
    fn tried_at(&self) -> Vec<f64> {
        self.dials.at().iter().map(|at| at.duration_since(self.began).as_secs_f64()).collect()
    }

    async fn stop(self) -> [i64; 4] {
        self.stop.cancel();
        timeout(Duration::from_secs(5), self.keeping).await.expect("it stops in time").unwrap();
        let count = |state| self.metrics.stream_connections.with_label_values(&["acme", state]).get();
        ["open", "opening", "refused", "draining"].map(count)
    }
}

const NAME: &str = "instance/acme/0";
const REFUSED: NoConnection = NoConnection::Credentials;
const FAILED: NoConnection = NoConnection::Failed { why: "connect", after: Duration::ZERO };

#[tokio::test(start_paused = true)]
async fn before_a_planned_end_the_next_connection_is_open_and_the_last_answers_go_out() {
    let mut scene = Scene::start([]);
    let mut first = scene.next().await;
    // Shorter than until the first ping, which nobody here would answer.
    sleep(Duration::from_secs(20)).await;
    assert_eq!(scene.standing(), [1, 0, 0, 0]);
    first.event("last", 2000).await;
    first.say("SYSTEM", "disconnect", "d", "{\"reason\":\"connection is expired\"}").await;
    let planned_at = Instant::now();
    let mut second = scene.next().await;
    assert!(planned_at.elapsed() < Duration::from_secs(1), "{:?}", planned_at.elapsed());
    second.event("first", 0).await;
    assert_eq!(second.answered().await, Some(("first".to_owned(), 200)));
    assert!(planned_at.elapsed() < Duration::from_secs(1), "{:?}", planned_at.elapsed());
    assert_eq!(scene.standing(), [1, 0, 0, 1]);
    assert_eq!(first.answered().await, Some(("last".to_owned(), 200)));
    assert_eq!(first.answered().await, None, "then it is closed");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(scene.standing(), [1, 0, 0, 0]);
    assert_eq!(scene.stop().await, [0; 4]);
}

#[tokio::test(start_paused = true)]
async fn while_no_other_connection_can_be_opened_the_old_one_is_kept_for_ten_seconds() {
    let mut scene = Scene::start([]);
    let mut first = scene.next().await;
    // Shorter than until the first ping, which nobody here would answer.
    sleep(Duration::from_secs(20)).await;
    scene.dials.fail_from_now_on(FAILED);
    first.say("SYSTEM", "disconnect", "d", "{}").await;
    let planned_at = Instant::now();
    assert_eq!(first.answered().await, None);
    assert_eq!(planned_at.elapsed().as_secs(), 10);
    assert_eq!(scene.stop().await, [0; 4]);
}

#[tokio::test(start_paused = true)]
async fn planned_ends_that_follow_each_other_make_no_storm() {
    let mut scene = Scene::start([]);
    let disconnecting = async {
        while let Some(mut end) = scene.ends.recv().await {
            end.say("SYSTEM", "disconnect", "d", "{}").await;
        }
    };
    timeout(Duration::from_secs(600), disconnecting).await.unwrap_err();
    let at = scene.tried_at();
    assert!(at[1] < 0.1, "the first time at once: {at:?}");
    assert!((10..70).contains(&at.len()), "{} in ten minutes", at.len());
    scene.stop().await;
}

#[tokio::test(start_paused = true)]
async fn after_failures_it_waits_longer_and_longer() {
    let mut scene = Scene::start([FAILED; 12]);
    let mut end = scene.next().await;
    let at = scene.tried_at();
    assert_eq!(at.len(), 13);
    for (number, pair) in at.windows(2).enumerate() {
        let longest = f64::from(1_u32 << number.min(6)).min(60.0);
        assert!(pair[1] - pair[0] <= longest + 0.01, "{number}: {at:?}");
    }
    assert!(at[12] > 60.0, "{at:?}");
    // What carries nothing and dies young does not count as success.
    end.close().await;
    scene.next().await;
    let (pause, expected) = (scene.tried_at()[13] - at[12], 60.0 * jitter_of(&[NAME], 13));
    assert!((pause - expected).abs() < 0.1, "{pause} {expected}");
    scene.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_closes_at_once_is_not_called_in_a_loop() {
    let mut scene = Scene::start([]);
    let closing = async {
        while let Some(mut end) = scene.ends.recv().await {
            end.close().await;
        }
    };
    timeout(Duration::from_secs(600), closing).await.unwrap_err();
    let tries = scene.tried_at().len();
    assert!((10..60).contains(&tries), "{tries} in ten minutes");
    scene.stop().await;
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_said_once_and_tried_again_every_five_minutes() {
    let mut scene = Scene::start([REFUSED, REFUSED, FAILED]);
    sleep(Duration::from_secs(299)).await;
    assert_eq!(scene.standing(), [0, 0, 1, 0]);
    scene.next().await;
    let at = scene.tried_at();
    let is_at = |number: usize, second: f64| (at[number] - second).abs() < 0.1;
    assert!(is_at(0, 0.0) && is_at(1, 300.0) && is_at(2, 600.0) && at[3] <= 601.1, "{at:?}");
    sleep(Duration::from_secs(1)).await;
    scene.stop().await;
}

#[tokio::test(start_paused = true)]
async fn told_to_stop_while_it_waits_it_ends_at_once() {
    let scene = Scene::start([REFUSED]);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(scene.stop().await, [0; 4]);
}

#[tokio::test(start_paused = true)]
async fn events_begin_the_pauses_anew() {
    let mut scene = Scene::start([FAILED; 8]);
    let mut end = scene.next().await;
    end.event("m", 0).await;
    assert!(end.answered().await.is_some());
    let closed_at = Instant::now();
    end.close().await;
    scene.next().await;
    assert!(closed_at.elapsed() <= Duration::from_secs(1), "{:?}", closed_at.elapsed());
    scene.stop().await;
}
