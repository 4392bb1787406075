//! Order does not matter: whatever the order in which a platform's events arrive, however often, in whatever batches, and
//! whatever fails in between, every destination ends in the truth, and nothing is sent before what it refers to.
//!
//! `model` is an independent company that says what is true, `shell` a resolver's tables in memory around the pure core,
//! `destination` a strict product that refuses nonsense, and `run` lets them meet. What was sent also goes to an `oa` that is
//! down for a while or refuses some of it; there a `carrier` does what the sink's courier decides. `sets` tries all orders of
//! small event sets, `random` and `seeds` many random ones, and `bugs` shows that both notice when something is wrong.

#[cfg(test)]
mod bugs;
#[cfg(test)]
mod carrier;
#[cfg(test)]
mod destination;
#[cfg(test)]
mod dice;
#[cfg(test)]
mod model;
#[cfg(test)]
mod oa;
#[cfg(test)]
mod random;
#[cfg(test)]
mod run;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod sets;
#[cfg(test)]
mod shell;
#[cfg(test)]
mod shrink;
