//! How a gateway behaves, and what goes wrong.

use std::collections::BTreeSet;
use std::time::Duration;

/// How a gateway behaves. The defaults are the platform's; what is not documented can be chosen.
#[derive(Clone)]
pub struct StreamOptions {
    /// The app's Client ID.
    pub client_id: String,
    /// The app's Client Secret.
    pub client_secret: String,
    /// The app's id in frames, a UUID.
    pub app_id: String,
    /// How long an ack may take.
    pub ack_deadline: Duration,
    /// The pauses before an event is sent again; when they are used up it is parked.
    pub redelivery: Vec<Duration>,
    /// Whether an event that is sent again keeps its message id.
    pub keep_message_id: bool,
    /// Whether events that failed get into the list of failed pushes; else they are lost.
    pub list_failures: bool,
    /// How long a ticket can be used.
    pub ticket_life: Duration,
    /// How long after a `disconnect` the connection is closed.
    pub linger: Duration,
    /// How often a SYSTEM ping is sent.
    pub ping_every: Option<Duration>,
    /// How often a SYSTEM KEEPALIVE is sent.
    pub keep_alive_every: Option<Duration>,
    /// The age at which connections are disconnected as planned.
    pub max_age: Option<Duration>,
    /// How long events go on being sent to a connection that stalled.
    pub dead_channel: Duration,
    /// What the gateway hands out; without it `ws://HOST/connect` with the host that it was asked by.
    pub endpoint: Option<String>,
    /// The ticked event types; without it all.
    pub subscribed: Option<BTreeSet<String>>,
    /// What goes wrong by chance.
    pub chances: Chances,
    /// Everything random follows from it.
    pub seed: u64,
}

impl StreamOptions {
    /// The usual behaviour for an app.
    #[must_use]
    pub fn of_app(client_id: &str, client_secret: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            client_secret: client_secret.to_owned(),
            app_id: "11111111-2222-3333-4444-555555555555".to_owned(),
            ack_deadline: Duration::from_secs(3),
            redelivery: vec![Duration::from_secs(10), Duration::from_secs(30)],
            keep_message_id: true,
            list_failures: true,
            ticket_life: Duration::from_secs(90),
            linger: Duration::from_secs(10),
            ping_every: Some(Duration::from_secs(30)),
            keep_alive_every: None,
            max_age: None,
            dead_channel: Duration::from_secs(30),
            endpoint: None,
            subscribed: None,
            chances: Chances::default(),
            seed: 1,
        }
    }
}

/// What goes wrong by chance; it follows from the seed and the event, whatever else happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chances {
    /// The share of events that are sent twice at once, 0 to 1.
    pub burst: f64,
    /// The share of events that are sent once more after they were acknowledged, 0 to 1.
    pub late_duplicate: f64,
    /// How long after the ack.
    pub late_by: Duration,
    /// The share of events that are held back, and so overtaken, 0 to 1.
    pub reorder: f64,
    /// How long at most.
    pub reorder_by: Duration,
}

impl Default for Chances {
    fn default() -> Self {
        Self {
            burst: 0.0,
            late_duplicate: 0.0,
            late_by: Duration::from_millis(200),
            reorder: 0.0,
            reorder_by: Duration::from_millis(100),
        }
    }
}

/// How a request for a connection goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenFault {
    /// 401 `authFailed`, as with a wrong secret.
    Unauthorized,
    /// Another status, without a sensible body.
    Status(u16),
    /// No answer; the connection stays open.
    Hang,
}
