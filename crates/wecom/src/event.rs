//! What a decrypted callback means.

mod contact;
mod json;
mod text;

use common::{Callback, Event, EventBody, EventKeys, Observation, Platform, TenantId, UnixMillis};

use self::contact::ChangeType;
use crate::{
    Refusal,
    xml::{self, Element},
};

/// Makes events of a decrypted callback. A contact event of a known type becomes an observation of its member or
/// department: with its fields where the platform tells them, as a hint where it gives ids only (reference wecom 2.1).
/// Everything else is kept byte for byte, to be passed on; so is a contact event that does not say whom or when.
///
/// `received_at` also stands in for the time of a callback that has none.
///
/// # Errors
/// [`Refusal::Malformed`] when it is neither an XML document within limits nor a JSON object.
pub fn normalise(
    tenant: &TenantId,
    corp_id: &str,
    plaintext: &str,
    received_at: UnixMillis,
    traceparent: Option<String>,
) -> Result<Vec<Event>, Refusal> {
    let body = match xml::without_mark(plaintext).as_bytes().first() {
        Some(b'<') => read_xml(plaintext, received_at)?,
        Some(b'{') => EventBody::Callback(json::read(plaintext, received_at)?),
        _ => return Err(Refusal::malformed("neither_xml_nor_json")),
    };
    // The time of a callback may be ours, which no repeat shares.
    let (entity, at) = match &body {
        EventBody::Directory(seen) => (Some(seen.key()), seen.at),
        EventBody::Callback(_) => (None, UnixMillis(0)),
    };
    let content = EventKeys::content_hash(corp_id, entity.as_ref(), at, plaintext.as_bytes());
    Ok(vec![Event {
        id: content.clone(),
        tenant: tenant.clone(),
        platform: Platform::Wecom,
        received_at,
        keys: EventKeys { platform: None, content },
        traceparent,
        body,
    }])
}

fn read_xml(plaintext: &str, received_at: UnixMillis) -> Result<EventBody, Refusal> {
    let document = xml::parse(plaintext).map_err(Refusal::malformed)?;
    let root = document.root();
    let header = Header::read(root);
    if let Some(seen) = header.observation(root) {
        return Ok(EventBody::Directory(seen));
    }
    let at = header.time.or(header.suite_time).and_then(text::time).unwrap_or(received_at);
    Ok(EventBody::Callback(Callback {
        name: header.name(),
        at,
        content: plaintext.to_owned(),
        platform: Platform::Wecom,
    }))
}

/// The elements that every callback has, whatever it is about (reference wecom 2.1; of a suite: section 7).
#[derive(Default)]
struct Header<'a> {
    message_type: Option<&'a str>,
    event: Option<&'a str>,
    change_type: Option<&'a str>,
    time: Option<&'a str>,
    suite_event: Option<&'a str>,
    suite_time: Option<&'a str>,
    doubled: bool,
}

impl<'a> Header<'a> {
    fn read(root: Element<'a>) -> Self {
        let mut header = Self::default();
        for element in root.elements() {
            let slot = match element.name() {
                "MsgType" => &mut header.message_type,
                "Event" => &mut header.event,
                "ChangeType" => &mut header.change_type,
                "CreateTime" => &mut header.time,
                "InfoType" => &mut header.suite_event,
                "TimeStamp" => &mut header.suite_time,
                _ => continue,
            };
            header.doubled |= slot.is_some();
            *slot = element.text().map(str::trim);
        }
        header
    }

    /// What it says of a member or department; `None` when it is about something else, or unclear about whom or when.
    fn observation(&self, root: Element<'_>) -> Option<Observation> {
        if self.doubled || self.message_type != Some("event") || self.event != Some("change_contact") {
            return None;
        }
        let change = ChangeType::from_name(self.change_type?)?;
        contact::observe(change, text::time(self.time?)?, root)
    }

    /// `change_contact.update_tag`, `batch_job_result`, `text`, ...
    fn name(&self) -> String {
        text::callback_name(self.event.or(self.suite_event).or(self.message_type), self.change_type)
    }
}

#[cfg(test)]
mod tests;
