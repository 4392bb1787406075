//! An HTTP client that sends exactly what it is told to.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

/// What came back before the connection ended.
#[derive(Debug)]
pub(crate) struct Reply {
    /// Everything, as it came.
    pub(crate) raw: Vec<u8>,
    /// From the first byte sent to the end.
    pub(crate) took: Duration,
}

impl Reply {
    /// The status; `None` when there was no answer at all.
    pub(crate) fn status(&self) -> Option<u16> {
        let head = String::from_utf8_lossy(&self.raw);
        let last = head.rfind("HTTP/1.1 ").map(|start| &head[start..])?;
        Some(last.split(' ').nth(1).unwrap().parse().unwrap())
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.raw).into_owned();
        let head = text.split("\r\n\r\n").next().unwrap();
        let found =
            head.lines().filter_map(|line| line.split_once(": ")).find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_owned())
    }

    pub(crate) fn body(&self) -> String {
        let text = String::from_utf8_lossy(&self.raw).into_owned();
        text.split_once("\r\n\r\n").map_or_else(String::new, |(_, body)| body.to_owned())
    }
}

/// One request. Built up, then sent over a connection of its own.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn get(target: impl Into<String>) -> Self {
        Self { method: "GET", target: target.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn post(target: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self { method: "POST", target: target.into(), headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The bytes, with the body's true length.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head(&format!("content-length: {}\r\n", self.body.len()));
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// The bytes, with the body in chunks.
    pub(crate) fn chunked(&self, chunk: usize) -> Vec<u8> {
        let mut bytes = self.head("transfer-encoding: chunked\r\n");
        for piece in self.body.chunks(chunk) {
            bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
            bytes.extend_from_slice(piece);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
        bytes
    }

    pub(crate) fn head(&self, length: &str) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(length);
        head.push_str("\r\n");
        head.into_bytes()
    }
}

/// Sends bytes and reads until the other side closes. A reset counts as the end.
pub(crate) fn exchange(address: SocketAddr, bytes: &[u8]) -> Reply {
    let started = Instant::now();
    let mut stream = connect(address);
    // What cannot be written any more was answered early; the answer tells.
    drop(stream.write_all(bytes));
    finish(stream, started)
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

pub(crate) fn finish(mut stream: TcpStream, started: Instant) -> Reply {
    let mut raw = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => raw.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{error}; so far: {}", String::from_utf8_lossy(&raw)),
        }
    }
    Reply { raw, took: started.elapsed() }
}
