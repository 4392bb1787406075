//! A company in a simulated WeCom that answers on a socket.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use platform_sim::{
    Api, ApiOptions, ApiServer, Company, CompanyOptions, Snapshot,
    api::{Era, Limits},
};
use tests::Bridge;

use crate::agreement::now_seconds;

/// How long an answer takes: a pull then lasts long enough for processes to be killed on the way.
const LATENCY: Duration = Duration::from_millis(20);
/// Rows of a page, so that there are several.
const PAGE_ROWS: usize = 50;
/// Levels of departments.
const DEPTH: u32 = 4;

/// A company in WeCom. It stops answering when this is dropped.
pub(super) struct Platform {
    /// What is so there; it does not change.
    pub(super) truth: Snapshot,
    server: ApiServer,
}

impl Platform {
    /// A company of so many members and departments.
    pub(super) fn start(members: usize, departments: usize) -> Self {
        let mut company = Company::new(CompanyOptions { leader_share: 0.0, ..CompanyOptions::default() });
        company.populate(members, departments, DEPTH);
        // Who leads somebody is told once more when those are there. Here each entity goes out once, so that whatever else is
        // written is a run's doing.
        for id in company.snapshot().members.keys() {
            company.update_member(id, |member| member.leads.clear()).unwrap();
        }
        let truth = company.snapshot();
        let secrets = Bridge::credentials();
        let mut options = ApiOptions::new(secrets.contact_secret, secrets.app_secret);
        (options.latency, options.page_rows, options.limits) = (LATENCY, PAGE_ROWS, Limits::none());
        // It sees numbers and addresses, by which rows are known.
        options.apps.iter_mut().for_each(|app| app.era = Era::Old);
        let api = Api::new(Arc::new(Mutex::new(company)), options, Arc::new(|| now_seconds() * 1000));
        let server = api.listen(TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
        Self { truth, server }
    }

    pub(super) fn url(&self) -> String {
        self.server.url()
    }
}
