//! Chaos in its short form: about two minutes, the start of the servers among them. The long form is `tests/examples/chaos.rs`.

#[cfg(test)]
mod short;
