//! The platform's API on a socket of the runs' own thread, where nothing moves but what is moved: a seed sees the same twice.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use common::UnixMillis;
use jiff::{Timestamp, fmt::rfc2822::DateTimePrinter};
use platform_sim::api::{Call, Delivery};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use crate::world::World;

/// A request, and an answer, is on its way for so long at most.
const TRAVELS_MILLIS: usize = 300;
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// Where it listens.
pub(crate) struct Wire {
    listener: TcpListener,
    pub(crate) url: String,
}

impl Wire {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        Self { listener, url }
    }

    /// Answers until the task is ended.
    pub(crate) fn serve(self, world: &Arc<World>) -> JoinHandle<()> {
        let world = Arc::clone(world);
        tokio::spawn(async move {
            let mut lines = JoinSet::new();
            while let Ok((line, _)) = self.listener.accept().await {
                lines.spawn(answer_all(line, Arc::clone(&world)));
            }
        })
    }
}

/// Answers what comes in on a line, one request after the other.
async fn answer_all(mut line: TcpStream, world: Arc<World>) {
    line.set_nodelay(true).unwrap();
    let mut received = Vec::new();
    while let Some(request) = next_request(&mut line, &mut received).await {
        world.calls.moved();
        let answer = answer(&world, &request).await;
        let is_sent = match &answer {
            Some(bytes) => line.write_all(bytes).await.is_ok(),
            None => false,
        };
        world.calls.end();
        if !is_sent {
            return;
        }
    }
}

async fn next_request(line: &mut TcpStream, received: &mut Vec<u8>) -> Option<Request> {
    loop {
        if let Some(request) = Request::take(received) {
            return Some(request);
        }
        if line.read_buf(received).await.ok()? == 0 {
            return None;
        }
    }
}

/// What is asked.
struct Request {
    method: String,
    path: String,
    query: String,
    body: Vec<u8>,
}

impl Request {
    /// Takes the first one out of what was received; `None` while it is not whole.
    fn take(received: &mut Vec<u8>) -> Option<Self> {
        let head_ends = received.windows(END_OF_HEAD.len()).position(|window| window == END_OF_HEAD)?;
        let head = String::from_utf8_lossy(received.get(..head_ends)?).into_owned();
        let mut lines = head.split("\r\n");
        let (method, rest) = lines.next()?.split_once(' ')?;
        let (target, _) = rest.split_once(' ')?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let length = lines.filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
            let is_it = name.eq_ignore_ascii_case("content-length");
            if is_it { value.trim().parse::<usize>().ok() } else { None }
        });
        let body_begins = head_ends + END_OF_HEAD.len();
        let body_ends = body_begins + length.unwrap_or_default();
        let request = Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            body: received.get(body_begins..body_ends)?.to_vec(),
        };
        received.drain(..body_ends);
        Some(request)
    }
}

/// An answer, byte for byte; `None` where the connection is cut instead.
async fn answer(world: &World, request: &Request) -> Option<Vec<u8>> {
    world.pass_up_to(TRAVELS_MILLIS).await;
    let answer = world.api.call(&Call {
        method: &request.method,
        path: &request.path,
        query: &request.query,
        body: &request.body,
        peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
    });
    let date = date(world.clocks.platform());
    let is_cut = answer.delivery == Delivery::Cut;
    let came_to = if is_cut { "cut".to_owned() } else { format!("{} {} bytes", answer.status, answer.body.len()) };
    world.note("platform", &request.path, &came_to);
    world.pass_up_to(TRAVELS_MILLIS).await;
    if is_cut {
        return None;
    }
    let head = format!(
        "HTTP/1.1 {} said\r\nDate: {date}\r\nContent-Type: application/json; charset=UTF-8\r\nContent-Length: {}\r\n\r\n",
        answer.status,
        answer.body.len()
    );
    let mut bytes = head.into_bytes();
    bytes.extend(answer.body);
    Some(bytes)
}

/// A moment as HTTP writes it.
fn date(at: UnixMillis) -> String {
    let at = Timestamp::from_second(at.seconds()).unwrap();
    DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap()
}
