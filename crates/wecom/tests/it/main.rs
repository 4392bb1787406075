//! The crate from outside, against official samples, another implementation, and whatever a stranger may send.

#![cfg(test)]

mod api;
mod bodies;
mod bounds;
mod chance;
mod hostile;
mod independent;
mod measured;
mod never_panics;
mod round_trip;
mod timing;
mod vectors;

use common::{Event, Secret, TenantId, UnixMillis};
use wecom::{CallbackKeys, Refusal};

fn keys(token: &str, aes_key: &str, receive_id: &str) -> CallbackKeys {
    CallbackKeys::new(&Secret::new(token), &Secret::new(aes_key), receive_id).unwrap()
}

fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

fn normalise(plaintext: &str) -> Result<Vec<Event>, Refusal> {
    wecom::normalise(&tenant(), "ww1", plaintext, UnixMillis(1_800_000_000_000), None)
}
