//! One poll of a form: page by page, each durable before the next one is read. Whoever holds the form's polls goes on with the one that is
//! under way, from the page where it stopped.

use common::UnixMillis;
use database::Connection;
use jiandaoyun::api::{Answer, ApiError, MOST_RECORDS, Page, Query, Record};
use outbound::Urgency;
use store::{
    form_polls::{self, Poll},
    snapshots::Hold,
};

use super::{
    bind::{Bound, bind},
    source::Source,
    take::{Limits, count, take},
    trouble::{Trouble, is_of_one, rest, told_something},
    waiting::{of_records, waiting},
};
use crate::desk::Desk;

/// How often all records are read, whenever they were changed.
const FULL_EVERY_MILLIS: i64 = 86_400_000;

/// Polls, if that is due or was left in the middle, until it is over or gets no answer.
///
/// # Errors
/// When the queue or the database fails. It goes on where it was.
pub(crate) async fn look(desk: &Desk, source: &Source) -> anyhow::Result<()> {
    if source.rests_until(desk.now()).is_some() {
        return Ok(());
    }
    let Some(poll) = claim(desk, source).await? else { return Ok(()) };
    let worked = Box::pin(go_on(desk, source, poll)).await;
    let (tenant, form, owner) = (source.tenant.clone(), source.form().to_string(), desk.context.instance.clone());
    let back = move |conn: &mut Connection| form_polls::give_back(conn, &tenant, &form, &owner);
    desk.context.database.write("synchronizer.give-back-poll", back).await?;
    worked
}

/// Since when the form is known; makes its row where it has none.
///
/// # Errors
/// Those of the database.
pub(crate) async fn known_since(desk: &Desk, source: &Source) -> database::Result<UnixMillis> {
    Ok(row(desk, source).await?.created_at)
}

async fn row(desk: &Desk, source: &Source) -> database::Result<Poll> {
    let (tenant, form) = (source.tenant.clone(), source.form().to_string());
    let look = move |conn: &mut Connection| form_polls::get(conn, &tenant, &form);
    if let Some(poll) = desk.context.database.read("synchronizer.poll", look).await? {
        return Ok(poll);
    }
    let (tenant, form, at) = (source.tenant.clone(), source.form().to_string(), source.applied_at);
    let announce = move |conn: &mut Connection| -> database::Result<Option<Poll>> {
        form_polls::announce(conn, &tenant, &form, at)?;
        form_polls::get(conn, &tenant, &form)
    };
    let announced = desk.context.database.write("synchronizer.announce-form", announce).await?;
    // Only a tenant that is removed at this moment has none; what is asked for then is nobody.
    Ok(announced.unwrap_or(Poll {
        mark: None,
        started_at: UnixMillis(0),
        place: None,
        is_full: false,
        full_at: None,
        due_at: UnixMillis(i64::MAX),
        why: None,
        created_at: desk.now(),
    }))
}

/// The polls of the form, if there is something to do and nobody else does it.
async fn claim(desk: &Desk, source: &Source) -> database::Result<Option<Poll>> {
    let now = desk.now();
    if !is_due(source, &row(desk, source).await?, now) {
        return Ok(None);
    }
    let (tenant, form, owner) = (source.tenant.clone(), source.form().to_string(), desk.context.instance.clone());
    let (now, until) = desk.hold();
    let take = move |conn: &mut Connection| -> database::Result<Option<Poll>> {
        if !form_polls::take(conn, &tenant, &form, &Hold { owner: &owner, now, until })? {
            return Ok(None);
        }
        // As whoever had it before left it.
        form_polls::get(conn, &tenant, &form)
    };
    let taken = desk.context.database.write("synchronizer.take-poll", take).await?;
    if let Some(poll) = taken.as_ref().filter(|poll| !is_due(source, poll, now)) {
        tracing::trace!(tenant.id = %source.tenant, due_at = %poll.due_at, "another process polled meanwhile");
        let (tenant, form, owner) = (source.tenant.clone(), source.form().to_string(), desk.context.instance.clone());
        let back = move |conn: &mut Connection| form_polls::give_back(conn, &tenant, &form, &owner);
        desk.context.database.write("synchronizer.give-back-poll", back).await?;
        return Ok(None);
    }
    Ok(taken)
}

fn is_due(source: &Source, poll: &Poll, now: UnixMillis) -> bool {
    // One that was cut off, and did not stop by itself, goes on at once.
    let is_cut_off = poll.place.is_some() && poll.why.is_none();
    poll.due_at <= now || is_cut_off || is_anew(source, poll)
}

/// Whether the mapping was applied after all records were last read: what was refused may be right by now.
fn is_anew(source: &Source, poll: &Poll) -> bool {
    let was_read = source.memory().was_read_in_full;
    !was_read && poll.full_at.is_none_or(|at| at < source.applied_at)
}

fn is_full_due(source: &Source, poll: &Poll, now: UnixMillis) -> bool {
    is_anew(source, poll) || poll.full_at.is_none_or(|at| now.since(at) >= FULL_EVERY_MILLIS)
}

async fn go_on(desk: &Desk, source: &Source, poll: Poll) -> anyhow::Result<()> {
    let is_new = poll.place.is_none();
    let is_full = if is_new { is_full_due(source, &poll, desk.now()) } else { poll.is_full };
    let (bound, asked_at) = match Box::pin(bind(desk, source, is_new && is_full)).await {
        Ok(bound) => bound,
        Err(trouble) => return Ok(stop(desk, source, &trouble).await?),
    };
    // The form was asked about before its records are.
    if is_new && !begin(desk, source, asked_at, is_full).await? {
        return Ok(());
    }
    let since = poll.mark.filter(|_| !is_full).map(|mark| mark.plus_millis(-source.overlap_millis));
    let limits = Limits { since, start: source.start.unwrap_or(poll.created_at) };
    let reading = Reading { desk, source, bound: &bound, limits, is_full };
    let Some(place) = Box::pin(reading.read(poll.place.unwrap_or_default())).await? else { return Ok(()) };
    if !Box::pin(reading.read_waiting(&place)).await? {
        return Ok(());
    }
    let (tenant, form, owner) = (source.tenant.clone(), source.form().to_string(), desk.context.instance.clone());
    let (now, until) = desk.hold();
    let finish =
        move |conn: &mut Connection| form_polls::finish(conn, &tenant, &form, &Hold { owner: &owner, now, until });
    let is_finished = desk.context.database.write("synchronizer.finish-poll", finish).await?;
    // One that goes on may have read its first pages with the mapping before this one.
    if is_finished && is_full && is_new {
        source.memory().was_read_in_full = true;
    }
    Ok(())
}

/// What a poll reads with.
struct Reading<'a> {
    desk: &'a Desk,
    source: &'a Source,
    bound: &'a Bound,
    limits: Limits,
    is_full: bool,
}

impl Reading<'_> {
    /// Reads on behind a record, empty for the beginning. Returns behind which record the last page began, if the end was reached.
    async fn read(&self, place: String) -> anyhow::Result<Option<String>> {
        let Self { desk, source, bound, .. } = *self;
        let mapping = &bound.mapping;
        let (fields, filter) = (mapping.fields(), mapping.filter(self.limits.since, bound.honoured));
        let urgency = if self.is_full { Urgency::Backfill } else { Urgency::Live };
        let client = source.client.with_urgency(urgency);
        let mut place = place;
        loop {
            if desk.stops() {
                return Ok(None);
            }
            let after = Some(place.as_str()).filter(|place| !place.is_empty());
            let query = Query { fields: &fields, filter: filter.as_ref(), after, limit: mapping.page_size() };
            let page = match client.records_page(source.form(), &query).await {
                Ok(answer) => answer.value,
                Err(error) => {
                    stop(desk, source, &Trouble::Api(error)).await?;
                    return Ok(None);
                }
            };
            told_something(source);
            let Page { records, unreadable, last_id, is_last } = page;
            (0..unreadable).for_each(|_| count(desk, source, "unreadable"));
            Box::pin(take(desk, source, bound, &records, self.limits)).await?;
            match last_id.filter(|_| !is_last) {
                None => return Ok(Some(place)),
                Some(last) => place = last,
            }
            if !advance(desk, source, place.clone()).await? {
                return Ok(None);
            }
            fail::fail_point!("synchronizer.form_page_recorded");
        }
    }

    /// Reads those again whose requests wait, whenever they were changed; the poll stays at its place. The flag says whether all of them
    /// were read.
    async fn read_waiting(&self, place: &str) -> anyhow::Result<bool> {
        let Self { desk, source, bound, limits, .. } = *self;
        let waiting = waiting(desk, source).await?;
        for ids in waiting.chunks(usize::from(MOST_RECORDS)) {
            let records = match Box::pin(self.these(ids)).await {
                Ok(records) => records,
                Err(error) => {
                    stop(desk, source, &Trouble::Api(error)).await?;
                    return Ok(false);
                }
            };
            Box::pin(take(desk, source, bound, &records, Limits { since: None, ..limits })).await?;
            if desk.stops() || !advance(desk, source, place.to_owned()).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// These records, as far as they are there. Where the filter is refused, or ignored so that others are told, each is asked for by itself
    /// (reference jiandaoyun 0).
    async fn these(&self, ids: &[String]) -> Result<Vec<Record>, ApiError> {
        let Self { desk, source, bound, .. } = *self;
        let (fields, client) = (bound.mapping.fields(), source.client.with_urgency(Urgency::Backfill));
        let filter = of_records(ids);
        let query = Query { fields: &fields, filter: Some(&filter), after: None, limit: MOST_RECORDS };
        match client.records_page(source.form(), &query).await {
            Ok(Answer { value, .. }) if value.records.iter().all(|record| ids.contains(&record.id)) => {
                told_something(source);
                return Ok(value.records);
            }
            Err(error) if !is_of_one(&error) => return Err(error),
            Ok(_) | Err(_) => {}
        }
        let mut records = Vec::new();
        for id in ids {
            if desk.stops() {
                break;
            }
            match client.record(source.form(), id).await {
                Ok(answer) => {
                    told_something(source);
                    records.extend(answer.value);
                }
                Err(error) if is_of_one(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(records)
    }
}

async fn begin(desk: &Desk, source: &Source, started_at: UnixMillis, is_full: bool) -> database::Result<bool> {
    let (tenant, form, owner) = (source.tenant.clone(), source.form().to_string(), desk.context.instance.clone());
    let (now, until) = desk.hold();
    let due_at = now.plus_millis(source.every_millis);
    let begin = move |conn: &mut Connection| {
        let hold = Hold { owner: &owner, now, until };
        form_polls::begin(conn, &tenant, &form, (started_at, is_full, due_at), &hold)
    };
    desk.context.database.write("synchronizer.begin-poll", begin).await
}

async fn advance(desk: &Desk, source: &Source, place: String) -> database::Result<bool> {
    let (tenant, form, owner) = (source.tenant.clone(), source.form().to_string(), desk.context.instance.clone());
    let (now, until) = desk.hold();
    let advance = move |conn: &mut Connection| {
        form_polls::advance(conn, &tenant, &form, &place, &Hold { owner: &owner, now, until })
    };
    desk.context.database.write("synchronizer.polled-page", advance).await
}

/// Leaves the form alone for a while, and notes why.
async fn stop(desk: &Desk, source: &Source, trouble: &Trouble) -> database::Result<()> {
    let due_at = rest(desk, source, trouble);
    let why = trouble.to_string();
    let (tenant, form, owner) = (source.tenant.clone(), source.form().to_string(), desk.context.instance.clone());
    let (now, until) = desk.hold();
    let stop = move |conn: &mut Connection| {
        let hold = Hold { owner: &owner, now, until };
        form_polls::stop(conn, &tenant, &form, (why.as_str(), due_at), &hold).map(drop)
    };
    desk.context.database.write("synchronizer.stop-poll", stop).await
}
