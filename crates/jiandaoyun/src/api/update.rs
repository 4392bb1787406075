//! Writing into a record (reference jiandaoyun 9).

use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::{Answer, ApiError, Client, call::Call, limits::UPDATE};
use crate::Form;

impl Client {
    /// Sets fields of a record, in the form in which they are written: `{"_widget_9": {"value": ".."}}`. Others stay as they are, no
    /// workflow is started, and the platform pushes nothing of it. It may be done twice.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn update(&self, form: &Form, id: &str, data: &Map<String, Value>) -> Result<Answer<()>, ApiError> {
        let body = json!({"app_id": form.app_id, "entry_id": form.entry_id, "data_id": id, "data": data});
        let call = Call::one(UPDATE, id, &body);
        // Nothing else proves that it was done.
        self.call(&call, |received| Ok(received.data::<IgnoredAny>()?.map(|_record| ()))).await
    }
}
