//! Events and their three shapes: Stream, HTTP, failed list (reference dingtalk 3.1 and 4.7).

use serde_json::{Map, Value, json};

use super::ids;

#[cfg(test)]
mod tests;

/// How the body of an HTTP callback is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// As documented today: camelCase fields beside `EventType`, `EventTime`, `CorpId`, `BizId`, `eventId`.
    #[default]
    Current,
    /// As to older apps: TitleCase fields, `TimeStamp`, no event id, no `BizId`; approvals without any time.
    Old,
}

/// One thing that DingTalk tells. Repeats of it are equal to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id, 32 hexadecimal digits.
    pub id: String,
    /// Its place among all events of the company.
    pub sequence: u64,
    /// The event type, such as `user_add_org`.
    pub kind: String,
    /// The company.
    pub corp_id: String,
    /// When it happened, Unix ms.
    pub born_ms: i64,
    /// `BizId` of HTTP callbacks.
    pub biz_id: String,
    /// The data, an object without the event's id.
    pub data: Value,
}

impl Event {
    /// An event with the id that follows from the seed and its number.
    #[must_use]
    pub fn new(seed: u64, number: u64, corp_id: &str, kind: &str, born_ms: i64, data: Value) -> Self {
        Self {
            id: ids::hex(&format!("event/{seed}/{corp_id}/{number}")),
            sequence: number,
            kind: kind.to_owned(),
            corp_id: corp_id.to_owned(),
            born_ms,
            biz_id: format!("{born_ms}{:04}", number % 10_000),
            data,
        }
    }

    /// Whether it counts towards the monthly quota of pushes: contacts do not (reference dingtalk 5.1).
    #[must_use]
    pub fn is_counted(&self) -> bool {
        !["user_", "org_", "label_"].iter().any(|prefix| self.kind.starts_with(prefix))
    }

    /// The text in a Stream frame's `data`.
    #[must_use]
    pub fn stream_data(&self) -> String {
        let mut data = self.fields();
        data.insert("eventId".to_owned(), json!(self.id));
        if self.is_approval() {
            data.insert("resource".to_owned(), json!(self.resource()));
        }
        Value::Object(data).to_string()
    }

    /// The text that an HTTP callback encrypts.
    #[must_use]
    pub fn http_text(&self, dialect: Dialect) -> String {
        let text = match dialect {
            Dialect::Current => self.current(),
            Dialect::Old => self.old(),
        };
        Value::Object(text).to_string()
    }

    /// The entry in the list of failed pushes: lower-case names, no event id.
    #[must_use]
    pub fn failed_entry(&self) -> Value {
        let mut inner = Map::new();
        inner.insert("corpid".to_owned(), json!(self.corp_id));
        let mut fields = self.fields();
        if self.kind.starts_with("org_dept_") {
            inner.insert("deptid".to_owned(), fields.remove("deptId").unwrap_or_default());
        } else if self.kind.starts_with("user_") || self.kind.starts_with("org_admin_") {
            inner.insert("userid".to_owned(), fields.remove("userId").unwrap_or_default());
        } else {
            let name = match self.kind.as_str() {
                _ if self.is_approval() => "bpmsCallBackData",
                kind if kind.starts_with("label_") => "roleLabelChange",
                _ => "callbackData",
            };
            inner.insert(name.to_owned(), Value::Object(fields));
        }
        json!({"call_back_tag": self.kind, "event_time": self.born_ms, (self.kind.as_str()): inner})
    }

    fn fields(&self) -> Map<String, Value> {
        self.data.as_object().cloned().unwrap_or_default()
    }

    fn is_approval(&self) -> bool {
        self.kind.starts_with("bpms_")
    }

    /// The path that filter rules are matched with (reference dingtalk 3.5).
    fn resource(&self) -> String {
        let text = |name: &str| self.data.get(name).and_then(Value::as_str).unwrap_or_default();
        let category = match text("bizCategoryId") {
            "" => String::new(),
            category => format!("/bizCategoryId/{category}"),
        };
        format!("/v1.0/event/{}{category}/processCode/{}/type/{}", self.kind, text("processCode"), text("type"))
    }

    fn current(&self) -> Map<String, Value> {
        let mut text = self.fields();
        text.insert("EventType".to_owned(), json!(self.kind));
        text.insert("EventTime".to_owned(), json!(self.born_ms));
        text.insert("CorpId".to_owned(), json!(self.corp_id));
        text.insert("BizId".to_owned(), json!(self.biz_id));
        // Documented for HTTP without an id (reference dingtalk 3.1).
        if self.kind != "leave_quota_update" {
            text.insert("eventId".to_owned(), json!(self.id));
        }
        text
    }

    fn old(&self) -> Map<String, Value> {
        let mut text = self.fields();
        if self.is_approval() {
            text.insert("EventType".to_owned(), json!(self.kind));
            text.insert("corpId".to_owned(), json!(self.corp_id));
            return text;
        }
        let stamp = text.remove("timeStamp").unwrap_or_else(|| json!(self.born_ms.to_string()));
        let mut text: Map<_, _> = text.into_iter().map(|(name, value)| (old_name(&name), value)).collect();
        text.insert("EventType".to_owned(), json!(self.kind));
        text.insert("CorpId".to_owned(), json!(self.corp_id));
        text.insert("TimeStamp".to_owned(), stamp);
        text
    }
}

fn old_name(name: &str) -> String {
    match name {
        "userId" => "UserId",
        "deptId" => "DeptId",
        "labelIdList" => "LabelIdList",
        "userIdList" => "UserIdList",
        "dataList" => "DataList",
        "optStaffId" => "OptStaffId",
        other => other,
    }
    .to_owned()
}
