//! Reading a request's body within bounds of size and time.

use std::time::Duration;

use actix_web::{
    http::header::{CONTENT_LENGTH, HeaderMap},
    web,
};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use tokio::time::{Instant, timeout_at};

use crate::answer::Refused;

/// What is read of a body that is refused anyway, so that the sender has finished writing and sees the answer instead of a
/// reset. Nothing of it is kept.
const DRAINED_BYTES: usize = 64 << 20;
/// A body's first buffer, whatever length is announced.
const FIRST_BUFFER_BYTES: usize = 8 << 10;

/// Bounds of a body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) max_bytes: usize,
    pub(crate) timeout: Duration,
}

/// The whole body.
pub(crate) async fn read(payload: web::Payload, headers: &HeaderMap, bounds: Bounds) -> Result<Bytes, Refused> {
    let deadline = Instant::now() + bounds.timeout;
    let announced = announced_bytes(headers);
    if announced.is_some_and(|announced| announced > bounds.max_bytes as u64) {
        drain_until(payload, deadline, 0).await;
        return Err(Refused::TOO_LARGE);
    }
    let mut payload = payload;
    let mut body = BytesMut::with_capacity(announced.map_or(0, |_| FIRST_BUFFER_BYTES.min(bounds.max_bytes)));
    loop {
        match timeout_at(deadline, payload.next()).await {
            Err(_) => return Err(Refused::SLOW),
            Ok(None) => return Ok(body.freeze()),
            Ok(Some(Err(_))) => return Err(Refused::BROKEN),
            Ok(Some(Ok(chunk))) if body.len().saturating_add(chunk.len()) > bounds.max_bytes => {
                let so_far = body.len();
                drop(body);
                drain_until(payload, deadline, so_far).await;
                return Err(Refused::TOO_LARGE);
            }
            Ok(Some(Ok(chunk))) => body.extend_from_slice(&chunk),
        }
    }
}

/// Reads a body away that nobody wants.
pub(crate) async fn drain(payload: web::Payload, bounds: Bounds) {
    drain_until(payload, Instant::now() + bounds.timeout, 0).await;
}

async fn drain_until(mut payload: web::Payload, deadline: Instant, so_far: usize) {
    let mut seen = so_far;
    while let Ok(Some(Ok(chunk))) = timeout_at(deadline, payload.next()).await {
        seen = seen.saturating_add(chunk.len());
        if seen > DRAINED_BYTES {
            return;
        }
    }
}

fn announced_bytes(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
