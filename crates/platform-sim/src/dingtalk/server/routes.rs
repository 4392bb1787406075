//! Which request goes where.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

use actix_web::http::{StatusCode, header};
use actix_web::rt::time::sleep;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

use super::{Answer, Call, Delivery, ServerParts};
use crate::api::cutter;
use crate::dingtalk::stream::socket::{MAX_FRAME_BYTES, run};
use crate::dingtalk::stream::{Stream, auth_failed};
use crate::query;

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/v1.0/gateway/connections/open", web::post().to(open))
        .route("/connect", web::get().to(connect))
        .default_service(web::to(call));
}

/// A request for a Stream connection.
async fn open(request: HttpRequest, body: web::Bytes, parts: web::Data<ServerParts>) -> HttpResponse {
    let headers = headers(&request);
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let client_id = asked.get("clientId").and_then(Value::as_str).unwrap_or_default();
    let answer = match parts.streams.iter().find(|stream| stream.is_of(client_id)) {
        Some(stream) => stream.open(&call_of(&request, &headers, &body), &asked),
        None => auth_failed(client_id),
    };
    deliver(&request, answer, parts.now_ms()).await
}

/// The WebSocket.
async fn connect(
    request: HttpRequest,
    payload: web::Payload,
    parts: web::Data<ServerParts>,
) -> actix_web::Result<HttpResponse> {
    let ticket = query::parameter(request.query_string(), "ticket").unwrap_or_default();
    let good = |stream: &Stream| stream.redeem(&ticket).map(|pass| (stream.clone(), pass));
    let Some((stream, pass)) = parts.streams.iter().find_map(good) else {
        return Ok(HttpResponse::Unauthorized().finish());
    };
    let (response, session, messages) = actix_ws::handle(&request, payload)?;
    let line = stream.enter(pass, cutter::second_handle(&request));
    let messages = messages.max_frame_size(MAX_FRAME_BYTES);
    actix_web::rt::spawn(run(line, session, messages, cutter::second_handle(&request)));
    Ok(response)
}

/// Anything else.
async fn call(request: HttpRequest, body: web::Bytes, parts: web::Data<ServerParts>) -> HttpResponse {
    let Some(api) = &parts.api else { return HttpResponse::NotFound().finish() };
    let headers = headers(&request);
    let answer = api.call(&call_of(&request, &headers, &body));
    deliver(&request, answer, Some(api.platform_ms())).await
}

impl ServerParts {
    fn now_ms(&self) -> Option<i64> {
        let api = self.api.as_ref().map(|api| api.platform_ms());
        api.or_else(|| self.streams.first().map(Stream::now_ms))
    }
}

fn headers(request: &HttpRequest) -> Vec<(String, String)> {
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

fn call_of<'a>(request: &'a HttpRequest, headers: &'a [(String, String)], body: &'a [u8]) -> Call<'a> {
    Call {
        method: request.method().as_str(),
        path: request.path(),
        query: request.query_string(),
        headers,
        body,
        peer: request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical()),
    }
}

async fn deliver(request: &HttpRequest, answer: Answer, now_ms: Option<i64>) -> HttpResponse {
    match answer.delivery {
        Delivery::Now => {}
        Delivery::Late(pause) => sleep(pause).await,
        Delivery::Cut => cutter::cut(request),
        Delivery::Never => std::future::pending().await,
    }
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    if let Some(now_ms) = now_ms {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(now_ms.max(0).unsigned_abs());
        response.insert_header(header::Date(now.into()));
    }
    response.content_type(answer.content_type).body(answer.body)
}
