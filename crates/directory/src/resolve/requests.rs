//! Onboarding requests. Each is sent once: when it is complete and all departments that it names are live, and never without one of them.
//! What becomes of its record afterwards makes nobody a member a second time, unless it is known that nothing came of it or a person
//! wants it.

use std::collections::BTreeSet;

use common::{Entity, EntityKey, EntityKind, Field, Fields, onboarding};

use super::Resolver;
use crate::{
    effects::RefusedRecord,
    life::{Life, present},
    record::{Sent, Told, Wait, WaitFor},
};

impl Resolver {
    /// Whether a request was sent, and is not to be sent again by itself. One that comes into being later than what was sent begins anew:
    /// whoever tells that knows that nothing came of what was sent.
    pub(super) fn is_settled(&self, key: &EntityKey, life: &Life) -> bool {
        let record = self.record(key);
        let Some(sent) = &record.sent else { return false };
        let begins_anew = record.facts.iter().any(|fact| fact.at > sent.at && matches!(fact.told, Told::Created(_)));
        !(life.exists && begins_anew)
    }

    /// The request as it is to be sent and the departments that it refers to, or `None` while it cannot be sent. Adds what it waits for: also
    /// a department that was found absent, since WeCom would make one up (reference wecom 3.4).
    pub(super) fn compose_request(
        &self,
        key: &EntityKey,
        mut fields: Fields,
        waits: &mut BTreeSet<Wait>,
    ) -> Option<(Entity, Vec<EntityKey>)> {
        onboarding::request(&fields)?;
        let mut refers_to: Vec<EntityKey> = Vec::new();
        for department in fields.list(Field::Departments).iter().map(|id| EntityKey::department(id)) {
            if !refers_to.contains(&department) {
                refers_to.push(department);
            }
        }
        let missing: Vec<&EntityKey> = refers_to.iter().filter(|department| !self.is_live(department)).collect();
        if !missing.is_empty() {
            waits.extend(missing.into_iter().map(|on| Wait { on: on.clone(), why: WaitFor::Reference }));
            return None;
        }
        fields.remove(Field::Refused);
        Some((Entity { shown_id: key.id.to_string(), fields, incomplete: false }, refers_to))
    }

    /// A request that was sent and is asked for again is to go out as its record is now, or once its departments are there; `false` where
    /// there is nothing to be sent for now.
    pub(super) fn renew_request(&mut self, key: &EntityKey) -> bool {
        let Life { at, fields, .. } = present(&self.session.records, key);
        if !self.is_live(key) {
            return false;
        }
        let mut waits = BTreeSet::new();
        let Some((entity, refers_to)) = self.compose_request(key, fields, &mut waits) else {
            if !waits.is_empty() {
                self.take_sent(key);
                self.set_waits(key, waits);
            }
            return false;
        };
        self.record_mut(key).sent = Some(Sent { entity, at, refers_to });
        true
    }

    /// Records of which something new was told, and that cannot be made into a request, or can.
    pub(super) fn tell_of_refusals(&mut self) {
        let told = self.session.told.iter().zip(&self.session.merged);
        let news = told.filter(|(told, is_new)| **is_new && !told.observation.hint).map(|(told, _)| &told.observation);
        let requests: BTreeSet<EntityKey> =
            news.filter(|seen| seen.kind == EntityKind::Onboarding).map(|seen| seen.key()).collect();
        for entity in requests {
            let life = present(&self.session.records, &entity);
            match onboarding::refusal(&life.fields).map(str::to_owned) {
                // Nothing more comes of it anyway.
                Some(_) if self.is_settled(&entity, &life) => {}
                Some(refusal) => self.effects.refused.push(RefusedRecord { entity, refusal }),
                None => self.effects.accepted.push(entity),
            }
        }
    }
}
