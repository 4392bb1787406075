//! The exceptions, with the indexes that make every look at them cheap.

use std::collections::{BTreeMap, BTreeSet, btree_map};

use common::{EntityKey, UnixMillis};

use super::{Exception, State};

type Index = BTreeMap<EntityKey, BTreeSet<EntityKey>>;

/// All exceptions of a destination.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    exceptions: BTreeMap<EntityKey, Exception>,
    /// Who waits for an entity.
    waiters: Index,
    /// Who still refers to an entity at the destination although it is to have left it.
    occupiers: Index,
    /// Who still has an id at the destination that it is to have given up by a rename.
    squatters: Index,
    dirty: BTreeSet<EntityKey>,
}

impl Ledger {
    pub(super) fn get(&self, key: &EntityKey) -> Option<&Exception> {
        self.exceptions.get(key)
    }

    pub(super) fn iter(&self) -> btree_map::Iter<'_, EntityKey, Exception> {
        self.exceptions.iter()
    }

    /// Those that keep a department from being removed.
    pub(super) fn occupiers(&self, key: &EntityKey) -> impl Iterator<Item = &EntityKey> {
        self.occupiers.get(key).into_iter().flatten()
    }

    /// Those whose rename away from this id has not arrived.
    pub(super) fn squatters(&self, key: &EntityKey) -> impl Iterator<Item = &EntityKey> {
        self.squatters.get(key).into_iter().flatten()
    }

    pub(super) fn put(&mut self, key: EntityKey, exception: Exception) {
        self.take(&key);
        for other in exception.waits_on().into_iter().flatten() {
            self.waiters.entry(other.clone()).or_default().insert(key.clone());
        }
        if !exception.is_nowhere() {
            for other in &exception.left {
                self.occupiers.entry(other.clone()).or_default().insert(key.clone());
            }
        }
        for former in &exception.formerly {
            self.squatters.entry(former.key.clone()).or_default().insert(key.clone());
        }
        self.exceptions.insert(key.clone(), exception);
        self.dirty.insert(key);
    }

    /// Takes an exception out; those that wait for its entity go on waiting.
    pub(super) fn take(&mut self, key: &EntityKey) -> Option<Exception> {
        let exception = self.exceptions.remove(key)?;
        for other in exception.waits_on().into_iter().flatten() {
            unlist(&mut self.waiters, other, key);
        }
        for other in &exception.left {
            unlist(&mut self.occupiers, other, key);
        }
        for former in &exception.formerly {
            unlist(&mut self.squatters, &former.key, key);
        }
        self.dirty.insert(key.clone());
        Some(exception)
    }

    /// An entity arrived or is gone: those that waited only for it are due at once, with clocks that begin anew.
    pub(super) fn release(&mut self, arrived: &EntityKey, now: UnixMillis) {
        for waiter in self.waiters.get(arrived).cloned().unwrap_or_default() {
            let Some(mut exception) = self.take(&waiter) else { continue };
            if let State::Waiting { on } | State::Dead { on } = &mut exception.state {
                on.remove(arrived);
                if on.is_empty() {
                    exception.state = State::Held;
                    exception.next_attempt = now;
                    exception.since = now;
                }
            }
            self.put(waiter, exception);
        }
    }

    /// Those that wait for something that is no exception (any more) wait for nothing that will ever be told.
    pub(super) fn release_orphans(&mut self) {
        let gone: Vec<EntityKey> =
            self.waiters.keys().filter(|key| !self.exceptions.contains_key(key)).cloned().collect();
        for key in gone {
            self.release(&key, UnixMillis(0));
        }
    }

    pub(super) fn shift(&mut self, away_since: UnixMillis, millis: i64) {
        let stood_still = |exception: &&mut Exception| !exception.is_dead() && exception.since <= away_since;
        for exception in self.exceptions.values_mut().filter(stood_still) {
            exception.since = exception.since.plus_millis(millis);
        }
    }

    pub(super) fn take_dirty(&mut self) -> Vec<(EntityKey, Option<Exception>)> {
        let dirty = std::mem::take(&mut self.dirty);
        dirty.into_iter().map(|key| (key.clone(), self.exceptions.get(&key).cloned())).collect()
    }

    pub(super) fn forget_dirt(&mut self) {
        self.dirty.clear();
    }
}

fn unlist(index: &mut Index, of: &EntityKey, who: &EntityKey) {
    if let btree_map::Entry::Occupied(mut listed) = index.entry(of.clone()) {
        listed.get_mut().remove(who);
        if listed.get().is_empty() {
            listed.remove();
        }
    }
}
