//! Destinations as the sink uses them.

#[cfg(test)]
mod changes;
#[cfg(test)]
mod dingtalk_relay;
#[cfg(test)]
mod file;
#[cfg(test)]
mod hires;
#[cfg(test)]
mod linked;
#[cfg(test)]
mod papers;
#[cfg(test)]
mod product;
#[cfg(test)]
mod purging;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod relay;
#[cfg(test)]
mod renames;
#[cfg(test)]
mod same;
#[cfg(test)]
mod server;
#[cfg(test)]
mod tables;
#[cfg(test)]
mod trouble;
