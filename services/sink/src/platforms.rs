//! The platforms that destinations write into.

use std::sync::Arc;

use common::{Clock, Platform};
use outbound::Governor;
use service::{Metrics, tenant::WecomSection};

/// What it takes to call a platform.
#[derive(Clone)]
pub struct Platforms {
    /// Says where platforms may be.
    pub http: outbound::Client,
    /// Lets calls through at the rate that they allow.
    pub governor: Arc<dyn Governor>,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// Counts the calls.
    pub metrics: Arc<Metrics>,
}

impl Platforms {
    /// A client of a tenant's WeCom. Nothing is connected to.
    pub(crate) fn wecom(&self, section: &WecomSection) -> wecom::api::Client {
        let settings = wecom::api::Settings {
            corp_id: section.corp_id.as_str().into(),
            contact_secret: section.contact_secret.clone(),
            agent_secret: section.agent_secret.clone(),
            api_base: section.api_base.clone(),
            egress: "".into(),
        };
        wecom::api::Client::new(
            settings,
            self.http.clone(),
            Arc::clone(&self.governor),
            Arc::clone(&self.clock),
            Arc::new(Counted(Arc::clone(&self.metrics))),
        )
    }
}

/// Counts the calls.
struct Counted(Arc<Metrics>);

impl wecom::api::Observer for Counted {
    fn request(&self, api: &'static str, outcome: &'static str, seconds: f64) {
        self.0.note_request(Platform::Wecom, api, outcome, seconds);
    }
}
