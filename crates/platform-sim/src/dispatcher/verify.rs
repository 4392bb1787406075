//! The handshake with which WeCom checks a URL before it saves it (wecom.md 1.2).

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::Dispatcher;
use crate::crypto::{Moment, random16};
use crate::query;

/// WeCom's patience for the handshake.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why WeCom would not save the URL.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// No answer within a second.
    #[error("no answer within one second")]
    Slow,
    /// No connection, or it broke.
    #[error("no connection: {0}")]
    Connection(String),
    /// Another status than 200.
    #[error("status {0} instead of 200")]
    Status(u16),
    /// Another body than the decrypted text: quotes, a line break, a byte order mark, or anything else.
    #[error("the body is {got:?} instead of exactly {expected:?}")]
    Body {
        /// What should have come.
        expected: String,
        /// What came.
        got: String,
    },
}

impl Dispatcher {
    /// Checks the URL as saving it in the console does: status 200 within a second, and the body exactly the text.
    ///
    /// # Errors
    /// Why it would not be saved.
    pub async fn verify_url(&self) -> Result<(), VerifyError> {
        self.handshake(true).await
    }

    /// The same with a raw `+` in the query, which some implementers have reported.
    ///
    /// # Errors
    /// As for [`Self::verify_url`].
    pub async fn verify_url_with_raw_plus(&self) -> Result<(), VerifyError> {
        self.handshake(false).await
    }

    async fn handshake(&self, plus_encoded: bool) -> Result<(), VerifyError> {
        let timestamp = (self.clock)().to_string();
        let mut random = StdRng::seed_from_u64(self.options.seed ^ (self.clock)().unsigned_abs());
        let expected = random.random_range(1_000_000_000_000_000_000..u64::MAX).to_string();
        let nonce = random.random_range(100_000_000..2_000_000_000_u64).to_string();
        // Only a text with a plus shows whether the receiver decodes it well; about two in three have one.
        let (moment, echo) = loop {
            let moment = Moment { timestamp: &timestamp, nonce: &nonce, random16: random16(&mut random) };
            let echo = self.keys.encrypt(expected.as_bytes(), moment.random16);
            if echo.contains('+') {
                break (moment, echo);
            }
        };
        let signed = self.keys.signed_query(&moment, &echo);
        let echo = query::encode(&echo);
        let echo = if plus_encoded { echo } else { echo.replace("%2B", "+") };
        let url = self.with_query(&format!("{signed}&echostr={echo}"));
        let (status, body) = self.get(&url).await?;
        if status != 200 {
            return Err(VerifyError::Status(status));
        }
        if body != expected.as_bytes() {
            return Err(VerifyError::Body { expected, got: String::from_utf8_lossy(&body).into_owned() });
        }
        Ok(())
    }

    async fn get(&self, url: &str) -> Result<(u16, Vec<u8>), VerifyError> {
        let explain = |error: reqwest::Error| {
            let error = error.without_url();
            if error.is_timeout() { VerifyError::Slow } else { VerifyError::Connection(error.to_string()) }
        };
        let response = self.client.get(url).timeout(PATIENCE).send().await.map_err(explain)?;
        let status = response.status().as_u16();
        Ok((status, response.bytes().await.map_err(explain)?.to_vec()))
    }
}
