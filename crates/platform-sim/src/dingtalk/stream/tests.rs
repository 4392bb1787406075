mod client;
mod delivery;
mod faults;
mod opening;

use std::net::TcpListener;

use serde_json::{Value, json};

use super::super::failed::FailedOptions;
use super::super::frames::Fate;
use super::super::server::{Server, ServerParts};
use super::*;
use client::{Client, Heard};

const START_MS: i64 = 1_790_000_000_000;

struct Stage {
    clock: Clock,
    failed: FailedList,
    stream: Stream,
    server: Server,
}

impl Stage {
    /// Without pings, so that nothing comes by itself.
    fn new(change: impl FnOnce(&mut StreamOptions)) -> Self {
        let mut options = StreamOptions { ping_every: None, ..StreamOptions::of_app("dingapp1", "secret1") };
        change(&mut options);
        let clock = Clock::manual(START_MS);
        let failed = FailedList::new(FailedOptions { delay: Duration::ZERO, ..FailedOptions::default() });
        let stream = Stream::new(options, clock.clone(), failed.clone(), PushMeter::new(None)).expect("a gateway");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let parts = ServerParts { streams: vec![stream.clone()], api: None };
        let server = Server::start(listener, parts).expect("it starts");
        Self { clock, failed, stream, server }
    }

    async fn open(&self, body: &Value) -> (u16, Value) {
        let url = format!("{}/v1.0/gateway/connections/open", self.server.url());
        let request = crate::dispatcher::client().expect("a client").post(url).body(body.to_string());
        let response = request.header("accept", "application/json").send().await.expect("an answer");
        let status = response.status().as_u16();
        let text = response.text().await.expect("a body");
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    async fn ticket(&self) -> String {
        let (status, opened) = self.open(&asking("secret1")).await;
        assert_eq!(status, 200, "{opened}");
        opened["ticket"].as_str().expect("a ticket").to_owned()
    }

    async fn client(&self) -> Client {
        let connections = self.stream.live().len();
        let ticket = self.ticket().await;
        let client = Client::connect(self.server.address(), &ticket).await.expect("it enters");
        self.stream.connected(connections + 1).await;
        client
    }

    /// Moves the clock, a second at a time, until this holds.
    async fn pass(&self, holds: impl Fn(&Stream) -> bool) {
        while !holds(&self.stream) {
            self.clock.advance(Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

fn asking(secret: &str) -> Value {
    json!({"clientId": "dingapp1", "clientSecret": secret, "ua": "test-sdk-rust/1", "localIp": "192.0.2.2",
        "subscriptions": [{"type": "EVENT", "topic": "*"}]})
}

fn events(numbers: std::ops::Range<u64>) -> Vec<Event> {
    let data = |number: u64| json!({"timeStamp": "1790000000100", "userId": [format!("user{number:04}")]});
    numbers.map(|number| Event::new(1, number, "ding", "user_add_org", START_MS, data(number))).collect()
}
