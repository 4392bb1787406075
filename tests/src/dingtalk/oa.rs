//! An OA that speaks DingTalk's callback protocol, and takes whatever is sealed for it.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use platform_sim::{
    Keys,
    crypto::Moment,
    dingtalk::{open_callback, success},
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::{fact_in, platform::now_millis};
use crate::tenant::{DING_CLIENT_ID, OA_AES_KEY, OA_TOKEN};

/// The OA. It ends when dropped.
pub struct Oa {
    address: SocketAddr,
    book: Arc<Book>,
    accepting: JoinHandle<()>,
}

struct Book {
    keys: Keys,
    taken: Mutex<Vec<Value>>,
}

/// A request.
struct Asked {
    query: String,
    body: Vec<u8>,
}

impl Oa {
    /// Starts one. Any path is its callback address.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start() -> Self {
        let keys = Keys::new(OA_TOKEN, OA_AES_KEY, DING_CLIENT_ID).expect("good keys");
        let book = Arc::new(Book { keys, taken: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let accepting = tokio::spawn(accept(listener, Arc::clone(&book)));
        Self { address, book, accepting }
    }

    /// Its callback address.
    pub fn url(&self) -> String {
        format!("http://{}/dingtalk/callback", self.address)
    }

    /// How many callbacks of these types it took.
    pub fn count(&self, is_meant: impl Fn(&str) -> bool) -> usize {
        self.book.taken().iter().filter(|callback| is_meant(kind(callback))).count()
    }

    /// What it was told in callbacks of these types, each as often as it was told.
    pub fn facts(&self, is_meant: impl Fn(&str) -> bool) -> Vec<String> {
        self.book.taken().iter().filter(|callback| is_meant(kind(callback))).map(fact_in).collect()
    }
}

impl Drop for Oa {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Book {
    fn taken(&self) -> MutexGuard<'_, Vec<Value>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is said to a request: the encrypted `success`, or nothing where it is not for this OA.
    fn answer(&self, asked: &Asked) -> Option<String> {
        let text = open_callback(&self.keys, &asked.query, &asked.body)?;
        let callback: Value = serde_json::from_str(&text).ok()?;
        if kind(&callback) != "check_url" {
            self.taken().push(callback);
        }
        let timestamp = now_millis().to_string();
        Some(success(&self.keys, &Moment { timestamp: &timestamp, nonce: "Oa000001", random16: [7; 16] }))
    }
}

fn kind(callback: &Value) -> &str {
    callback.get("EventType").and_then(Value::as_str).unwrap_or_default()
}

async fn accept(listener: TcpListener, book: Arc<Book>) {
    while let Ok((socket, _)) = listener.accept().await {
        let book = Arc::clone(&book);
        // Whoever hangs up in the middle asks again.
        tokio::spawn(async move { serve(socket, &book).await.ok() });
    }
}

/// Answers one request after the other.
async fn serve(socket: TcpStream, book: &Book) -> io::Result<()> {
    let mut socket = BufReader::new(socket);
    while let Some(asked) = read(&mut socket).await? {
        let (status, body) = match book.answer(&asked) {
            Some(body) => ("200 OK", body),
            None => ("400 Bad Request", String::new()),
        };
        let length = body.len();
        let answer =
            format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}");
        socket.get_mut().write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

/// The next request; nothing when there will be none.
async fn read(socket: &mut BufReader<TcpStream>) -> io::Result<Option<Asked>> {
    let mut line = String::new();
    if socket.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let target = line.split(' ').nth(1).unwrap_or_default();
    let query = target.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default();
    let mut length = 0;
    loop {
        line.clear();
        if socket.read_line(&mut line).await? == 0 || line.trim_end().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or_default();
        }
    }
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await?;
    Ok(Some(Asked { query, body }))
}
