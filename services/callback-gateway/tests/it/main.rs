//! The real gateway on a port of its own, with the embedded queue, a settable clock and a small HTTP client that can misbehave.

mod bridge;
mod client;
mod limits;
mod refusals;
mod signatures;
mod takeover;
mod verification;
