//! The request for a connection (reference dingtalk 1.2).

use std::net::TcpStream;

use serde_json::{Value, json};

use super::super::ids;
use super::super::server::{Answer, Call, Delivery};
use super::options::OpenFault;
use super::socket::Line;
use super::state::State;
use super::tickets::NoEntry;
use super::{Pass, Stream, connections};

/// As the gateway answers to wrong credentials.
pub(in crate::dingtalk) fn auth_failed(seed: &str) -> Answer {
    refusal(401, "authFailed", "鉴权失败", seed)
}

fn refusal(status: u16, code: &str, message: &str, seed: &str) -> Answer {
    let id = ids::uuid(&format!("request/{seed}")).to_uppercase();
    Answer::json(status, &json!({"requestid": id, "code": code, "message": message}))
}

impl Stream {
    /// Whether this is the gateway of that app.
    pub(in crate::dingtalk) fn is_of(&self, client_id: &str) -> bool {
        self.shared.state().options.client_id == client_id
    }

    /// The clock's time, Unix ms.
    pub(in crate::dingtalk) fn now_ms(&self) -> i64 {
        self.shared.clock.now_ms()
    }

    /// Answers a request for a connection that names this app.
    pub(in crate::dingtalk) fn open(&self, call: &Call<'_>, body: &Value) -> Answer {
        let now_ms = self.shared.clock.now_ms();
        let answer = self.shared.state().open_connection(call, body, now_ms);
        self.shared.tell();
        answer
    }

    /// Uses a ticket up; `None` if it is not of this gateway or no good.
    pub(in crate::dingtalk) fn redeem(&self, ticket: &str) -> Option<Pass> {
        let now_ms = self.shared.clock.now_ms();
        let mut state = self.shared.state();
        match state.tickets.redeem(ticket, now_ms) {
            Ok(pass) => Some(pass),
            Err(NoEntry::Unknown) => None,
            Err(NoEntry::Spent) => {
                state.journal.tally.spent_tickets += 1;
                None
            }
        }
    }

    /// Takes in a connection whose ticket was good.
    pub(in crate::dingtalk) fn enter(&self, pass: Pass, socket: Option<TcpStream>) -> Line {
        connections::enter(&self.shared, pass, socket)
    }
}

impl State {
    fn open_connection(&mut self, call: &Call<'_>, body: &Value, now_ms: i64) -> Answer {
        let seed = format!("{}/{now_ms}", self.journal.tally.refused);
        let opened = match self.open_faults.pop_front() {
            Some(OpenFault::Unauthorized) => Err(auth_failed(&seed)),
            Some(OpenFault::Status(status)) => Err(page(status)),
            Some(OpenFault::Hang) => Err(page(503).delivered(Delivery::Never)),
            None => self.check(body, &seed),
        };
        match opened {
            Ok(pass) => {
                self.journal.tally.opened += 1;
                self.hand_out(call, pass, now_ms)
            }
            Err(answer) => {
                self.journal.tally.refused += 1;
                answer
            }
        }
    }

    fn check(&self, body: &Value, seed: &str) -> Result<Pass, Answer> {
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        if text("clientSecret") != self.options.client_secret {
            return Err(auth_failed(seed));
        }
        let Some(subscriptions) = body.get("subscriptions").and_then(Value::as_array).filter(|all| !all.is_empty())
        else {
            return Err(refusal(400, "invalidParameter.subscriptions.empty", "subscriptions is empty", seed));
        };
        let mut wants_events = false;
        for subscription in subscriptions {
            let part = |name: &str| subscription.get(name).and_then(Value::as_str).unwrap_or_default();
            match (part("type"), part("topic")) {
                ("EVENT", "*") => wants_events = true,
                ("CALLBACK" | "SYSTEM", topic) if !topic.is_empty() => {}
                _ => return Err(refusal(400, "invalidParameter.subscriptions.topic", "bad topic", seed)),
            }
        }
        Ok(Pass { wants_events, ua: text("ua"), local_ip: text("localIp") })
    }

    /// Who does not ask for JSON gets XML.
    fn hand_out(&mut self, call: &Call<'_>, pass: Pass, now_ms: i64) -> Answer {
        let life_ms = i64::try_from(self.options.ticket_life.as_millis()).unwrap_or(i64::MAX);
        let ticket = self.tickets.issue(self.options.seed, pass, now_ms.saturating_add(life_ms));
        let host = call.header("host").unwrap_or_default();
        let endpoint = self.options.endpoint.clone().unwrap_or_else(|| format!("ws://{host}/connect"));
        if call.header("accept").is_some_and(|kinds| kinds.contains("application/json")) {
            return Answer::json(200, &json!({"endpoint": endpoint, "ticket": ticket}));
        }
        let body = format!("<result><endpoint>{endpoint}</endpoint><ticket>{ticket}</ticket></result>");
        Answer {
            content_type: "application/xml;charset=UTF-8",
            body: body.into_bytes(),
            ..Answer::json(200, &json!({}))
        }
    }
}

/// An error page of something in front of the gateway.
fn page(status: u16) -> Answer {
    let body = format!("<html><head><title>{status}</title></head><body></body></html>").into_bytes();
    Answer { status, content_type: "text/html", body, delivery: Delivery::Now }
}
