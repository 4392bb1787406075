//! WeCom: the contact-sync secret lists all ids at once, and they alone tell who is in which department, what is below what, and that
//! something is not there; the secret of an app reads details of what it sees (reference wecom 0, 3.3, 3.4).

use common::{EntityKey, EntityMap, EntitySet, Field, Fields, UnixMillis};
use wecom::api::{ApiError, Client, Department, Kind, Meaning, Member};

use super::{Answer, Failure, Rows, Seen, Told, failure::after};
use crate::{
    ids::{Place, Places},
    questions::{AskedAs, Meant},
};

/// The interface that lists the members of a department in full.
pub(super) const MEMBERS: &str = "user/list";
/// No company is larger: a list that goes on is going in circles.
const MOST_PAGES: usize = 1_000;
/// How often a list whose place the platform forgot is begun anew.
const RESTARTS: usize = 2;

/// The lists of ids of the contact secret.
#[derive(Clone)]
pub(crate) struct Whole(Client);

/// That a member is in a department.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Membership {
    /// The member's id as the platform spells it.
    pub(crate) member: String,
    /// The department's id.
    pub(crate) department: String,
}

/// Some of all memberships.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MembershipsPage {
    /// One row for each member and department.
    pub(crate) memberships: Rows<Membership>,
    /// Where the next page begins; `None` on the last one.
    pub(crate) next: Option<String>,
}

impl Whole {
    pub(super) const fn new(client: Client) -> Self {
        Self(client)
    }

    /// All departments, with what only the contact secret tells rightly of them: parents and places.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(crate) async fn departments(&self) -> Told<Rows<Seen>> {
        let told = self.0.department_ids(None).await?;
        let listed = |department: Department| Seen { id: department.id, fields: place_of(department.fields) };
        Ok(answer(told, |rows| listed_rows(rows, listed)))
    }

    /// One page of all members; the first one without a place.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(crate) async fn memberships(&self, place: Option<&str>) -> Told<MembershipsPage> {
        let told = self.0.member_ids_page(place).await?;
        let listed = |row: wecom::api::Membership| Membership { member: row.member, department: row.department };
        Ok(answer(told, |page| MembershipsPage { memberships: listed_rows(page.memberships, listed), next: page.next }))
    }
}

pub(super) async fn member(client: &Client, id: &str) -> Told<Seen> {
    Ok(answer(client.member(id).await?, Seen::from))
}

pub(super) async fn department(client: &Client, id: &str) -> Told<Seen> {
    Ok(answer(client.department(id).await?, Seen::from))
}

pub(super) async fn members(client: &Client, department: &str) -> Told<Rows<Seen>> {
    Ok(answer(client.members(department).await?, |rows| listed_rows(rows, Seen::from)))
}

pub(super) async fn departments(client: &Client) -> Told<Rows<Seen>> {
    Ok(answer(client.departments(None).await?, |rows| listed_rows(rows, Seen::from)))
}

/// Asks for all departments, and keeps those that are asked about.
pub(super) async fn department_places(client: &Client, about: &EntitySet) -> Result<Places, Failure> {
    let answer = client.department_ids(None).await?;
    let mut found = EntityMap::default();
    for department in answer.value.rows {
        let key = EntityKey::department(&department.id);
        if about.contains(&key) {
            found.insert(key, Place { id: department.id, fields: place_of(department.fields) });
        }
    }
    Ok(Places { asked_at: answer.asked_at, is_whole: answer.value.unreadable == 0, found })
}

/// Asks for one department and those below it, and keeps that one. It is never said that it is not there: only the
/// whole list tells that.
pub(super) async fn department_place(client: &Client, id: &str) -> Result<Places, Failure> {
    let answer = client.department_ids(Some(id)).await?;
    let mut found = EntityMap::default();
    if let Some(department) = answer.value.rows.into_iter().find(|department| department.id == id) {
        let place = Place { id: department.id, fields: place_of(department.fields) };
        found.insert(EntityKey::department(id), place);
    }
    Ok(Places { asked_at: answer.asked_at, is_whole: false, found })
}

/// Asks for all members page by page, and keeps those that are asked about. It is as of its first page.
pub(super) async fn member_places(client: &Client, about: &EntitySet) -> Result<Places, Failure> {
    let mut restarts = 0;
    loop {
        match pages(client, about).await {
            Err(error) if error.is_forgotten_place() && restarts < RESTARTS => restarts += 1,
            result => return result,
        }
    }
}

async fn pages(client: &Client, about: &EntitySet) -> Result<Places, Failure> {
    let first = client.member_ids_page(None).await?;
    let mut met = Met { about, is_whole: true, departments: EntityMap::default() };
    let mut next = met.take(first.value);
    for _ in 1..MOST_PAGES {
        let Some(cursor) = next else { return Ok(met.into_places(first.asked_at)) };
        let after = met.take(client.member_ids_page(Some(&cursor)).await?.value);
        // A place that does not move would be asked for ever.
        if after.as_ref() == Some(&cursor) {
            break;
        }
        next = after;
    }
    Err(ApiError::Incomplete { api: "user/list_id" }.into())
}

/// Who was met so far in a list of all members.
struct Met<'a> {
    about: &'a EntitySet,
    is_whole: bool,
    departments: EntityMap<(String, Vec<String>)>,
}

impl Met<'_> {
    /// Takes a page; returns where the next one begins.
    fn take(&mut self, page: wecom::api::MemberIdsPage) -> Option<String> {
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

/// What a failure means for what was asked.
pub(super) fn meant(error: &ApiError, asked_as: AskedAs) -> Meant {
    let after = after(error.disposition());
    // The contact secret sees everything: when it may not ask, a person has to do something.
    let is_barred = error.kind() == Some(Kind::Forbidden) && asked_as == AskedAs::Contact;
    match (error, error.kind()) {
        _ if is_barred => Meant::Silent { after },
        (ApiError::Closed { .. }, _) => Meant::Silent { after },
        (_, Some(Kind::TooLarge)) => Meant::TooMuch,
        (ApiError::Unreadable { .. }, _)
        | (_, Some(Kind::NotFound | Kind::Invisible | Kind::Forbidden | Kind::Invalid)) => Meant::Unseen,
        _ => match error.meaning() {
            Some(Meaning::Outage | Meaning::Renew | Meaning::Wait { .. }) => Meant::Silent { after },
            _ => Meant::Later { after },
        },
    }
}

/// A department as an app sees it.
impl From<Department> for Seen {
    fn from(Department { id, fields }: Department) -> Self {
        Self { id, fields }
    }
}

/// A member as an app sees it.
impl From<Member> for Seen {
    fn from(Member { id, fields }: Member) -> Self {
        Self { id, fields }
    }
}

fn answer<T, U>(told: wecom::api::Answer<T>, change: impl FnOnce(T) -> U) -> Answer<U> {
    Answer { asked_at: told.asked_at, value: change(told.value) }
}

fn listed_rows<T, U>(told: wecom::api::Rows<T>, change: impl Fn(T) -> U) -> Rows<U> {
    Rows { rows: told.rows.into_iter().map(change).collect(), unreadable: told.unreadable }
}

/// Of what is told of a department, what only the contact secret tells rightly.
fn place_of(mut fields: Fields) -> Fields {
    fields.retain(|field, _| matches!(field, Field::Parent | Field::Order));
    fields
}
