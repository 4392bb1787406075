//! The kit itself: what tests rely on must be so.

#[cfg(test)]
mod proxy;
#[cfg(test)]
mod servers;
