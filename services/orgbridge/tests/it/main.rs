//! The command as people use it: the real binary, one directory per test.

mod bench;
mod commands;
mod configuration;
mod demo;
mod letters;
mod serving;
