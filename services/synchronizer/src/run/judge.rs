//! What is to be done with the items of a slice now: the mirror and the rows are looked at again, since time passed since the plan.

#[cfg(test)]
mod tests;

use common::{Action, Change, DestinationId, EntityKey, EntityKind, EntityMap, TenantId, UnixMillis};
use database::Connection;
use directory::{
    Told,
    plan::{self, Item, Row, Word},
};
use store::{
    links::{self, DecidedBy, Link},
    records::{self, Row as Known},
    runs::PlanItem,
};

use super::image;

/// What becomes of an item.
pub(super) enum Fate {
    /// The two are linked.
    Link(Link),
    /// A change is published, and before it a link set.
    Send {
        /// The change; numbered later.
        change: Box<Change>,
        /// A link that it needs.
        link: Option<Link>,
    },
    /// Nothing is done, and why.
    Skip(&'static str),
}

/// What is known of the items of a slice.
pub(super) struct Judge<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) destination: &'a DestinationId,
    /// The rows as they are.
    pub(super) rows: &'a EntityMap<Row>,
    pub(super) now: UnixMillis,
    /// The product has yet to take changes that the plan was made with.
    is_behind: bool,
    records: EntityMap<Known>,
    /// Ids of rows, by the entities that are linked with them.
    linked: EntityMap<EntityKey>,
    /// The linked entities, by what the rows would be the keys of.
    owners: EntityMap<EntityKey>,
}

impl<'a> Judge<'a> {
    /// Reads what must be known. The tenant is locked.
    pub(super) fn open(
        conn: &mut Connection,
        (tenant, destination): (&'a TenantId, &'a DestinationId),
        items: &[PlanItem],
        rows: &'a EntityMap<Row>,
        now: UnixMillis,
        is_behind: bool,
    ) -> database::Result<Self> {
        let of_rows = || items.iter().filter_map(|item| row_key(&item.planned.item));
        let keys: Vec<EntityKey> = items.iter().filter_map(|item| item.planned.item.key()).chain(of_rows()).collect();
        let mut owners: EntityMap<EntityKey> = EntityMap::default();
        for kind in [EntityKind::Department, EntityKind::Member] {
            let planned = items.iter().map(|item| &item.planned.item).filter(|item| item.kind == kind);
            let ids: Vec<String> = planned.filter_map(|item| Some(item.core_id.as_deref()?.to_owned())).collect();
            for link in links::of_rows(conn, tenant, destination, kind, &ids)? {
                owners.insert(EntityKey::new(kind, &link.core_id), link.entity);
            }
        }
        let known: Vec<EntityKey> = keys.iter().chain(owners.values()).cloned().collect();
        let records = records::load(conn, tenant, &known)?.into_iter().collect();
        let links = links::of_entities(conn, tenant, destination, &keys)?;
        let linked =
            links.into_iter().map(|link| (link.entity.clone(), EntityKey::new(link.entity.kind, &link.core_id)));
        Ok(Self { tenant, destination, rows, now, is_behind, records, linked: linked.collect(), owners })
    }

    /// What becomes of an item of a plan that follows the mirror.
    pub(super) fn fate(&self, kept: &PlanItem) -> Fate {
        let item = &kept.planned.item;
        let Some(row_key) = row_key(item) else { return Fate::Skip("the row is not named") };
        let row = self.rows.get(&row_key);
        let before = kept.planned.before.as_deref().and_then(|text| image::from_text(item.kind, text));
        match (item.action, row, before) {
            (plan::Action::Link, Some(row), Some(before)) => self.link(item, &row_key, row, &before),
            (plan::Action::Create, None, _) => self.upsert(item, true),
            (plan::Action::Create, Some(_), _) => Fate::Skip("there is a row by now"),
            (plan::Action::Update, Some(row), Some(before)) if image::is_same(row, &before) => self.upsert(item, false),
            (plan::Action::Disable, Some(row), Some(before)) if image::is_same(row, &before) => {
                self.disable(item, &row_key, row)
            }
            (_, None, _) => Fate::Skip("the row is there no more"),
            _ => Fate::Skip("the row changed meanwhile"),
        }
    }

    fn link(&self, item: &Item, row_key: &EntityKey, row: &Row, before: &Row) -> Fate {
        let Some(entity) = item.key() else { return Fate::Skip("the entity is not named") };
        if image::disabled_at(row).is_some() != image::disabled_at(before).is_some() {
            return Fate::Skip("the row changed meanwhile");
        }
        if entity != *row_key && image::version(row) > image::version(before) {
            return Fate::Skip("the row was written for somebody else meanwhile");
        }
        if !self.is_live(&entity) {
            return Fate::Skip("the entity is there no more");
        }
        if self.is_to_change(row_key) {
            return Fate::Skip("the product is still to be told what becomes of the row");
        }
        let is_anothers = self.owner(row_key).is_some_and(|owner| *owner != entity && self.keeps_row(owner));
        let has_another = self.linked.get(&entity).is_some_and(|other| other != row_key);
        if is_anothers || has_another {
            return Fate::Skip("one of the two is linked by now");
        }
        let decided_by = decided_by(item.why.word);
        Fate::Link(Link { entity, core_id: row.id().to_owned(), decided_by, since: self.now })
    }

    /// Sends the entity as it is now.
    fn upsert(&self, item: &Item, first: bool) -> Fate {
        let known = item.key().and_then(|key| self.records.get(&key).map(|known| (key, known)));
        let Some((key, known)) = known else { return Fate::Skip("the entity is there no more") };
        let Some(sent) = known.record.sent.clone() else { return Fate::Skip("the entity is there no more") };
        let action = Action::Upsert { entity: sent.entity, renamed_from: None };
        let change = Change {
            source_time: sent.at,
            received_at: known.record.received_at,
            refers_to: sent.refers_to,
            first,
            ..self.change(key, action)
        };
        Fate::Send { change: Box::new(change), link: None }
    }

    fn disable(&self, item: &Item, row_key: &EntityKey, row: &Row) -> Fate {
        if image::disabled_at(row).is_some() {
            return Fate::Skip("it is disabled already");
        }
        let owner = self.owner(row_key);
        if owner.is_some_and(|owner| self.keeps_row(owner)) || self.is_somebodys(row_key) {
            return Fate::Skip("the row is somebody's by now");
        }
        let (key, link) = match owner {
            // Who left and was not removed here, as while nothing was delivered, keeps the link as anybody does who leaves.
            Some(owner) => (owner.clone(), None),
            None => (image::nobodys(item.kind, row.id()), Some(image::nobodys_link(item.kind, row.id(), self.now))),
        };
        Fate::Send { change: Box::new(self.change(key, Action::Remove)), link }
    }

    /// A change that only this destination is told of.
    pub(super) fn change(&self, entity: EntityKey, action: Action) -> Change {
        Change {
            tenant: self.tenant.clone(),
            version: 0,
            entity,
            action,
            source_time: self.now,
            received_at: self.now,
            traceparent: None,
            refers_to: Vec::new(),
            leaves: Vec::new(),
            first: false,
            only_for: Some(self.destination.clone()),
        }
    }

    /// The entity that is linked with a row.
    pub(super) fn owner(&self, row_key: &EntityKey) -> Option<&EntityKey> {
        self.owners.get(row_key).filter(|owner| !image::is_nobodys(owner))
    }

    /// Whether the product is still to be told that who has a row left, or goes on under another id. With a link to somebody else, the
    /// row would neither be disabled by that nor get the new id.
    fn is_to_change(&self, row_key: &EntityKey) -> bool {
        let bearer = self.owner(row_key).unwrap_or(row_key);
        self.is_behind && self.records.get(bearer).is_some_and(|known| known.record.ended_at().is_some())
    }

    /// Whether an entity of the row's own id has it, or waits for being sent, or is to take it along to another id.
    fn is_somebodys(&self, row_key: &EntityKey) -> bool {
        let is_its_row = self.linked.get(row_key).is_none_or(|other| other == row_key);
        let has_it = if self.is_behind { keeps_row } else { is_there };
        is_its_row && self.records.get(row_key).is_some_and(has_it)
    }

    fn keeps_row(&self, owner: &EntityKey) -> bool {
        self.records.get(owner).is_some_and(keeps_row)
    }

    fn is_live(&self, entity: &EntityKey) -> bool {
        self.records.get(entity).is_some_and(|known| known.record.is_live())
    }
}

/// Whether an entity is there, or waits for being sent.
const fn is_there(known: &Known) -> bool {
    known.record.sent.is_some() || known.parked_since.is_some()
}

/// Whether the row that an entity is linked with is not to go: the entity is there, or goes on under another id, which the link
/// follows once that is delivered.
pub(super) fn keeps_row(known: &Known) -> bool {
    let end = known.record.facts.iter().rfind(|fact| fact.ends_life());
    is_there(known) || end.is_some_and(|end| matches!(end.told, Told::RenamedTo(_)))
}

/// What an item's row would be the key of.
pub(super) fn row_key(item: &Item) -> Option<EntityKey> {
    item.core_id.as_deref().map(|id| EntityKey::new(item.kind, id))
}

const fn decided_by(word: Word) -> DecidedBy {
    match word {
        Word::Mobile => DecidedBy::Mobile,
        Word::Email => DecidedBy::Email,
        Word::EmployeeNumber => DecidedBy::EmployeeNumber,
        Word::Name => DecidedBy::Name,
        _ => DecidedBy::Id,
    }
}
