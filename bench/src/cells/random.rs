//! Numbers drawn from two distributions.

use std::f64::consts::TAU;

use rand::{RngExt, rngs::StdRng};

/// From here on a Poisson distribution is as good as a normal one.
const MANY: f64 = 30.0;

/// Of the normal distribution around 0 with deviation 1.
pub(super) fn normal(random: &mut StdRng) -> f64 {
    // Never 0, of which there is no logarithm.
    let radius = 1.0 - random.random::<f64>();
    (-2.0 * radius.ln()).sqrt() * (TAU * random.random::<f64>()).cos()
}

/// How often something happens that is expected so often.
pub(super) fn poisson(random: &mut StdRng, expected: f64) -> u64 {
    if expected <= 0.0 {
        return 0;
    }
    if expected >= MANY {
        return (expected + expected.sqrt() * normal(random)).round().max(0.0) as u64;
    }
    let (limit, mut product, mut count) = ((-expected).exp(), random.random::<f64>(), 0_u64);
    while product > limit {
        product *= random.random::<f64>();
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn on_average_it_is_as_expected() {
        let mut random = StdRng::seed_from_u64(1);
        for expected in [0.3, 5.0, 29.0, 31.0, 400.0] {
            let sum: u64 = (0..20_000).map(|_| poisson(&mut random, expected)).sum();
            let mean = sum as f64 / 20_000.0;
            assert!((mean / expected - 1.0).abs() < 0.05, "{mean} for {expected}");
        }
        assert_eq!(poisson(&mut random, 0.0), 0);
    }
}
