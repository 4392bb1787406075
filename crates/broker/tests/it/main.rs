//! The suite over each queue, and what is each one's own.

mod embedded;
#[cfg(test)]
mod faults;
mod promises;
#[cfg(test)]
mod rabbitmq;
#[cfg(test)]
mod spool;
#[cfg(test)]
mod support;
