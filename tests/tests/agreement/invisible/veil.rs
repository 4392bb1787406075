//! A platform that shows a department to nobody, but for its id among the departments of its members.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use platform_sim::{
    Api,
    api::{Answer, Call},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// "Department not found" (reference wecom 4).
const NOT_FOUND: i64 = 60_003;

pub(super) struct Veil {
    address: SocketAddr,
    is_lifted: Arc<AtomicBool>,
}

/// What stands before the API.
#[derive(Clone)]
struct Door {
    api: Api,
    hidden: String,
    is_lifted: Arc<AtomicBool>,
}

/// One request, as far as it matters.
struct Request {
    method: String,
    path: String,
    query: String,
    body: Vec<u8>,
}

impl Veil {
    /// Serves until the test ends.
    pub(super) async fn over(api: &Api, hidden: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let is_lifted = Arc::new(AtomicBool::new(false));
        let door = Door { api: api.clone(), hidden: hidden.to_owned(), is_lifted: Arc::clone(&is_lifted) };
        tokio::spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                tokio::spawn(door.clone().serve(stream, peer));
            }
        });
        Self { address, is_lifted }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything is shown from now on.
    pub(super) fn lift(&self) {
        self.is_lifted.store(true, Ordering::SeqCst);
    }
}

impl Door {
    async fn serve(self, stream: TcpStream, peer: SocketAddr) {
        let mut stream = BufReader::new(stream);
        while let Some(request) = Request::read(&mut stream).await {
            let Request { method, path, query, body } = &request;
            let call = Call { method, path, query, body, peer: peer.ip() };
            let Answer { status, body, .. } = self.api.call(&call);
            let body = if self.is_lifted.load(Ordering::SeqCst) { body } else { self.veiled(&request, &body) };
            let head = format!(
                "HTTP/1.1 {status} OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            let answer = [head.as_bytes(), body.as_slice()].concat();
            if stream.write_all(&answer).await.is_err() {
                return;
            }
        }
    }

    /// The answer without the department.
    fn veiled(&self, request: &Request, body: &[u8]) -> Vec<u8> {
        if !request.path.starts_with("/cgi-bin/department/") {
            return body.to_vec();
        }
        let asked_for = format!("id={}", self.hidden);
        if request.query.split('&').any(|parameter| parameter == asked_for) {
            return json!({ "errcode": NOT_FOUND, "errmsg": "department not found" }).to_string().into_bytes();
        }
        let mut answer: Value = serde_json::from_slice(body).unwrap();
        let hidden: u64 = self.hidden.parse().unwrap();
        for list in ["department_id", "department"] {
            if let Some(Value::Array(rows)) = answer.get_mut(list) {
                rows.retain(|row| row["id"] != hidden);
            }
        }
        answer.to_string().into_bytes()
    }
}

impl Request {
    /// The next request; `None` when the other side has hung up.
    async fn read(stream: &mut BufReader<TcpStream>) -> Option<Self> {
        let first = line(stream).await?;
        let mut words = first.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (path, query) = (path.to_owned(), query.to_owned());
        let mut length = 0;
        loop {
            let head = line(stream).await?;
            if head.is_empty() {
                break;
            }
            if let Some((name, value)) = head.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        Some(Self { method, path, query, body })
    }
}

async fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}
