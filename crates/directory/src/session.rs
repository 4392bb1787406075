//! One batch: what was told, the records that it touches, and what is missing before it can be decided.

use std::collections::BTreeSet;

use common::{
    DestinationId, EntityKey, EntityKind, EntityMap, EntitySet, Field, Fields, Observation, ROOT_DEPARTMENT, TenantId,
    UnixMillis, What, attendance,
};

use crate::{
    life::{Records, follow, holders},
    record::{Fact, Record, Told as FactTold},
};

/// An observation with where it came from.
#[derive(Debug, Clone)]
pub struct Told {
    /// What was said.
    pub observation: Observation,
    /// The event's id, for people.
    pub event: String,
    /// When it was taken over, by our clock.
    pub received_at: UnixMillis,
    /// W3C trace context of the event.
    pub traceparent: Option<String>,
}

/// One batch of one tenant. See the crate's page for its use.
#[derive(Debug)]
pub struct Session {
    pub(crate) tenant: TenantId,
    pub(crate) records: Records,
    pub(crate) told: Vec<Told>,
    /// Entities that are decided on in this session; the others are loaded because these refer to them.
    pub(crate) focus: EntitySet,
    pub(crate) dirty: EntitySet,
    /// Rows of the waiting table that are gone already: who waited, and for what.
    pub(crate) taken: EntityMap<Vec<EntityKey>>,
    pub(crate) resend: Vec<(EntityKey, Option<DestinationId>)>,
    /// Per observation whether its fact was new; filled by the merge.
    pub(crate) merged: Vec<bool>,
    /// Per observation whether it is about all of a day at work: a hint at what only a look at all of it shows, or such a look.
    /// Found before the merge, which takes the fields.
    pub(crate) of_all: Vec<bool>,
    /// Focus entities whose references are not known to be loaded.
    unexplored: Vec<EntityKey>,
    settle_for_id: Vec<EntityKey>,
    is_merged: bool,
}

impl Session {
    /// An empty session.
    pub fn new(tenant: TenantId) -> Self {
        Self {
            tenant,
            records: Records::default(),
            told: Vec::new(),
            focus: EntitySet::default(),
            dirty: EntitySet::default(),
            taken: EntityMap::default(),
            resend: Vec::new(),
            merged: Vec::new(),
            of_all: Vec::new(),
            unexplored: Vec::new(),
            settle_for_id: Vec::new(),
            is_merged: false,
        }
    }

    /// Adds what an event said.
    pub fn tell(&mut self, told: Told) {
        self.focus_on(told.observation.key());
        if let What::Renamed { to, .. } = &told.observation.what {
            self.focus_on(EntityKey::new(told.observation.kind, to));
        }
        self.told.push(told);
    }

    /// The root department exists from the moment a tenant does, under the tenant's name until its own is known.
    pub fn found(&mut self, tenant_name: &str, now: UnixMillis) {
        let fields = Fields::new().with(Field::Name, tenant_name);
        self.tell(Told {
            observation: Observation {
                kind: EntityKind::Department,
                id: ROOT_DEPARTMENT.to_owned(),
                at: UnixMillis(0),
                what: What::Created { fields },
                hint: false,
                answer: false,
            },
            event: String::new(),
            received_at: now,
            traceparent: None,
        });
    }

    /// Looks at an entity again because something that it waits for changed.
    pub fn look_again(&mut self, key: EntityKey) {
        self.focus_on(key);
    }

    /// Looks at an entity again whose waiting rows for `on` were taken out of the table: what still waits gets new ones.
    pub fn look_again_without_rows(&mut self, key: EntityKey, on: EntityKey) {
        self.look_again(key.clone());
        self.taken.entry(key).or_default().push(on);
    }

    /// Nobody will tell this entity's name: its id is to do.
    pub fn settle_for_id(&mut self, key: EntityKey) {
        self.focus_on(key.clone());
        self.settle_for_id.push(key);
    }

    /// Sends an entity again as it is now, to one destination or to all: as it was last sent, or, where its life ended, as gone.
    pub fn send_again(&mut self, key: EntityKey, only_for: Option<DestinationId>) {
        self.focus_on(key.clone());
        self.resend.push((key, only_for));
    }

    /// The records that must be loaded before [`Session::resolve`]; empty when nothing is missing. Each round names what the
    /// records of the round before refer to, all at once.
    pub fn missing(&mut self) -> Vec<EntityKey> {
        if !self.is_merged {
            let mut named: Vec<EntityKey> =
                self.focus.iter().filter(|key| !self.records.contains_key(*key)).cloned().collect();
            if !named.is_empty() {
                named.sort_unstable();
                return named;
            }
            self.merge();
            self.is_merged = true;
        }
        let mut missing = BTreeSet::new();
        let mut unexplored = std::mem::take(&mut self.unexplored);
        while let Some(key) = unexplored.pop() {
            let lacking = self.lacking(&key);
            if !lacking.is_empty() {
                missing.extend(lacking);
                self.unexplored.push(key.clone());
            }
            unexplored.extend(self.partners(&key));
        }
        missing.into_iter().collect()
    }

    /// Puts a record in, or notes that there is none.
    pub fn load(&mut self, key: EntityKey, record: Option<Record>) {
        self.records.insert(key, record.unwrap_or_default());
    }

    fn focus_on(&mut self, key: EntityKey) {
        if self.focus.insert(key.clone()) {
            self.unexplored.push(key);
        }
    }

    /// Ids that a focus entity was or is renamed to and from are decided on together with it.
    fn partners(&mut self, key: &EntityKey) -> Vec<EntityKey> {
        if key.kind != EntityKind::Member {
            return Vec::new();
        }
        let Some(record) = self.records.get(key) else { return Vec::new() };
        let renames = record.facts.iter().filter_map(|fact| match &fact.told {
            FactTold::RenamedFrom(id, _) | FactTold::RenamedTo(id) => {
                Some(EntityKey { kind: key.kind, id: id.clone() })
            }
            _ => None,
        });
        let partners: Vec<EntityKey> = renames.filter(|partner| !self.focus.contains(partner)).collect();
        self.focus.extend(partners.iter().cloned());
        partners
    }

    /// What this entity's merged record refers to and is not loaded.
    fn lacking(&self, key: &EntityKey) -> Vec<EntityKey> {
        let Some(record) = self.records.get(key) else { return vec![key.clone()] };
        let mut wanted: Vec<EntityKey> = record.sent.iter().flat_map(|sent| sent.refers_to.iter().cloned()).collect();
        // All that was ever told, not only what holds: no merging is needed to know it, and there is seldom more.
        for fact in &record.facts {
            if let FactTold::RenamedFrom(id, _) | FactTold::RenamedTo(id) = &fact.told {
                wanted.push(EntityKey { kind: key.kind, id: id.clone() });
            }
            let Some(fields) = fact.fields() else { continue };
            wanted.extend(fields.list(Field::Departments).iter().map(|id| EntityKey::department(id)));
            for leader in fields.list(Field::Leaders) {
                wanted.extend(self.bearers(leader, fact.at));
            }
            if let Some(parent) = fields.text(Field::Parent) {
                wanted.extend(self.path(record, &EntityKey::department(parent)));
            }
            let whose = [Field::Member, Field::Applicant].into_iter().filter_map(|field| fields.text(field));
            for id in whose.filter(|id| !id.is_empty()) {
                wanted.extend(self.bearers(id, fact.at));
            }
        }
        let mut any_absent = false;
        wanted.retain(|wanted| match self.records.get(wanted) {
            Some(record) => {
                any_absent |= record.absent_at().is_some();
                false
            }
            None => true,
        });
        // Who goes without something absent may go below the root instead.
        let root = any_absent.then(|| EntityKey::department(ROOT_DEPARTMENT));
        wanted.extend(root.filter(|root| !self.records.contains_key(root)));
        wanted
    }

    /// Whoever a reference to a member of that time leads to, and whose rows those have, as far as known.
    fn bearers(&self, member: &str, told_at: UnixMillis) -> Vec<EntityKey> {
        let mut bearers = Vec::new();
        for id in follow(&self.records, &EntityKey::member(member), told_at).ids {
            bearers.extend(holders(&self.records, &id));
            bearers.push(id);
        }
        bearers
    }

    /// The wanted parent, and for a department that is not there yet the departments above it as last sent, as far as known: a
    /// live one that moves below it in this session must not close a circle.
    fn path(&self, record: &Record, parent: &EntityKey) -> Vec<EntityKey> {
        let stays = record.sent.as_ref().is_some_and(|sent| sent.refers_to.contains(parent));
        if stays {
            return vec![parent.clone()];
        }
        let mut path = vec![parent.clone()];
        let mut current = parent.clone();
        while let Some(above) = self.records.get(&current).and_then(|record| record.sent.as_ref()?.refers_to.first()) {
            if path.contains(above) {
                break;
            }
            path.push(above.clone());
            current = above.clone();
        }
        path
    }

    /// Adds every observation to its record.
    fn merge(&mut self) {
        for mut told in std::mem::take(&mut self.told) {
            self.of_all.push(told.observation.what.fields().is_some_and(is_of_all));
            let is_new = self.merge_one(&mut told);
            self.merged.push(is_new);
            self.told.push(told);
        }
        for key in std::mem::take(&mut self.settle_for_id) {
            self.settle(&key);
        }
    }

    /// The entity's id is to do for a name. `false` when it does already.
    fn settle(&mut self, key: &EntityKey) -> bool {
        let record = self.records.entry(key.clone()).or_default();
        if record.settled_for_id {
            return false;
        }
        record.settled_for_id = true;
        self.dirty.insert(key.clone());
        true
    }

    /// Adds one observation; its fields go into the record.
    fn merge_one(&mut self, told: &mut Told) -> bool {
        let key = told.observation.key();
        if key.is_root() && matches!(told.observation.what, What::Removed | What::Absent) {
            return false;
        }
        let next = match &told.observation.what {
            // To itself: the spelling changed, not the id.
            What::Renamed { to, .. } => Some(EntityKey::new(key.kind, to)).filter(|next| *next != key),
            _ => None,
        };
        match (&mut told.observation.what, next) {
            (What::Absent, _) => self.add(&key, FactTold::Absent, told),
            (What::Removed, _) => self.add(&key, FactTold::Removed, told),
            (What::Nameless, _) => self.settle(&key),
            (What::Created { fields }, _) => {
                let fields = std::mem::take(fields);
                self.add(&key, FactTold::Created(fields), told)
            }
            (What::Updated { fields } | What::Renamed { fields, .. }, None) => {
                let fields = std::mem::take(fields);
                self.add(&key, FactTold::Updated(fields), told)
            }
            (What::Updated { fields } | What::Renamed { fields, .. }, Some(next)) => {
                let from = FactTold::RenamedFrom(key.id.clone(), std::mem::take(fields));
                let left = self.add(&key, FactTold::RenamedTo(next.id.clone()), told);
                let arrived = self.add(&next, from, told);
                left || arrived
            }
        }
    }

    fn add(&mut self, key: &EntityKey, what: FactTold, told: &Told) -> bool {
        let (at, spelled) = match (&what, &told.observation.what) {
            (FactTold::RenamedFrom(..), What::Renamed { to, .. }) => (told.observation.at, to),
            _ => (told.observation.at, &told.observation.id),
        };
        let record = self.records.entry(key.clone()).or_default();
        // Who has no such entity only repeats the id as it was asked for.
        let is_spelled = what != FactTold::Absent;
        if !record.add(Fact { at, told: what }) {
            return false;
        }
        if is_spelled {
            record.spelled(at, spelled);
        }
        record.received_at = told.received_at;
        record.last_event.clone_from(&told.event);
        // What answers a hint goes on with the hint's trace.
        if told.traceparent.is_some() {
            record.traceparent.clone_from(&told.traceparent);
        }
        self.dirty.insert(key.clone());
        true
    }
}

fn is_of_all(fields: &Fields) -> bool {
    fields.has(Field::Status) || fields.text(Field::Outcome) == Some(attendance::AWAITED)
}
