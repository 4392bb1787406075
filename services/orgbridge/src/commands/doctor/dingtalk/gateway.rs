//! A gateway on this machine, as far as there is one: whether it answers as DingTalk will ask it, and which connections it keeps.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use common::{TenantId, UnixMillis};
use destinations::{
    Messages as _,
    dingtalk_callback::{Relay, RelaySettings},
};
use outbound::{Client, Guard, Request};
use service::{Config, tenant::DingtalkSection};

use crate::all_in_one::{self, reachable};

/// It is on this machine, or it is not there.
const TIMEOUT: Duration = Duration::from_secs(3);
const OK: u16 = 200;
/// The family of metrics that tells of Stream connections.
const CONNECTIONS: &str = "orgbridge_stream_connections{";

/// Where it would be.
pub(super) struct Gateway {
    callbacks: SocketAddr,
    admin: SocketAddr,
    http: Client,
}

impl Gateway {
    /// The one that serves from the same data directory, else the one that the same configuration is for.
    pub(super) fn here(config: &Config) -> anyhow::Result<Self> {
        let listening = all_in_one::listening_in(&config.data_dir);
        let callbacks = listening.and_then(|listening| listening.gateway).unwrap_or(config.callback_gateway.listen);
        let (callbacks, admin) = (reachable(callbacks), all_in_one::admin_here(config));
        let guard = Guard::new(vec![callbacks.ip().into(), admin.ip().into()]);
        let http = Client::new(guard, TIMEOUT).context("making the HTTP client")?;
        Ok(Self { callbacks, admin, http })
    }

    /// Where its metrics are.
    pub(super) const fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// Asks it as DingTalk does when the address is saved in the console.
    ///
    /// # Errors
    /// Why that would not work, for people.
    pub(super) async fn check_url(&self, path: &str, section: &DingtalkSection, now: UnixMillis) -> Result<(), String> {
        let settings = RelaySettings {
            url: &format!("http://{}{path}", self.callbacks),
            token: &section.callback_token,
            aes_key: &section.callback_aes_key,
            receive_id: &section.client_id,
            corp_id: &section.corp_id,
            spacing_millis: 0,
        };
        let relay = Relay::new(&settings, &self.http).map_err(|error| error.to_string())?;
        relay.probe(now).await.map_err(|error| error.to_string())
    }

    /// How many Stream connections it keeps open for a tenant; `None` where it does not say.
    pub(super) async fn open_connections(&self, tenant: &TenantId) -> Option<u64> {
        let answer = self.http.send(Request::get(format!("http://{}/metrics", self.admin))).await.ok()?;
        let text = std::str::from_utf8(&answer.body).ok().filter(|_| answer.status == OK)?;
        open_in(text, tenant)
    }
}

fn open_in(metrics: &str, tenant: &TenantId) -> Option<u64> {
    let of_tenant = format!("tenant=\"{tenant}\"");
    let mut found = metrics.lines().filter_map(|line| line.strip_prefix(CONNECTIONS)?.split_once('}'));
    let (_, open) = found.find(|(labels, _)| {
        let mut labels = labels.split(',');
        labels.clone().any(|label| label == of_tenant) && labels.any(|label| label == "state=\"open\"")
    })?;
    open.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_open_connections_of_a_tenant_are_found_among_metrics() {
        let metrics = "# TYPE orgbridge_stream_connections gauge\n\
             orgbridge_stream_connections{state=\"open\",tenant=\"acme-2\"} 3\n\
             orgbridge_stream_connections{state=\"opening\",tenant=\"acme\"} 1\n\
             orgbridge_stream_connections{state=\"open\",tenant=\"acme\"} 2\n";
        let open = |tenant: &str| open_in(metrics, &tenant.parse().unwrap());
        assert_eq!((open("acme"), open("acme-2"), open("globex")), (Some(2), Some(3), None));
    }
}
