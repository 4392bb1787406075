//! Destinations as the sink uses them.

#[cfg(test)]
mod relay;
#[cfg(test)]
mod same;
#[cfg(test)]
mod sqlite;
#[cfg(test)]
mod support;
#[cfg(test)]
mod trouble;
