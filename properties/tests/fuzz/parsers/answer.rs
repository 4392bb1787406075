//! What an OA answers to a message: through the relay and its HTTP client, from a real socket.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use common::Secret;
use destinations::{
    Message, Messages, Outcome, Unavailable,
    wecom_callback::{Relay, RelaySettings},
};
use outbound::{Client, Guard};
use tokio::runtime::{Builder, Runtime};

use super::{AES_KEY, CORP, SECRET, TOKEN};
use crate::fuzzer::{Came, Limits, Parser, fuzz};

const REQUEST: &str = "<xml/>";
/// A connection of the client's pool may have been hung up by the time it is used.
const TRIES: usize = 5;
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);
const LONGEST_REASON_BYTES: usize = 200;

const WORDS: &[&str] = &[
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.0 200\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\n",
    "HTTP/1.1 429 \r\n",
    "HTTP/1.1 999 x\r\n",
    "HTTP/2.0 200 OK\r\n",
    "\r\n",
    "\r\n\r\n",
    "\n",
    ":",
    " ",
    "content-length: 0\r\n",
    "content-length: 18446744073709551616\r\n",
    "content-length: -1\r\n",
    "transfer-encoding: chunked\r\n",
    "transfer-encoding: gzip, chunked\r\n",
    "content-encoding: gzip\r\n",
    "connection: close\r\n",
    "retry-after: 7\r\n",
    "retry-after: 99999999999999999999\r\n",
    "retry-after: Fri, 31 Dec 9999 23:59:59 GMT\r\n",
    "retry-after: Thu, 01 Jan 2026 00:02:00 GMT\r\n",
    "retry-after: Thu, 01 Jan 0000 00:02:00 -9999\r\n",
    "date: Thu, 01 Jan 2026 00:00:00 GMT\r\n",
    "set-cookie: a=b\r\n",
    "0\r\n\r\n",
    "ffffffffffffffff\r\n",
    "5;a=b\r\nhello\r\n",
];

#[test]
fn an_answer_is_understood_or_means_another_try() {
    let sender = Sender::new(Oa::start());
    let head = "HTTP/1.1 200 OK\r\n";
    let made = vec![
        format!("{head}\r\n{}", "x".repeat(2 << 20)).into_bytes(),
        format!("{head}x: {}\r\n\r\n", "x".repeat(1 << 20)).into_bytes(),
        format!("{head}{}\r\n", "x: y\r\n".repeat(10_000)).into_bytes(),
        format!("{head}transfer-encoding: chunked\r\n\r\n{}0\r\n\r\n", "1\r\nx\r\n".repeat(20_000)).into_bytes(),
        "HTTP/1.1 100 Continue\r\n\r\n".repeat(10_000).into_bytes(),
    ];
    let parse = |input: &[u8]| came(sender.send(input));
    fuzz(&Parser { name: "answer", tokens: WORDS, limits: Limits::EXCHANGE, made, parse: &parse });
}

fn came(outcome: Result<Outcome, Unavailable>) -> Came {
    let (reason, after, taken) = match outcome {
        Ok(Outcome::Applied) => ("applied".to_owned(), None, true),
        Ok(Outcome::Rejected { reason }) => (reason, None, true),
        Ok(Outcome::Retry { reason, after }) => (reason, after, true),
        Ok(Outcome::Missing { what }) => panic!("no OA can say that {what:?} is missing"),
        Err(Unavailable { reason, after }) => (reason, after, false),
    };
    assert!(reason.len() <= LONGEST_REASON_BYTES && !reason.contains(SECRET), "the reason says too much: {reason}");
    assert!(after.is_none_or(|after| after <= LONGEST_WAIT), "it would wait for {after:?}");
    let way = format!("{reason}, after: {}", after.is_some());
    if taken { Came::taken(way) } else { Came::refused(way) }
}

/// The relay, with a message for it to send.
struct Sender {
    oa: Oa,
    relay: Relay,
    message: Message,
    runtime: Runtime,
}

impl Sender {
    fn new(oa: Oa) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let entered = runtime.enter();
        let http = Client::new(Guard::new(vec!["127.0.0.1/32".parse().unwrap()]), Duration::from_secs(5)).unwrap();
        let url = format!("http://{}/callback?key={SECRET}", oa.address);
        let settings = RelaySettings {
            url: &url,
            token: &Secret::new(TOKEN),
            aes_key: &Secret::new(AES_KEY),
            receive_id: CORP,
            agent_id: None,
            spacing_millis: 0,
            distinct_seconds: false,
        };
        let relay = Relay::new(&settings, &http).unwrap();
        drop(entered);
        let message =
            Message { url, content_type: "text/xml".to_owned(), body: REQUEST.as_bytes().to_vec(), second: 0 };
        Self { oa, relay, message, runtime }
    }

    /// What the relay makes of this answer.
    fn send(&self, answer: &[u8]) -> Result<Outcome, Unavailable> {
        *self.oa.answer.lock().unwrap() = answer.to_vec();
        for _ in 0..TRIES {
            let before = self.oa.asked.load(Ordering::SeqCst);
            let outcome = self.runtime.block_on(self.relay.send(&self.message));
            if self.oa.asked.load(Ordering::SeqCst) > before {
                return outcome;
            }
        }
        panic!("the message does not get to the OA");
    }
}

/// An OA that says what it is told to say, and hangs up.
struct Oa {
    address: SocketAddr,
    answer: Arc<Mutex<Vec<u8>>>,
    asked: Arc<AtomicU64>,
}

impl Oa {
    /// It ends with the process.
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let oa = Self { address, answer: Arc::default(), asked: Arc::default() };
        let (answer, asked) = (Arc::clone(&oa.answer), Arc::clone(&oa.asked));
        thread::spawn(move || {
            for socket in listener.incoming() {
                let (answer, asked) = (Arc::clone(&answer), Arc::clone(&asked));
                // The client may have hung up first.
                thread::spawn(move || drop(socket.and_then(|socket| serve(socket, &answer, &asked))));
            }
        });
        oa
    }
}

fn serve(mut socket: TcpStream, answer: &Mutex<Vec<u8>>, asked: &AtomicU64) -> io::Result<()> {
    let (mut request, mut chunk) = (Vec::new(), [0; 4096]);
    while !request.ends_with(REQUEST.as_bytes()) {
        let read = socket.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        request.extend_from_slice(&chunk[..read]);
    }
    let answer = answer.lock().unwrap().clone();
    asked.fetch_add(1, Ordering::SeqCst);
    socket.write_all(&answer)
}
