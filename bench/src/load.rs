//! A load that costs as little as it can: requests that are ready, each sent once, over connections that stay open.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

/// A gateway answers, or hangs up, within 5 s.
const PATIENCE: Duration = Duration::from_secs(10);
/// A request that is not answered is sent again, as a platform does, but not for ever.
const MOST_TRIES: usize = 50;
const PAUSE: Duration = Duration::from_millis(200);

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// Requests that were answered `success`, each once.
    pub(crate) success: usize,
    /// Requests that were sent again.
    pub(crate) repeated: usize,
    /// Milliseconds to each `success`, in no order.
    millis: Vec<f32>,
}

impl Answers {
    /// The milliseconds within which that share of the requests was answered.
    pub(crate) fn millis_at(&self, share: f64) -> f64 {
        let mut sorted = self.millis.clone();
        sorted.sort_by(f32::total_cmp);
        let rank = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
        sorted.get(rank).copied().map_or(f64::NAN, f64::from)
    }

    fn add(&mut self, mut other: Self) {
        self.success += other.success;
        self.repeated += other.repeated;
        self.millis.append(&mut other.millis);
    }
}

/// Sends every request until it is answered `success`, so many at once.
pub(crate) async fn send(address: SocketAddr, requests: Vec<Vec<u8>>, connections: usize) -> Result<Answers> {
    let (requests, next) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    for _ in 0..connections.max(1) {
        let mut sender =
            Sender { address, stream: None, answer: Vec::with_capacity(1024), answers: Answers::default() };
        let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
        tasks.spawn(async move {
            while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                sender.send(request).await?;
            }
            anyhow::Ok(sender.answers)
        });
    }
    let mut all = Answers::default();
    while let Some(ended) = tasks.join_next().await {
        all.add(ended??);
    }
    Ok(all)
}

struct Sender {
    address: SocketAddr,
    stream: Option<TcpStream>,
    answer: Vec<u8>,
    answers: Answers,
}

impl Sender {
    async fn send(&mut self, request: &[u8]) -> Result<()> {
        for _ in 0..MOST_TRIES {
            let began = Instant::now();
            match timeout(PATIENCE, self.exchange(request)).await {
                Ok(Ok(())) if is_success(&self.answer) => {
                    self.answers.success += 1;
                    self.answers.millis.push(began.elapsed().as_secs_f32() * 1000.0);
                    return Ok(());
                }
                // Refused for what it is: it would be so again.
                Ok(Ok(())) => {
                    let head = self.answer.get(..self.answer.len().min(200)).unwrap_or_default();
                    bail!("the gateway answered {:?}", String::from_utf8_lossy(head));
                }
                Ok(Err(_)) | Err(_) => self.stream = None,
            }
            self.answers.repeated += 1;
            sleep(PAUSE).await;
        }
        bail!("the gateway at {} does not answer", self.address)
    }

    async fn exchange(&mut self, request: &[u8]) -> io::Result<()> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.address).await?;
                stream.set_nodelay(true)?;
                stream
            }
        };
        stream.write_all(request).await?;
        self.answer.clear();
        while end_of(&self.answer).is_none_or(|end| self.answer.len() < end) {
            if stream.read_buf(&mut self.answer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        self.stream = Some(stream);
        Ok(())
    }
}

/// Where an answer ends, once its head is there.
fn end_of(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(answer.get(..head)?).ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") { value.trim().parse::<usize>().ok() } else { None }
    });
    Some(head + length.unwrap_or_default())
}

fn is_success(answer: &[u8]) -> bool {
    answer.starts_with(b"HTTP/1.1 200") && answer.ends_with(b"\r\n\r\nsuccess")
}

/// Waits until somebody listens there.
pub(crate) async fn until_listening(address: SocketAddr, patience: Duration) -> Result<()> {
    let end = Instant::now() + patience;
    loop {
        match TcpStream::connect(address).await {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() > end => {
                return Err(error).with_context(|| format!("nobody listens on {address}"));
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_with_its_body() {
        let whole = b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\ncontent-type: text/plain\r\n\r\nsuccess";
        assert_eq!(end_of(whole), Some(whole.len()));
        assert!(is_success(whole));
        assert_eq!(end_of(&whole[..20]), None);
        let refused = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(end_of(refused), Some(refused.len()));
        assert!(!is_success(refused));
    }
}
