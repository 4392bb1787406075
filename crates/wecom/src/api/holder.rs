//! Whose a mobile number or an e-mail address is (reference wecom 5.1; jiandaoyun 12.3).

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, ApiError, Client, call::Call, client::Identity, lenient};

impl Client {
    /// The id of the member who has this mobile number (`user/getuserid`). Only for a number of which the platform said that somebody has
    /// it: wrong ones are counted, and who asks for too many of them is blocked for a day.
    ///
    /// # Errors
    /// [`ApiError::Unreadable`] without the secret of an app; [`Kind::NotFound`](super::Kind::NotFound) when nobody has it or the app
    /// does not see who; see [`ApiError`].
    pub async fn holder_of_mobile(&self, mobile: &str) -> Result<Answer<String>, ApiError> {
        self.holder("user/getuserid", &json!({ "mobile": mobile })).await
    }

    /// The id of the member who has this address as its own, not as the company's (`user/get_userid_by_email`).
    ///
    /// # Errors
    /// As of [`Client::holder_of_mobile`].
    pub async fn holder_of_email(&self, email: &str) -> Result<Answer<String>, ApiError> {
        self.holder("user/get_userid_by_email", &json!({ "email": email, "email_type": 2 })).await
    }

    async fn holder(&self, api: &'static str, asked: &Value) -> Result<Answer<String>, ApiError> {
        let received = self.read(Identity::Agent, Call::one(api).with_body(asked.to_string().into_bytes())).await?;
        let Answer { asked_at, value } = received.content::<Holder>()?;
        let id = value.userid.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
        Ok(Answer { asked_at, value: id.ok_or_else(|| received.incomplete())? })
    }
}

#[derive(Deserialize)]
struct Holder {
    #[serde(default, deserialize_with = "lenient::text")]
    userid: Option<String>,
}
