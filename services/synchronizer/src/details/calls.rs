//! Puts the calls that days are asked about in.

use std::{cmp::Reverse, collections::BTreeMap};

use common::{Fields, UnixMillis};
use dingtalk::{
    api::{Answer, ApiError, Client, Worth, records_of_day, records_of_punches, records_of_results},
    china_time,
};

use super::{
    batches::{Batch, of_punches, of_results, of_whole_days},
    day::{Day, Way},
    failure::Halt,
    looks::day_after,
};

/// Days that are asked about together, in which way, and what that is worth.
pub(crate) struct Call {
    pub(crate) worth: Worth,
    pub(crate) way: Way,
    pub(crate) batch: Batch,
}

/// Days by what they are worth and how they are asked about.
pub(crate) type Groups = BTreeMap<(Worth, Way), Vec<Day>>;

/// What a call brought: the records by their ids; `None` where nothing was asked.
pub(crate) type Told = Option<Result<Answer<Vec<(String, Fields)>>, ApiError>>;

/// The calls that answer these days: what is worth most comes first, and punches before what takes many calls.
pub(crate) fn calls_of(groups: Groups) -> Vec<Call> {
    let mut groups: Vec<((Worth, Way), Vec<Day>)> = groups.into_iter().collect();
    groups.sort_by_key(|((worth, way), _)| (Reverse(*worth), *way));
    let calls = groups.into_iter().flat_map(|((worth, way), days)| {
        let batches = match way {
            Way::Punches => of_punches(days),
            Way::Results | Way::Both => of_results(days),
            Way::Whole => of_whole_days(days),
        };
        batches.into_iter().map(move |batch| Call { worth, way, batch })
    });
    calls.collect()
}

/// Puts a call, unless nothing is to be asked any more.
pub(crate) async fn put(client: Client, call: Call, halt: Halt) -> (Call, Told) {
    if halt.is_on() {
        return (call, None);
    }
    let told = ask(&client, call.way, &call.batch).await;
    (call, Some(told))
}

/// Asks for the records of days.
///
/// # Errors
/// See [`ApiError`].
pub(crate) async fn ask(client: &Client, way: Way, batch: &Batch) -> Result<Answer<Vec<(String, Fields)>>, ApiError> {
    let Batch { members, first, last, days } = batch;
    match way {
        Way::Punches => {
            let told = client.attendance_punches(members, first, last).await?;
            Ok(Answer { asked_at: told.asked_at, value: records_of_punches(&told.value) })
        }
        Way::Results => {
            let told = client.attendance_results(members, first, last).await?;
            Ok(Answer { asked_at: told.asked_at, value: records_of_results(&told.value) })
        }
        Way::Both => {
            let results = client.attendance_results(members, first, last).await?;
            // The punches of a night are on the date before or after.
            let before = china_time::day_before(first).unwrap_or_else(|| first.clone());
            let after = day_after(last).unwrap_or_else(|| last.clone());
            let punches = client.attendance_punches(members, &before, &after).await?;
            let mut told = records_of_results(&results.value);
            told.extend(records_of_punches(&punches.value));
            Ok(Answer { asked_at: results.asked_at.min(punches.asked_at), value: told })
        }
        Way::Whole => {
            let Some(day) = days.first() else {
                return Ok(Answer { asked_at: UnixMillis(0), value: Vec::new() });
            };
            let told = client.attendance_day(&day.member, &day.date).await?;
            Ok(Answer { asked_at: told.asked_at, value: records_of_day(&told.value) })
        }
    }
}
