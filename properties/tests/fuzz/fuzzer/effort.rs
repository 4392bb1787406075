//! How much is tried.

use std::time::Duration;

/// For each parser.
const SECONDS: u64 = 5;
const SEED: u64 = 20_261_126;
/// However slow the machine is: with less, nothing was tried.
const INPUTS: u64 = 2_000;

/// How long mutations go on: until this time is up and this many inputs are tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) time: Duration,
    pub(crate) inputs: u64,
    pub(crate) seed: u64,
}

impl Effort {
    /// What whoever runs the tests asks for.
    pub(crate) fn asked() -> Self {
        Self {
            time: Duration::from_secs(number("ORGBRIDGE_FUZZ_SECONDS").unwrap_or(SECONDS)),
            inputs: INPUTS,
            // The same each time: who runs the tests is to hear of their own change. By hand, another seed tries something else.
            seed: number("ORGBRIDGE_FUZZ_SEED").unwrap_or(SEED),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "whoever runs the tests says how long it may take")]
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{name}: {error}")))
}
