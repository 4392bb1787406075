//! Callbacks that are sent once each, and what came of them.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use platform_sim::{
    Callback, Company, CompanyOptions, Deliveries, Dispatcher, DispatcherOptions, ROOT, Script, Subject,
};
use tests::Bridge;

/// How many are under way at once.
pub(crate) const AT_ONCE: usize = 50;
/// As long as WeCom waits.
const WECOM_WAITS: Duration = Duration::from_secs(5);

/// So many departments right under the root: none refers to another one, which may be missing.
pub(crate) fn departments(count: usize) -> Vec<Callback> {
    let mut company = Company::new(CompanyOptions { start_seconds: now(), ..CompanyOptions::default() });
    let name = |number: usize| format!("部门 {number:05}");
    (0..count).flat_map(|number| company.create_department(&name(number), ROOT).unwrap().1).collect()
}

/// Sends each callback once.
pub(crate) fn dispatcher(url: &str) -> Dispatcher {
    let options =
        DispatcherOptions { deliveries: Deliveries::AtMost(1), timeout: WECOM_WAITS, ..DispatcherOptions::default() };
    Dispatcher::new(url, Bridge::keys(), options, Arc::new(now)).unwrap()
}

/// What came of some callbacks.
#[derive(Default)]
pub(crate) struct Fed {
    /// The departments whose callbacks were answered with 200.
    pub(crate) answered: BTreeSet<String>,
    pub(crate) unanswered: usize,
    /// Answers with another status than 200, or with 200 and another body than `success`.
    pub(crate) other_answers: usize,
    pub(crate) slowest_millis: f64,
    /// How long all of it took.
    pub(crate) seconds: f64,
}

impl Fed {
    /// Takes in what came of some more.
    pub(crate) fn add(&mut self, more: Self) {
        self.answered.extend(more.answered);
        self.unanswered += more.unanswered;
        self.other_answers += more.other_answers;
        self.slowest_millis = self.slowest_millis.max(more.slowest_millis);
        self.seconds = self.seconds.max(more.seconds);
    }
}

/// Sends these, as many at once as they are but [`AT_ONCE`] at most.
pub(crate) async fn feed(dispatcher: &Dispatcher, callbacks: &[Callback]) -> Fed {
    let stats = dispatcher.send(callbacks, &Script { concurrency: AT_ONCE, ..Script::default() }).await;
    let is_answered = |index: &usize| stats.failed.binary_search(index).is_err();
    let answered = callbacks.iter().enumerate().filter(|(index, _)| is_answered(index));
    Fed {
        answered: answered.map(|(_, callback)| department(callback)).collect(),
        unanswered: stats.broken,
        other_answers: stats.refused + stats.answered - stats.answered_success,
        slowest_millis: f64::from(stats.latency_micros(1.0).unwrap_or_default()) / 1000.0,
        seconds: stats.seconds,
    }
}

fn department(callback: &Callback) -> String {
    match &callback.subject {
        Subject::Department(id) => id.clone(),
        other => panic!("not a department: {other:?}"),
    }
}

fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}
