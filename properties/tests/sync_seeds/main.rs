//! A tenant's first sync and its reconciliations, while its company keeps changing: the real synchronizer, the resolver's turns, its
//! patience and the sink's decisions, over a simulated platform on a socket and a product in memory, all on one thread. Everything
//! follows from a seed, so a run that fails can be run again exactly.
//!
//! There is one clock, the platform's, and it moves only when it is told to: between two steps, while a request is on its way, and
//! when nobody can go on before it moves. Ours is off by up to ten seconds. Requests are answered one at a time, and between two of
//! them the rest of the world goes on: the company lives, callbacks arrive, changes are delivered.
//!
//! `plan` draws what happens when. `world` is what everybody shares, with its `clocks`, its `post` and its `history`; the `wire` and
//! its `doorman` stand before the platform, a `door` before our tables, the `mailbox` in place of the queue. `process` starts and
//! restarts the synchronizer, `resolving` and `courier` stand for resolver and sink, `product` is the core, and `person` decides what
//! a person must. `oracle` looks all the time and at the end. `run` puts a run together, `seeds` tries many of them, and `bugs` shows
//! that they notice when something is wrong.

#[cfg(test)]
mod bugs;
#[cfg(test)]
mod clocks;
#[cfg(test)]
mod courier;
#[cfg(test)]
#[path = "../order/dice.rs"]
mod dice;
#[cfg(test)]
mod disturbances;
#[cfg(test)]
mod door;
#[cfg(test)]
mod doorman;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod history;
#[cfg(test)]
mod mailbox;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod person;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod post;
#[cfg(test)]
mod process;
#[cfg(test)]
mod product;
#[cfg(test)]
mod resolving;
#[cfg(test)]
mod run;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod seen;
#[cfg(test)]
#[path = "../simulation/receivers/shown.rs"]
mod shown;
#[cfg(test)]
mod stores;
#[cfg(test)]
#[path = "../simulation/trace.rs"]
mod trace;
#[cfg(test)]
mod wire;
#[cfg(test)]
mod world;
