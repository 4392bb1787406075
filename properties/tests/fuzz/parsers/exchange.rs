//! What a platform's API answers, as a client hears it from a real socket. The first line of an input is a status and the
//! call that is answered; the rest is the body.

use std::{
    fmt::Debug,
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use outbound::Guard;
use tokio::{
    runtime::{Builder, Runtime},
    select,
    sync::Notify,
};

use crate::fuzzer::Came;

/// So many requests of one call are answered: a list that never ends is not followed for long.
const ANSWERS: u32 = 5;
/// A connection of the client's pool may have been hung up by the time it is used.
const TRIES: usize = 5;

/// What is answered at some paths, whatever an input says.
pub(super) type Fixed = &'static [(&'static str, &'static str)];

/// What an input says: a call, and what is answered to it.
pub(super) struct Said<'a> {
    pub(super) call: &'static str,
    status: u16,
    body: &'a [u8],
}

impl<'a> Said<'a> {
    /// Reads an input; `usual` is the call of one that names none of these.
    pub(super) fn read(input: &'a [u8], calls: &[&'static str], usual: &'static str) -> Self {
        let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
        let (head, body) = (String::from_utf8_lossy(&input[..end]), input.get(end + 1..).unwrap_or_default());
        let (status, named) = head.split_once(' ').unwrap_or(("200", &*head));
        let status: u16 = status.parse().ok().filter(|status| (200..600).contains(status)).unwrap_or(200);
        Self { call: calls.iter().copied().find(|call| *call == named).unwrap_or(usual), status, body }
    }
}

/// Hears that a request ended so that the client waits for another try: that need not be waited for.
#[derive(Default)]
pub(super) struct Ear {
    heard: Mutex<Option<&'static str>>,
    rang: Notify,
}

impl Ear {
    pub(super) fn ring(&self, outcome: &'static str) {
        self.heard.lock().unwrap().get_or_insert(outcome);
        self.rang.notify_one();
    }

    /// What comes of a call, as soon as that is clear.
    pub(super) async fn listen(&self, call: &str, answered: impl Future<Output = Came>) -> Came {
        select! {
            biased;
            came = answered => came,
            () = self.rang.notified() => {
                let label = self.heard.lock().unwrap().unwrap_or_default();
                Came::refused(format!("{call} {label}"))
            }
        }
    }
}

/// A platform, and the way to it.
pub(super) struct Exchange {
    platform: Platform,
    pub(super) http: outbound::Client,
    runtime: Runtime,
}

impl Exchange {
    pub(super) fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let entered = runtime.enter();
        let guard = Guard::new(vec!["127.0.0.1/32".parse().unwrap()]);
        let http = outbound::Client::new(guard, Duration::from_secs(5)).unwrap();
        drop(entered);
        Self { platform: Platform::start(), http, runtime }
    }

    /// Where the platform is.
    pub(super) fn base(&self) -> String {
        format!("http://{}", self.platform.address)
    }

    /// Asks while the platform answers like this.
    pub(super) fn came<F: Future<Output = Came>>(&self, said: &Said<'_>, fixed: Fixed, ask: impl Fn() -> F) -> Came {
        for _ in 0..TRIES {
            let answer = http(said.status, said.body);
            *self.platform.says.lock().unwrap() = Says { answer, fixed, left: ANSWERS };
            let came = self.runtime.block_on(ask());
            if self.platform.says.lock().unwrap().left < ANSWERS {
                return came;
            }
        }
        panic!("the call does not get to the platform");
    }
}

/// A value without what was told, which is texts and numbers.
pub(super) fn shape(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    let outside: String = text.split('"').step_by(2).collect();
    outside.chars().filter(|character| !character.is_ascii_digit()).take(160).collect()
}

/// Says to every request what it is told to say.
struct Platform {
    address: SocketAddr,
    says: Arc<Mutex<Says>>,
}

struct Says {
    answer: Vec<u8>,
    fixed: Fixed,
    /// So often; then it hangs up.
    left: u32,
}

impl Platform {
    /// It ends with the process.
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let says = Arc::new(Mutex::new(Says { answer: Vec::new(), fixed: &[], left: 0 }));
        let shared = Arc::clone(&says);
        thread::spawn(move || {
            for socket in listener.incoming() {
                let says = Arc::clone(&shared);
                // The client may have hung up first.
                thread::spawn(move || drop(socket.and_then(|socket| serve(socket, &says))));
            }
        });
        Self { address, says }
    }
}

fn serve(socket: TcpStream, says: &Mutex<Says>) -> io::Result<()> {
    let mut reader = BufReader::new(socket);
    while let Some(path) = read(&mut reader)? {
        let answer = {
            let mut says = says.lock().unwrap();
            let fixed = says.fixed;
            if let Some((_, fixed)) = fixed.iter().find(|(fixed, _)| *fixed == path) {
                http(200, fixed.as_bytes())
            } else if says.left == 0 {
                return Ok(());
            } else {
                says.left -= 1;
                says.answer.clone()
            }
        };
        reader.get_mut().write_all(&answer)?;
    }
    Ok(())
}

fn http(status: u16, body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
    answer.extend_from_slice(body);
    answer
}

/// Reads a request; its path, or nothing when there is none any more.
fn read(reader: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let target = line.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or_default();
        }
    }
    io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
    Ok(Some(path))
}
