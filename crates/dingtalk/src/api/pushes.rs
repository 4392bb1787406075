//! What concerns pushes: those that failed (reference dingtalk 4.7), and the opening of a Stream connection (1.2).

use super::{
    Answer, ApiError, Client,
    call::{Call, Style},
};
use crate::stream::{Opened, open_body};

impl Client {
    /// Up to 200 pushes that failed, as the answer was written: `crate::failed_entries` says whether there are more.
    ///
    /// **Reading removes them at the platform**: the text is to be stored before anything else happens. So it is asked
    /// once, and repeated by whoever knows what became of it.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn failed_pushes_page(&self) -> Result<Answer<String>, ApiError> {
        let received = self.call(&Call::get("call_back/get_call_back_failed_result", Style::Old).list()).await?;
        Ok(received.text())
    }

    /// Asks once for a Stream connection: where it leads, and a ticket that opens it within 90 seconds. `ua` names us, as
    /// `name-sdk-lang/version`.
    ///
    /// # Errors
    /// See [`ApiError`]; [`Meaning::Credentials`](super::Meaning::Credentials) is a matter for a person.
    pub async fn open_stream(&self, ua: &str) -> Result<Opened, ApiError> {
        let (client_id, client_secret) = self.credentials();
        let body = open_body(client_id, client_secret, ua);
        let call = Call::with_secret("v1.0/gateway/connections/open", body);
        let received = self.send_with_secret(&call).await?;
        Opened::parse(&received.text().value).ok_or_else(|| received.incomplete())
    }
}
