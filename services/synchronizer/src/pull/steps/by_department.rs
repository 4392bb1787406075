//! The steps of a pull where the platform lists one department at a time: from the root down, then who is in each.
//!
//! Which departments were asked about is in the rows: they have details, empty ones where the app told none. So whoever goes on after a
//! crash asks about nobody twice, and one that moved while others were asked about is met once. What the app does not see is met where
//! others know of it: departments that the mirror has, and those that members are in, are looked up.

mod hidden;

use std::collections::BTreeMap;

use common::{EntityKey, EntityKind, Fields, ROOT_DEPARTMENT, UnixMillis};
use database::Connection;
use futures::future::{join, join_all};
use store::snapshots::{self, Snapshot, Stage};

use super::{Learned, Puller, Step};
use crate::{
    contacts::{Answer, ByDepartment, Rows, Seen, Told},
    pull::row::{Part, Row, department, listed, within},
    questions::AskedAs,
};

/// Entities that are looked at together for departments that were not asked about.
const LOOKED_AT: i64 = 1000;

/// A department that was asked about.
struct Asked {
    key: EntityKey,
    below: Told<Rows<Seen>>,
    itself: Told<Seen>,
}

impl Puller<'_> {
    /// Asks about the next departments, and what is below them. The place is the last one of the way through those that are known; what is
    /// found behind it is met when that begins anew, and where it finds nothing from the beginning on, all are known that are shown.
    pub(super) async fn departments_below(&self, roster: &ByDepartment, mut at: Snapshot) -> database::Result<Step> {
        if hidden::looks_up(&at) {
            return self.look_up_missing(roster, at).await;
        }
        let next = self.not_asked_about(at.place.as_deref()).await?;
        if next.is_empty() {
            at.place = if at.place.is_none() { Some(hidden::BEGINNING.to_owned()) } else { None };
            return self.write(at, Learned::default()).await;
        }
        let ask = |key: EntityKey| async move {
            let (below, itself) = join(roster.departments_below(&key.id), self.contacts.department(&key.id)).await;
            Asked { key, below, itself }
        };
        let (mut learned, mut silent, mut answers_now) = (Learned::default(), None, false);
        for Asked { key, below, itself } in join_all(next.into_iter().map(ask)).await {
            match below {
                Ok(Answer { asked_at, value: Rows { rows, unreadable } }) => {
                    note_begin(&mut at, asked_at);
                    at.is_whole &= unreadable == 0;
                    learned.places.extend(key.is_root().then(|| root(asked_at)));
                    learned.places.extend(rows.into_iter().map(|told| listed(told, asked_at)));
                }
                // It went while others were asked about.
                Err(error) if error.is_gone() => {}
                // What is below it is looked up, as far as anybody heard of it. An app that does not see the root sees nothing new.
                Err(error) if error.is_hidden() && !key.is_root() => {}
                Err(error) => silent = self.judge(error, AskedAs::Contact, &mut at, &mut answers_now).await,
            }
            let mut details = Row { id: key.id.to_string(), ..Row::default() };
            match itself {
                Ok(told) => details = department(told.value, told.asked_at).1,
                Err(_) if silent.is_some() => {}
                Err(error) => silent = self.judge(error, AskedAs::App, &mut at, &mut answers_now).await,
            }
            // What came before is kept; whoever goes on asks for it again.
            if silent.is_some() {
                break;
            }
            at.place = Some(key.id.to_string());
            learned.details.push((key, details));
        }
        self.written(at, learned, silent).await
    }

    /// Who is in the next departments. A member may be in several; so where one of them cannot be told, nobody's are known.
    pub(super) async fn members_within(&self, roster: &ByDepartment, mut at: Snapshot) -> database::Result<Step> {
        let next = self.departments_after(at.place.as_deref(), self.desk.timing.departments.max(1)).await?;
        if next.is_empty() {
            (at.stage, at.place) = (Stage::DepartmentDetails, None);
            return self.write(at, Learned::default()).await;
        }
        let ask = |key: EntityKey| async move {
            let members = roster.member_ids(&key.id).await;
            (key, members)
        };
        let mut within_all: BTreeMap<EntityKey, (String, Vec<String>, UnixMillis)> = BTreeMap::new();
        let (mut silent, mut answers_now) = (None, false);
        for (key, members) in join_all(next.into_iter().map(ask)).await {
            match members {
                Ok(Answer { asked_at, value }) => {
                    for id in value {
                        let (_, departments, at) =
                            within_all.entry(EntityKey::member(&id)).or_insert_with(|| (id, Vec::new(), asked_at));
                        departments.push(key.id.to_string());
                        *at = asked_at.min(*at);
                    }
                }
                Err(error) if error.is_gone() => {}
                Err(error) => {
                    silent = self.judge(error, AskedAs::Contact, &mut at, &mut answers_now).await;
                    if silent.is_none() {
                        (at.stage, at.place) = (Stage::DepartmentDetails, None);
                        return self
                            .write(at, Learned { clears: Some(EntityKind::Member), ..Learned::default() })
                            .await;
                    }
                    break;
                }
            }
            at.place = Some(key.id.to_string());
        }
        let rows = within_all.into_iter().map(|(key, (id, departments, at))| (key, within(id, departments, at)));
        let learned = Learned { adds: true, ..Learned::places(rows.collect()) };
        self.written(at, learned, silent).await
    }

    /// Writes what was learned; a silence that was met comes after it.
    async fn written(&self, at: Snapshot, learned: Learned, silent: Option<Step>) -> database::Result<Step> {
        Ok(match (self.write(at, learned).await?, silent) {
            (Step::Next(_), Some(silent)) => silent,
            (written, _) => written,
        })
    }

    /// The next departments after a place that were not asked about; the root where nothing is known yet.
    async fn not_asked_about(&self, place: Option<&str>) -> database::Result<Vec<EntityKey>> {
        let (tenant, begins_at) = (self.company.tenant.clone(), place.map(EntityKey::department));
        let most = usize::try_from(self.desk.timing.departments).unwrap_or(1).max(1);
        let look = move |conn: &mut Connection| -> database::Result<Vec<EntityKey>> {
            let (mut found, mut after) = (Vec::new(), begins_at);
            loop {
                let page = snapshots::page(conn, &tenant, after.as_ref(), LOOKED_AT)?;
                if page.is_empty() && after.is_none() {
                    return Ok(vec![EntityKey::department(ROOT_DEPARTMENT)]);
                }
                let is_last = i64::try_from(page.len()).is_ok_and(|rows| rows < LOOKED_AT);
                for (key, texts) in page {
                    if key.kind == EntityKind::Department && texts.details.is_none() {
                        found.push(key.clone());
                    }
                    if found.len() >= most {
                        return Ok(found);
                    }
                    after = Some(key);
                }
                if is_last {
                    return Ok(found);
                }
            }
        };
        self.desk.context.database.read("synchronizer.not-asked-about", look).await
    }
}

/// A run is as of its first list.
fn note_begin(at: &mut Snapshot, asked_at: UnixMillis) {
    if at.asked_at == UnixMillis(0) || asked_at < at.asked_at {
        at.asked_at = asked_at;
    }
}

/// The root is below nothing, so that no list has it.
fn root(asked_at: UnixMillis) -> (EntityKey, Row) {
    let place = Some(Part { at: asked_at, fields: Fields::new() });
    (EntityKey::department(ROOT_DEPARTMENT), Row { id: ROOT_DEPARTMENT.to_owned(), place, details: None })
}
