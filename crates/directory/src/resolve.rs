//! Decides what is due, in an order in which nothing comes before what it refers to.

mod records;
mod requests;

use std::collections::{BTreeSet, VecDeque};

use common::{
    Action, Change, DestinationId, Entity, EntityKey, EntityKind, EntityMap, EntitySet, Field, Fields, ROOT_DEPARTMENT,
    UnixMillis, What,
};

use crate::{
    effects::{Effects, Question, Seen, WaitChange, Why},
    life::{Life, follow, present, successors},
    record::{Record, Sent, UNKNOWN, Wait, WaitFor},
    session::Session,
};

impl Session {
    /// Decides. Everything that [`Session::missing`] named must have been loaded. Facts older than `horizon` are folded where
    /// they can no longer matter.
    pub fn resolve(mut self, horizon: UnixMillis) -> Effects {
        debug_assert!(self.missing().is_empty(), "resolve before everything was loaded");
        for key in &self.dirty {
            if let Some(record) = self.records.get_mut(key) {
                // Attendance and approvals are told whole again and again: of them only what holds is of use.
                record.fold(if key.kind.is_directory() { horizon } else { UnixMillis(i64::MAX) });
            }
        }
        Resolver::new(self).run()
    }
}

/// Leaders of leaders are looked at first up to this depth, which bounds the stack.
const LEADERS_ABOVE_MAX: usize = 16;

/// The work of one session.
struct Resolver {
    session: Session,
    effects: Effects,
    queue: VecDeque<EntityKey>,
    queued: EntitySet,
    /// Who in the focus waits, or did, for what.
    watchers: EntityMap<Vec<EntityKey>>,
    sent: EntitySet,
    released: EntitySet,
    /// What entities waited for before this session, of those that wait for something else now.
    waits_before: EntityMap<BTreeSet<Wait>>,
    /// How many leaders up the present look is.
    above: usize,
}

impl Resolver {
    fn new(session: Session) -> Self {
        let queue = in_order(&session.focus);
        let mut watchers: EntityMap<Vec<EntityKey>> = EntityMap::default();
        for key in &queue {
            for wait in session.records.get(key).into_iter().flat_map(|record| &record.waits) {
                watchers.entry(wait.on.clone()).or_default().push(key.clone());
            }
        }
        let queued = session.focus.clone();
        Self {
            session,
            effects: Effects::default(),
            queue: queue.into(),
            queued,
            watchers,
            sent: EntitySet::default(),
            released: EntitySet::default(),
            waits_before: EntityMap::default(),
            above: 0,
        }
    }

    fn run(mut self) -> Effects {
        self.release_where_lives_ended_or_nobody_is();
        self.ask_what_was_hinted();
        while let Some(key) = self.queue.pop_front() {
            if self.queued.remove(&key) {
                self.look(&key);
            }
        }
        self.send_again();
        self.ask_what_is_undecided();
        self.leave_open_what_was_seen_in_part();
        self.report();
        self.tell_of_refusals();
        self.compare_waits();
        self.effects.released = in_order(&self.released).into_iter().collect();
        for key in in_order(&self.session.dirty) {
            if let Some(record) = self.session.records.remove(&key) {
                self.effects.records.push((key, record));
            }
        }
        self.effects
    }

    /// A removal, a rename or an absence changes what a reference to the id means, even where the entity was never sent.
    fn release_where_lives_ended_or_nobody_is(&mut self) {
        let ended: Vec<EntityKey> = self
            .session
            .told
            .iter()
            .zip(&self.session.merged)
            .filter(|(_, is_new)| **is_new)
            .flat_map(|(told, _)| match &told.observation.what {
                What::Removed | What::Absent => vec![told.observation.key()],
                What::Renamed { to, .. } => {
                    vec![told.observation.key(), EntityKey::new(told.observation.kind, to)]
                }
                _ => Vec::new(),
            })
            .collect();
        for key in ended {
            self.release(&key);
        }
    }

    fn ask_what_was_hinted(&mut self) {
        let told = self.session.told.iter().zip(&self.session.of_all);
        for (told, of_all) in told.filter(|(told, _)| told.observation.hint) {
            let about = match &told.observation.what {
                What::Renamed { to, .. } => EntityKey::new(told.observation.kind, to),
                _ => told.observation.key(),
            };
            if !self.is_answered(&about, told.observation.at, *of_all) {
                self.effects.questions.insert(Question { about, why: Why::Hint, at: told.observation.at });
            }
        }
    }

    fn ask_what_is_undecided(&mut self) {
        let told = self.session.told.iter().zip(&self.session.merged).filter(|(_, is_new)| **is_new);
        let touched: BTreeSet<EntityKey> = told.map(|(told, _)| told.observation.key()).collect();
        // Attendance and approvals come from answers; where those contradict each other, the next one decides.
        for about in touched.into_iter().filter(|key| key.kind.is_directory()) {
            if let Some(at) = present(&self.session.records, &about).undecided {
                self.effects.questions.insert(Question { about, why: Why::Undecided, at });
            }
        }
    }

    fn report(&mut self) {
        for (told, is_new) in self.session.told.iter().zip(&self.session.merged) {
            let key = match &told.observation.what {
                What::Renamed { to, .. } => EntityKey::new(told.observation.kind, to),
                _ => told.observation.key(),
            };
            self.effects.seen.push(match self.session.records.get(&key) {
                _ if !is_new => Seen::Duplicate,
                _ if self.sent.contains(&key) => Seen::Applied,
                Some(record) if record.is_parked() => Seen::Parked,
                _ => Seen::Stale,
            });
        }
    }

    /// Looks at one entity: sends it, removes it, or notes what it waits for.
    fn look(&mut self, key: &EntityKey) {
        if key.kind == EntityKind::AttendanceDay {
            // It is only asked about.
            return;
        }
        let mut life = present(&self.session.records, key);
        if key.kind == EntityKind::Onboarding && self.is_settled(key, &life) {
            self.set_waits(key, BTreeSet::new());
            return;
        }
        if self.row_belongs_to_successor(key) {
            return;
        }
        if self.record(key).waits.iter().any(|wait| wait.why == WaitFor::Successor) {
            // Who was to take the row along is gone: from now on it is the row of whoever bears this id.
            self.release(key);
        }
        if life.exists {
            self.look_at_living(key, &mut life);
        } else if self.is_live(key) {
            self.look_at_gone(key, &life);
        } else {
            self.set_waits(key, BTreeSet::new());
        }
    }

    /// The row that was sent under this id is somebody's who goes on under another id: that one goes first and takes it along.
    fn row_belongs_to_successor(&mut self, key: &EntityKey) -> bool {
        let successors = successors(&self.session.records, key);
        let Some(holder) = successors.last().cloned() else { return false };
        let waits = successors.into_iter().map(|on| Wait { on, why: WaitFor::Successor }).collect();
        let is_news = self.record(key).waits != waits;
        self.set_waits(key, waits);
        if is_news {
            self.enqueue(&holder);
        }
        true
    }

    fn look_at_living(&mut self, key: &EntityKey, life: &mut Life) {
        self.leaders_first(life);
        let mut waits = BTreeSet::new();
        let entity = self.compose(key, life, &mut waits);
        if let Some((entity, refers_to)) = entity {
            self.take_over_former_rows(key, life, &entity, &refers_to);
            let sent = self.record(key).sent.as_ref();
            // A record whose member was not there may have been refused.
            let is_regained = |to: &EntityKey| sent.is_some_and(|sent| !sent.refers_to.contains(to));
            let is_placed = !key.kind.is_directory() && refers_to.iter().any(is_regained);
            if is_placed || sent.is_none_or(|sent| sent.entity != entity) {
                self.send(key, life.at, entity, refers_to, None);
            }
        }
        self.ask_whether_still_absent(life, &waits);
        self.set_waits(key, waits);
    }

    /// What was found absent before it was referred to is most likely absent still: that is asked at once, and only an answer
    /// later than the reference will do.
    fn ask_whether_still_absent(&mut self, life: &Life, waits: &BTreeSet<Wait>) {
        for wait in waits.iter().filter(|wait| wait.why == WaitFor::Reference) {
            let record = self.record(&wait.on);
            // Who waits for it all the same has heard of that already.
            let is_answered = self.is_absent(&wait.on, life.places_at);
            if record.absent_at().is_some() && !record.exists() && !is_answered {
                let question = Question { about: wait.on.clone(), why: Why::Missing, at: life.places_at };
                self.effects.questions.insert(question);
            }
        }
    }

    /// Leaders that are to be looked at anyway go first, so that who follows them need not be sent twice.
    fn leaders_first(&mut self, life: &Life) {
        for id in life.fields.list(Field::Leaders) {
            let trail = follow(&self.session.records, &EntityKey::member(id), life.leaders_at);
            let Some(leader) = trail.ids.last().filter(|_| trail.goes_on && self.above < LEADERS_ABOVE_MAX) else {
                continue;
            };
            if self.queued.remove(leader) {
                self.above += 1;
                self.look(leader);
                self.above -= 1;
            }
        }
    }

    /// Sends the entity under its new id for every row that was sent under a former one.
    fn take_over_former_rows(&mut self, key: &EntityKey, life: &Life, entity: &Entity, refers_to: &[EntityKey]) {
        for (former, _) in &life.former {
            let Some(sent_at) = self.record(former).sent.as_ref().map(|sent| sent.at) else { continue };
            let trail = follow(&self.session.records, former, sent_at);
            if former != key && trail.goes_on && trail.ids.last() == Some(key) {
                self.send(key, life.at, entity.clone(), refers_to.to_vec(), Some(former.clone()));
            }
        }
    }

    fn look_at_gone(&mut self, key: &EntityKey, life: &Life) {
        let record = self.record(key);
        if record.children > 0 || record.members > 0 {
            let emptied = Wait { on: key.clone(), why: WaitFor::Emptied };
            self.set_waits(key, BTreeSet::from([emptied]));
            return;
        }
        self.set_waits(key, BTreeSet::new());
        self.send_removal(key, life.at);
    }

    /// The entity as it is to be sent and what it refers to, or `None` while it cannot be sent at all. Adds what it waits for.
    /// The fields are taken out of the life.
    fn compose(
        &self,
        key: &EntityKey,
        life: &mut Life,
        waits: &mut BTreeSet<Wait>,
    ) -> Option<(Entity, Vec<EntityKey>)> {
        let record = self.record(key);
        let mut fields = std::mem::take(&mut life.fields);
        let refers_to = match key.kind {
            EntityKind::Department if key.is_root() => {
                fields.remove(Field::Parent);
                Some(Vec::new())
            }
            EntityKind::Department => self.place(key, life.places_at, &mut fields, waits),
            EntityKind::Member => self.memberships(key, life.places_at, &mut fields, waits),
            EntityKind::Attendance | EntityKind::Approval => return self.compose_record(key, life, fields, waits),
            EntityKind::Onboarding => return self.compose_request(key, fields, waits),
            EntityKind::AttendanceDay | EntityKind::Callback => None,
        };
        self.resolve_leaders(life, &mut fields, waits);
        let shown_id = record.shown.as_ref().map_or(&*key.id, |(_, id)| id).to_owned();
        let incomplete = fields.text(Field::Name).is_none_or(str::is_empty);
        if incomplete {
            if !record.settled_for_id {
                waits.insert(Wait { on: key.clone(), why: WaitFor::Details });
                return None;
            }
            fields.set(Field::Name, shown_id.as_str());
        }
        Some((Entity { shown_id, fields, incomplete }, refers_to?))
    }

    /// The parent of a department: the root in place of an absent one. One that cannot be reached yet leaves a live department
    /// where it is.
    fn place(
        &self,
        key: &EntityKey,
        told_at: UnixMillis,
        fields: &mut Fields,
        waits: &mut BTreeSet<Wait>,
    ) -> Option<Vec<EntityKey>> {
        let present_parent = self.record(key).sent.as_ref().and_then(|sent| sent.refers_to.first());
        let wanted = fields.text(Field::Parent).map(EntityKey::department);
        let Some(mut wanted) = wanted else {
            waits.insert(Wait { on: key.clone(), why: WaitFor::Details });
            let stay = present_parent?;
            fields.set(Field::Parent, &*stay.id);
            return Some(vec![stay.clone()]);
        };
        if self.is_absent(&wanted, told_at) {
            waits.insert(Wait { on: wanted, why: WaitFor::Absent });
            fields.set(Field::Parent, ROOT_DEPARTMENT);
            wanted = EntityKey::department(ROOT_DEPARTMENT);
        }
        if present_parent == Some(&wanted) {
            return Some(vec![wanted]);
        }
        let obstacles = self.obstacles(key, &wanted);
        if obstacles.is_empty() {
            return Some(vec![wanted]);
        }
        waits.extend(obstacles);
        let stay = present_parent?;
        fields.set(Field::Parent, &*stay.id);
        Some(vec![stay.clone()])
    }

    /// Why a department cannot go below `wanted`: it is not live, or it lies below the department itself as last sent.
    fn obstacles(&self, key: &EntityKey, wanted: &EntityKey) -> Vec<Wait> {
        if !self.is_live(wanted) {
            return vec![Wait { on: wanted.clone(), why: WaitFor::Reference }];
        }
        let mut path = Vec::new();
        let mut current = Some(wanted.clone());
        while let Some(step) = current {
            if step == *key {
                return path.into_iter().map(|on| Wait { on, why: WaitFor::Path }).collect();
            }
            if path.contains(&step) {
                break;
            }
            let sent = self.session.records.get(&step).and_then(|record| record.sent.as_ref());
            current = sent.and_then(|sent| sent.refers_to.first().cloned());
            path.push(step);
        }
        Vec::new()
    }

    /// The departments of a member; all of them must be live, but for those that are absent. Where none is left the root takes
    /// their place: a member needs at least one.
    fn memberships(
        &self,
        key: &EntityKey,
        told_at: UnixMillis,
        fields: &mut Fields,
        waits: &mut BTreeSet<Wait>,
    ) -> Option<Vec<EntityKey>> {
        if !fields.has(Field::Departments) {
            waits.insert(Wait { on: key.clone(), why: WaitFor::Details });
            return None;
        }
        let mut refers_to: Vec<EntityKey> = Vec::new();
        let mut any_absent = false;
        for department in fields.list(Field::Departments).iter().map(|id| EntityKey::department(id)) {
            if self.is_absent(&department, told_at) {
                any_absent = true;
                waits.insert(Wait { on: department, why: WaitFor::Absent });
            } else if !refers_to.contains(&department) {
                refers_to.push(department);
            }
        }
        if any_absent && refers_to.is_empty() {
            refers_to.push(EntityKey::department(ROOT_DEPARTMENT));
        }
        let missing: Vec<&EntityKey> = refers_to.iter().filter(|department| !self.is_live(department)).collect();
        if !missing.is_empty() {
            waits.extend(missing.into_iter().map(|on| Wait { on: on.clone(), why: WaitFor::Reference }));
            return None;
        }
        let departments: Vec<String> = refers_to.iter().map(|department| department.id.to_string()).collect();
        if fields.has(Field::Leads) {
            let leads: Vec<String> =
                fields.list(Field::Leads).iter().filter(|id| departments.contains(id)).cloned().collect();
            fields.set(Field::Leads, leads);
        }
        let main = fields.text(Field::MainDepartment).filter(|main| departments.iter().any(|id| id == main));
        match (main, departments.as_slice()) {
            (Some(_), _) => {}
            (None, [only]) => fields.set(Field::MainDepartment, only.as_str()),
            (None, _) => {
                fields.remove(Field::MainDepartment);
            }
        }
        fields.set(Field::Departments, departments);
        Some(refers_to)
    }

    /// Leaders are soft: those who are not live are left out, and the entity is looked at again when they come or go.
    fn resolve_leaders(&self, life: &Life, fields: &mut Fields, waits: &mut BTreeSet<Wait>) {
        if !fields.has(Field::Leaders) {
            return;
        }
        let mut leaders = Vec::new();
        for id in fields.list(Field::Leaders) {
            let trail = follow(&self.session.records, &EntityKey::member(id), life.leaders_at);
            let row = trail.ids.last().filter(|_| trail.goes_on).and_then(|leader| self.own_row(leader));
            leaders.extend(row.map(|row| row.entity.shown_id.clone()));
            waits.extend(trail.ids.into_iter().map(|on| Wait { on, why: WaitFor::Leader }));
        }
        fields.set(Field::Leaders, leaders);
    }

    /// What became of the waiting rows over the whole session.
    fn compare_waits(&mut self) {
        // Whoever's rows were taken needs new ones though it waits for the same.
        let mut waiters: Vec<EntityKey> = self.session.taken.keys().chain(self.waits_before.keys()).cloned().collect();
        waiters.sort_unstable();
        waiters.dedup();
        for waiter in waiters {
            let after = &self.session.records.get(&waiter).unwrap_or(&UNKNOWN).waits;
            let mut before = self.waits_before.remove(&waiter).unwrap_or_else(|| after.clone());
            if let Some(taken) = self.session.taken.get(&waiter) {
                before.retain(|wait| !taken.contains(&wait.on));
            }
            let gone = before.difference(after).map(|wait| (wait, false));
            let come = after.difference(&before).map(|wait| (wait, true));
            let changes = gone.chain(come);
            self.effects.waits.extend(changes.map(|(wait, add)| WaitChange {
                waiter: waiter.clone(),
                wait: wait.clone(),
                add,
            }));
        }
    }

    fn send(
        &mut self,
        key: &EntityKey,
        at: UnixMillis,
        entity: Entity,
        refers_to: Vec<EntityKey>,
        renamed_from: Option<EntityKey>,
    ) {
        let vacated = renamed_from.as_ref().and_then(|former| self.take_sent(former)).map(|sent| sent.refers_to);
        let next = Sent { entity: entity.clone(), at, refers_to: refers_to.clone() };
        let before = self.record_mut(key).sent.replace(next);
        let first = before.is_none();
        let respelled = before.as_ref().is_some_and(|sent| sent.entity.shown_id != entity.shown_id);
        let held = before.map(|sent| sent.refers_to).unwrap_or_default();
        self.count(key.kind, &held, &refers_to);
        // The removal of a member does not wait for what is recorded of it.
        let is_left = |old: &&EntityKey| key.kind.is_directory() && !refers_to.contains(old);
        let mut leaves: Vec<EntityKey> = held.iter().filter(is_left).cloned().collect();
        if let Some(vacated) = vacated {
            self.count(key.kind, &vacated, &[]);
            leaves.extend(vacated.into_iter().filter(|old| !refers_to.contains(old)));
        }
        let moved = key.kind == EntityKind::Department && held != refers_to;
        if first || moved || respelled {
            self.release(key);
        }
        if let Some(former) = &renamed_from {
            self.release(former);
            self.enqueue(former);
        }
        if self.record(key).is_parked() {
            self.effects.unparked.push(key.clone());
        }
        self.sent.insert(key.clone());
        let action = Action::Upsert { entity, renamed_from };
        let at = self.source_time(key, at);
        self.push(key, action, at, refers_to, leaves, first, None);
    }

    fn send_removal(&mut self, key: &EntityKey, at: UnixMillis) {
        let Some(sent) = self.take_sent(key) else { return };
        self.count(key.kind, &sent.refers_to, &[]);
        self.release(key);
        self.sent.insert(key.clone());
        let at = self.source_time(key, at);
        let leaves = if key.kind.is_directory() { sent.refers_to } else { Vec::new() };
        self.push(key, Action::Remove, at, Vec::new(), leaves, false, None);
    }

    /// The platform time of a change; a second later than the last one of this entity where no newer fact made it due.
    fn source_time(&mut self, key: &EntityKey, at: UnixMillis) -> UnixMillis {
        let record = self.record_mut(key);
        record.told_at = if at > record.told_at { at } else { record.told_at.plus_seconds(1) };
        record.told_at
    }

    /// Entities that were asked for again, and were not sent just now, go out as they were last sent; those that are gone, as
    /// gone. Of who lives and was never sent nothing is told: it is not gone. A request goes out as it is now, and one that asks for
    /// nothing any more not at all.
    fn send_again(&mut self) {
        for (key, only_for) in std::mem::take(&mut self.session.resend) {
            if only_for.is_none() && self.sent.contains(&key) {
                continue;
            }
            if key.kind == EntityKind::Onboarding && !self.renew_request(&key) {
                continue;
            }
            let record = self.record(&key);
            let ended = record.ended_at();
            match (record.sent.clone(), ended) {
                (Some(sent), _) => {
                    let action = Action::Upsert { entity: sent.entity, renamed_from: None };
                    self.push(&key, action, sent.at, sent.refers_to, Vec::new(), false, only_for);
                }
                (None, Some(at)) => self.push(&key, Action::Remove, at, Vec::new(), Vec::new(), false, only_for),
                (None, None) => continue,
            }
            // The record is as before, but is kept with the version of its newest change.
            self.session.dirty.insert(key);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one change, each once")]
    fn push(
        &mut self,
        key: &EntityKey,
        action: Action,
        source_time: UnixMillis,
        refers_to: Vec<EntityKey>,
        leaves: Vec<EntityKey>,
        first: bool,
        only_for: Option<DestinationId>,
    ) {
        let received_at = self.record(key).received_at;
        let traced = self.record(key).traceparent.is_some();
        let traceparent = traced.then(|| self.record_mut(key).traceparent.take()).flatten();
        self.effects.changes.push(Change {
            tenant: self.session.tenant.clone(),
            version: 0,
            entity: key.clone(),
            action,
            source_time,
            received_at,
            traceparent,
            refers_to,
            leaves,
            first,
            only_for,
        });
    }

    /// Keeps the counts of what is in a department, as last sent. What is recorded of a member is in none.
    fn count(&mut self, kind: EntityKind, before: &[EntityKey], after: &[EntityKey]) {
        if !kind.is_directory() {
            return;
        }
        for department in after.iter().filter(|department| !before.contains(department)) {
            let record = self.record_mut(department);
            let inside = if kind == EntityKind::Department { &mut record.children } else { &mut record.members };
            *inside = inside.saturating_add(1);
        }
        for department in before.iter().filter(|department| !after.contains(department)) {
            let record = self.record_mut(department);
            let inside = if kind == EntityKind::Department { &mut record.children } else { &mut record.members };
            *inside = inside.saturating_sub(1);
            if record.children == 0 && record.members == 0 {
                self.release(department);
            }
        }
    }

    fn set_waits(&mut self, key: &EntityKey, waits: BTreeSet<Wait>) {
        if self.record(key).waits == waits {
            return;
        }
        for wait in &waits {
            self.watchers.entry(wait.on.clone()).or_default().push(key.clone());
        }
        let before = std::mem::replace(&mut self.record_mut(key).waits, waits);
        self.waits_before.entry(key.clone()).or_insert(before);
    }

    /// Something about this entity changed that others wait for. Nobody waits for an attendance record or an approval.
    fn release(&mut self, key: &EntityKey) {
        if !key.kind.is_directory() {
            return;
        }
        self.released.insert(key.clone());
        for watcher in self.watchers.remove(key).unwrap_or_default() {
            let still_waits = self.record(&watcher).waits.iter().any(|wait| wait.on == *key);
            if still_waits {
                self.enqueue(&watcher);
                self.watchers.entry(key.clone()).or_default().push(watcher);
            }
        }
    }

    fn enqueue(&mut self, key: &EntityKey) {
        if self.session.focus.contains(key) && self.queued.insert(key.clone()) {
            self.queue.push_back(key.clone());
        }
    }

    /// Whether a reference that was told at `told_at` is to something that was found absent since, and of which nobody said
    /// that it is there. What is still live is not absent: whoever is in it leaves it by what is told of them.
    fn is_absent(&self, key: &EntityKey, told_at: UnixMillis) -> bool {
        let record = self.record(key);
        let since = record.absent_at().is_some_and(|at| at.seconds() > told_at.seconds());
        since && !record.is_live() && !record.exists()
    }

    fn is_live(&self, key: &EntityKey) -> bool {
        self.session.records.get(key).is_some_and(Record::is_live)
    }

    /// What was sent under a member's id, unless that is the row of somebody who goes on under another id.
    fn own_row(&self, member: &EntityKey) -> Option<&Sent> {
        self.record(member).sent.as_ref().filter(|_| successors(&self.session.records, member).is_empty())
    }

    fn record(&self, key: &EntityKey) -> &Record {
        self.session.records.get(key).unwrap_or(&UNKNOWN)
    }

    fn record_mut(&mut self, key: &EntityKey) -> &mut Record {
        if !self.session.dirty.contains(key) {
            self.session.dirty.insert(key.clone());
        }
        self.session.records.entry(key.clone()).or_default()
    }

    fn take_sent(&mut self, key: &EntityKey) -> Option<Sent> {
        self.record_mut(key).sent.take()
    }
}

/// The entities of a set in the order of their keys: departments first.
fn in_order(entities: &EntitySet) -> Vec<EntityKey> {
    let mut keys: Vec<EntityKey> = entities.iter().cloned().collect();
    keys.sort_unstable();
    keys
}
