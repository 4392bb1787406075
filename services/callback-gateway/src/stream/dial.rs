//! Opening a connection: an address and a ticket from the platform, then a WebSocket there. A ticket is used once, and at
//! once (reference dingtalk 1.2).

use std::time::Duration;

use async_trait::async_trait;
use dingtalk::{
    api::{ApiError, Client, Meaning},
    stream::{LONGEST_FRAME_BYTES, Opened, connect_url},
};
use outbound::{
    Request, Upgrade,
    header::{CONNECTION, HeaderMap, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE},
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::{client::generate_key, derive_accept_key},
        protocol::{Role, WebSocketConfig},
    },
};

/// What the platform sees of us (reference dingtalk 1.2: `name-sdk-lang/version`).
const USER_AGENT: &str = concat!("orgbridge-sdk-rust/", env!("CARGO_PKG_VERSION"));
const READ_BUFFER_BYTES: usize = 16 << 10;
const UNAUTHORIZED: u16 = 401;

/// Bytes in both directions.
pub(super) trait Line: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

/// An open WebSocket.
pub(super) type Socket = WebSocketStream<Box<dyn Line>>;

/// Opens connections of one application.
#[async_trait]
pub(super) trait Dial: Send + Sync {
    /// Tries it once.
    async fn dial(&self) -> Result<Socket, NoConnection>;
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoConnection {
    /// The platform does not know these credentials, or does not allow them Stream mode: a person has to act.
    Credentials,
    /// Anything else; it may pass.
    Failed {
        /// A word for the log.
        why: &'static str,
        /// It is of no use to try again earlier.
        after: Duration,
    },
}

/// Opens connections of one application at the platform.
pub(super) struct Dialler {
    /// Asks for the address.
    pub(super) api: Client,
    /// Connects there: it must be one for upgrades.
    pub(super) http: outbound::Client,
    /// Where the API is: its host may be the endpoint's too.
    pub(super) api_base: String,
}

impl NoConnection {
    const fn failed(why: &'static str) -> Self {
        Self::Failed { why, after: Duration::ZERO }
    }
}

impl From<ApiError> for NoConnection {
    fn from(error: ApiError) -> Self {
        match (error.meaning(), &error) {
            (Some(Meaning::Credentials), _) | (None, ApiError::Status { status: UNAUTHORIZED, .. }) => {
                Self::Credentials
            }
            (Some(Meaning::Wait { refuses_for }), _) => Self::Failed { why: error.label(), after: refuses_for },
            _ => Self::failed(error.label()),
        }
    }
}

#[async_trait]
impl Dial for Dialler {
    async fn dial(&self) -> Result<Socket, NoConnection> {
        let opened = self.api.open_stream(USER_AGENT).await?;
        let url = self.url(&opened)?;
        let key = generate_key();
        let request = Request::get(url)
            .with_header(CONNECTION, "Upgrade")
            .with_header(UPGRADE, "websocket")
            .with_header(SEC_WEBSOCKET_VERSION, "13")
            .with_header(SEC_WEBSOCKET_KEY, &key);
        match self.http.upgrade(request).await {
            Ok(Upgrade::Switched { headers, connection }) if accepts(&headers, &key) => {
                Ok(websocket(Box::new(connection), Role::Client).await)
            }
            Ok(Upgrade::Switched { .. }) => Err(NoConnection::failed("no_websocket")),
            Ok(Upgrade::Answered(_)) => Err(NoConnection::failed("ticket_refused")),
            Err(error) => Err(NoConnection::failed(error.label())),
        }
    }
}

impl Dialler {
    /// The endpoint as an HTTP client writes it. It holds the ticket.
    fn url(&self, opened: &Opened) -> Result<String, NoConnection> {
        let refused = NoConnection::failed("endpoint_refused");
        let mut url = match connect_url(opened, &self.api_base) {
            Ok(url) => url,
            Err(error) => {
                tracing::error!(%error, "DingTalk names a Stream endpoint that is not to be connected to");
                return Err(refused);
            }
        };
        let scheme = if url.scheme() == "wss" { "https" } else { "http" };
        url.set_scheme(scheme).or(Err(refused))?;
        Ok(url.into())
    }
}

/// Whether who answered read this request and speaks the protocol (RFC 6455, 4.1).
fn accepts(headers: &HeaderMap, key: &str) -> bool {
    let expected = derive_accept_key(key.as_bytes());
    headers.get(SEC_WEBSOCKET_ACCEPT).is_some_and(|accept| accept.as_bytes() == expected.as_bytes())
}

/// The protocol on a line that has switched to it.
pub(super) async fn websocket(line: Box<dyn Line>, role: Role) -> Socket {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_message_size(Some(LONGEST_FRAME_BYTES))
        .max_frame_size(Some(LONGEST_FRAME_BYTES));
    WebSocketStream::from_raw_socket(line, role, Some(config)).await
}
