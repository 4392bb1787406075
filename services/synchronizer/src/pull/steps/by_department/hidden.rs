//! Departments that the app does not see, and of which somebody else knows.

use std::collections::{BTreeMap, BTreeSet};

use common::{EntityKey, EntityKind, EntitySet, Field};
use database::Connection;
use futures::future::{join, join_all};
use store::snapshots::{self, Snapshot, Stage};

use super::super::{Learned, Puller, Step};
use crate::{
    contacts::{ByDepartment, Found},
    ids::Place,
    pull::row::{Part, Row, within},
    questions::AskedAs,
};

/// A place at which those begin to be looked up that the mirror has and the way did not meet. Before an id, those after it are the next ones.
/// No id begins like this.
pub(super) const BEGINNING: &str = "?";

/// Whether a run looks up what the mirror has and the way did not meet.
pub(super) fn looks_up(at: &Snapshot) -> bool {
    at.place.as_deref().is_some_and(|place| place.starts_with(BEGINNING))
}

impl Puller<'_> {
    /// Looks up the next departments that the mirror has and the way did not meet. What is found is asked about like all others; where
    /// nothing more is, the departments are known.
    pub(super) async fn look_up_missing(&self, roster: &ByDepartment, mut at: Snapshot) -> database::Result<Step> {
        let next = self.missing_after(at.place.as_deref().and_then(|place| place.strip_prefix(BEGINNING))).await?;
        if next.is_empty() {
            at.place = None;
            if self.not_asked_about(None).await?.is_empty() {
                at.stage = Stage::MemberIds;
            }
            return self.write(at, Learned::default()).await;
        }
        let ask = |key: EntityKey| async move {
            let told = roster.place(&key, &key.id).await;
            (key, told)
        };
        let mut found = BTreeMap::new();
        let (mut silent, mut answers_now) = (None, false);
        for (key, told) in join_all(next.into_iter().map(ask)).await {
            match told {
                Ok(answer) => {
                    let Found { place, above } = answer.value;
                    let all = above.into_iter().chain([(key.clone(), place)]);
                    found.extend(all.map(|(key, Place { id, fields })| {
                        (key, Row { id, place: Some(Part { at: answer.asked_at, fields }), details: None })
                    }));
                }
                // It is gone: it stays missing.
                Err(error) if error.is_gone() => {}
                Err(error) => silent = self.judge(error, AskedAs::Contact, &mut at, &mut answers_now).await,
            }
            if silent.is_some() {
                break;
            }
            at.place = Some(format!("{BEGINNING}{}", key.id));
        }
        let new = self.without_rows(found.keys().cloned().collect()).await?;
        found.retain(|key, _| new.contains(key));
        self.written(at, Learned::places(found.into_iter().collect()), silent).await
    }

    /// Of departments in which members were told to be and that nobody knew: where they are, what is above them, and who is in them. The
    /// latter only where all lists of ids came: who is in one of these may be in others, too.
    pub(in super::super) async fn beside(
        &self,
        roster: &ByDepartment,
        members: &[(EntityKey, Row)],
        at: &mut Snapshot,
        answers_now: &mut bool,
    ) -> database::Result<(Vec<(EntityKey, Row)>, Option<Step>)> {
        let told = members.iter().filter_map(|(_, row)| row.details.as_ref());
        let ids: BTreeSet<&String> = told.flat_map(|part| part.fields.list(Field::Departments)).collect();
        let mut unknown = self.without_rows(ids.into_iter().map(|id| EntityKey::department(id)).collect()).await?;
        let mut learned: Vec<(EntityKey, Row)> = Vec::new();
        let mut known = EntitySet::default();
        // The departments above one may be unknown, too.
        while !unknown.is_empty() {
            let ask = |key: EntityKey| async move {
                let (place, members) = join(roster.place(&key, &key.id), roster.member_ids(&key.id)).await;
                (key, place, members)
            };
            let asked = join_all(std::mem::take(&mut unknown).into_iter().map(ask)).await;
            let mut above_all = BTreeSet::new();
            for (key, place, members) in asked {
                let (place, members) = match (place, members) {
                    (Ok(place), Ok(members)) => (place, members),
                    (Err(error), _) | (_, Err(error)) if error.is_gone() => continue,
                    (Err(error), _) | (_, Err(error)) => {
                        if let Some(silent) = self.judge(error, AskedAs::Contact, at, answers_now).await {
                            return Ok((Vec::new(), Some(silent)));
                        }
                        continue;
                    }
                };
                let Found { place: Place { id, fields }, above } = place.value;
                above_all.extend(above.into_iter().map(|(key, _)| key));
                let part = Part { at: place.asked_at, fields };
                let department = key.id.to_string();
                learned.push((key.clone(), Row { id, place: Some(part), details: None }));
                known.insert(key);
                if at.is_whole {
                    let asked_at = members.asked_at;
                    let row = |id: String| (EntityKey::member(&id), within(id, vec![department.clone()], asked_at));
                    learned.extend(members.value.into_iter().map(row));
                }
            }
            above_all.retain(|key| !known.contains(key));
            unknown = self.without_rows(above_all.into_iter().collect()).await?;
        }
        Ok((learned, None))
    }

    /// The departments after one that the mirror has and nothing was learned of.
    async fn missing_after(&self, place: Option<&str>) -> database::Result<Vec<EntityKey>> {
        let tenant = self.company.tenant.clone();
        let after = place.filter(|id| !id.is_empty()).map(EntityKey::department);
        let most = self.desk.timing.departments.max(1);
        let look = move |conn: &mut Connection| snapshots::missing_after(conn, &tenant, after.as_ref(), most);
        let missing = self.desk.context.database.read("synchronizer.missing-departments", look).await?;
        Ok(missing.into_iter().take_while(|key| key.kind == EntityKind::Department).collect())
    }

    /// Those of these of which nothing was learned yet.
    async fn without_rows(&self, keys: Vec<EntityKey>) -> database::Result<EntitySet> {
        if keys.is_empty() {
            return Ok(EntitySet::default());
        }
        let tenant = self.company.tenant.clone();
        let look = move |conn: &mut Connection| -> database::Result<EntitySet> {
            let known: EntitySet = snapshots::places(conn, &tenant, &keys)?.into_iter().map(|(key, _)| key).collect();
            Ok(keys.into_iter().filter(|key| !known.contains(key)).collect())
        };
        self.desk.context.database.read("synchronizer.without-rows", look).await
    }
}
