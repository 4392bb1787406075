//! The tables as diesel sees them, one file per migration's subject.

pub(crate) mod allowances;
pub(crate) mod dingtalk;
pub(crate) mod forms;
pub(crate) mod links;
pub(crate) mod resolver;
pub(crate) mod runs;
pub(crate) mod sink;
pub(crate) mod snapshots;
pub(crate) mod tenants;
pub(crate) mod workers;
