//! Requests that wait, such as for a department that is to come. An approval may be taken back meanwhile, and no poll would tell, since its
//! filter asks for what is approved: so their records are read again with each poll (reference jiandaoyun 0 and 8).

use common::{EntityKey, EntityKind};
use database::Connection;
use jiandaoyun::{
    Form,
    api::{Condition, Filter, Method, Rel},
};
use serde_json::Value;
use store::records::{self, ParkedFilter};

use super::source::Source;
use crate::desk::Desk;

/// So many are read again, those that have waited longest: at a hundred a call this takes seconds, and minutes at one.
const AT_MOST: i64 = 1000;

/// The records of the form whose requests wait.
///
/// # Errors
/// Those of the database.
pub(super) async fn waiting(desk: &Desk, source: &Source) -> database::Result<Vec<String>> {
    let (tenant, form) = (source.tenant.clone(), source.form().clone());
    let all = ParkedFilter { since_at_most: desk.now(), asked: None, given_up: None, limit: AT_MOST };
    let others: Vec<EntityKind> = EntityKind::ALL.into_iter().filter(|kind| *kind != EntityKind::Onboarding).collect();
    let look = move |conn: &mut Connection| records::parked_but(conn, &tenant, all, &others);
    let parked = desk.context.database.read("synchronizer.waiting-hires", look).await?;
    let record = |key: EntityKey| Form::of_entity(&key.id).filter(|(of, _)| *of == form).map(|(_, record)| record);
    Ok(parked.into_iter().filter_map(|(key, _)| record(key)).collect())
}

/// What asks for these records, whatever they are like (reference jiandaoyun 6).
pub(super) fn of_records(ids: &[String]) -> Filter {
    let values = ids.iter().map(|id| Value::from(id.as_str())).collect();
    let condition = Condition { field: "data_id".to_owned(), kind: "dataid".to_owned(), method: Method::In, values };
    Filter { rel: Rel::And, conditions: vec![condition] }
}
