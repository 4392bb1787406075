//! The rules of the house that a machine can check: who may know whom, what the pure crates may not reach, and that documents
//! name what the code has.

#[cfg(test)]
mod dependencies;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod simulator;
