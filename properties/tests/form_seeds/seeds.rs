//! Many runs.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use tokio::runtime::Builder;

use crate::run::run;

/// Unless somebody asks for more.
const SEEDS: u64 = 500;
/// So many failures are enough to look at.
const FAILURES: usize = 5;

/// Seeds that failed once.
const REGRESSIONS: &[u64] = &[49, 204, 406];

#[test]
fn whoever_is_approved_is_asked_for_once_and_nobody_else_ever() {
    let (first, seeds) = (number("ORGBRIDGE_FORM_FIRST").unwrap_or(0), number("ORGBRIDGE_FORM_SEEDS").unwrap_or(SEEDS));
    let next = AtomicU64::new(first);
    let failures = on_all_cores(|| {
        let mut failures = Vec::new();
        while failures.len() < FAILURES {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + seeds {
                break;
            }
            let wrong = run_alone(seed);
            if !wrong.is_empty() {
                failures.push((seed, wrong));
            }
        }
        failures
    });
    let failures: Vec<(u64, Vec<String>)> = failures.into_iter().flatten().collect();
    assert!(failures.is_empty(), "again with ORGBRIDGE_FORM_FIRST=SEED ORGBRIDGE_FORM_SEEDS=1: {failures:#?}");
}

#[test]
fn seeds_that_failed_once_stay_right() {
    for seed in REGRESSIONS {
        assert_eq!(run_alone(*seed), Vec::<String>::new(), "seed {seed}");
    }
}

fn run_alone(seed: u64) -> Vec<String> {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(Box::pin(run(seed)))
}

/// Does the same on as many threads as there are cores.
fn on_all_cores<T: Send>(work: impl Fn() -> T + Sync) -> Vec<T> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(&work)).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[expect(clippy::disallowed_methods, reason = "whoever runs the tests says what is tried")]
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{name}: {error}")))
}
