//! Through all departments from the root down, for what only the lists of all of them tell: that a member is not there.

use std::collections::HashSet;

use common::{EntityKey, EntityMap, EntitySet, Field, Fields, ROOT_DEPARTMENT, UnixMillis};
use dingtalk::api::{Answer, ApiError, Client};
use futures::future::{join, try_join_all};

use super::{AT_ONCE, Failure, is_real};
use crate::ids::{Place, Places};

/// No company has more: a walk that goes on is going in circles.
const MOST_DEPARTMENTS: usize = 200_000;

/// Goes through all departments, also those that are `known` and not shown, and keeps where those are who are asked about. It is as of its
/// first call.
pub(super) async fn through(client: &Client, about: &EntitySet, known: &[String]) -> Result<Places, Failure> {
    let mut met = Met { about, asked_at: None, found: EntityMap::default() };
    let mut seen: HashSet<String> = HashSet::new();
    let begins_at = [ROOT_DEPARTMENT].into_iter().chain(known.iter().map(String::as_str)).map(str::to_owned);
    let mut level: Vec<String> = begins_at.filter(|id| seen.insert(id.clone())).collect();
    while !level.is_empty() {
        let mut next = Vec::new();
        for some in level.chunks(AT_ONCE) {
            let asked = some.iter().cloned().map(|id| look(client.clone(), id));
            for department in try_join_all(asked).await? {
                met.take(&department);
                next.extend(department.below.into_iter().filter(|id| seen.insert(id.clone())));
            }
        }
        if seen.len() > MOST_DEPARTMENTS {
            return Err(ApiError::Incomplete { api: "topapi/v2/department/listsubid" }.into());
        }
        level = next;
    }
    Ok(Places { asked_at: met.asked_at.unwrap_or_default(), is_whole: true, found: met.found })
}

/// A department as it was met.
struct Listed {
    id: String,
    asked_at: Option<UnixMillis>,
    below: Vec<String>,
    members: Vec<String>,
}

/// Asks about one department. One that went meanwhile has nothing in it, and what is below one that is not shown nobody tells.
async fn look(client: Client, id: String) -> Result<Listed, Failure> {
    let (below, members) = join(client.department_ids_below(&id), client.member_ids(&id)).await;
    let below = if_there(below, Failure::is_hidden)?;
    let members = if_there(members, |_| false)?;
    let asked_at = below.iter().chain(&members).map(|answer| answer.asked_at).min();
    let ids = |answer: Option<Answer<Vec<String>>>| answer.map(|answer| answer.value).unwrap_or_default();
    let mut below = ids(below);
    below.retain(|id| is_real(id));
    let members = ids(members);
    Ok(Listed { id, asked_at, below, members })
}

/// An answer, if what was asked about is there and was not passed by.
fn if_there<T>(
    asked: Result<Answer<T>, ApiError>,
    passes_by: impl Fn(&Failure) -> bool,
) -> Result<Option<Answer<T>>, Failure> {
    match asked.map_err(Failure::from) {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_gone() || passes_by(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Who was met so far.
struct Met<'a> {
    about: &'a EntitySet,
    asked_at: Option<UnixMillis>,
    found: EntityMap<Place>,
}

impl Met<'_> {
    fn take(&mut self, department: &Listed) {
        self.asked_at = self.asked_at.into_iter().chain(department.asked_at).min();
        for id in &department.members {
            let key = EntityKey::member(id);
            if self.about.contains(&key) {
                let place = self.found.entry(key).or_insert_with(|| Place { id: id.clone(), fields: Fields::new() });
                let mut departments = place.fields.list(Field::Departments).to_vec();
                departments.push(department.id.clone());
                place.fields.set(Field::Departments, departments);
            }
        }
    }
}
