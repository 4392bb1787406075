//! Tries a parser with what is kept for it, and then with mutations of that.

mod corpus;
mod edges;
mod effort;
mod mutate;
mod panics;
mod run;
mod watch;

use std::time::Duration;

pub(crate) use self::{corpus::Corpus, effort::Effort, run::run};

/// A parser, and what is fed to it.
pub(crate) struct Parser<'a> {
    /// Also the name of its folder in `properties/corpus`.
    pub(crate) name: &'a str,
    /// Words of its format.
    pub(crate) tokens: &'a [&'a str],
    pub(crate) limits: Limits,
    /// Inputs that are made by code: real ones in every shape, and those too large for a file.
    pub(crate) made: Vec<Vec<u8>>,
    /// Parses an input and looks at what came of it; panics where something is wrong with that.
    pub(crate) parse: &'a dyn Fn(&[u8]) -> Came,
}

/// What came of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Came {
    /// It was taken, not refused.
    pub(crate) taken: bool,
    /// Which of its ways the parser went, as far as can be seen from outside. What goes a new one is mutated further.
    pub(crate) way: String,
}

impl Came {
    pub(crate) fn taken(way: impl Into<String>) -> Self {
        Self { taken: true, way: way.into() }
    }

    pub(crate) fn refused(way: impl Into<String>) -> Self {
        Self { taken: false, way: way.into() }
    }
}

/// How large mutations get, and how long one of that size may take. Larger inputs, which are made by code, may take as many
/// times longer as they are larger: whatever grows with the square is noticed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) bytes: usize,
    pub(crate) time: Duration,
}

impl Limits {
    /// What comes over the network. The bar itself is 50 ms (S3 of reference security), which `wecom`'s own tests hold alone on a
    /// thread; here a dozen parsers share the processors, and what grows with the square is far beyond this, too.
    pub(crate) const NETWORK: Self = Self { bytes: 64 * 1024, time: Duration::from_millis(500) };
    /// What an operator writes. Reading it is not optimised in a test's build.
    pub(crate) const FILE: Self = Self { bytes: 16 * 1024, time: Duration::from_secs(1) };
    /// What takes a connection, two threads and an HTTP library to say.
    pub(crate) const EXCHANGE: Self = Self { bytes: 64 * 1024, time: Duration::from_secs(2) };

    fn time_for(self, bytes: usize) -> Duration {
        self.time.mul_f64((bytes as f64 / self.bytes as f64).max(1.0))
    }
}

/// Tries a parser as long as whoever runs the tests asks for.
pub(crate) fn fuzz(parser: &Parser<'_>) {
    match run(parser, &Corpus::of(parser.name), &Effort::asked()) {
        Ok(tried) => println!("{}: {tried}", parser.name),
        Err(failure) => panic!("{}: {failure}", parser.name),
    }
}
