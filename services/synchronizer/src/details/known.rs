//! What is told of days, and what the mirror has of them and of what is recorded on them.

use std::collections::BTreeMap;

use common::{EntityKey, EntityKind, Field, Fields, Observation, UnixMillis, What, attendance};
use database::Connection;
use directory::Record;
use store::records;

use super::{
    App,
    day::{Day, Way},
    difference::Difference,
    people::identify,
};
use crate::{companies::Company, desk::Desk};

/// Records with their ids, by the ids of their days.
pub(crate) type ByDay = BTreeMap<String, Vec<(String, Fields)>>;

/// What the mirror has of these.
///
/// # Errors
/// Those of the database.
pub(crate) async fn mirror(
    desk: &Desk,
    company: &Company,
    keys: Vec<EntityKey>,
) -> database::Result<BTreeMap<EntityKey, Record>> {
    let tenant = company.tenant.clone();
    let load = move |conn: &mut Connection| -> database::Result<BTreeMap<EntityKey, Record>> {
        let found = records::load(conn, &tenant, &keys)?;
        Ok(found.into_iter().map(|(key, row)| (key, row.record)).collect())
    };
    desk.context.database.read("synchronizer.mirror", load).await
}

/// The records that were told, by day, under the ids that members have in the directory.
///
/// # Errors
/// Those of the database.
pub(crate) async fn by_day(
    desk: &Desk,
    company: &Company,
    app: &App,
    told: Vec<(String, Fields)>,
) -> database::Result<ByDay> {
    let named = told.iter().filter_map(|(_, fields)| fields.text(Field::Member)).map(str::to_owned);
    let identities = identify(desk, company, app, named.collect()).await?;
    let mut by_day = ByDay::new();
    for (id, mut fields) in told {
        identities.put_into(&mut fields, Field::Member);
        if let Some(day) = attendance::day_of_record(&id).map(str::to_owned) {
            by_day.entry(day).or_default().push((id, fields));
        }
    }
    Ok(by_day)
}

/// The member whose day it is.
pub(crate) fn whose(day: &EntityKey) -> Option<EntityKey> {
    attendance::split_day(&day.id).map(|(member, _)| EntityKey::member(member))
}

/// Days that were not asked about, and of which something new was told all the same: who goes home in the morning may have come the day
/// before. What is not told of them may be there.
pub(crate) fn beside(
    told: ByDay,
    members: &BTreeMap<EntityKey, String>,
    (way, at): (Way, UnixMillis),
    known: &BTreeMap<EntityKey, Record>,
) -> Vec<(Day, Difference)> {
    let mut beside = Vec::new();
    for (id, answered) in told {
        let key = EntityKey::new(EntityKind::AttendanceDay, &id);
        let Some(spelled) = whose(&key).and_then(|member| members.get(&member)) else { continue };
        let record = known.get(&key);
        let Some(day) = Day::of(key, record, Some(spelled.as_str())) else { continue };
        let mut difference = Difference::of(&day, way, answered, at, known);
        difference.gone.clear();
        difference.records.extend(day.records.iter().cloned());
        difference.records.sort_unstable();
        difference.records.dedup();
        if difference.is_any() {
            beside.push((day, difference));
        }
    }
    beside
}

/// Which records a day has, where nobody asked about it, or asked about more.
pub(crate) fn of_records(day: &Day, records: &[String], at: UnixMillis) -> Observation {
    let fields = Fields::new().with(Field::Member, day.member.as_str()).with(Field::Records, records.to_vec());
    let what = What::Updated { fields };
    Observation { kind: EntityKind::AttendanceDay, id: day.key.id.to_string(), at, what, hint: false, answer: false }
}
