//! What is in a change's way at a destination.

use std::collections::BTreeSet;

use common::{Action, Change, EntityKey, EntityKind};

use super::ledger::Ledger;

/// The exceptions that must be over before `change`, of the entity `key`, may be sent.
pub(super) fn of(ledger: &Ledger, key: &EntityKey, change: &Change) -> BTreeSet<EntityKey> {
    let mut found: BTreeSet<EntityKey> = BTreeSet::new();
    let absent = |other: &&EntityKey| ledger.get(other).is_some_and(|exception| exception.absent);
    found.extend(change.refers_to.iter().filter(absent).cloned());
    match &change.action {
        Action::Remove => found.extend(ledger.occupiers(&change.entity).cloned()),
        // A department that moves must not come under one that, at the destination, is still under it.
        Action::Upsert { .. } if moves(change) => {
            let departments = |other: &&EntityKey| other.kind == EntityKind::Department;
            found.extend(ledger.occupiers(&change.entity).filter(departments).cloned());
        }
        Action::Upsert { .. } | Action::Callback(_) => {}
    }
    // The row under this id is still somebody else's, who was renamed.
    found.extend(ledger.squatters(&change.entity).cloned());
    found.remove(key);
    found
}

/// Whether it moves a department.
pub(super) fn moves(change: &Change) -> bool {
    change.kind() == EntityKind::Department
        && matches!(change.action, Action::Upsert { .. })
        && !change.leaves.is_empty()
}
