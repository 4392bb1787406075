//! The HTTP client itself.

mod request;
#[cfg(test)]
mod tests;
mod upgrade;

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use reqwest::header::HeaderMap;
use rustls::crypto::{CryptoProvider, ring};

pub use self::{request::Request, upgrade::Upgrade};
use crate::{Error, Guard};

/// The most that is read of an answer unless a client says otherwise, in bytes.
const ANSWER_LIMIT_BYTES: usize = 1024 * 1024;

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status, 100 to 599. Redirects are answers like others: they are not followed.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body, at most 1 MiB unless the client says otherwise.
    pub body: Bytes,
}

/// Sends requests to where its [`Guard`] allows. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    guard: Guard,
    timeout: Duration,
    answer_limit_bytes: usize,
}

impl Client {
    /// A client with a time limit over each whole exchange: resolving, connecting, sending and reading.
    ///
    /// Certificates are checked against the system's roots. Where the system has none, `https` fails as "unknown
    /// issuer" and `http` works.
    ///
    /// # Errors
    /// [`Error::Setup`] when the system lacks what a client needs.
    pub fn new(guard: Guard, timeout: Duration) -> Result<Self, Error> {
        Self::build(guard, timeout, |settings| settings)
    }

    /// The same client for connections that are to become something else, see [`Client::upgrade`]: it speaks HTTP/1.1 only, since
    /// a connection of HTTP/2 is shared and stays what it is.
    ///
    /// # Errors
    /// Those of [`Client::new`].
    pub fn for_upgrades(guard: Guard, timeout: Duration) -> Result<Self, Error> {
        Self::build(guard, timeout, reqwest::ClientBuilder::http1_only)
    }

    fn build(
        guard: Guard,
        timeout: Duration,
        choose: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> Result<Self, Error> {
        install_cryptography();
        let http = match choose(settings(&guard)).build() {
            Ok(http) => http,
            Err(error) => {
                tracing::warn!(%error, "no root certificates found: https destinations cannot be reached");
                choose(settings(&guard)).tls_certs_only([]).build().map_err(Error::Setup)?
            }
        };
        Ok(Self { http, guard, timeout, answer_limit_bytes: ANSWER_LIMIT_BYTES })
    }

    /// The same client, sharing its connections, with another time limit.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { timeout, ..self.clone() }
    }

    /// The same client, sharing its connections, that reads answers up to another size, in bytes.
    #[must_use]
    pub fn with_answer_limit(&self, answer_limit_bytes: usize) -> Self {
        Self { answer_limit_bytes, ..self.clone() }
    }

    /// Who may be connected to.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Sends a request once and reads the whole answer. Any status is `Ok`.
    ///
    /// # Errors
    /// Everything that kept the answer from being read whole; see [`Error`].
    pub fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Error>> {
        Box::pin(async move {
            let sent = self.begin(request).await?;
            self.finish(sent).await
        })
    }

    /// Sends a request and waits for the head of the answer.
    async fn begin(&self, request: Request) -> Result<reqwest::Response, Error> {
        let url = self.guard.check(&request.url)?;
        let sent = self.http.request(request.method, url).headers(request.headers).body(request.body);
        sent.timeout(self.timeout).send().await.map_err(Error::from_reqwest)
    }

    async fn finish(&self, sent: reqwest::Response) -> Result<Response, Error> {
        let status = sent.status().as_u16();
        let headers = sent.headers().clone();
        let body = self.read(sent, status).await?;
        Ok(Response { status, headers, body })
    }

    async fn read(&self, mut sent: reqwest::Response, status: u16) -> Result<Bytes, Error> {
        let mut body = BytesMut::new();
        while let Some(chunk) = sent.chunk().await.map_err(Error::from_reqwest)? {
            if body.len().saturating_add(chunk.len()) > self.answer_limit_bytes {
                return Err(Error::TooLarge { status, limit_bytes: self.answer_limit_bytes });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}

fn settings(guard: &Guard) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("OrgBridge/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        // A proxy would resolve names where the guard cannot look.
        .no_proxy()
        .dns_resolver(Arc::new(guard.resolver()))
        .pool_idle_timeout(Duration::from_secs(30))
}

/// reqwest takes its cryptography from the process's default. Somebody else may have installed one already, which is as
/// good.
pub fn install_cryptography() {
    if CryptoProvider::get_default().is_none() && ring::default_provider().install_default().is_err() {
        tracing::debug!("another cryptography provider was installed at the same moment");
    }
}
