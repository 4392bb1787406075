//! Many random orders; seeds that ever failed are kept and tried first.

use std::{
    collections::hash_map::RandomState,
    fs,
    hash::BuildHasher,
    io::Write,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use crate::{
    dice::Dice,
    random::{self, Family},
    run::run,
};

const ORDERS: u64 = 100_000;
const ORDERS_WITH_ANSWERS: u64 = 50_000;

#[test]
fn seeds_that_failed_once_stay_right() {
    for family in [Family::Told, Family::Asked] {
        for seed in kept(family) {
            if let Err(reason) = random::run_seed_of(family, seed, None) {
                panic!("{family:?}, seed {seed}: {}", random::report(family, seed, reason));
            }
        }
    }
}

#[test]
fn random_orders_end_in_the_truth() {
    try_orders(Family::Told, ORDERS);
}

#[test]
fn random_orders_with_answers_end_in_the_truth() {
    try_orders(Family::Asked, ORDERS_WITH_ANSWERS);
}

fn try_orders(family: Family, orders: u64) {
    // Other seeds each time, so that the more often this runs the more is tried.
    let first = RandomState::new().hash_one(orders) >> 16;
    let next = AtomicU64::new(first);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + orders {
                return None;
            }
            if let Err(reason) = random::run_seed_of(family, seed, None) {
                next.store(first + orders, Ordering::Relaxed);
                return Some((seed, reason));
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let failure = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().find_map(|worker| worker.join().unwrap())
    });
    if let Some((seed, reason)) = failure {
        keep(family, seed);
        panic!("seed {seed}, now kept in {}: {}", path(family).display(), random::report(family, seed, reason));
    }
}

#[test]
fn whoever_changes_all_day_ends_in_the_truth() {
    for seed in 0..300 {
        let mut dice = Dice::new(seed);
        let history = random::busy_history(&mut dice);
        let arrival = random::random_arrival(&mut dice, history.events.len());
        if let Err(reason) = run(&history, &arrival, &mut dice, None) {
            panic!("seed {seed}: {reason}");
        }
    }
}

fn path(family: Family) -> PathBuf {
    let seeds = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/seeds"));
    match family {
        Family::Told => seeds.join("order.txt"),
        Family::Asked => seeds.join("answers.txt"),
    }
}

/// One seed a line; what follows a `#` is for people.
fn kept(family: Family) -> Vec<u64> {
    let text = fs::read_to_string(path(family)).unwrap();
    let seeds = text.lines().filter_map(|line| line.split('#').next()).map(str::trim).filter(|line| !line.is_empty());
    seeds.map(|seed| seed.parse().unwrap()).collect()
}

fn keep(family: Family, seed: u64) {
    let mut file = fs::OpenOptions::new().append(true).open(path(family)).unwrap();
    writeln!(file, "{seed}").unwrap();
}
