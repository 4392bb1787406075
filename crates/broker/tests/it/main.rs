//! The embedded queue: the suite, and what is its own.

mod embedded;
#[cfg(test)]
mod faults;
mod promises;
#[cfg(test)]
mod support;
