//! What is in a change's way at a destination.

use std::collections::BTreeSet;

use common::{Action, Change, EntityKey, EntityKind};

use super::{Part, Step, ledger::Ledger};

/// The exceptions that must be over before a step may be sent.
pub(super) fn of(ledger: &Ledger, step: &Step) -> BTreeSet<EntityKey> {
    let mut found: BTreeSet<EntityKey> = BTreeSet::new();
    let change = &step.send;
    let absent = |other: &&EntityKey| ledger.get(other).is_some_and(|exception| exception.absent);
    found.extend(change.refers_to.iter().filter(absent).cloned());
    match &change.action {
        Action::Remove => found.extend(ledger.occupiers(&change.entity).cloned()),
        // A department that moves must not come under one that, at the destination, is still under it.
        Action::Upsert { .. } if moves(ledger, &step.key, change) => {
            let departments = |other: &&EntityKey| other.kind == EntityKind::Department;
            found.extend(ledger.occupiers(&change.entity).filter(departments).cloned());
        }
        Action::Upsert { .. } | Action::Callback(_) => {}
    }
    if step.part == Part::Whole {
        // The row under this id is still somebody else's, who was renamed.
        found.extend(ledger.squatters(&change.entity).cloned());
    }
    // The entity itself, by either of its keys, is in nobody's way here.
    found.retain(|other| *other != step.key && Some(other) != step.renames.as_ref());
    found
}

/// Whether a department may come to stand elsewhere at the destination: it moves, it comes back while its removal has not
/// arrived, or an older change of it has not arrived, which may have been a move.
pub(super) fn moves(ledger: &Ledger, key: &EntityKey, change: &Change) -> bool {
    change.kind() == EntityKind::Department
        && matches!(change.action, Action::Upsert { .. })
        && (!change.leaves.is_empty() || change.first || ledger.get(key).is_some())
}
