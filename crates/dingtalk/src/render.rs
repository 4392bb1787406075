//! Changes as the pushes that DingTalk would have sent: for relays (reference dingtalk 3.1 and 3.2).

mod difference;

use common::{Action, Change, Entity, EntityKey, EntityKind, Platform, Told, UnixMillis};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use self::difference::{Difference, differs};

/// A push of contacts in the present dialect, its members in the order of the reference.
#[derive(Serialize)]
struct Pushed<'a> {
    #[serde(rename = "EventType")]
    event_type: &'static str,
    #[serde(rename = "EventTime")]
    event_time: i64,
    #[serde(rename = "CorpId")]
    corp_id: &'a str,
    #[serde(rename = "BizId")]
    biz_id: &'a str,
    #[serde(rename = "eventId")]
    event_id: &'a str,
    #[serde(flatten)]
    what: What<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum What<'a> {
    Users {
        #[serde(rename = "timeStamp")]
        timestamp: String,
        #[serde(rename = "userId")]
        users: Vec<&'a str>,
        #[serde(rename = "diffInfo", skip_serializing_if = "Vec::is_empty")]
        differences: Vec<Difference>,
    },
    Departments {
        #[serde(rename = "deptId")]
        departments: [Value; 1],
    },
}

/// The plaintext that tells a receiver of a change; `None` when there is nothing to say.
///
/// `previous` is what this receiver was last told of the entity: without it the entity is added, with it modified. As DingTalk does,
/// a push names the entity and leaves it to the receiver to read it; of a member it also says what differs, as far as DingTalk says
/// that (`diffInfo`). A member whose id changed is modified under both ids: DingTalk knows no renames, and who reads both finds one
/// gone and the other there. The root department cannot be created or removed.
///
/// A callback of DingTalk's comes back as it is; attendance and approvals reach relays as such callbacks only. `at` is the time that
/// the receiver sees. The event's id is the same whenever the same version is rendered.
pub fn callback_of(change: &Change, previous: Option<&Told>, corp_id: &str, at: UnixMillis) -> Option<String> {
    let (event_type, what) = match (&change.action, change.kind()) {
        (Action::Callback(callback), _) => {
            return (callback.platform == Platform::Dingtalk).then(|| callback.content.clone());
        }
        (Action::Remove, EntityKind::Member) => {
            let shown = previous.map_or(&*change.entity.id, |told| told.entity.shown_id.as_str());
            ("user_leave_org", users(vec![shown], Vec::new(), at))
        }
        (Action::Upsert { entity, .. }, EntityKind::Member) => member(&change.entity, entity, previous, at)?,
        (Action::Remove, EntityKind::Department) if !change.entity.is_root() => {
            ("org_dept_remove", department(&change.entity))
        }
        (Action::Upsert { entity, .. }, EntityKind::Department) => {
            let event_type = department_event(&change.entity, entity, previous)?;
            (event_type, department(&change.entity))
        }
        _ => return None,
    };
    let id = event_id(change, corp_id);
    let pushed = Pushed { event_type, event_time: at.0, corp_id, biz_id: &id, event_id: &id, what };
    serde_json::to_string(&pushed).ok()
}

fn member<'a>(
    key: &EntityKey,
    entity: &'a Entity,
    previous: Option<&'a Told>,
    at: UnixMillis,
) -> Option<(&'static str, What<'a>)> {
    let Some(told) = previous else {
        return Some(("user_add_org", users(vec![entity.shown_id.as_str()], Vec::new(), at)));
    };
    let old_id = told.entity.shown_id.as_str();
    let is_renamed = EntityKey::member(old_id) != *key;
    if !is_renamed && !differs(entity, told) {
        return None;
    }
    let ids = if is_renamed { vec![old_id, entity.shown_id.as_str()] } else { vec![entity.shown_id.as_str()] };
    let differences = Difference::between(entity, told).into_iter().collect();
    Some(("user_modify_org", users(ids, differences, at)))
}

fn department_event(key: &EntityKey, entity: &Entity, previous: Option<&Told>) -> Option<&'static str> {
    match previous {
        None => (!key.is_root()).then_some("org_dept_create"),
        Some(told) => differs(entity, told).then_some("org_dept_modify"),
    }
}

fn users(users: Vec<&str>, differences: Vec<Difference>, at: UnixMillis) -> What<'_> {
    What::Users { timestamp: at.0.to_string(), users, differences }
}

/// Ids of departments are numbers at DingTalk.
fn department(key: &EntityKey) -> What<'static> {
    let id = key.id.parse::<u64>().map_or_else(|_no_number| json!(&*key.id), |number| json!(number));
    What::Departments { departments: [id] }
}

/// 32 hexadecimal digits, as DingTalk's own have. The entity is in it, since a member's row under a former id is removed under the version
/// of the rename, before that is told.
fn event_id(change: &Change, corp_id: &str) -> String {
    let mut hash = Sha256::new();
    for part in [change.tenant.as_str(), corp_id, &change.version.to_string(), &*change.entity.id] {
        hash.update(part);
        hash.update([0]);
    }
    let mut id = hex::encode(hash.finalize());
    id.truncate(32);
    id
}

#[cfg(test)]
mod tests;
