//! How many connections of a tenant are in which state.

use std::sync::Arc;

use common::TenantId;
use service::Metrics;

/// What a connection is, or its place while there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Events come over it.
    Open,
    /// It is being opened, or will be after a pause.
    Opening,
    /// The platform does not accept the credentials.
    Refused,
    /// Another one has its place; it sends its last answers.
    Draining,
}

impl State {
    const ALL: [Self; 4] = [Self::Open, Self::Opening, Self::Refused, Self::Draining];

    /// The metric label.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Opening => "opening",
            Self::Refused => "refused",
            Self::Draining => "draining",
        }
    }
}

/// One connection in the metric, for as long as this lives.
pub(super) struct Standing {
    metrics: Arc<Metrics>,
    tenant: TenantId,
    state: State,
}

impl Standing {
    pub(super) fn new(metrics: &Arc<Metrics>, tenant: &TenantId, state: State) -> Self {
        let standing = Self { metrics: Arc::clone(metrics), tenant: tenant.clone(), state };
        standing.add(state, 1);
        standing
    }

    pub(super) fn turn(&mut self, state: State) {
        self.add(self.state, -1);
        self.state = state;
        self.add(state, 1);
    }

    /// A further one of the same tenant.
    pub(super) fn another(&self, state: State) -> Self {
        Self::new(&self.metrics, &self.tenant, state)
    }

    fn add(&self, state: State, count: i64) {
        self.metrics.stream_connections.with_label_values(&[self.tenant.as_str(), state.as_str()]).add(count);
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.add(self.state, -1);
    }
}

/// Shows all states of a tenant, so that one that never occurred reads 0.
pub(super) fn show(metrics: &Metrics, tenant: &TenantId) {
    for state in State::ALL {
        metrics.stream_connections.with_label_values(&[tenant.as_str(), state.as_str()]).add(0);
    }
}
