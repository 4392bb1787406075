//! The command as people use it: the real binary, one directory per test.

#[cfg(test)]
mod bench;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod destination;
#[cfg(test)]
mod dingtalk;
#[cfg(test)]
mod letters;
#[cfg(test)]
mod mapping;
#[cfg(test)]
mod serving;
#[cfg(test)]
mod sync;
