//! One connection, from its beginning to its end.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use common::Hop;
use futures::Stream;
use lapin::{Channel, Connection, ConnectionProperties, Event, uri::AMQPUri};
use tokio::{net::TcpStream, sync::OnceCell, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{making, topology::Topology};
use crate::{Error, Lane};

/// How long a connection may take to come about, handshakes included. Short, since in a network that swallowed the first
/// packet only a new attempt helps.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// How long one request to the broker may take.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);

/// How long the farewell of a connection may take.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

/// What a graceful end is called.
const SUCCESS: u16 = 200;

/// Where the broker is, and who we are there.
pub(super) struct Access {
    pub(super) uri: AMQPUri,
    pub(super) name: String,
}

/// What ends the work on a link or on one of its channels. It begins anew then; so this is told to a log and hardly asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("nobody is at the broker's address")]
    Unreachable(#[source] io::Error),
    #[error("the connection ended")]
    Lost,
    #[error("the broker did not answer in time")]
    Silent,
    #[error("the broker ended the subscription")]
    Unsubscribed,
    #[error("an acknowledgement came too late to count")]
    Stale,
    #[error("the connection or a request failed")]
    Failed(#[source] lapin::Error),
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Failed(error) if error.is_amqp_soft_error() => Self::Refused(Arc::new(error)),
            _ => Self::Unavailable,
        }
    }
}

/// The lanes whose topology was declared on a link, each once however many ask for it.
type Declared = HashMap<(Hop, Lane), Arc<OnceCell<()>>>;

/// See the module. Nothing on it recovers: when it is broken, everything begins anew on the next one.
pub(super) struct Link {
    connection: Connection,
    broken: CancellationToken,
    declared: Mutex<Declared>,
    making: tokio::sync::Mutex<()>,
}

impl Link {
    pub(super) async fn connect(access: &Access, role: &str) -> Result<Self, Trouble> {
        timeout(CONNECT_PATIENCE, Self::try_to_connect(access, role)).await.unwrap_or(Err(Trouble::Silent))
    }

    async fn try_to_connect(access: &Access, role: &str) -> Result<Self, Trouble> {
        // lapin leaves tasks behind, for good, whenever it finds nobody there. So somebody else looks first.
        let authority = &access.uri.authority;
        let address = (authority.host.as_str(), authority.port);
        drop(TcpStream::connect(address).await.map_err(Trouble::Unreachable)?);
        let name = format!("{} {role}", access.name);
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let connection = Connection::connect_uri(access.uri.clone(), properties).await.map_err(Trouble::Failed)?;
        Ok(Self {
            connection,
            broken: CancellationToken::new(),
            declared: Mutex::default(),
            making: tokio::sync::Mutex::default(),
        })
    }

    /// Has it replaced by another one.
    pub(super) fn give_up(&self) {
        self.broken.cancel();
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken.is_cancelled()
    }

    /// Waits until it is broken.
    pub(super) async fn broken(&self) {
        self.broken.cancelled().await;
    }

    /// Waits for an answer of the broker. Without this one could wait for ever: what a connection was asked while it ended
    /// is never answered.
    pub(super) async fn within<T>(&self, asked: impl Future<Output = lapin::Result<T>>) -> Result<T, Trouble> {
        tokio::select! {
            () = self.broken() => Err(Trouble::Lost),
            answered = timeout(ANSWER_PATIENCE, asked) => match answered {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(error)) => Err(Trouble::Failed(error)),
                Err(_elapsed) => Err(Trouble::Silent),
            },
        }
    }

    /// Opens a channel. It is to be closed by [`Link::close`]: dropping it works, but says nothing of when.
    pub(super) async fn channel(&self) -> Result<Channel, Trouble> {
        self.within(self.connection.create_channel()).await
    }

    /// Closes a channel, so that what it had in hand is back in its queue.
    pub(super) async fn close(&self, channel: &Channel) {
        // A failure means that it is closed already, or will be with the connection.
        drop(self.within(channel.close(SUCCESS, "OK".into())).await);
    }

    /// Has the queues of a lane declared, once per connection.
    pub(super) async fn ensure(&self, topology: &Topology, hop: Hop, lane: &Lane) -> Result<(), Trouble> {
        let declared = {
            let mut known = self.declared.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry((hop, lane.clone())).or_default())
        };
        declared.get_or_try_init(|| making::make(self, topology, hop, lane)).await?;
        Ok(())
    }

    /// The turn of a task of this connection to make queues.
    pub(super) async fn making(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.making.lock().await
    }

    /// Has the queues of a lane declared again, next time. Returns whether they were thought to be there.
    pub(super) fn forget(&self, hop: Hop, lane: &Lane) -> bool {
        let mut known = self.declared.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(&(hop, lane.clone())).is_some()
    }

    pub(super) fn is_open(&self) -> bool {
        self.connection.status().connected()
    }

    /// Whether the broker said that it takes no messages for now.
    pub(super) fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    pub(super) fn events(&self) -> impl Stream<Item = Event> {
        self.connection.events_listener()
    }

    /// Closes the connection, and with it whatever is still open on it.
    pub(super) async fn end(&self) {
        self.broken.cancel();
        // A failure means that it is closed already, or that nobody is there to hear it.
        drop(timeout(CLOSE_PATIENCE, self.connection.close(SUCCESS, "OK".into())).await);
    }
}
