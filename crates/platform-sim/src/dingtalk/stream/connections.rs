//! The connections of an app: how they begin, what is done with them, how they end.

use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc;

use super::super::frames::{self, Address, Stamp};
use super::super::ids;
use super::options::StreamOptions;
use super::socket::{Line, Out};
use super::state::State;
use super::{Pass, Shared};

/// How a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// As usual.
    Live,
    /// About to be closed; it gets no more events.
    Leaving,
    /// Open, and hears nothing.
    Stalled,
    /// Gone.
    Closed,
}

/// What is known of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// Its number, from 1.
    pub id: u64,
    /// Its id in frames.
    pub connection_id: String,
    /// `ua` of the request that opened it.
    pub ua: String,
    /// `localIp` of the request that opened it.
    pub local_ip: String,
    /// When it was opened, Unix ms.
    pub opened_ms: i64,
    /// How it is doing.
    pub state: ConnectionState,
    /// How many events were sent to it.
    pub sent: u64,
    /// How many of them it answered in time, well or badly.
    pub replied: u64,
}

pub(super) struct Connection {
    pub(super) info: ConnectionInfo,
    wants_events: bool,
    stalled_ms: i64,
    out: mpsc::UnboundedSender<Out>,
    /// A second handle on the socket.
    socket: Option<TcpStream>,
}

impl Connection {
    /// Whether events are sent to it, though they may not arrive.
    pub(super) fn gets_events(&self, now_ms: i64, dead_channel_ms: i64) -> bool {
        let open = match self.info.state {
            ConnectionState::Live => true,
            ConnectionState::Stalled => now_ms < self.stalled_ms.saturating_add(dead_channel_ms),
            ConnectionState::Leaving | ConnectionState::Closed => false,
        };
        open && self.wants_events
    }

    /// Sends it something, unless it hears nothing. Whether it is open.
    pub(super) fn say(&mut self, out: Out) -> bool {
        match self.info.state {
            ConnectionState::Live | ConnectionState::Leaving => self.out.send(out).is_ok(),
            ConnectionState::Stalled => true,
            ConnectionState::Closed => false,
        }
    }
}

impl State {
    pub(super) fn live(&self) -> Vec<u64> {
        let live = |connection: &&Connection| connection.info.state == ConnectionState::Live && connection.wants_events;
        self.connections.values().filter(live).map(|connection| connection.info.id).collect()
    }

    pub(super) fn stall(&mut self, id: u64, now_ms: i64) -> bool {
        let Some(connection) = self.open(id) else { return false };
        connection.info.state = ConnectionState::Stalled;
        connection.stalled_ms = now_ms;
        true
    }

    pub(super) fn cut(&mut self, id: u64) -> bool {
        let Some(connection) = self.open(id) else { return false };
        connection.info.state = ConnectionState::Closed;
        if let Some(socket) = &connection.socket {
            // Already closed by the other side is as good.
            socket.shutdown(Shutdown::Both).ok();
        }
        true
    }

    pub(super) fn close(&mut self, id: u64) -> bool {
        let Some(connection) = self.open(id) else { return false };
        connection.info.state = ConnectionState::Leaving;
        connection.say(Out::Close)
    }

    pub(super) fn send_system(&mut self, id: u64, topic: &str, data: &str, now_ms: i64) -> Option<String> {
        let message_id = self.system_id(now_ms);
        let frame = frames::system(topic, Stamp { message_id: &message_id, now_ms }, data);
        self.open(id)?.say(Out::Text(frame)).then_some(message_id)
    }

    pub(super) fn send_callback(&mut self, id: u64, topic: &str, data: &str, now_ms: i64) -> Option<String> {
        let message_id = self.message_id(now_ms);
        let app_id = self.options.app_id.clone();
        let connection = self.open(id)?;
        let to = Address { app_id: &app_id, connection_id: &connection.info.connection_id };
        let frame = frames::callback(topic, to, Stamp { message_id: &message_id, now_ms }, data);
        connection.say(Out::Text(frame)).then_some(message_id)
    }

    /// Whether it is open still.
    fn ping(&mut self, id: u64, now_ms: i64) -> bool {
        if self.is_stalled(id) {
            return true;
        }
        let data = json!({"opaque": ids::uuid(&format!("ping/{id}/{now_ms}"))}).to_string();
        let Some(message_id) = self.send_system(id, "ping", &data, now_ms) else { return false };
        self.journal.tally.pings += 1;
        self.pings.insert(message_id, data);
        true
    }

    /// Whether it is open still.
    fn keep_alive(&mut self, id: u64, now_ms: i64) -> bool {
        self.send_system(id, "KEEPALIVE", "{}", now_ms).is_some()
    }

    fn open(&mut self, id: u64) -> Option<&mut Connection> {
        self.connections.get_mut(&id).filter(|connection| connection.info.state != ConnectionState::Closed)
    }

    fn enter(&mut self, pass: Pass, out: mpsc::UnboundedSender<Out>, socket: Option<TcpStream>, now_ms: i64) -> u64 {
        let id = self.connections.last_key_value().map_or(1, |(last, _connection)| last + 1);
        let connection_id = ids::uuid(&format!("connection/{}/{id}", self.options.seed));
        let Pass { wants_events, ua, local_ip } = pass;
        let state = ConnectionState::Live;
        let info = ConnectionInfo { id, connection_id, ua, local_ip, opened_ms: now_ms, state, sent: 0, replied: 0 };
        self.connections.insert(id, Connection { info, wants_events, stalled_ms: now_ms, out, socket });
        if self.close_at_once > 0 {
            self.close_at_once -= 1;
            self.close(id);
        } else if self.stall_at_once > 0 {
            self.stall_at_once -= 1;
            self.stall(id, now_ms);
        }
        id
    }

    /// The socket is gone.
    pub(super) fn left(&mut self, id: u64) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.info.state = ConnectionState::Closed;
            connection.socket = None;
        }
    }

    pub(super) fn is_stalled(&self, id: u64) -> bool {
        self.connections.get(&id).is_some_and(|connection| connection.info.state == ConnectionState::Stalled)
    }
}

/// Takes in a connection whose ticket was good.
pub(super) fn enter(shared: &Arc<Shared>, pass: Pass, socket: Option<TcpStream>) -> Line {
    let (sender, receiver) = mpsc::unbounded_channel();
    let now_ms = shared.clock.now_ms();
    let id = shared.state().enter(pass, sender, socket, now_ms);
    let runtime = &shared.runtime;
    runtime.spawn(repeat(Arc::clone(shared), id, |options| options.ping_every, State::ping));
    runtime.spawn(repeat(Arc::clone(shared), id, |options| options.keep_alive_every, State::keep_alive));
    runtime.spawn(grow_old(Arc::clone(shared), id));
    shared.tell();
    Line::new(Arc::clone(shared), id, receiver)
}

/// Does something again and again, as long as the connection is open.
async fn repeat(
    shared: Arc<Shared>,
    id: u64,
    pause: fn(&StreamOptions) -> Option<Duration>,
    act: fn(&mut State, u64, i64) -> bool,
) {
    loop {
        let pause = pause(&shared.state().options);
        let Some(pause) = pause else { return };
        shared.clock.sleep(pause).await;
        let now_ms = shared.clock.now_ms();
        let open = act(&mut shared.state(), id, now_ms);
        if !open {
            return;
        }
        shared.tell();
    }
}

/// Disconnects a connection at the greatest age.
async fn grow_old(shared: Arc<Shared>, id: u64) {
    let age = shared.state().options.max_age;
    let Some(age) = age else { return };
    shared.clock.sleep(age).await;
    disconnect(&shared, id, "persistent connection is timeout");
}

/// The planned end: a warning, no more events, and a close later (reference dingtalk 1.7).
pub(super) fn disconnect(shared: &Arc<Shared>, id: u64, reason: &str) -> bool {
    let now_ms = shared.clock.now_ms();
    let mut state = shared.state();
    let usual = state.open(id).is_some_and(|connection| connection.info.state == ConnectionState::Live);
    if !usual {
        return false;
    }
    let told = state.send_system(id, "disconnect", &json!({"reason": reason}).to_string(), now_ms).is_some();
    if let Some(connection) = state.open(id) {
        connection.info.state = ConnectionState::Leaving;
    }
    drop(state);
    shared.runtime.spawn(linger(Arc::clone(shared), id));
    shared.tell();
    told
}

async fn linger(shared: Arc<Shared>, id: u64) {
    let linger = shared.state().options.linger;
    shared.clock.sleep(linger).await;
    shared.state().close(id);
}
