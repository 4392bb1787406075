//! The real gateway on a port of its own, with the embedded queue, a settable clock and a small HTTP client that can misbehave.

#[cfg(test)]
mod away;
#[cfg(test)]
mod bridge;
#[cfg(test)]
mod client;
#[cfg(test)]
mod ding;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod signatures;
#[cfg(test)]
mod stopping;
#[cfg(test)]
mod takeover;
#[cfg(test)]
mod verification;
