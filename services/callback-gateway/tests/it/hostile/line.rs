//! A connection that is kept from one request to the next.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
};

use crate::client::{self, Request};

/// What was answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// All of it but the date.
    pub(super) said: String,
    pub(super) body: String,
}

pub(super) struct Line(BufReader<TcpStream>);

impl Line {
    pub(super) fn open(address: SocketAddr) -> Self {
        let stream = client::connect(address);
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    /// The answer to a request. The other side must keep the connection.
    pub(super) fn ask(&mut self, request: &Request) -> Answer {
        self.0.get_mut().write_all(&kept(request)).unwrap();
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            let count = self.0.read_line(&mut line).unwrap();
            assert!(count > 0, "the connection was given up after {head:?}, asked for {:.200}", request.target);
            match line.trim_end() {
                "" => break,
                line => head.push(line.to_owned()),
            }
        }
        let lower: Vec<String> = head.iter().map(|line| line.to_lowercase()).collect();
        let length = lower.iter().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.0.read_exact(&mut body).unwrap();
        let body = String::from_utf8(body).unwrap();
        let status = head[0].split(' ').nth(1).unwrap().parse().unwrap();
        head.retain(|line| !line.to_lowercase().starts_with("date:"));
        Answer { status, said: format!("{}\n\n{body}", head.join("\n")), body }
    }
}

/// A request's bytes, without the wish to close the connection.
fn kept(request: &Request) -> Vec<u8> {
    let mut head = format!("{} {} HTTP/1.1\r\nhost: gateway\r\n", request.method, request.target);
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", request.body.len()));
    [head.as_bytes(), &request.body].concat()
}
