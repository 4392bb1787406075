//! The embedded queue: the suite, and what is its own.

mod embedded;
mod faults;
mod promises;
mod support;
