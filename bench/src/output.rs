//! Results go to standard output, one JSON object a line; everything else to standard error.

use std::fmt::Display;

use serde_json::Value;

/// Prints a result.
#[expect(clippy::print_stdout, reason = "its result is what it prints")]
pub(crate) fn tell(result: &Value) {
    println!("{result}");
}

/// Says what is being done, for who waits.
#[expect(clippy::print_stderr, reason = "a run takes minutes, and who started it wants to know how far it is")]
pub(crate) fn say(what: impl Display) {
    eprintln!("bench: {what}");
}
