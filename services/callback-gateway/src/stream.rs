//! DingTalk's Stream mode (reference dingtalk 1): for each tenant that chose it some connections are kept open, and events that
//! come over them are taken over before they are answered.

mod connection;
mod dial;
mod keeper;
mod pace;
mod pushed;
mod standing;
#[cfg(test)]
mod testing;

use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use common::TenantId;
use dingtalk::api::{Client, Settings, Unmetered, Unobserved};
use outbound::{Guard, Unlimited};
use service::{
    Context, Snapshot, Tenant,
    tenant::{DingtalkMode, DingtalkSection},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::{
    dial::{Dial, Dialler},
    keeper::{Alarm, Keeper},
    pace::Pace,
    pushed::Pushed,
    standing::{Standing, State},
};
use crate::gateway::Gateway;

/// How long asking for an address may take, and connecting there: a ticket is good for 90 s.
const DIALLING: Duration = Duration::from_secs(10);

/// Sees to it that each tenant has its connections.
pub(crate) struct Supervisor {
    gateway: Arc<Gateway>,
    http: outbound::Client,
    /// Connections of each tenant.
    connections: u32,
    ctx: Context,
    applications: HashMap<TenantId, Application>,
    /// All connections, until they have ended.
    keepers: Vec<JoinHandle<()>>,
}

/// What is kept open for a tenant.
struct Application {
    access: Access,
    stop: CancellationToken,
}

/// What connections are opened with: when it changes, others are opened.
struct Access(DingtalkSection);

impl Access {
    fn of(tenant: &Tenant) -> Option<Self> {
        let section = tenant.file.dingtalk.as_ref().filter(|section| section.mode == DingtalkMode::Stream)?;
        Some(Self(section.clone()))
    }
}

impl PartialEq for Access {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (&self.0, &other.0);
        one.client_id == other.client_id
            && one.client_secret.expose() == other.client_secret.expose()
            && one.api_base == other.api_base
    }
}

impl Supervisor {
    /// Opens nothing yet. `platforms` says where connections may lead.
    ///
    /// # Errors
    /// When the system lacks what connections need.
    pub(crate) fn new(
        gateway: Arc<Gateway>,
        platforms: Guard,
        connections: u32,
        ctx: &Context,
    ) -> Result<Self, outbound::Error> {
        let http = outbound::Client::for_upgrades(platforms, DIALLING)?;
        let (applications, keepers) = (HashMap::new(), Vec::new());
        Ok(Self { gateway, http, connections, ctx: ctx.clone(), applications, keepers })
    }

    /// Follows the applied tenants until told to stop; then waits until what is in hand is answered.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut changes = self.ctx.tenants.watch();
        loop {
            let snapshot = Arc::clone(&changes.borrow_and_update());
            self.follow(&snapshot, &stop);
            match stop.run_until_cancelled(changes.changed()).await {
                Some(Ok(())) => {}
                _ => break,
            }
        }
        stop.cancel();
        futures::future::join_all(self.keepers).await;
    }

    fn follow(&mut self, snapshot: &Snapshot, stop: &CancellationToken) {
        self.keepers.retain(|keeper| !keeper.is_finished());
        self.applications.retain(|id, application| {
            let now = snapshot.get(id.as_str()).and_then(|tenant| Access::of(tenant));
            let goes_on = now.as_ref() == Some(&application.access);
            if !goes_on {
                application.stop.cancel();
            }
            goes_on
        });
        for tenant in snapshot.iter() {
            let Some(access) = Access::of(tenant) else { continue };
            if !self.applications.contains_key(&tenant.file.id) {
                let stop = stop.child_token();
                self.open(tenant, &access, &stop);
                self.applications.insert(tenant.file.id.clone(), Application { access, stop });
            }
        }
    }

    fn open(&mut self, tenant: &Tenant, access: &Access, stop: &CancellationToken) {
        let (id, metrics) = (&tenant.file.id, &self.gateway.metrics);
        standing::show(metrics, id);
        let dial: Arc<dyn Dial> = Arc::new(self.dialler(access));
        let receiver = Arc::new(Pushed {
            gateway: Arc::clone(&self.gateway),
            tenants: self.ctx.tenants.clone(),
            tenant: id.clone(),
        });
        let alarm: Alarm = Arc::new(AtomicBool::new(false));
        for place in 0..self.connections {
            let keeper = Keeper {
                tenant: id.clone(),
                dial: Arc::clone(&dial),
                receiver: receiver.clone(),
                standing: Standing::new(metrics, id, State::Opening),
                pace: Pace::new(format!("{}/{id}/{place}", self.ctx.instance)),
                alarm: Arc::clone(&alarm),
                stop: stop.clone(),
            };
            self.keepers.push(self.ctx.spawn("stream connection", keeper.keep()));
        }
    }

    fn dialler(&self, Access(section): &Access) -> Dialler {
        let settings = Settings {
            corp_id: section.corp_id.as_str().into(),
            client_id: section.client_id.as_str().into(),
            client_secret: section.client_secret.clone(),
            api_base: section.api_base.clone(),
            oapi_base: section.oapi_base.clone(),
            egress: "".into(),
            approvals_per_second: section.approvals_per_second,
        };
        // Opening a connection is not counted, and its pace is our own.
        let api = Client::new(
            settings,
            self.http.clone(),
            Arc::new(Unlimited),
            Arc::new(Unmetered),
            Arc::clone(&self.gateway.clock),
            Arc::new(Unobserved),
        );
        Dialler { api, http: self.http.clone(), api_base: section.api_base.clone() }
    }
}
