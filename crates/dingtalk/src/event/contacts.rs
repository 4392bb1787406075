//! Events of departments and members (reference dingtalk 3.2). They carry ids only; what some say besides (`diffInfo`) comes in two
//! shapes and without departments, so the platform is asked.

use std::collections::BTreeSet;

use common::{EntityKey, EntityKind, Fields, ROOT_DEPARTMENT, UnixMillis, What};

use super::{Fact, Meaning, PassedOn, canonical, is_entity_id, notice::Notice};

/// What it means; `None` when it is no contact event.
pub(super) fn meaning(notice: &Notice<'_>, now: UnixMillis) -> Option<Meaning> {
    let (kind, what) = match notice.name.as_str() {
        "user_add_org" => (EntityKind::Member, What::Created { fields: Fields::new() }),
        "user_modify_org" | "user_active_org" | "org_admin_add" | "org_admin_remove" => {
            (EntityKind::Member, What::Updated { fields: Fields::new() })
        }
        "user_leave_org" => (EntityKind::Member, What::Removed),
        "org_dept_create" => (EntityKind::Department, What::Created { fields: Fields::new() }),
        "org_dept_modify" | "org_change" => (EntityKind::Department, What::Updated { fields: Fields::new() }),
        "org_dept_remove" => (EntityKind::Department, What::Removed),
        _ => return None,
    };
    let told = match kind {
        _ if notice.name == "org_change" => vec![Some(ROOT_DEPARTMENT.to_owned())],
        EntityKind::Member => notice.body.texts("userid"),
        _ => notice.body.texts("deptid"),
    };
    // Without a time each delivery is an event of its own: better that than to take a second leave for the first.
    let at = notice.born.unwrap_or(now);
    let mut seen = BTreeSet::new();
    let mut facts = Vec::with_capacity(told.len());
    let mut is_whole = !told.is_empty();
    for id in &told {
        let Some(id) = id.as_deref().and_then(|id| usable(kind, id)) else {
            is_whole = false;
            continue;
        };
        let key = EntityKey::new(kind, &id);
        if !seen.insert(key.clone()) {
            continue;
        }
        let content = canonical::of(&[&notice.name, &key.id, &at.0.to_string()]);
        facts.push(Fact { kind, id, at, hint: what != What::Removed, what: what.clone(), content, key_at: at });
    }
    // Relays hear of what the facts change. What is about nobody we know of is passed on instead.
    Some(Meaning { facts, passed_on: (!is_whole).then(|| PassedOn::unknown(notice)) })
}

/// An id as we keep it. Departments with negative ids are not ours: they hold external contacts (reference dingtalk 4.4).
fn usable(kind: EntityKind, id: &str) -> Option<String> {
    match kind {
        EntityKind::Department => id.parse::<u64>().ok().filter(|id| *id > 0).map(|id| id.to_string()),
        _ => is_entity_id(id).then(|| id.to_owned()),
    }
}
