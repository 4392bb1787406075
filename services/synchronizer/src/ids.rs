//! The lists of ids of the contact secret: they alone see everything, so they alone tell who is in which department, what
//! is below what, and that something is not there (reference wecom 0, 3.3, 3.4).

use common::{EntityKey, EntityKind, EntityMap, EntitySet, Field, Fields, UnixMillis};
use wecom::api::{ApiError, Client, Meaning, MemberIdsPage, Rows};

/// No company is larger: a list that goes on is going in circles.
const MOST_PAGES: usize = 1_000;
/// How often a list whose place the platform forgot is begun anew.
const RESTARTS: usize = 2;

/// Where those are that were asked about, by one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places {
    /// The platform's time at which the list was begun.
    pub(crate) asked_at: UnixMillis,
    /// All of it could be read: what was asked about and is not in it is not there.
    pub(crate) is_whole: bool,
    /// Those that were asked about and are there.
    pub(crate) found: EntityMap<Place>,
}

/// That something is there, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its id as the platform spells it.
    pub(crate) id: String,
    /// Of a member its departments, of a department its parent and its place among its siblings.
    pub(crate) fields: Fields,
}

/// What the lists say of one entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed<'a> {
    /// There was no list, or not all of it could be read.
    Unknown,
    /// It is not there.
    NotThere(UnixMillis),
    /// It is there.
    There(UnixMillis, &'a Place),
}

/// What the lists of a round say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lists {
    pub(crate) departments: Option<Places>,
    pub(crate) members: Option<Places>,
}

impl Lists {
    pub(crate) fn of(&self, about: &EntityKey) -> Listed<'_> {
        let list = if about.kind == EntityKind::Member { &self.members } else { &self.departments };
        let Some(places) = list else { return Listed::Unknown };
        match places.found.get(about) {
            Some(place) => Listed::There(places.asked_at, place),
            None if places.is_whole => Listed::NotThere(places.asked_at),
            None => Listed::Unknown,
        }
    }
}

/// Asks for all departments, and keeps those that are asked about.
///
/// # Errors
/// See [`ApiError`].
pub(crate) async fn departments(client: &Client, about: &EntitySet) -> Result<Places, ApiError> {
    let answer = client.department_ids(None).await?;
    let Rows { rows, unreadable } = answer.value;
    let mut found = EntityMap::default();
    for department in rows {
        let key = EntityKey::department(&department.id);
        if about.contains(&key) {
            found.insert(key, Place { id: department.id, fields: place_of(department.fields) });
        }
    }
    Ok(Places { asked_at: answer.asked_at, is_whole: unreadable == 0, found })
}

/// Asks for one department and those below it, and keeps that one. It is never said that it is not there: only the
/// whole list tells that.
///
/// # Errors
/// See [`ApiError`].
pub(crate) async fn department(client: &Client, id: &str) -> Result<Places, ApiError> {
    let answer = client.department_ids(Some(id)).await?;
    let mut found = EntityMap::default();
    if let Some(department) = answer.value.rows.into_iter().find(|department| department.id == id) {
        let place = Place { id: department.id, fields: place_of(department.fields) };
        found.insert(EntityKey::department(id), place);
    }
    Ok(Places { asked_at: answer.asked_at, is_whole: false, found })
}

/// Asks for all members page by page, and keeps those that are asked about. It is as of its first page.
///
/// # Errors
/// See [`ApiError`]. [`ApiError::Incomplete`] when the list does not end.
pub(crate) async fn members(client: &Client, about: &EntitySet) -> Result<Places, ApiError> {
    let mut restarts = 0;
    loop {
        match pages(client, about).await {
            Err(error) if error.meaning() == Some(Meaning::Restart) && restarts < RESTARTS => restarts += 1,
            result => return result,
        }
    }
}

async fn pages(client: &Client, about: &EntitySet) -> Result<Places, ApiError> {
    let first = client.member_ids_page(None).await?;
    let mut seen = Seen { about, is_whole: true, departments: EntityMap::default() };
    let mut next = seen.take(first.value);
    for _ in 1..MOST_PAGES {
        let Some(cursor) = next else { return Ok(seen.into_places(first.asked_at)) };
        let after = seen.take(client.member_ids_page(Some(&cursor)).await?.value);
        // A place that does not move would be asked for ever.
        if after.as_ref() == Some(&cursor) {
            break;
        }
        next = after;
    }
    Err(ApiError::Incomplete { api: "user/list_id" })
}

/// What was seen so far of a list of all members.
struct Seen<'a> {
    about: &'a EntitySet,
    is_whole: bool,
    departments: EntityMap<(String, Vec<String>)>,
}

impl Seen<'_> {
    /// Takes a page; returns where the next one begins.
    fn take(&mut self, page: MemberIdsPage) -> Option<String> {
        self.is_whole &= page.memberships.is_whole();
        for row in page.memberships.rows {
            let key = EntityKey::member(&row.member);
            if self.about.contains(&key) {
                let (_, departments) = self.departments.entry(key).or_insert_with(|| (row.member, Vec::new()));
                if !departments.contains(&row.department) {
                    departments.push(row.department);
                }
            }
        }
        page.next
    }

    /// Of a list with holes nothing is known: not who is missing, nor that these are all departments of somebody.
    fn into_places(self, asked_at: UnixMillis) -> Places {
        let place = |(key, (id, departments)): (EntityKey, (String, Vec<String>))| {
            (key, Place { id, fields: Fields::new().with(Field::Departments, departments) })
        };
        let found = self.departments.into_iter().filter(|_| self.is_whole).map(place).collect();
        Places { asked_at, is_whole: self.is_whole, found }
    }
}

/// Of what is told of a department, what only the contact secret tells rightly.
fn place_of(mut fields: Fields) -> Fields {
    fields.retain(|field, _| matches!(field, Field::Parent | Field::Order));
    fields
}
