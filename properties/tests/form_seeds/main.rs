//! A form that is polled while people fill it in: the real synchronizer and the resolver's turns over a simulated Jiandaoyun on a socket,
//! with all time and every disturbance from a seed. Records are changed between two pages and at one moment with others, and are committed
//! late; filters are ignored; polls stop in the middle, and processes die. What is asked for in the end is compared with the form itself.
//!
//! `plan` draws what a seed is like, `people` fill in the form, `world` is the bridge around it, `run` puts a run together, and `seeds` tries
//! many.

#[cfg(test)]
#[path = "../order/dice.rs"]
mod dice;
#[cfg(test)]
mod people;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod run;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod world;
