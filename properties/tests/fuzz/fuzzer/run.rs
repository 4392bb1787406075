//! One run over one parser.

use std::{
    collections::BTreeSet,
    fmt,
    path::PathBuf,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    Came, Corpus, Effort, Parser,
    corpus::{Hand, Kept},
    mutate::mutated,
    panics, watch,
};
use crate::dice::Dice;

/// How often an input is tried that took too long: the processor may have been with somebody else.
const TRIES: usize = 3;
/// Mutations go on from small inputs only, so that many are tried.
const LARGEST_OF_POOL_BYTES: usize = 4 * 1024;
const MOST_IN_POOL: usize = 1_000;
const SHOWN_BYTES: usize = 300;

/// What was tried.
#[derive(Debug)]
pub(crate) struct Tried {
    pub(crate) inputs: u64,
    pub(crate) taken: u64,
    ways: usize,
    seed: u64,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inputs, taken, ways, seed } = self;
        write!(f, "{inputs} inputs, {taken} of them taken, {ways} ways, seed {seed}")
    }
}

/// What is wrong with a parser.
#[derive(Debug)]
pub(crate) struct Failure {
    why: String,
    seed: u64,
    /// Where the input is.
    pub(crate) kept: PathBuf,
    begins: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { why, seed, kept, begins } = self;
        write!(f, "{why}\nThe input is kept in {}, seed {seed}. It begins with: {begins}", kept.display())
    }
}

/// Tries the files, what was made, and mutations.
pub(crate) fn run(parser: &Parser<'_>, corpus: &Corpus, effort: &Effort) -> Result<Tried, Failure> {
    let count = AtomicU64::new(0);
    let (running, over) = mpsc::channel::<()>();
    let result = thread::scope(|scope| {
        let count = &count;
        scope.spawn(move || watch::until_over(&over, count, corpus.in_hand()));
        let files = corpus.files();
        let (pool, ways) = (Vec::new(), BTreeSet::new());
        let mut run = Run { parser, hand: Hand::of(corpus), count, pool, ways, taken: 0 };
        let result = run.files(files).and_then(|()| run.made()).and_then(|()| run.mutations(effort));
        drop(running);
        result.map(|()| Tried {
            inputs: run.count.load(Ordering::Relaxed),
            taken: run.taken,
            ways: run.ways.len(),
            seed: effort.seed,
        })
    });
    result.map_err(|Wrong { why, input }| Failure {
        why,
        seed: effort.seed,
        kept: corpus.keep(&input),
        begins: input[..input.len().min(SHOWN_BYTES)].escape_ascii().to_string(),
    })
}

struct Run<'a> {
    parser: &'a Parser<'a>,
    hand: Hand,
    count: &'a AtomicU64,
    /// What is mutated.
    pool: Vec<Vec<u8>>,
    /// The ways that inputs of the pool went.
    ways: BTreeSet<String>,
    taken: u64,
}

struct Wrong {
    why: String,
    input: Vec<u8>,
}

impl Run<'_> {
    fn files(&mut self, files: Vec<Kept>) -> Result<(), Wrong> {
        for file in files {
            let came = self.attempt(&file.bytes)?;
            if !file.allows(&came) {
                let why = format!("{} was {}: {}", file.name, if came.taken { "taken" } else { "refused" }, came.way);
                return Err(Wrong { why, input: file.bytes });
            }
            self.ways.insert(came.way);
            self.pool.push(file.bytes);
        }
        Ok(())
    }

    fn made(&mut self) -> Result<(), Wrong> {
        for input in &self.parser.made {
            let came = self.attempt(input)?;
            if input.len() <= LARGEST_OF_POOL_BYTES {
                self.ways.insert(came.way);
                self.pool.push(input.clone());
            }
        }
        Ok(())
    }

    fn mutations(&mut self, effort: &Effort) -> Result<(), Wrong> {
        assert!(!self.pool.is_empty(), "there is nothing to mutate");
        let mut dice = Dice::new(effort.seed);
        let (began, so_far) = (Instant::now(), self.count.load(Ordering::Relaxed));
        while began.elapsed() < effort.time || self.count.load(Ordering::Relaxed) - so_far < effort.inputs {
            let input = mutated(&mut dice, &self.pool, self.parser.tokens, self.parser.limits.bytes);
            let came = self.attempt(&input)?;
            let fits = input.len() <= LARGEST_OF_POOL_BYTES && self.pool.len() < MOST_IN_POOL;
            if fits && self.ways.insert(came.way) {
                self.pool.push(input);
            }
        }
        Ok(())
    }

    fn attempt(&mut self, input: &[u8]) -> Result<Came, Wrong> {
        self.hand.hold(input);
        let came = self.in_time(input).map_err(|why| Wrong { why, input: input.to_vec() })?;
        self.count.fetch_add(1, Ordering::Relaxed);
        self.taken += u64::from(came.taken);
        Ok(came)
    }

    fn in_time(&self, input: &[u8]) -> Result<Came, String> {
        let longest = self.parser.limits.time_for(input.len());
        let mut quickest = Duration::MAX;
        for _ in 0..TRIES {
            let began = Instant::now();
            let came = panics::caught(|| (self.parser.parse)(input))?;
            quickest = quickest.min(began.elapsed());
            if quickest <= longest {
                return Ok(came);
            }
        }
        Err(format!("{} bytes took {quickest:?}, and may take {longest:?}", input.len()))
    }
}
