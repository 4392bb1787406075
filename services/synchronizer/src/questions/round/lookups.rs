//! What a round does where lists of ids are of one department each: single ones are looked up, and what is above them is told along with
//! them; only members who are not found that way are looked for in all departments.

use std::sync::Arc;

use common::{EntityKey, EntitySet, Observation, UnixMillis, What};
use database::Connection;

use super::Round;
use crate::{
    contacts::Roster,
    ids::Place,
    publish::publish,
    questions::{
        ask::{self, Listing},
        known,
        settle::Details,
    },
};

/// So many times as long as whole lists took that are of one department each, they are not asked for again.
const RESTS: i64 = 4;

impl Round<'_> {
    /// Looks up those of whom only their details told that a list is needed. Returns who is to be looked for in whole lists.
    pub(super) async fn look_up_rest(
        &mut self,
        rest: Vec<(EntityKey, Details)>,
    ) -> anyhow::Result<Vec<(EntityKey, Details)>> {
        let Roster::ByDepartment(roster) = self.company.contacts.roster() else { return Ok(rest) };
        let (mut rest, held): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|(about, _)| self.looked_up.contains(about));
        if held.is_empty() {
            return Ok(rest);
        }
        let about: Vec<EntityKey> = held.iter().map(|(about, _)| about.clone()).collect();
        self.looked_up.extend(about.iter().cloned());
        self.held = held;
        let with = (Arc::clone(&self.spelled), Arc::clone(&self.halt));
        let listing = Box::pin(ask::look_up(roster, about, with, self.desk.timing.in_flight)).await;
        self.tell_above(&listing, &EntitySet::default()).await?;
        rest.extend(self.settle_held(&listing).await?);
        Ok(rest)
    }

    /// Tells of the departments above those that were looked up, if nobody has heard of them: who waits for them need not wait until they
    /// are asked for one after the other. Those that were asked about are answered.
    pub(super) async fn tell_above(&self, listing: &Listing, asked_about: &EntitySet) -> anyhow::Result<()> {
        let above = listing.above.iter().filter(|(about, _)| !asked_about.contains(*about));
        let above: Vec<_> = above.map(|(about, found)| (about.clone(), found.clone())).collect();
        if above.is_empty() {
            return Ok(());
        }
        let (tenant, about) = (self.company.tenant.clone(), above.iter().map(|(about, _)| about.clone()).collect());
        let unknown = move |conn: &mut Connection| known::unheard_of(conn, &tenant, about);
        let unknown = self.desk.context.database.read("synchronizer.above", unknown).await?;
        let told = above.into_iter().filter(|(about, _)| unknown.contains(about));
        let told = told.map(|(about, (at, place))| below(&about, at, place)).collect();
        Ok(publish(self.desk, self.company, told).await?)
    }

    /// Whether something is known to have existed so lately that no list would be believed that does not have it.
    pub(super) fn is_fresh(&self, about: &EntityKey) -> bool {
        self.open.get(about).is_some_and(|question| question.is_fresh(self.desk.now()))
    }

    /// The departments that are there as far as is known, whether the app sees them or not.
    pub(super) async fn known_departments(&self) -> database::Result<Vec<String>> {
        let tenant = self.company.tenant.clone();
        let read = move |conn: &mut Connection| known::departments_known(conn, &tenant);
        self.desk.context.database.read("synchronizer.known-departments", read).await
    }

    /// Lists that take long leave time for what is more urgent. How they spell ids is remembered.
    pub(super) fn rest_from_lists(&self, began: UnixMillis, listing: &Listing) {
        let now = self.desk.now();
        let mut memory = self.company.memory();
        memory.listed_at = Some(now.plus_millis(now.since(began).max(0).saturating_mul(RESTS)));
        for (about, place) in listing.lists.members.iter().flat_map(|members| &members.found) {
            memory.spell(about, &place.id);
        }
    }
}

/// That a department is there, and below which one. It is to be asked for the rest.
fn below(about: &EntityKey, at: UnixMillis, place: Place) -> Observation {
    let what = What::Updated { fields: place.fields };
    Observation { kind: about.kind, id: place.id, at, what, hint: true, answer: false }
}
