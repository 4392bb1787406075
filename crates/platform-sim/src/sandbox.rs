//! All of it as one program, to try a bridge without an account: a company in WeCom, its plant in DingTalk, a little life in both, and an OA.
//!
//! What it knows of the bridge is where its gateway takes callbacks, and what it is told of tenants.

mod dingtalk;
mod health;
mod options;
mod secrets;
mod status;
mod tenant;
mod wecom;

#[cfg(test)]
mod tests;

use std::fmt::{self, Display};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::api::ApiClock;
use crate::oa::StartError;
use crate::{CryptoError, Oa, OaOptions};

pub use health::{Unhealthy, health};
pub use options::{Address, Options, Part, Platform, Site};
use secrets::Secrets;
pub use secrets::WeakSecret;
use status::StatusServer;
pub use tenant::tenant_file;

use self::dingtalk::Dingtalk;
use self::wecom::Wecom;

/// What the OA's messages are addressed to.
const OA_RECEIVE_ID: &str = "oa-simulator";
/// How long callbacks that are under way may take once it is to end.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Why it could not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The secret is too short.
    #[error(transparent)]
    Secret(#[from] WeakSecret),
    /// A port could not be opened.
    #[error("{part}: cannot listen at {address}: {source}")]
    Socket {
        /// What for.
        part: Part,
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Something else of the system.
    #[error("a server cannot be started: {0}")]
    Server(#[from] io::Error),
    /// Keys were no good.
    #[error("the keys: {0}")]
    Keys(#[from] CryptoError),
    /// The OA.
    #[error("the OA: {0}")]
    Oa(#[from] StartError),
    /// The client that sends callbacks.
    #[error("the client of the gateway: {0}")]
    Client(#[from] reqwest::Error),
    /// The plant.
    #[error("the plant: {0}")]
    Plant(#[from] crate::dingtalk::Illegal),
}

/// Everything, running. It stops when dropped.
pub struct Sandbox {
    parts: Arc<Parts>,
    status: StatusServer,
}

struct Parts {
    wecom: Wecom,
    dingtalk: Dingtalk,
    oa: Oa,
}

impl Parts {
    fn status(&self) -> Value {
        let (oa, here) = (&self.oa, self.oa.snapshot());
        json!({
            "wecom": self.wecom.status(),
            "dingtalk": self.dingtalk.status(),
            "oa": {
                "departments": here.departments.len(),
                "members": here.members.len(),
                "received": oa.received_count(),
                "repeats": oa.repeats().all,
                "violations": oa.violations().len(),
                "refused": oa.refused(),
            },
        })
    }
}

impl Sandbox {
    /// Puts all of it on sockets; nothing happens yet. The clock is in Unix milliseconds.
    ///
    /// # Errors
    /// [`OpenError`] if the options are no good or a port cannot be had.
    pub fn open(options: &Options, clock: &ApiClock) -> Result<Self, OpenError> {
        let secrets = Secrets::new(&options.site.secret)?;
        let listener = |part| listener(&options.site.address, part);
        let keys = secrets.of_oa()?;
        // A leader comes when it comes, also after those who follow. What it is sent is not kept: it may run for weeks.
        let like_others = OaOptions { strict_leaders: false, keep_plaintexts: false, ..OaOptions::default() };
        let parts = Arc::new(Parts {
            wecom: Wecom::open(options, &secrets, clock, listener(Part::Wecom)?)?,
            dingtalk: Dingtalk::open(options, &secrets, clock, listener(Part::Dingtalk)?)?,
            oa: Oa::start_with(listener(Part::Oa)?, keys, like_others)?,
        });
        let status = StatusServer::start(listener(Part::Status)?, Arc::clone(&parts))?;
        Ok(Self { parts, status })
    }

    /// Where its status is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.status.address()
    }

    /// What there is and what was sent, by part.
    #[must_use]
    pub fn status(&self) -> Value {
        self.parts.status()
    }

    /// Lets the companies live until `stop` is over, then waits a moment for the last answers.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut under_way = JoinSet::new();
        tokio::select! {
            () = self.parts.wecom.live(&mut under_way) => {}
            () = self.parts.dingtalk.live() => {}
            () = stop => {}
        }
        let answered = async { while under_way.join_next().await.is_some() {} };
        // What is held back longer gets lost, as callbacks do.
        tokio::time::timeout(LAST_ANSWERS, answered).await.ok();
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("status", &self.status).finish_non_exhaustive()
    }
}

fn listener(address: &Address, part: Part) -> Result<TcpListener, OpenError> {
    let address = address.of(part);
    TcpListener::bind(address).map_err(|source| OpenError::Socket { part, address, source })
}

/// Tells whoever started the program. Nobody may be there to read it.
fn say(text: impl Display) {
    writeln!(io::stderr(), "platform-sim: {text}").ok();
}
