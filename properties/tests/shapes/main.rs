//! What a first sync costs does not depend on the shape of the tree. A program of its own, since it counts its processor time.

#[cfg(test)]
mod pass;
#[cfg(test)]
mod platform;
#[cfg(test)]
mod processor;
#[cfg(test)]
mod product;
#[cfg(test)]
mod shape;

#[cfg(test)]
use self::{
    pass::pass,
    shape::{ENTITIES, SHAPES},
};

/// How often as much as an ordinary one a tree may cost.
#[cfg(test)]
const MOST: f64 = 1.5;
/// Each shape has its turn at least so often, and more often where something else on the machine may have been in the way.
#[cfg(test)]
const LEAST_ROUNDS: usize = 2;
#[cfg(test)]
const MOST_ROUNDS: usize = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_deepest_and_the_widest_tree_cost_at_most_half_as_much_again_as_an_ordinary_one() {
    let mut seconds: [Vec<f64>; SHAPES.len()] = Default::default();
    for round in 1..=MOST_ROUNDS {
        for turn in 0..SHAPES.len() {
            // Nobody is always the first one.
            let which = (round + turn) % SHAPES.len();
            seconds[which].push(pass(&SHAPES[which]).await);
        }
        if round >= LEAST_ROUNDS && ratios(&seconds).iter().all(|ratio| *ratio <= MOST) {
            return;
        }
    }
    for ((shape, ratio), seconds) in SHAPES.iter().zip(ratios(&seconds)).zip(&seconds) {
        let micros = median(seconds) / ENTITIES as f64 * 1e6;
        assert!(ratio <= MOST, "{}: {ratio:.2} times as much as the first one, {micros:.0} µs for each", shape.name);
    }
}

/// Each shape's processor time in that of the first one, which is the ordinary one.
#[cfg(test)]
fn ratios(seconds: &[Vec<f64>]) -> Vec<f64> {
    let ordinary = median(&seconds[0]);
    seconds.iter().map(|seconds| median(seconds) / ordinary).collect()
}

#[cfg(test)]
fn median(seconds: &[f64]) -> f64 {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (lower, upper) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    f64::midpoint(lower, upper)
}
