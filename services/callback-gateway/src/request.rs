//! One request, from its head to its answer, in the contract's order of checks.

use std::net::IpAddr;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        ConnectionType, Method, StatusCode,
        header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue},
    },
    web,
};
use common::{Platform, TenantId};
use service::traces::{self, Part};
use tokio::time::Instant;

use crate::{
    answer::{Outcome, Refused},
    body, dingtalk_callback,
    gateway::Gateway,
    intake::{self, Posted},
    jiandaoyun_push,
};

/// Where a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Route<'a> {
    platform: Platform,
    tenant: &'a str,
}

impl<'a> Route<'a> {
    fn of(path: &'a str) -> Option<Self> {
        let (platform, tenant) = path.strip_prefix("/callback/")?.split_once('/')?;
        let platform = match platform {
            "wecom" => Platform::Wecom,
            "dingtalk" => Platform::Dingtalk,
            "jiandaoyun" => Platform::Jiandaoyun,
            _ => return None,
        };
        Some(Self { platform, tenant })
    }

    fn allows(self, method: &Method) -> bool {
        method == Method::POST || (method == Method::GET && self.platform == Platform::Wecom)
    }

    /// The same, for whoever asked in another way.
    const fn allowed(self) -> &'static str {
        match self.platform {
            Platform::Wecom => "GET, POST",
            Platform::Dingtalk | Platform::Jiandaoyun => "POST",
        }
    }
}

/// Answers every request to the gateway.
pub(crate) async fn handle(request: HttpRequest, payload: web::Payload, gateway: web::Data<Gateway>) -> HttpResponse {
    let mut response = respond(&request, payload, &gateway).await;
    if gateway.stop.is_cancelled() {
        // Who keeps the connection for the next request goes elsewhere with it.
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    response
}

async fn respond(request: &HttpRequest, payload: web::Payload, gateway: &Gateway) -> HttpResponse {
    let began = Instant::now();
    let Some(route) = Route::of(request.path()) else {
        body::drain(payload, gateway.bounds).await;
        return HttpResponse::NotFound().finish();
    };
    let outcome = match answer(request, payload, gateway, route, began).await {
        Ok(outcome) => outcome,
        Err(refused) => refuse(gateway, request, route, refused),
    };
    intake::count(gateway, route.platform, &outcome, began);
    let mut response = outcome.into_response();
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(route.allowed()));
    }
    response
}

async fn answer(
    request: &HttpRequest,
    payload: web::Payload,
    gateway: &Gateway,
    route: Route<'_>,
    began: Instant,
) -> Result<Outcome, Refused> {
    if let Err(refused) = check_head(request, route) {
        body::drain(payload, gateway.bounds).await;
        return Err(refused);
    }
    let body = body::read(payload, request.headers(), gateway.bounds).await?;
    if request.method() == Method::GET {
        return intake::verify(gateway, route.tenant, request.query_string());
    }
    let came = traceparent(request.headers());
    let work = gateway.traces.begin("callback", Part::Asked, came.as_deref());
    let posted = Posted { query: request.query_string(), body: &body, traceparent: work.traceparent().or(came) };
    let outcome = match route.platform {
        Platform::Wecom => intake::take(gateway, route.tenant, posted, began).await,
        Platform::Dingtalk => dingtalk_callback::take(gateway, route.tenant, posted, began).await,
        Platform::Jiandaoyun => {
            let headers = jiandaoyun_push::headers(request.headers());
            jiandaoyun_push::take(gateway, route.tenant, posted, headers, began).await
        }
    };
    let label = outcome.as_ref().map_or("refused", Outcome::label);
    work.end(&[("orgbridge.platform", route.platform.as_str()), ("orgbridge.outcome", label)]);
    outcome
}

fn check_head(request: &HttpRequest, route: Route<'_>) -> Result<(), Refused> {
    if !route.allows(request.method()) {
        return Err(Refused::METHOD);
    }
    if request.headers().contains_key(CONTENT_ENCODING) {
        return Err(Refused::ENCODING);
    }
    if is_certainly_something_else(request.headers()) { Err(Refused::TYPE) } else { Ok(()) }
}

/// WeCom documents `text/xml` and others send what they like, so only what cannot be a text is turned away.
fn is_certainly_something_else(headers: &HeaderMap) -> bool {
    const OTHERS: [&str; 7] = ["multipart", "image", "audio", "video", "font", "model", "message"];
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).and_then(|value| value.split_once('/'));
    kind.is_some_and(|(kind, _)| OTHERS.iter().any(|other| kind.trim().eq_ignore_ascii_case(other)))
}

/// W3C trace context, if it has the shape: `00-<32 hex>-<16 hex>-<2 hex>`.
fn traceparent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'));
    (digits && lengths == [2, 32, 16, 2]).then(|| text.to_owned())
}

/// Logs why, and turns what comes too often into 429. Only what would be 401: the checks before that come first.
fn refuse(gateway: &Gateway, request: &HttpRequest, route: Route<'_>, refused: Refused) -> Outcome {
    let peer = request.peer_addr().map(|address| address.ip());
    let limit = |peer: IpAddr| gateway.throttle.refused(peer, std::time::Instant::now());
    let wait = peer.filter(|_| !refused.signed).and_then(limit);
    if let Some(wait) = wait.filter(|_| refused.status == StatusCode::UNAUTHORIZED) {
        tracing::debug!(why = refused.why, "refused too often");
        return Outcome::Limited(wait);
    }
    // What is no id may be anything: it is not repeated.
    let tenant = route.tenant.parse::<TenantId>().ok();
    let tenant = tenant.as_ref().map_or("", TenantId::as_str);
    let came = traceparent(request.headers());
    tracing::info!(
        tenant.id = tenant,
        trace_id = came.as_deref().and_then(traces::trace_id),
        platform = route.platform.as_str(),
        status = refused.status.as_u16(),
        why = refused.why,
        peer = peer.map(tracing::field::display),
        "refused a callback"
    );
    Outcome::Refused(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_has_a_platform_and_a_tenant() {
        let wecom = Some(Route { platform: Platform::Wecom, tenant: "acme" });
        assert_eq!(Route::of("/callback/wecom/acme"), wecom);
        for path in ["/", "/callback/wecom", "/callback/feishu/acme", "/callbacks/wecom/acme"] {
            assert_eq!(Route::of(path), None, "{path}");
        }
        // The rest is no tenant's id, which is found out later.
        assert_eq!(Route::of("/callback/wecom/acme/x").map(|route| route.tenant), Some("acme/x"));
    }
}
