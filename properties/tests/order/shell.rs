//! The resolver's shell in memory: what the real one keeps in tables, it keeps in maps.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use common::{Change, EntityKey, Observation, TenantId, UnixMillis, What};
use directory::{Effects, Incoming, Record, Session, Told, WaitFor};

use serde::{Serialize, de::DeserializeOwned};

use crate::{bugs::Bug, dice::Dice, model::COMPANY_NAME};

/// How this shell is run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Habits {
    /// Duplicates reach the core: the keys were pruned, or another instance did not share them.
    pub(crate) forgets_keys: bool,
    /// Entities that were named in a session are not looked at again on account of that session.
    pub(crate) skips_named: bool,
}

/// The tables of one tenant.
pub(crate) struct Shell<'a> {
    tenant: TenantId,
    events: &'a [Observation],
    habits: Habits,
    pub(crate) bug: Option<Bug>,
    pub(crate) records: BTreeMap<EntityKey, Record>,
    /// What is waited for, who waits, why.
    pub(crate) waiting: BTreeSet<(EntityKey, EntityKey, WaitFor)>,
    /// Who is to be looked at again, and what of that which it waits for appeared, moved or went.
    pub(crate) due: BTreeMap<EntityKey, BTreeSet<EntityKey>>,
    keys: HashSet<usize>,
    pub(crate) outbox: Vec<Change>,
}

/// What a session does, not yet committed.
pub(crate) struct Transaction {
    pub(crate) effects: Effects,
    named: BTreeSet<EntityKey>,
    looked_at: BTreeMap<EntityKey, BTreeSet<EntityKey>>,
    keys: Vec<usize>,
}

impl<'a> Shell<'a> {
    /// A tenant that was just applied: the root department exists.
    pub(crate) fn new(tenant: TenantId, events: &'a [Observation], habits: Habits, bug: Option<Bug>) -> Self {
        let mut shell = Self {
            tenant,
            events,
            habits,
            bug,
            records: BTreeMap::new(),
            waiting: BTreeSet::new(),
            due: BTreeMap::new(),
            keys: HashSet::new(),
            outbox: Vec::new(),
        };
        let mut session = Session::new(shell.tenant.clone());
        session.found(COMPANY_NAME, UnixMillis(0));
        let effects = shell.work_out(session, UnixMillis(0));
        let named = BTreeSet::new();
        shell.commit(Transaction { effects, named, looked_at: BTreeMap::new(), keys: Vec::new() }, &mut Dice::new(0));
        shell
    }

    /// Works out what a batch of events does, together with a slice of at most `slice` entities that are due to be looked at.
    pub(crate) fn transact(&self, batch: &[usize], slice: usize, horizon: UnixMillis) -> Transaction {
        let mut session = Session::new(self.tenant.clone());
        let mut named = BTreeSet::new();
        let mut keys = Vec::new();
        for &event in batch {
            let key = self.key(event);
            if !self.habits.forgets_keys && (self.keys.contains(&key) || keys.contains(&key)) {
                continue;
            }
            keys.push(key);
            let mut observation = self.events[event].clone();
            if self.bug == Some(Bug::RenameOfLaterPerson) && matches!(observation.what, What::Renamed { .. }) {
                observation.at = observation.at.plus_seconds(1000);
            }
            named.insert(observation.key());
            if let What::Renamed { to, .. } = &observation.what {
                named.insert(EntityKey::new(observation.kind, to));
            }
            session.tell(Incoming { observation, event: String::new(), received_at: UnixMillis(0), traceparent: None });
        }
        let looked_at: BTreeMap<EntityKey, BTreeSet<EntityKey>> =
            self.due.iter().take(slice).map(|(key, released)| (key.clone(), released.clone())).collect();
        for (key, released) in &looked_at {
            named.insert(key.clone());
            for on in released {
                session.look_again_without_rows(key.clone(), on.clone());
            }
        }
        let effects = self.work_out(session, horizon);
        Transaction { effects, named, looked_at, keys }
    }

    fn key(&self, event: usize) -> usize {
        let at = self.events[event].at;
        match self.bug {
            Some(Bug::SenderAndSecond) => self.events.iter().position(|other| other.at == at).unwrap(),
            _ => event,
        }
    }

    fn work_out(&self, mut session: Session, horizon: UnixMillis) -> Effects {
        loop {
            let missing = session.missing();
            if missing.is_empty() {
                return session.resolve(horizon);
            }
            for key in missing {
                let record = self.records.get(&key).cloned();
                session.load(key, record);
            }
        }
    }

    /// Writes everything at once.
    pub(crate) fn commit(&mut self, transaction: Transaction, dice: &mut Dice) {
        let Transaction { effects, named, looked_at, keys } = transaction;
        self.keys.extend(keys);
        for (key, released) in looked_at {
            self.due.remove(&key);
            self.waiting.retain(|(on, waiter, _)| *waiter != key || !released.contains(on));
        }
        self.records.extend(effects.records);
        if self.bug == Some(Bug::InheritedAcrossRemoval) {
            for record in self.records.values_mut().filter(|record| record.sent.is_none()) {
                record.facts.retain(|fact| fact.told != Told::Removed);
            }
        }
        for change in effects.waits {
            let row = (change.wait.on, change.waiter, change.wait.why);
            if change.add {
                if self.bug == Some(Bug::LostWaitingRow) && dice.once_in(4) {
                    continue;
                }
                self.waiting.insert(row);
            } else {
                self.waiting.remove(&row);
            }
        }
        for released in effects.released {
            if self.bug == Some(Bug::LostRelease) && dice.once_in(4) {
                continue;
            }
            let waiters = rows_on(&self.waiting, &released).map(|(_, waiter, _)| waiter.clone());
            let skips = |waiter: &EntityKey| self.habits.skips_named && named.contains(waiter);
            for waiter in waiters.filter(|waiter| !skips(waiter)) {
                self.due.entry(waiter).or_default().insert(released.clone());
            }
        }
        let mut changes = effects.changes;
        if self.bug == Some(Bug::NumberedById) {
            changes.sort_by(|one, other| one.entity.cmp(&other.entity));
        }
        for mut change in changes {
            change.version = self.outbox.len() as u64 + 1;
            self.outbox.push(change);
        }
    }

    /// The transaction is lost; only a planted bug leaves anything of it.
    pub(crate) fn lose(&mut self, transaction: Transaction) {
        if self.bug == Some(Bug::KeysBeforeCommit) {
            self.keys.extend(transaction.keys);
        }
    }

    /// Tables and queues hold JSON.
    pub(crate) fn check_json(&self) -> Result<(), String> {
        self.records.values().try_for_each(survives_json)?;
        self.outbox.iter().try_for_each(survives_json)
    }

    /// What must hold when everything has arrived and nothing is due.
    pub(crate) fn check(&self) -> Result<(), String> {
        let mut rows = BTreeSet::new();
        let mut inside: BTreeMap<&EntityKey, (u32, u32)> = BTreeMap::new();
        for (key, record) in &self.records {
            rows.extend(record.waits.iter().map(|wait| (wait.on.clone(), key.clone(), wait.why)));
            for department in record.sent.iter().flat_map(|sent| &sent.refers_to) {
                let (children, members) = inside.entry(department).or_default();
                *if key.kind == common::EntityKind::Department { children } else { members } += 1;
            }
        }
        if rows != self.waiting {
            return Err(format!("records wait for {rows:?}, the table says {:?}", self.waiting));
        }
        if let Some(parked) = self.waiting.iter().find(|(_, _, why)| why.holds()) {
            return Err(format!(
                "everything has arrived and {} still waits for {} ({:?})",
                parked.1, parked.0, parked.2
            ));
        }
        for (key, record) in &self.records {
            let counted = inside.get(key).copied().unwrap_or_default();
            if (record.children, record.members) != counted {
                return Err(format!(
                    "{key} has {counted:?} in it, its record says {:?}",
                    (record.children, record.members)
                ));
            }
        }
        Ok(())
    }
}

fn survives_json<T: Serialize + DeserializeOwned + PartialEq>(value: &T) -> Result<(), String> {
    let json = serde_json::to_string(value).unwrap();
    let survives = serde_json::from_str::<T>(&json).is_ok_and(|read| read == *value);
    if survives { Ok(()) } else { Err(format!("does not survive being stored: {json}")) }
}

fn rows_on<'t>(
    waiting: &'t BTreeSet<(EntityKey, EntityKey, WaitFor)>,
    on: &EntityKey,
) -> impl Iterator<Item = &'t (EntityKey, EntityKey, WaitFor)> {
    let first = EntityKey { kind: common::EntityKind::Department, id: "".into() };
    let from = (on.clone(), first, WaitFor::Reference);
    let on = on.clone();
    waiting.range(from..).take_while(move |row| row.0 == on)
}
