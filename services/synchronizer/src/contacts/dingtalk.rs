//! DingTalk: ids are listed of one department at a time. Who is in a department, and the way from a department up to the root, is told
//! whatever the app may see, so that alone tells that something is not there. What is below a department, where a member is, and details
//! are told of what is in the app's contact scope (reference dingtalk 4.4, 4.5).

#[cfg(test)]
mod tests;
mod walk;

use common::{EntityKey, EntityKind, EntityMap, EntitySet, Field, Fields, ROOT_DEPARTMENT, UnixMillis};
use dingtalk::api::{ApiError, Client, Department, Kind, Meaning, Member};
use futures::future::join_all;

use super::{Answer, Failure, Found, Rows, Seen, Told, failure::after};
use crate::{
    ids::{Place, Places},
    questions::{AskedAs, Meant},
};

/// The interface that lists the members of a department in full.
pub(super) const MEMBERS: &str = "topapi/v2/user/list";
/// Departments that are asked about at once. What is on its way waits for its turn at the governor all the same.
const AT_ONCE: usize = 16;
/// No department has more pages of members: a list that goes on is going in circles.
const MOST_PAGES: usize = 1_000;

/// The lists of single departments, and look-ups.
#[derive(Clone)]
pub(crate) struct ByDepartment(Client);

impl ByDepartment {
    pub(super) const fn new(client: Client) -> Self {
        Self(client)
    }

    /// The departments right below one that the app sees, with their names and parents.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(crate) async fn departments_below(&self, id: &str) -> Told<Rows<Seen>> {
        let told = self.0.sub_departments(id).await?;
        let unreadable = told.value.unreadable;
        let real = told.value.rows.into_iter().filter(|department| is_real(&department.id));
        let listed = |department: Department| {
            let mut fields = department.fields;
            fields.retain(|field, _| matches!(field, Field::Name | Field::Parent));
            if !fields.has(Field::Parent) {
                fields.set(Field::Parent, id);
            }
            Seen { id: department.id, fields }
        };
        Ok(Answer { asked_at: told.asked_at, value: Rows { rows: real.map(listed).collect(), unreadable } })
    }

    /// The ids of the members of a department itself: all of them.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(crate) async fn member_ids(&self, department: &str) -> Told<Vec<String>> {
        let told = self.0.member_ids(department).await?;
        Ok(Answer { asked_at: told.asked_at, value: told.value })
    }

    /// Where one department or member is, and what is above it; `id` is its own as the platform spells it.
    ///
    /// # Errors
    /// See [`Failure`]. That it is not found is not yet to be believed.
    pub(crate) async fn place(&self, about: &EntityKey, id: &str) -> Told<Found> {
        match about.kind {
            EntityKind::Member => self.place_of_member(id).await,
            _ => self.place_of_department(id).await,
        }
    }

    async fn place_of_department(&self, id: &str) -> Told<Found> {
        let told = self.0.parents_of_department(id).await?;
        let mut found = above(std::slice::from_ref(&told.value));
        let itself = EntityKey::department(id);
        let is_root = told.value.first().is_some_and(|first| first == ROOT_DEPARTMENT);
        let place = match found.remove(&itself) {
            Some(place) => place,
            None if itself.is_root() && is_root => Place { id: id.to_owned(), fields: Fields::new() },
            // An answer is about what was asked for.
            None => return Err(ApiError::Incomplete { api: "topapi/v2/department/listparentbydept" }.into()),
        };
        Ok(Answer { asked_at: told.asked_at, value: Found { place, above: found.into_iter().collect() } })
    }

    async fn place_of_member(&self, id: &str) -> Told<Found> {
        let told = self.0.parents_of_member(id).await?;
        let mut departments: Vec<String> = Vec::new();
        for department in told.value.iter().filter_map(|path| path.first()).filter(|id| is_real(id)) {
            if !departments.contains(department) {
                departments.push(department.clone());
            }
        }
        // A member is in one department at least.
        if departments.is_empty() {
            return Err(ApiError::Incomplete { api: "topapi/v2/department/listparentbyuser" }.into());
        }
        let place = Place { id: id.to_owned(), fields: Fields::new().with(Field::Departments, departments) };
        let above = above(&told.value).into_iter().collect();
        Ok(Answer { asked_at: told.asked_at, value: Found { place, above } })
    }
}

/// The departments on ways up to the root, but for the root itself, each with its parent.
fn above(paths: &[Vec<String>]) -> EntityMap<Place> {
    let mut found = EntityMap::default();
    for path in paths {
        for (id, parent) in path.iter().zip(path.iter().skip(1)) {
            if is_real(id) && is_real(parent) && id != ROOT_DEPARTMENT {
                let fields = Fields::new().with(Field::Parent, parent.as_str());
                found.insert(EntityKey::department(id), Place { id: id.clone(), fields });
            }
        }
    }
    found
}

/// Departments with negative ids belong to external contacts (reference dingtalk 4.4): they are none of the company.
fn is_real(id: &str) -> bool {
    !id.starts_with('-')
}

pub(super) async fn member(client: &Client, id: &str) -> Told<Seen> {
    let told = client.member(id).await?;
    Ok(Answer { asked_at: told.asked_at, value: told.value.into() })
}

pub(super) async fn department(client: &Client, id: &str) -> Told<Seen> {
    let told = client.department(id).await?;
    Ok(Answer { asked_at: told.asked_at, value: told.value.into() })
}

/// Page by page, as of the first one.
pub(super) async fn members(client: &Client, department: &str) -> Told<Rows<Seen>> {
    let mut all = Answer { asked_at: UnixMillis::default(), value: Rows { rows: Vec::new(), unreadable: 0 } };
    let mut cursor = 0;
    for number in 0..MOST_PAGES {
        let page = client.members_page(department, cursor).await?;
        if number == 0 {
            all.asked_at = page.asked_at;
        }
        all.value.unreadable += page.value.rows.unreadable;
        all.value.rows.extend(page.value.rows.rows.into_iter().map(Seen::from));
        match page.value.next {
            None => return Ok(all),
            Some(next) => cursor = next,
        }
    }
    Err(ApiError::Incomplete { api: MEMBERS }.into())
}

/// Where these departments are, each by its way up to the root: one that has none is not there.
pub(super) async fn department_places(client: &Client, about: &EntitySet) -> Result<Places, Failure> {
    let roster = ByDepartment::new(client.clone());
    // That something is not found bears no time: it was so at this moment or later.
    let asked_at = client.parents_of_department(ROOT_DEPARTMENT).await?.asked_at;
    let is_meant = |about: &&EntityKey| about.kind == EntityKind::Department && about.id.parse::<u64>().is_ok();
    let about: Vec<EntityKey> = about.iter().filter(is_meant).cloned().collect();
    let mut found = EntityMap::default();
    for some in about.chunks(AT_ONCE) {
        let ask = |about: EntityKey| {
            let roster = roster.clone();
            async move {
                let told = roster.place(&about, &about.id).await;
                (about, told)
            }
        };
        for (about, told) in join_all(some.iter().cloned().map(ask)).await {
            match told {
                Ok(answer) => drop(found.insert(about, answer.value.place)),
                Err(error) if error.is_gone() => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(Places { asked_at, is_whole: true, found })
}

/// Where one department is, by its way up to the root.
pub(super) async fn department_place(client: &Client, id: &str) -> Result<Places, Failure> {
    let about = EntityKey::department(id);
    let told = ByDepartment::new(client.clone()).place(&about, id).await?;
    let found = [(about, told.value.place)].into_iter().collect();
    Ok(Places { asked_at: told.asked_at, is_whole: false, found })
}

/// Where these members are, by a walk through all departments.
pub(super) async fn member_places(client: &Client, about: &EntitySet, known: &[String]) -> Result<Places, Failure> {
    walk::through(client, about, known).await
}

/// What a failure means for what was asked. There is one identity only; what was asked for with the lists of ids is told in all of the
/// company.
pub(super) fn meant(error: &ApiError, asked_as: AskedAs) -> Meant {
    let after = after(error.disposition());
    // Without the permission to list ids nothing can be done before a person gives it.
    let is_barred = error.kind() == Some(Kind::Forbidden) && asked_as == AskedAs::Contact;
    match (error, error.kind()) {
        _ if is_barred => Meant::Silent { after },
        (ApiError::Closed { .. } | ApiError::QuotaSpent { .. }, _) => Meant::Silent { after },
        (_, Some(Kind::TooLarge)) => Meant::TooMuch,
        (_, Some(Kind::NotFound | Kind::Invisible | Kind::Forbidden | Kind::Invalid)) => Meant::Unseen,
        _ => match error.meaning() {
            Some(Meaning::Outage | Meaning::Credentials | Meaning::Renew | Meaning::Quota | Meaning::Wait { .. }) => {
                Meant::Silent { after }
            }
            _ => Meant::Later { after },
        },
    }
}

/// A department as the app sees it.
impl From<Department> for Seen {
    fn from(Department { id, fields }: Department) -> Self {
        Self { id, fields }
    }
}

/// A member as the app sees it.
impl From<Member> for Seen {
    fn from(Member { id, mut fields }: Member) -> Self {
        for field in [Field::Departments, Field::Leads] {
            if fields.list(field).iter().any(|id| !is_real(id)) {
                let real: Vec<String> = fields.list(field).iter().filter(|id| is_real(id)).cloned().collect();
                fields.set(field, real);
            }
        }
        Self { id, fields }
    }
}
