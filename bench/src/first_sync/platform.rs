//! The simulated WeCom of the company. It limits nothing, and answers from a thread of this process.

use std::{
    net::{Ipv4Addr, TcpListener},
    sync::{Arc, Mutex},
};

use anyhow::{Context as _, Result};
use common::Clock as _;
use platform_sim::{
    Api, ApiOptions, ApiServer, Company, Snapshot,
    api::{Era, Interface, Limits},
};
use service::SystemClock;

/// The contact-sync secret.
pub(super) const CONTACT_SECRET: &str = "bench-contact-secret";
/// The secret of an app that sees everything, personal fields too.
pub(super) const AGENT_SECRET: &str = "bench-agent-secret";

/// A company behind its API.
pub(super) struct Platform {
    api: Api,
    server: ApiServer,
}

impl Platform {
    pub(super) fn over(company: Company) -> Result<Self> {
        let mut options =
            ApiOptions { limits: Limits::none(), keep_records: false, ..ApiOptions::new(CONTACT_SECRET, AGENT_SECRET) };
        options.apps.iter_mut().for_each(|app| app.era = Era::Old);
        let api = Api::new(Arc::new(Mutex::new(company)), options, Arc::new(|| SystemClock.now().0));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("the API's socket")?;
        let server = api.listen(listener).context("the simulated API")?;
        Ok(Self { api, server })
    }

    /// What goes before `/cgi-bin/`.
    pub(super) fn url(&self) -> String {
        self.server.url()
    }

    pub(super) fn corp_id(&self) -> String {
        self.api.company().corp_id().to_owned()
    }

    /// The company as it is.
    pub(super) fn snapshot(&self) -> Snapshot {
        self.api.company().snapshot()
    }

    /// Members and departments.
    pub(super) fn entities(&self) -> usize {
        let company = self.api.company();
        company.member_count() + company.department_count()
    }

    /// How often it was called so far.
    pub(super) fn calls(&self) -> u64 {
        Interface::ALL.into_iter().map(|interface| self.api.tally(interface).calls).sum()
    }
}
