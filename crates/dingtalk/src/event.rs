//! What a push, a frame or a failed push means: the same event in three shapes (reference dingtalk 3).

mod approvals;
mod attendance;
mod body;
mod canonical;
mod contacts;
mod notice;

use common::{
    Callback, EntityKey, EntityKind, Event, EventBody, EventKeys, Observation, Platform, TenantId, UnixMillis, What,
};
use serde_json::Value;

pub(crate) use self::{
    body::{Body, plain, time},
    notice::Notice,
};
use crate::{Refusal, stream::Frame};

const LONGEST_ENTITY_ID_BYTES: usize = 128;

/// Which events are looked into; the others are passed on only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Departments and members: only where the directory that is kept is this one.
    pub contacts: bool,
    /// Attendance.
    pub attendance: bool,
    /// Approvals.
    pub approvals: bool,
}

impl Wanted {
    /// All there are.
    pub const ALL: Self = Self { contacts: true, attendance: true, approvals: true };
}

/// Makes events of a decrypted push, in either dialect. One of contacts becomes an observation of each member or department that it
/// names: a hint, since it has ids only, or a removal. One of attendance becomes a hint for each day of a member, one of approvals a
/// hint for the instance; both are passed on besides. Everything else is passed on byte for byte; so is what belongs to another
/// organisation, or does not say whom it is about. A verification push means nothing and gives nothing.
///
/// `now` also stands in for the time of an event that has none.
///
/// # Errors
/// [`Refusal::Malformed`] when it is no JSON object.
pub fn normalise_http(
    tenant: &TenantId,
    corp_id: &str,
    text: &str,
    now: UnixMillis,
    traceparent: Option<String>,
    wanted: Wanted,
) -> Result<Vec<Event>, Refusal> {
    let json = text.strip_prefix('\u{feff}').unwrap_or(text);
    let value: Value = serde_json::from_str(json).ok().ok_or(Refusal::malformed("json_syntax"))?;
    let object = value.as_object().ok_or(Refusal::malformed("not_an_object"))?;
    let notice = Notice::of_push(object, text);
    Ok(Receiver { tenant, corp_id, now, traceparent, wanted }.events(&notice))
}

/// Makes events of a frame of type `EVENT`: the same as of the push that it would have been. What is passed on has the shape of that
/// push.
///
/// # Errors
/// [`Refusal::Malformed`] when the frame is no event, or one without a type.
pub fn normalise_frame(
    tenant: &TenantId,
    corp_id: &str,
    frame: &Frame,
    now: UnixMillis,
    traceparent: Option<String>,
    wanted: Wanted,
) -> Result<Vec<Event>, Refusal> {
    if frame.event_type().is_none() {
        return Err(Refusal::malformed("frame_without_event"));
    }
    let data: Value = serde_json::from_str(&frame.data).unwrap_or_default();
    let notice = Notice::of_frame(frame, data.as_object());
    Ok(Receiver { tenant, corp_id, now, traceparent, wanted }.events(&notice))
}

/// Pushes that only ask whether somebody is there (reference dingtalk 2.5).
fn is_verification(name: &str) -> bool {
    matches!(name, "check_url" | "check_create_suite_url" | "check_update_suite_url")
}

/// An id that can be an entity's: one word, and no longer than a key may be.
pub(crate) fn is_entity_id(id: &str) -> bool {
    let allowed = |character: char| !character.is_control() && !character.is_whitespace();
    (1..=LONGEST_ENTITY_ID_BYTES).contains(&id.len()) && id.chars().all(allowed)
}

/// What an event says of one entity.
pub(crate) struct Fact {
    kind: EntityKind,
    id: String,
    at: UnixMillis,
    what: What,
    hint: bool,
    /// What makes two of them the same fact, besides the entity: equal in all shapes.
    content: String,
    /// Where its key is kept: equal in all shapes.
    key_at: UnixMillis,
}

/// An event that is passed on, and what makes two of them the same.
pub(crate) struct PassedOn {
    content: String,
    key_at: UnixMillis,
}

impl PassedOn {
    fn unknown(notice: &Notice<'_>) -> Self {
        let members = canonical::unknown(&notice.name, notice.born, &notice.body);
        let content = match notice.unreadable() {
            // It has no members that tell it from another.
            Some(text) => canonical::of(&[members.as_str(), text]),
            None => members,
        };
        Self { content, key_at: notice.born.unwrap_or_default() }
    }
}

/// All that an event means to us.
pub(crate) struct Meaning {
    facts: Vec<Fact>,
    passed_on: Option<PassedOn>,
}

/// Whose events they are, and when they came.
pub(crate) struct Receiver<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) corp_id: &'a str,
    pub(crate) now: UnixMillis,
    pub(crate) traceparent: Option<String>,
    pub(crate) wanted: Wanted,
}

impl Receiver<'_> {
    pub(crate) fn events(&self, notice: &Notice<'_>) -> Vec<Event> {
        if is_verification(&notice.name) {
            return Vec::new();
        }
        let Meaning { facts, passed_on } = self.meaning(notice);
        let mut events: Vec<Event> = facts.into_iter().map(|fact| self.fact(notice, fact)).collect();
        events.extend(passed_on.map(|passed_on| self.passed_on(notice, &passed_on)));
        events
    }

    /// What cannot be read as anything is kept as it is.
    pub(crate) fn verbatim(&self, name: &str, text: &str) -> Event {
        let content = EventKeys::content_hash(self.corp_id, None, UnixMillis::default(), text.as_bytes());
        let callback = callback(name, self.now, text.to_owned());
        self.event(EventKeys { platform: None, content }, EventBody::Callback(callback))
    }

    fn meaning(&self, notice: &Notice<'_>) -> Meaning {
        let of_others = notice.corp.as_deref().is_some_and(|corp| !self.corp_id.is_empty() && corp != self.corp_id);
        let read = |is_wanted: bool, meaning: fn(&Notice<'_>, UnixMillis) -> Option<Meaning>| {
            if of_others {
                return None;
            }
            let Meaning { facts, passed_on } = meaning(notice, self.now)?;
            // What is not wanted is known as a repeat all the same.
            Some(Meaning { facts: if is_wanted { facts } else { Vec::new() }, passed_on })
        };
        let contacts = if self.wanted.contacts { read(true, contacts::meaning) } else { None };
        contacts
            .or_else(|| read(self.wanted.attendance, attendance::meaning))
            .or_else(|| read(self.wanted.approvals, approvals::meaning))
            .unwrap_or_else(|| Meaning { facts: Vec::new(), passed_on: Some(PassedOn::unknown(notice)) })
    }

    fn fact(&self, notice: &Notice<'_>, fact: Fact) -> Event {
        let Fact { kind, id, at, what, hint, content, key_at } = fact;
        let entity = EntityKey::new(kind, &id);
        // By the entity and not by its place: the order of a list is nobody's promise.
        let place = format!("{}/{}", kind.as_str(), entity.id);
        let content = EventKeys::content_hash(self.corp_id, Some(&entity), key_at, content.as_bytes());
        let seen = Observation { kind, id, at, what, hint, answer: false };
        let keys = EventKeys { platform: self.platform_key(notice, &place), content };
        self.event(keys, EventBody::Directory(seen))
    }

    fn passed_on(&self, notice: &Notice<'_>, passed_on: &PassedOn) -> Event {
        let content = EventKeys::content_hash(self.corp_id, None, passed_on.key_at, passed_on.content.as_bytes());
        let keys = EventKeys { platform: self.platform_key(notice, "callback"), content };
        let callback = callback(&notice.name, notice.born.unwrap_or(self.now), notice.as_push(&keys.content));
        self.event(keys, EventBody::Callback(callback))
    }

    /// The platform's own name of the event, and which part of it this is.
    fn platform_key(&self, notice: &Notice<'_>, part: &str) -> Option<String> {
        let id = notice.id.as_deref()?;
        let corp = notice.corp.as_deref().unwrap_or(self.corp_id);
        Some(format!("{corp}/{}/{id}/{part}", notice.name))
    }

    fn event(&self, keys: EventKeys, body: EventBody) -> Event {
        Event {
            id: keys.content.clone(),
            tenant: self.tenant.clone(),
            platform: Platform::Dingtalk,
            received_at: self.now,
            keys,
            traceparent: self.traceparent.clone(),
            body,
        }
    }
}

fn callback(name: &str, at: UnixMillis, content: String) -> Callback {
    Callback { name: name.to_owned(), at, content, platform: Platform::Dingtalk }
}

#[cfg(test)]
mod tests;
