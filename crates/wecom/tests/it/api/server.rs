//! A small HTTP server that answers as a test says.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use outbound::Url;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::DATE;

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The interface: what comes after `/cgi-bin/`.
    pub(super) api: String,
    pub(super) method: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) body: String,
    /// How many requests of this interface came before it.
    pub(super) nth: usize,
}

impl Asked {
    /// A parameter of the query; empty when it is not there.
    pub(super) fn parameter(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
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

    /// A return code, with a text as the platform writes it.
    pub(super) fn code(code: i64) -> Self {
        let text =
            format!("CANARY-text:ouyang, hint: [1700000000], from ip: 203.0.113.7, more info at https://x?e={code}");
        Self::json(format!(r#"{{"errcode":{code},"errmsg":"{text}","department":[]}}"#))
    }

    pub(super) fn status(status: u16) -> Self {
        Self { status, ..Self::json("CANARY-page") }
    }

    /// No answer: the connection is closed.
    pub(super) fn none() -> Self {
        Self { status: 0, date: None, body: None }
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

    /// The requests of one interface.
    pub(super) fn asked_for(&self, api: &str) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.api == api).collect()
    }

    /// How many requests of one interface there were.
    pub(super) fn count(&self, api: &str) -> usize {
        self.asked_for(api).len()
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
    let head = String::from_utf8(unread[..body_from].to_vec()).unwrap().to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    while unread.len() < body_from + length {
        more(socket, unread).await?;
    }
    let request: Vec<u8> = unread.drain(..body_from + length).collect();
    let text = String::from_utf8(request).unwrap();
    let mut words = text.split(' ');
    let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap());
    let url = Url::parse(&format!("http://server{target}")).unwrap();
    Some(Asked {
        api: url.path().strip_prefix("/cgi-bin/").unwrap().to_owned(),
        method,
        query: url.query_pairs().into_owned().collect(),
        body: text[body_from..].to_owned(),
        nth: 0,
    })
}

async fn more(socket: &mut TcpStream, unread: &mut Vec<u8>) -> Option<()> {
    let read = socket.read_buf(unread).await.ok()?;
    (read > 0).then_some(())
}
