//! Destinations as the sink uses them.

mod relay;
mod sqlite;
mod support;
mod speed;
mod trouble;
