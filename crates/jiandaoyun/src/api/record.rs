//! A record of a form (reference jiandaoyun 5.3 and 8).

use std::fmt;

use common::UnixMillis;
use serde_json::{Map, Value};

use super::lenient::{as_number, moment_at};
use crate::form::is_object_id;

/// The longest id that is taken for one. The platform's have 24 characters.
const LONGEST_ID_BYTES: usize = 64;

/// A record as the platform answered or pushed it. Printing it shows no value.
#[derive(Clone, PartialEq)]
pub struct Record {
    /// Its id.
    pub id: String,
    /// When it was made.
    pub create_time: Option<UnixMillis>,
    /// When it was last changed.
    pub update_time: Option<UnixMillis>,
    /// How far its workflow is: 1 is "ran through to the end"; `None` where the form has none, or it was not started.
    pub flow_state: Option<i64>,
    /// All that it holds, system fields too, in the form in which it is read.
    pub values: Map<String, Value>,
}

impl Record {
    /// Reads a record; `None` when it has no id. Every other system field may be missing.
    pub fn read(value: Value) -> Option<Self> {
        let Value::Object(values) = value else { return None };
        let id = values.get("_id")?.as_str().filter(|id| is_id(id))?.to_owned();
        Some(Self {
            create_time: moment_at(&values, "createTime"),
            update_time: moment_at(&values, "updateTime"),
            flow_state: values.get("flowState").and_then(as_number),
            id,
            values,
        })
    }

    /// When it was made: as it says itself, else by its id, whose first eight digits are the second (reference jiandaoyun 5.1).
    pub fn created_at(&self) -> Option<UnixMillis> {
        self.create_time.or_else(|| {
            let seconds = self.id.get(..8).filter(|_| is_object_id(&self.id))?;
            i64::from_str_radix(seconds, 16).ok().map(UnixMillis::from_seconds)
        })
    }
}

/// Letters and digits: what can be a part of the id of an entity.
fn is_id(text: &str) -> bool {
    (1..=LONGEST_ID_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Without its values: people wrote them, about people.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("id", &self.id)
            .field("create_time", &self.create_time)
            .field("update_time", &self.update_time)
            .field("flow_state", &self.flow_state)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_but_the_id_may_be_missing_or_odd() {
        for odd in [json!({}), json!({"_id": ""}), json!({"_id": 7}), json!({"_id": "a/b"}), json!([]), json!(null)] {
            assert_eq!(Record::read(odd.clone()), None, "{odd}");
        }
        let odd = json!({"_id": "59e9a2fe283ffa7c11b1ddbf", "createTime": 7, "updateTime": "soon", "flowState": {}});
        let record = Record::read(odd).unwrap();
        assert_eq!((record.create_time, record.update_time, record.flow_state), (None, None, None));
        assert_eq!(record.created_at(), UnixMillis::from_rfc3339("2017-10-20T07:17:18Z"));
    }

    #[test]
    fn system_fields_are_read_as_the_platform_writes_them() {
        let record = Record::read(json!({
            "_id": "59e9a2fe283ffa7c11b1ddbf", "createTime": "2026-11-20T02:41:51.430Z",
            "updateTime": "2026-11-21T03:12:15.293Z", "flowState": 1, "_widget_1": "欧阳",
        }))
        .unwrap();
        assert_eq!(record.flow_state, Some(1));
        assert_eq!(record.created_at(), UnixMillis::from_rfc3339("2026-11-20T02:41:51.430Z"));
        assert_eq!(record.update_time, UnixMillis::from_rfc3339("2026-11-21T03:12:15.293Z"));
        assert!(!format!("{record:?}").contains("欧阳"));
    }
}
