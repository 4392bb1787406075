//! A whole OrgBridge on one thread: the gateway's intake, two resolvers and two sinks, the real ones, over SQLite in memory and the
//! embedded queue, with blocking work done at once and time that passes only when nobody has anything to do. The platform, the core
//! and the OA are simulated. Everything follows from a seed, so a run that fails can be run again exactly.
//!
//! `plan` draws what happens in a company, how it is told, and what goes wrong. `process` starts and restarts processes; each has
//! `doors` of its own to the database and the broker, and `receivers` to the destinations: there it can die at any step, and there
//! everything else goes wrong, as far as `world` says so. `oracle` looks at the end. `run` puts a run together, `seeds` tries
//! many of them, and `bugs` shows that they notice when something is wrong.
//!
//! Several processes on one SQLite is what only PostgreSQL allows. So a sink does not free the leases of others when it starts, and
//! the two sinks share a clock, as they share the server's: it jumps forward, like that of every process, but not back. The
//! clocks of gateway and resolvers are each one's own.

#[cfg(test)]
mod bugs;
#[cfg(test)]
mod clocks;
#[cfg(test)]
#[path = "../order/dice.rs"]
mod dice;
#[cfg(test)]
mod doors;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod life;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod platform;
#[cfg(test)]
mod process;
#[cfg(test)]
mod receivers;
#[cfg(test)]
mod run;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod site;
#[cfg(test)]
mod stores;
#[cfg(test)]
mod trace;
#[cfg(test)]
mod world;
