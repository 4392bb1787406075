//! Answers, and the names under which they are counted.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    http::{StatusCode, header::RETRY_AFTER},
};
use bytes::Bytes;
use wecom::Refusal;

/// Why a request is refused: what the sender sees, and what only we do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    pub(crate) status: StatusCode,
    /// For the log and the metric; never for the sender.
    pub(crate) why: &'static str,
    /// It carried a good signature, so it does not count towards 429.
    pub(crate) signed: bool,
}

impl Refused {
    pub(crate) const METHOD: Self = Self::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method");
    pub(crate) const ENCODING: Self = Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "encoded_body");
    pub(crate) const TYPE: Self = Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong_type");
    pub(crate) const TOO_LARGE: Self = Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large");
    pub(crate) const SLOW: Self = Self::new(StatusCode::REQUEST_TIMEOUT, "slow_body");
    pub(crate) const BROKEN: Self = Self::new(StatusCode::BAD_REQUEST, "broken_body");
    pub(crate) const UNKNOWN_TENANT: Self = Self::new(StatusCode::UNAUTHORIZED, "unknown_tenant");
    pub(crate) const NO_ECHO: Self = Self::new(StatusCode::UNAUTHORIZED, "missing_parameter");
    /// Nothing that Stream mode has.
    pub(crate) const MISREAD: Self = Self::new(StatusCode::BAD_REQUEST, "no_frame");
    pub(crate) const STALE: Self = Self { status: StatusCode::UNAUTHORIZED, why: "stale_timestamp", signed: true };

    const fn new(status: StatusCode, why: &'static str) -> Self {
        Self { status, why, signed: false }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unauthorized { why } => Self::new(StatusCode::UNAUTHORIZED, why),
            // Only looked at after the signature.
            Refusal::Malformed { why } => Self { status: StatusCode::BAD_REQUEST, why, signed: true },
        }
    }
}

/// What came of a request.
pub enum Outcome {
    /// The events are durable.
    Accepted,
    /// The address is verified: this is the echo.
    Verified(String),
    /// The events are durable: this is DingTalk's encrypted `success`.
    Confirmed(String),
    /// DingTalk looked whether the address is ours: this is its encrypted `success`.
    Checked(String),
    /// Nothing was taken over, for a reason of the request's.
    Refused(Refused),
    /// As before, and there were too many of it.
    Limited(Duration),
    /// Nothing could be taken over; the sender must see a broken connection to come again.
    NotTaken,
    /// Nothing could be taken over; any answer but `success` makes the sender come again.
    Unavailable,
}

impl Outcome {
    /// The metric label.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Accepted | Self::Confirmed(_) => "accepted",
            Self::Verified(_) | Self::Checked(_) => "verified",
            Self::Refused(refused) => refused.why,
            Self::Limited(_) => "rate_limited",
            Self::NotTaken | Self::Unavailable => "not_taken",
        }
    }

    /// The answer. Refusals have no body at all, like those that the HTTP server itself gives.
    pub(crate) fn into_response(self) -> HttpResponse {
        match self {
            Self::Accepted => HttpResponse::Ok().content_type("text/plain").body("success"),
            Self::Verified(echo) => HttpResponse::Ok().content_type("text/plain").body(echo),
            Self::Confirmed(reply) | Self::Checked(reply) => {
                HttpResponse::Ok().content_type("application/json").body(reply)
            }
            Self::Refused(refused) => refusal(refused),
            Self::Limited(after) => {
                let seconds = after.as_secs().saturating_add(1);
                HttpResponse::TooManyRequests().insert_header((RETRY_AFTER, seconds)).finish()
            }
            Self::NotTaken => HttpResponse::with_body(StatusCode::OK, BoxBody::new(HangUp)),
            Self::Unavailable => HttpResponse::new(StatusCode::SERVICE_UNAVAILABLE),
        }
    }
}

fn refusal(refused: Refused) -> HttpResponse {
    let mut response = HttpResponse::new(refused.status);
    // Something of the request may still be on its way.
    if matches!(refused.status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT) {
        response.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
    }
    response
}

/// A body that fails at once. The server gives up the connection then, with the response's head still unsent: the client sees
/// a connection that was closed without an answer.
struct HangUp;

impl MessageBody for HangUp {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, io::Error>>> {
        Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::ConnectionAborted, "closed without an answer on purpose"))))
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}
