//! What came of asking where things are, by whole lists or one by one.

use std::{cmp::Reverse, sync::Arc, time::Duration};

use common::{EntityKey, EntityKind, EntityMap, EntitySet, UnixMillis};
use futures::{StreamExt, stream};

use super::Halt;
use crate::{
    companies::Company,
    contacts::{ByDepartment, Failure, Found, Told},
    ids::{Lists, Place, Places},
    questions::{AskedAs, Meant, coalesce::DepartmentIds, known::Spelled},
};

/// What came of asking where things are.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) lists: Lists,
    /// A list got no answer: what needs it is to be asked again, not before this.
    pub(crate) failed: Option<Duration>,
    /// Of those that were looked up, who got no answer: to be asked again, not before this.
    pub(crate) later: EntityMap<Duration>,
    /// Of those that were looked up, who is there and not shown.
    pub(crate) hidden: EntitySet,
    /// Departments above those that were looked up, and where those are, as of then.
    pub(crate) above: EntityMap<(UnixMillis, Place)>,
}

/// Asks for whole lists of ids, and keeps what they say of these; `known` are departments that are known to be there.
pub(crate) async fn lists(
    company: &Company,
    (department_ids, member_ids): (&DepartmentIds, bool),
    (about, known): (&EntitySet, &[String]),
    halt: &Halt,
) -> Listing {
    let mut listing = Listing::default();
    let contacts = &company.contacts;
    if !halt.is_on() {
        let places = match department_ids {
            DepartmentIds::None => None,
            DepartmentIds::Below(id) => Some(contacts.department_place(&id.id).await),
            DepartmentIds::All => Some(contacts.department_places(about).await),
        };
        listing.lists.departments = places.and_then(|places| listing.kept(places, halt));
    }
    if member_ids && !halt.is_on() {
        let places = contacts.member_places(about, known).await;
        listing.lists.members = listing.kept(places, halt);
    }
    listing
}

/// Looks up where each of these is. What is not found may be there all the same.
pub(crate) async fn look_up(
    roster: ByDepartment,
    about: Vec<EntityKey>,
    (spelled, halt): (Arc<Spelled>, Arc<Halt>),
    in_flight: usize,
) -> Listing {
    let mut listing = Listing::default();
    let (members, mut departments): (Vec<EntityKey>, Vec<EntityKey>) =
        about.into_iter().partition(|about| about.kind == EntityKind::Member);
    // The newest first: a department came after those above it, so one answer often has several of them.
    departments.sort_by_key(|about| Reverse(about.id.parse::<u64>().unwrap_or_default()));
    for about in departments {
        if let Some(found) = listing.above.remove(&about) {
            listing.lists.singly.insert(about, found);
        } else if !halt.is_on() {
            let found = roster.place(&about, &about.id).await;
            listing.take(about, found, &halt);
        }
    }
    let ask = {
        let halt = Arc::clone(&halt);
        move |about: EntityKey| {
            let (roster, spelled, halt) = (roster.clone(), Arc::clone(&spelled), Arc::clone(&halt));
            async move {
                if halt.is_on() {
                    return None;
                }
                let found = roster.place(&about, spelled.of(&about)).await;
                Some((about, found))
            }
        }
    };
    let asked = stream::iter(members).map(ask).buffer_unordered(in_flight.max(1));
    let mut asked = std::pin::pin!(asked);
    while let Some(one) = asked.next().await {
        if let Some((about, found)) = one {
            listing.take(about, found, &halt);
        }
    }
    listing
}

impl Listing {
    /// Keeps a whole list, if there was an answer.
    fn kept(&mut self, places: Result<Places, Failure>, halt: &Halt) -> Option<Places> {
        let error = match places {
            Ok(places) => {
                halt.answered();
                return Some(places);
            }
            Err(error) => error,
        };
        match halt.judge(&error, AskedAs::Contact) {
            Meant::Later { after } => self.failed = Some(self.failed.unwrap_or_default().max(after)),
            Meant::TooMuch => self.failed = Some(self.failed.unwrap_or_default()),
            // The one that was asked for is not there, or the round ends.
            Meant::Unseen | Meant::Silent { .. } => {}
        }
        None
    }

    /// Keeps the answer about one that was looked up.
    fn take(&mut self, about: EntityKey, found: Told<Found>, halt: &Halt) {
        let error = match found {
            Ok(answer) => {
                halt.answered();
                let Found { place, above } = answer.value;
                self.above.extend(above.into_iter().map(|(key, place)| (key, (answer.asked_at, place))));
                self.lists.singly.insert(about, (answer.asked_at, place));
                return;
            }
            Err(error) => error,
        };
        match halt.judge(&error, AskedAs::Contact) {
            Meant::Later { after } => {
                self.later.insert(about, after);
            }
            Meant::TooMuch => {
                self.later.insert(about, Duration::ZERO);
            }
            Meant::Unseen if error.is_hidden() => {
                self.hidden.insert(about);
            }
            // It is not there, or the round ends.
            Meant::Unseen | Meant::Silent { .. } => {}
        }
    }
}
