//! What a platform told us, normalised. CloudEvents 1.0 JSON on the wire.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{EntityKey, EntityKind, Fields, Platform, TenantId, UnixMillis};

/// The version of the message. A release that cannot be read by the one before it any more has a greater one, and writes it only when the
/// release before it, which writes the smaller one, reads both.
const VERSION: u32 = 1;

/// A member with all fields is somewhat smaller.
const USUAL_BYTES: usize = 1024;

/// One thing that a platform told us or that we pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Names this event for people and traces; equal for equal content.
    pub id: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// Who told us.
    pub platform: Platform,
    /// When the gateway took it over, by our clock.
    pub received_at: UnixMillis,
    /// What makes two events the same fact.
    pub keys: EventKeys,
    /// W3C trace context of the request that brought it.
    pub traceparent: Option<String>,
    /// What it says.
    pub body: EventBody,
}

/// The keys of an event. It is a duplicate if either is remembered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKeys {
    /// The platform's own id, where it gives one. WeCom gives none (reference wecom 2.1).
    pub platform: Option<String>,
    /// A hash of the content, made by [`EventKeys::content_hash`].
    pub content: String,
}

impl EventKeys {
    /// A key out of an event's content: its platform second in eight hexadecimal digits, so that keys of one time lie together
    /// where they are kept, then 128 bits of SHA-256 over the company's id, the entity and the decrypted bytes. Sender and
    /// second, which the platform advises, would merge different facts (reference wecom 2.10).
    pub fn content_hash(corp_id: &str, entity: Option<&EntityKey>, at: UnixMillis, content: &[u8]) -> String {
        let mut hash = Sha256::new();
        hash.update(corp_id.as_bytes());
        hash.update([0]);
        if let Some(entity) = entity {
            hash.update(entity.kind.as_str().as_bytes());
            hash.update([0]);
            hash.update(entity.id.as_bytes());
        }
        hash.update([0]);
        hash.update(content);
        let mut key = format!("{:08x}{}", at.seconds(), hex::encode(hash.finalize()));
        key.truncate(40);
        key
    }
}

/// What an event says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventBody {
    /// Something about one entity: a department, a member, an attendance record, a day at work, an approval or an onboarding request.
    Directory(Observation),
    /// Anything else, kept as it came and passed on.
    Callback(Callback),
}

/// What a platform said of one entity at one time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Observation {
    /// The sort of entity.
    pub kind: EntityKind,
    /// Its id as the platform wrote it; of a rename, the old one.
    pub id: String,
    /// The platform's time of it. WeCom has whole seconds only.
    pub at: UnixMillis,
    /// What was said.
    pub what: What,
    /// The platform said "look again" rather than the whole of it: the details must be asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hint: bool,
    /// The platform was asked about this entity and said this, which is all that was asked; `at` is its time at which the request
    /// began. What a pull comes across has such a time too, and is no answer: it may be a part of what somebody asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub answer: bool,
}

impl Observation {
    /// The key of the entity.
    pub fn key(&self) -> EntityKey {
        EntityKey::new(self.kind, &self.id)
    }
}

/// What was said of an entity. Within one second the order of the variants decides: absence, removal, creation, update, rename.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The platform was asked and neither has it nor shows it: who refers to it goes without it. Nothing that exists is taken
    /// away by this.
    Absent,
    /// It is gone.
    Removed,
    /// It came into being with these fields.
    Created {
        /// The fields that were told.
        fields: Fields,
    },
    /// These fields changed; absent ones did not.
    Updated {
        /// The fields that were told.
        fields: Fields,
    },
    /// The entity goes on under another id (WeCom `NewUserID`); the fields are those told along with it.
    Renamed {
        /// The new id.
        to: String,
        /// The fields that were told.
        fields: Fields,
    },
    /// Nobody can tell its name: its id will do, until a name is told.
    Nameless,
}

impl What {
    /// The name used in event types and metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Removed => "removed",
            Self::Created { .. } => "created",
            Self::Updated { .. } => "updated",
            Self::Renamed { .. } => "renamed",
            Self::Nameless => "nameless",
        }
    }

    /// The fields that were told.
    pub fn fields(&self) -> Option<&Fields> {
        match self {
            Self::Absent | Self::Removed | Self::Nameless => None,
            Self::Created { fields } | Self::Updated { fields } | Self::Renamed { fields, .. } => Some(fields),
        }
    }
}

/// A callback that is passed on verbatim.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Callback {
    /// What the platform calls it, for people: `change_contact.update_tag`, `batch_job_result`, ...
    pub name: String,
    /// The platform's time of it.
    pub at: UnixMillis,
    /// The decrypted text, byte for byte.
    pub content: String,
    /// Whose it is: only relays of this platform's protocol can pass it on.
    #[serde(default = "Callback::usual_platform", skip_serializing_if = "Callback::is_usual")]
    pub platform: Platform,
}

impl Callback {
    /// What goes without saying: what was stored by former releases has no platform.
    const fn usual_platform() -> Platform {
        Platform::Wecom
    }

    fn is_usual(platform: &Platform) -> bool {
        *platform == Self::usual_platform()
    }
}

/// The type on the wire of what was said of an entity.
macro_rules! wire_type {
    ($what:expr, $kind:literal) => {
        match $what {
            What::Created { .. } => concat!("orgbridge.", $kind, ".created"),
            What::Updated { .. } => concat!("orgbridge.", $kind, ".updated"),
            What::Renamed { .. } => concat!("orgbridge.", $kind, ".renamed"),
            What::Removed => concat!("orgbridge.", $kind, ".removed"),
            What::Absent => concat!("orgbridge.", $kind, ".absent"),
            What::Nameless => concat!("orgbridge.", $kind, ".nameless"),
        }
    };
}

impl Event {
    /// The type on the wire and in metrics: `member.created`, `department.removed`, `callback`.
    pub fn type_name(&self) -> &'static str {
        self.wire_type().trim_start_matches("orgbridge.")
    }

    const fn wire_type(&self) -> &'static str {
        match &self.body {
            EventBody::Callback(_) => "orgbridge.callback",
            EventBody::Directory(Observation { kind, what, .. }) => match kind {
                EntityKind::Department => wire_type!(what, "department"),
                EntityKind::Member => wire_type!(what, "member"),
                EntityKind::Attendance => wire_type!(what, "attendance"),
                EntityKind::Approval => wire_type!(what, "approval"),
                EntityKind::Onboarding => wire_type!(what, "onboarding"),
                EntityKind::AttendanceDay => wire_type!(what, "attendance_day"),
                // Nothing of that kind is observed.
                EntityKind::Callback => "orgbridge.callback",
            },
        }
    }

    /// The ordering key: contacts, onboarding requests and callbacks by tenant; attendance by member and approvals each by itself, since they
    /// are many and do not depend on each other.
    pub fn ordering_key(&self) -> Cow<'_, str> {
        let tenant = self.tenant.as_str();
        let EventBody::Directory(seen) = &self.body else { return Cow::Borrowed(tenant) };
        match seen.kind {
            EntityKind::Attendance | EntityKind::AttendanceDay => {
                let member = seen.id.split_once('/').map_or(seen.id.as_str(), |(member, _)| member);
                Cow::Owned(format!("{tenant}/{member}"))
            }
            EntityKind::Approval => Cow::Owned(format!("{tenant}/{}", seen.id)),
            EntityKind::Department | EntityKind::Member | EntityKind::Onboarding | EntityKind::Callback => {
                Cow::Borrowed(tenant)
            }
        }
    }

    /// Structured CloudEvents 1.0 JSON (`application/cloudevents+json`).
    pub fn to_cloud_event(&self) -> Vec<u8> {
        let (subject, time) = match &self.body {
            EventBody::Directory(seen) => (format!("{}/{}", seen.kind.as_str(), seen.id), seen.at),
            EventBody::Callback(callback) => (format!("callback/{}", callback.name), callback.at),
        };
        let data = match &self.body {
            EventBody::Directory(seen) => WireData::Directory(seen),
            EventBody::Callback(callback) => WireData::Callback(callback),
        };
        let wire = WireOut {
            specversion: "1.0",
            id: &self.id,
            source: format!("/{}/{}", self.platform.as_str(), self.tenant),
            r#type: self.wire_type(),
            subject,
            time: time.to_rfc3339(),
            tenant: &self.tenant,
            recordedtime: self.received_at.to_rfc3339(),
            platformkey: self.keys.platform.as_deref(),
            contentkey: &self.keys.content,
            traceparent: self.traceparent.as_deref(),
            datacontenttype: "application/json",
            dataversion: VERSION,
            data,
        };
        let mut json = Vec::with_capacity(USUAL_BYTES);
        match serde_json::to_writer(&mut json, &wire) {
            Ok(()) => json,
            // Strings, numbers and maps with text keys only: there is nothing here that JSON cannot say.
            Err(_) => Vec::new(),
        }
    }

    /// Reads what [`Event::to_cloud_event`] wrote, here or in the release before or after this one. Unknown attributes are ignored.
    ///
    /// # Errors
    /// Bytes that are no event, or one of a release with another sort of message.
    pub fn from_cloud_event(json: &[u8]) -> Result<Self, MalformedEvent> {
        let wire: WireIn = serde_json::from_slice(json).map_err(|error| MalformedEvent::Broken(error.classify()))?;
        let broken = MalformedEvent::Broken(serde_json::error::Category::Data);
        if wire.dataversion > VERSION {
            return Err(MalformedEvent::Newer(wire.dataversion));
        }
        let platform = match wire.source.split('/').nth(1) {
            Some("wecom") => Platform::Wecom,
            Some("dingtalk") => Platform::Dingtalk,
            Some("jiandaoyun") => Platform::Jiandaoyun,
            _ => return Err(broken),
        };
        if wire.specversion != "1.0" {
            return Err(broken);
        }
        let body = match wire.r#type.as_str() {
            "orgbridge.callback" => serde_json::from_str(wire.data.get()).map(EventBody::Callback),
            _ => serde_json::from_str(wire.data.get()).map(EventBody::Directory),
        }
        .map_err(|error| MalformedEvent::Broken(error.classify()))?;
        Ok(Self {
            id: wire.id,
            tenant: wire.tenant,
            platform,
            received_at: UnixMillis::from_rfc3339(&wire.recordedtime).ok_or(broken)?,
            keys: EventKeys { platform: wire.platformkey, content: wire.contentkey },
            traceparent: wire.traceparent,
            body,
        })
    }
}

/// Bytes that are no event of ours. It says what is wrong with them without repeating them: they may hold personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedEvent {
    /// It is none.
    #[error("not an OrgBridge event ({0:?})")]
    Broken(serde_json::error::Category),
    /// A release that cannot be read here wrote it: its version.
    #[error("an event of a newer release (message version {0})")]
    Newer(u32),
}

#[derive(Serialize)]
#[serde(untagged)]
enum WireData<'a> {
    Directory(&'a Observation),
    Callback(&'a Callback),
}

#[derive(Serialize)]
struct WireOut<'a> {
    specversion: &'static str,
    id: &'a str,
    source: String,
    r#type: &'static str,
    subject: String,
    time: String,
    tenant: &'a TenantId,
    recordedtime: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    platformkey: Option<&'a str>,
    contentkey: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    datacontenttype: &'static str,
    dataversion: u32,
    data: WireData<'a>,
}

#[derive(Deserialize)]
struct WireIn {
    specversion: String,
    id: String,
    source: String,
    r#type: String,
    tenant: TenantId,
    recordedtime: String,
    #[serde(default)]
    platformkey: Option<String>,
    contentkey: String,
    #[serde(default)]
    traceparent: Option<String>,
    /// What has none was written before there were any.
    #[serde(default)]
    dataversion: u32,
    data: Box<serde_json::value::RawValue>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Field;

    fn seen(what: What) -> Observation {
        Observation {
            kind: EntityKind::Member,
            id: "Ouyang.Chunxiao".into(),
            at: UnixMillis::from_seconds(1_767_225_600),
            what,
            hint: false,
            answer: false,
        }
    }

    fn callback(platform: Platform) -> Callback {
        Callback { name: "x.y".into(), at: UnixMillis(1), content: "<xml/>".into(), platform }
    }

    #[test]
    fn a_callback_without_a_platform_is_wecoms_and_looks_as_it_always_did() {
        let json = serde_json::to_string(&callback(Platform::Wecom)).unwrap();
        assert!(!json.contains("platform"), "{json}");
        assert_eq!(serde_json::from_str::<Callback>(&json).unwrap(), callback(Platform::Wecom));
    }

    #[test]
    fn an_event_survives_the_wire() {
        let fields = Fields::new().with(Field::Name, "欧阳春晓·𠮷").with(Field::Departments, ["3", "17"].as_slice());
        let renamed = What::Renamed { to: "chunxiao".into(), fields };
        for body in [
            EventBody::Directory(Observation { hint: true, ..seen(renamed) }),
            EventBody::Directory(Observation { answer: true, ..seen(What::Absent) }),
            EventBody::Directory(Observation { answer: true, ..seen(What::Nameless) }),
            EventBody::Callback(callback(Platform::Wecom)),
            EventBody::Callback(callback(Platform::Dingtalk)),
        ] {
            let event = Event {
                id: "e1".into(),
                tenant: "acme".parse().unwrap(),
                platform: Platform::Wecom,
                received_at: UnixMillis(1_767_225_600_123),
                keys: EventKeys { platform: Some("p".into()), content: "c".into() },
                traceparent: None,
                body,
            };
            assert_eq!(Event::from_cloud_event(&event.to_cloud_event()), Ok(event));
        }
    }

    fn event(body: EventBody) -> Event {
        Event {
            id: "e1".into(),
            tenant: "acme".parse().unwrap(),
            platform: Platform::Dingtalk,
            received_at: UnixMillis(1_767_225_600_123),
            keys: EventKeys { platform: Some("p".into()), content: "c".into() },
            traceparent: None,
            body,
        }
    }

    #[test]
    fn an_event_of_another_release_is_read_or_refused_by_its_version() {
        let event = event(EventBody::Directory(seen(What::Removed)));
        let json = String::from_utf8(event.to_cloud_event()).unwrap();
        let as_written_by = |with: &str| json.replace(r#""dataversion":1"#, with);
        // Before there were versions, and by the next release, which adds what this one need not know.
        for with in [r#""older":true"#, r#""dataversion":1,"newer":{"a":[1]}"#] {
            assert_eq!(Event::from_cloud_event(as_written_by(with).as_bytes()), Ok(event.clone()), "{with}");
        }
        let refused = Event::from_cloud_event(as_written_by(r#""dataversion":2"#).as_bytes());
        assert_eq!(refused, Err(MalformedEvent::Newer(2)));
    }

    #[test]
    fn the_type_tells_the_kind_and_what_was_said_of_it() {
        for kind in EntityKind::ALL.into_iter().filter(|kind| *kind != EntityKind::Callback) {
            for what in [What::Absent, What::Removed, What::Updated { fields: Fields::new() }, What::Nameless] {
                let expected = format!("{}.{}", kind.as_str(), what.as_str());
                let event = event(EventBody::Directory(Observation { kind, ..seen(what) }));
                assert_eq!(event.type_name(), expected);
                assert_eq!(Event::from_cloud_event(&event.to_cloud_event()), Ok(event));
            }
        }
    }

    #[test]
    fn contacts_stay_in_order_and_attendance_and_approvals_are_spread() {
        let of = |kind, id: &str| Observation { kind, id: id.into(), ..seen(What::Removed) };
        let key = |seen| event(EventBody::Directory(seen)).ordering_key().into_owned();
        assert_eq!(key(of(EntityKind::Department, "7")), "acme");
        assert_eq!(key(of(EntityKind::Member, "ann")), "acme");
        assert_eq!(key(of(EntityKind::Onboarding, "a1/b2/c3")), "acme");
        assert_eq!(key(of(EntityKind::AttendanceDay, "ann/2026-11-29")), "acme/ann");
        assert_eq!(key(of(EntityKind::Attendance, "ann/2026-11-29/punch/7")), "acme/ann");
        assert_eq!(key(of(EntityKind::Approval, "proc-1")), "acme/proc-1");
        assert_eq!(event(EventBody::Callback(callback(Platform::Dingtalk))).ordering_key(), "acme");
    }

    #[test]
    fn what_is_no_answer_does_not_say_so() {
        let json = serde_json::to_string(&seen(What::Removed)).unwrap();
        assert!(!json.contains("answer"), "{json}");
        assert_eq!(serde_json::from_str::<Observation>(&json).unwrap(), seen(What::Removed));
    }

    #[test]
    fn within_a_second_an_absence_comes_first_and_no_name_last() {
        let in_order = [
            What::Absent,
            What::Removed,
            What::Created { fields: Fields::new() },
            What::Updated { fields: Fields::new() },
            What::Renamed { to: String::new(), fields: Fields::new() },
            What::Nameless,
        ];
        assert!(in_order.is_sorted());
        let names = in_order.each_ref().map(What::as_str);
        assert_eq!(names, ["absent", "removed", "created", "updated", "renamed", "nameless"]);
    }
}
