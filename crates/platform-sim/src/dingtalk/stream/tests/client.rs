//! A client small enough to see through.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a client reads.
#[derive(Debug, PartialEq)]
pub(super) enum Heard {
    Text(Value),
    Pong(Vec<u8>),
    Close(Option<u16>),
    /// The connection ended without a close frame.
    Nothing,
}

pub(super) struct Client {
    socket: TcpStream,
    read: Vec<u8>,
}

impl Client {
    /// Connects with a ticket; the status where that is refused.
    pub(super) async fn connect(address: std::net::SocketAddr, ticket: &str) -> Result<Self, String> {
        let mut socket = TcpStream::connect(address).await.expect("it listens");
        let request = format!(
            "GET /connect?ticket={ticket} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).await.expect("it is read");
        let mut client = Self { socket, read: Vec::new() };
        let end = loop {
            if let Some(end) = client.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            assert!(client.more().await, "it answers");
        };
        let head = String::from_utf8_lossy(&client.read[..end]).into_owned();
        client.read.drain(..end + 4);
        let status = head.split(' ').nth(1).unwrap_or_default().to_owned();
        if status == "101" { Ok(client) } else { Err(status) }
    }

    async fn more(&mut self) -> bool {
        self.socket.read_buf(&mut self.read).await.is_ok_and(|count| count > 0)
    }

    async fn fill(&mut self, length: usize) -> bool {
        while self.read.len() < length {
            if !self.more().await {
                return false;
            }
        }
        true
    }

    pub(super) async fn hear(&mut self) -> Heard {
        if !self.fill(2).await {
            return Heard::Nothing;
        }
        let opcode = self.read[0] & 0x0f;
        let (start, length) = match self.read[1] {
            126 => {
                if !self.fill(4).await {
                    return Heard::Nothing;
                }
                (4, usize::from(u16::from_be_bytes([self.read[2], self.read[3]])))
            }
            length => (2, usize::from(length)),
        };
        if !self.fill(start + length).await {
            return Heard::Nothing;
        }
        let payload: Vec<u8> = self.read.drain(..start + length).skip(start).collect();
        match opcode {
            1 => Heard::Text(serde_json::from_slice(&payload).expect("JSON")),
            8 => Heard::Close(payload.first_chunk().map(|code| u16::from_be_bytes(*code))),
            10 => Heard::Pong(payload),
            other => panic!("a frame of kind {other}"),
        }
    }

    /// The next frame of the platform.
    pub(super) async fn frame(&mut self) -> Value {
        match self.hear().await {
            Heard::Text(frame) => frame,
            other => panic!("{other:?} instead of a frame"),
        }
    }

    pub(super) async fn send(&mut self, opcode: u8, payload: &[u8]) {
        // Masked with zeros, which changes nothing.
        let mut frame = vec![0x80 | opcode];
        match u8::try_from(payload.len()) {
            Ok(length) if length < 126 => frame.push(0x80 | length),
            _ => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(payload.len()).expect("a short frame").to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend_from_slice(payload);
        self.socket.write_all(&frame).await.expect("it is read");
    }

    /// Replies to a frame.
    pub(super) async fn reply(&mut self, frame: &Value, code: i64, data: &str) {
        let headers = json!({"messageId": frame["headers"]["messageId"], "contentType": "application/json"});
        let reply = json!({"code": code, "headers": headers, "message": "OK", "data": data});
        self.send(1, reply.to_string().as_bytes()).await;
    }

    /// Acknowledges a frame as the Python SDK does: with its own data.
    pub(super) async fn ack(&mut self, frame: &Value) {
        let data = frame["data"].as_str().expect("a text").to_owned();
        self.reply(frame, 200, &data).await;
    }
}
