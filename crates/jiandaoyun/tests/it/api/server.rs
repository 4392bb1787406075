//! A small HTTP server that answers as a test says.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::DATE;

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The interface: the path below `/api/v5/app/entry/`.
    pub(super) api: String,
    pub(super) method: String,
    /// By names in lower case.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
    /// How many requests of this interface came before it.
    pub(super) nth: usize,
}

impl Asked {
    /// A header field; empty when it is not there.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The body, which is JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    status: u16,
    date: Option<String>,
    /// `None` closes the connection without an answer.
    body: Option<Vec<u8>>,
}

impl Reply {
    pub(super) fn json(body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, date: Some(DATE.into()), body: Some(body.into()) }
    }

    /// A good answer of the interfaces of records.
    pub(super) fn data(data: &Value) -> Self {
        Self::json(serde_json::json!({"data": data}).to_string())
    }

    /// A failure, with a text as the platform writes it.
    pub(super) fn code(code: i64) -> Self {
        let body = format!(r#"{{"code":{code},"msg":"CANARY-text:欧阳 13900001111"}}"#);
        Self { status: 400, ..Self::json(body) }
    }

    pub(super) fn status(status: u16) -> Self {
        Self { status, ..Self::json("<html>CANARY-page</html>") }
    }

    /// No answer: the connection is closed.
    pub(super) fn none() -> Self {
        Self { status: 0, date: None, body: None }
    }

    pub(super) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(super) fn at(self, date: Option<&str>) -> Self {
        Self { date: date.map(str::to_owned), ..self }
    }

    fn to_bytes(&self) -> Option<Vec<u8>> {
        let body = self.body.as_ref()?;
        let date = self.date.as_ref().map(|date| format!("date: {date}\r\n")).unwrap_or_default();
        let head = format!("HTTP/1.1 {} Status\r\n{date}content-length: {}\r\n\r\n", self.status, body.len());
        Some([head.as_bytes(), body].concat())
    }
}

type Answer = dyn Fn(&Asked) -> Reply + Send + Sync;

/// A server on a port of its own, for as long as the test runs.
pub(super) struct Server {
    address: SocketAddr,
    log: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(super) async fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer: Arc<Answer> = Arc::new(answer);
        let log = Arc::new(Mutex::new(Vec::new()));
        let asked = Arc::clone(&log);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&answer), Arc::clone(&asked)));
            }
        });
        Self { address, log }
    }

    pub(super) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.log.lock().unwrap().clone()
    }

    /// How many requests there were so far.
    pub(super) fn count(&self) -> usize {
        self.asked().len()
    }
}

/// Answers the requests of one connection.
async fn serve(mut socket: TcpStream, answer: Arc<Answer>, log: Arc<Mutex<Vec<Asked>>>) {
    let mut unread = Vec::new();
    while let Some(request) = read_request(&mut socket, &mut unread).await {
        let asked = note(request, &log);
        let Some(reply) = answer(&asked).to_bytes() else { return };
        if socket.write_all(&reply).await.is_err() {
            return;
        }
    }
}

fn note(mut request: Asked, log: &Mutex<Vec<Asked>>) -> Asked {
    let mut log = log.lock().unwrap();
    request.nth = log.iter().filter(|before| before.api == request.api).count();
    log.push(request.clone());
    request
}

/// Reads a whole request; `None` when the connection ends.
async fn read_request(socket: &mut TcpStream, unread: &mut Vec<u8>) -> Option<Asked> {
    let body_from = loop {
        if let Some(end) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        more(socket, unread).await?;
    };
    let head = String::from_utf8(unread[..body_from].to_vec()).unwrap();
    let headers: BTreeMap<String, String> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    while unread.len() < body_from + length {
        more(socket, unread).await?;
    }
    let request: Vec<u8> = unread.drain(..body_from + length).collect();
    let body = String::from_utf8(request[body_from..].to_vec()).unwrap();
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap().to_owned(), words.next().unwrap());
    let api = path.strip_prefix("/api/v5/app/entry/").unwrap().to_owned();
    Some(Asked { api, method, headers, body, nth: 0 })
}

async fn more(socket: &mut TcpStream, unread: &mut Vec<u8>) -> Option<()> {
    let read = socket.read_buf(unread).await.ok()?;
    (read > 0).then_some(())
}
