//! The store's queries against a real database.

#[cfg(test)]
mod allowance_tables;
#[cfg(test)]
mod detail_tables;
#[cfg(test)]
mod dingtalk_tables;
#[cfg(test)]
mod form_tables;
#[cfg(test)]
mod link_tables;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod resolver_tables;
#[cfg(test)]
mod run_tables;
#[cfg(test)]
mod sink_tables;
#[cfg(test)]
mod snapshot_tables;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tenant_tables;
#[cfg(test)]
mod worker_tables;
