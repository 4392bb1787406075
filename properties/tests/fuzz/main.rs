//! Every parser that an outsider reaches, fed with what nobody would send: no panic, no loop, no long thought; and what is taken
//! says the same to whoever reads it again.
//!
//! `fuzzer` tries one parser: the files of its folder in `properties/corpus` as they are, then mutations of them until the time is up.
//! What fails is kept there, and is tried first from then on. `parsers` says what each one is and what must hold of its answers,
//! `made` holds inputs that are made rather than kept, and `planted` shows that the fuzzer notices when something is wrong.
//!
//! `ORGBRIDGE_FUZZ_SECONDS` is the time for each parser, `ORGBRIDGE_FUZZ_SEED` repeats what was tried with a seed.

#[cfg(test)]
#[path = "../order/dice.rs"]
mod dice;
#[cfg(test)]
mod fuzzer;
#[cfg(test)]
mod made;
#[cfg(test)]
mod parsers;
#[cfg(test)]
mod planted;
