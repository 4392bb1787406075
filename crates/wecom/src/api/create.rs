//! Creating and changing members (reference wecom 3.4).

use common::UnixMillis;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value};

use super::{
    Answer, ApiError, Client, Rows,
    call::Call,
    client::Identity,
    lenient::{as_text, department_id},
};

/// What came into being with a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedMember {
    /// The ids of departments that were made because they were not there: the member was given a wrong department, or
    /// one that is still to come.
    pub made_departments: Rows<String>,
    /// The platform's time of the answer: by then the member was there.
    pub answered_at: UnixMillis,
}

impl Client {
    /// Creates a member with these fields, which are those of `user/create`; with the contact-sync secret. It is not
    /// repeated where it may have arrived: then [`Kind::Conflict`](super::Kind::Conflict) for the same id may be this
    /// one. Unless `to_invite` is false the platform invites the member.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn create_member(&self, member: &Map<String, Value>) -> Result<Answer<CreatedMember>, ApiError> {
        // Keys are text: JSON can say every map.
        let body = serde_json::to_vec(member).unwrap_or_default();
        let received = self.call(Identity::Contact, &Call::one("user/create").with_body(body)).await?;
        let answered_at = received.answered_at();
        Ok(received.content::<Created>()?.map(|created| CreatedMember {
            made_departments: made_departments(created.created_department_list.as_ref()),
            answered_at,
        }))
    }

    /// Changes a member to have these fields, which are those of `user/update`, and leaves the others as they are; with the
    /// contact-sync secret. The number of a member who has activated the account stays as it is, which the platform does
    /// not say. Tells the platform's time of the answer. It is not repeated, though that would do no harm.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn update_member(&self, member: &Map<String, Value>) -> Result<Answer<UnixMillis>, ApiError> {
        let body = serde_json::to_vec(member).unwrap_or_default();
        let received = self.call(Identity::Contact, &Call::one("user/update").with_body(body)).await?;
        let answered_at = received.answered_at();
        Ok(received.content::<Updated>()?.map(|_updated| answered_at))
    }
}

#[derive(Deserialize)]
struct Created {
    /// Nothing else proves that it was done.
    #[serde(rename = "errcode")]
    _errcode: IgnoredAny,
    #[serde(default)]
    created_department_list: Option<Value>,
}

#[derive(Deserialize)]
struct Updated {
    /// Nothing else proves that it was done.
    #[serde(rename = "errcode")]
    _errcode: IgnoredAny,
}

fn made_departments(list: Option<&Value>) -> Rows<String> {
    let made = match list.and_then(|list| list.get("department_info")) {
        None | Some(Value::Null) => return Rows { rows: Vec::new(), unreadable: 0 },
        Some(Value::Array(made)) => made,
        Some(_) => return Rows { rows: Vec::new(), unreadable: 1 },
    };
    let rows: Vec<String> = made.iter().filter_map(|made| department_id(&as_text(made.get("id")?)?)).collect();
    Rows { unreadable: made.len() - rows.len(), rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn departments_that_were_made_are_told() {
        let made = |json: &str| {
            let created: Created =
                serde_json::from_str(&format!("{{\"errcode\":0,\"created_department_list\":{json}}}")).unwrap();
            made_departments(created.created_department_list.as_ref())
        };
        let rows = |ids: &[&str], unreadable| Rows { rows: ids.iter().map(|&id| id.to_owned()).collect(), unreadable };
        assert_eq!(made(r#"{"department_info":[{"name":"x","id":7},{"id":"08"},{"name":"y"}]}"#), rows(&["7", "8"], 1));
        for none in ["null", "{}", "[]", r#"{"department_info":null}"#, r#"{"department_info":[]}"#] {
            assert_eq!(made(none), rows(&[], 0), "{none}");
        }
        assert_eq!(made(r#"{"department_info":{"id":7}}"#), rows(&[], 1));
        assert!(serde_json::from_str::<Created>("{}").is_err(), "nothing says that it was done");
    }
}
