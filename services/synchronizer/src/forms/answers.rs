//! What became of records is written back into the form, where the mapping names a field for it, for the person who waits. What is written is
//! a change of the record like any other, and none of what is mapped: it comes to nothing new.

use std::time::Duration;

use common::onboarding::{self, Complaint};
use database::Connection;
use jiandaoyun::{
    api::{ApiError, Kind},
    mapping::StatusField,
};
use serde_json::{Map, Value};
use store::form_records::{self, FormRecord, State};

use super::{
    bind::bind,
    source::Source,
    trouble::{Trouble, is_of_one, millis, rest, told_something},
};
use crate::desk::Desk;

/// Outcomes that are taken up at once.
const AT_ONCE: i64 = 64;
/// After how long an outcome is written again that could not be written, and nobody knows why.
const AGAIN: Duration = Duration::from_secs(60);

/// Writes outcomes back, until all are written or the form takes no more of them.
///
/// # Errors
/// When the database fails: what was written is written once more.
pub(crate) async fn look(desk: &Desk, source: &Source) -> anyhow::Result<()> {
    if source.mapping.status().is_none() {
        return Ok(());
    }
    while !desk.stops() && !rests(desk, source) {
        let untold = untold(desk, source).await?;
        if untold.is_empty() {
            return Ok(());
        }
        // Its fields may have other names than when it was last polled.
        let bound = match Box::pin(bind(desk, source, false)).await {
            Ok((bound, _)) => bound,
            Err(trouble) => {
                rest(desk, source, &trouble);
                return Ok(());
            }
        };
        let Some(status) = bound.mapping.status() else { return Ok(()) };
        for record in untold {
            if desk.stops() || source.rests_until(desk.now()).is_some() || !tell(desk, source, status, record).await? {
                return Ok(());
            }
        }
    }
    Ok(())
}

async fn untold(desk: &Desk, source: &Source) -> database::Result<Vec<FormRecord>> {
    let (tenant, form) = (source.tenant.clone(), source.form().to_string());
    let look = move |conn: &mut Connection| form_records::untold(conn, &tenant, &form, AT_ONCE);
    desk.context.database.read("synchronizer.untold-hires", look).await
}

fn rests(desk: &Desk, source: &Source) -> bool {
    let now = desk.now();
    source.rests_until(now).is_some() || source.memory().answers_from.is_some_and(|from| now < from)
}

/// Writes one outcome back, or leaves it for later. The flag says whether others may be written now.
async fn tell(desk: &Desk, source: &Source, status: &StatusField, record: FormRecord) -> database::Result<bool> {
    let written = source.client.update(source.form(), &record.record, &text(status, &record)).await;
    let outcome = match written {
        Ok(_) => "written",
        Err(error) => match unwritten(&error) {
            Some(outcome) => outcome,
            None => {
                count(desk, source, "postponed");
                return Ok(postpone(desk, source, error));
            }
        },
    };
    went_well(desk, source);
    count(desk, source, outcome);
    if outcome == "unwritable" {
        tracing::warn!(tenant.id = %source.tenant, record = record.record, "what became of a record cannot be written into it");
    }
    let tenant = source.tenant.clone();
    let note = move |conn: &mut Connection| form_records::note_told(conn, &tenant, &record);
    desk.context.database.write("synchronizer.told-hire", note).await?;
    Ok(true)
}

fn went_well(desk: &Desk, source: &Source) {
    told_something(source);
    let now = desk.now();
    let mut memory = source.memory();
    // Another record may still have to wait.
    memory.answers_from = memory.answers_from.filter(|from| now < *from);
}

/// Where one record only is not to be written, the others are, and that one some time later. Where none is, as by a key that may not
/// write, the form is read all the same: nobody waits longer to become a member.
fn postpone(desk: &Desk, source: &Source, error: ApiError) -> bool {
    let is_of_one = is_of_one(&error);
    let trouble = Trouble::Api(error);
    let wait = if is_of_one { AGAIN } else { trouble.passes_after().max(desk.timing.backoff.first) };
    let until = desk.now().plus_millis(millis(wait));
    let is_news = source.memory().answers_from.replace(until).is_none();
    if is_news {
        tracing::warn!(tenant.id = %source.tenant, error = %trouble, "what became of records is written into them later");
    }
    is_of_one
}

fn text(status: &StatusField, record: &FormRecord) -> Map<String, Value> {
    if record.state == State::Created {
        return status.created();
    }
    let complaints: Vec<Complaint> = record.reasons.as_deref().map(onboarding::complaints).unwrap_or_default();
    status.rejected(&Complaint::told(&complaints))
}

/// Why an outcome will never be written, if that is so.
fn unwritten(error: &ApiError) -> Option<&'static str> {
    match error.kind()? {
        Kind::NotFound => Some("gone"),
        Kind::Invalid | Kind::NotWritable | Kind::Refused => Some("unwritable"),
    }
}

fn count(desk: &Desk, source: &Source, outcome: &str) {
    desk.counted.form_answers_total.with_label_values(&[source.tenant.as_str(), outcome]).inc();
}
