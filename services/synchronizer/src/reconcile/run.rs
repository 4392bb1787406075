//! One run of a tenant: pulled, compared, and what is missing asked about. Whoever holds it works on it step by step; each step is
//! written with where the next one begins.

use std::collections::{BTreeMap, BTreeSet};

use common::{EntityKey, EntityKind, Field, Observation, TenantId, UnixMillis, What};
use database::Connection;
use directory::{
    Question, Record, Why,
    plan::{Brake, PerKind, Verdict},
};
use store::{
    gaps, questions, record_runs,
    snapshots::{self, Hold, Snapshot, Stage},
    waiting,
};

use super::{
    compare::{Difference, compare},
    reborn::Reborn,
    told::Told,
};
use crate::{
    companies::Company,
    contacts::Roster,
    desk::Desk,
    publish::publish,
    pull::{Puller, Step, row::Row},
    questions::absence::APART_MILLIS,
    removals, silence,
};

/// What the lists of single departments did not have is looked for again after so long: one of them may have been asked for only just now.
/// Times of answers are rounded.
const LOOKED_FOR_AGAIN_MILLIS: i64 = APART_MILLIS + 2_000;

/// Works on a tenant's run until it is over, is lost to somebody else, or the platform falls silent. `share` is which share of something
/// larger it is, 1 if it is for itself.
///
/// # Errors
/// When the queue or the database fails. The run goes on where it was.
pub(crate) async fn go_on(desk: &Desk, company: &Company, from: Snapshot, share: f64) -> anyhow::Result<()> {
    let mut puller = Puller::new(desk, company);
    let mut at = from;
    while !desk.stops() {
        note_progress(desk, company, &at, share);
        let step = match at.stage {
            Stage::Idle | Stage::Quarantined => return Ok(()),
            Stage::Comparing => compare_page(desk, company, at).await?,
            Stage::Allowed => ask_about_missing(desk, company, at).await?,
            Stage::DepartmentIds | Stage::MemberIds | Stage::DepartmentDetails | Stage::MemberDetails => {
                puller.step(at).await?
            }
        };
        at = match step {
            Step::Next(next) => next,
            Step::Lost => return Ok(()),
            Step::Silent(error) => {
                return Ok(silence::begin(desk, company, error.after(), &error).await?);
            }
        };
    }
    Ok(())
}

/// Begins a run of that name, which is held.
///
/// # Errors
/// Those of the database.
pub(crate) async fn begin(
    desk: &Desk,
    company: &Company,
    name: String,
    due_at: UnixMillis,
) -> database::Result<Option<Snapshot>> {
    let at = Snapshot::beginning(name, desk.now(), due_at);
    match write(desk, company, at, |conn, tenant| snapshots::clear(conn, tenant, None)).await? {
        Step::Next(at) => Ok(Some(at)),
        Step::Lost | Step::Silent(_) => Ok(None),
    }
}

/// Writes the name of a run that is held, and over; nothing where it was lost meanwhile.
///
/// # Errors
/// Those of the database.
pub(crate) async fn rename(desk: &Desk, company: &Company, at: Snapshot) -> database::Result<()> {
    write(desk, company, at, |_, _| Ok(())).await.map(drop)
}

/// What a page of both sides comes to.
#[derive(Default)]
struct Page {
    told: Vec<Observation>,
    unsure: BTreeSet<Question>,
    lost: u64,
    /// Where the next page begins; `None` after the last one.
    next: Option<EntityKey>,
}

async fn compare_page(desk: &Desk, company: &Company, mut at: Snapshot) -> anyhow::Result<Step> {
    let (tenant, limit) = (company.tenant.clone(), desk.timing.compared);
    let after = at.place.as_deref().and_then(key_of);
    let lists_in_part = company.contacts.lists_in_part();
    let read = move |conn: &mut Connection| side_by_side(conn, &tenant, after.as_ref(), limit, lists_in_part);
    let Page { told, unsure, lost, next } = desk.context.database.read("synchronizer.compare", read).await?;
    at.told = at.told.saturating_add((told.len() + unsure.len()) as u64);
    publish(desk, company, told).await?;
    fail::fail_point!("synchronizer.published_before_record");
    at.differences = at.differences.saturating_add(lost);
    at.place = next.as_ref().map(text_of);
    let now = desk.now();
    if next.is_some() {
        return Ok(write(desk, company, at, move |conn, tenant| questions::ask(conn, tenant, &unsure, now)).await?);
    }
    let (tenant, brake, is_whole) = (company.tenant.clone(), removals::brake(desk), at.is_whole);
    let weigh = move |conn: &mut Connection| -> database::Result<Option<Verdict>> {
        if is_whole { weigh_missing(conn, &tenant, now, brake) } else { Ok(None) }
    };
    match desk.context.database.read("synchronizer.missing", weigh).await? {
        None => return finish(desk, company, at, unsure).await,
        Some(Verdict::Allowed) => at.stage = Stage::Allowed,
        Some(Verdict::Quarantine { why }) => {
            at.stage = Stage::Quarantined;
            removals::tell(desk, company, &at.run, &why);
            count_run(desk, company, "quarantined");
        }
    }
    Ok(write(desk, company, at, move |conn, tenant| questions::ask(conn, tenant, &unsure, now)).await?)
}

/// What the brake says to the removal of all that the source has not got; `None` where nothing is missing.
fn weigh_missing(
    conn: &mut Connection,
    tenant: &TenantId,
    now: UnixMillis,
    brake: Brake,
) -> database::Result<Option<Verdict>> {
    let missing = snapshots::count_missing(conn, tenant)?;
    let missing = PerKind { departments: missing.departments, members: missing.members };
    if missing == PerKind::default() {
        return Ok(None);
    }
    removals::weigh(conn, tenant, missing, now, brake).map(Some)
}

/// What a run that is in quarantine would remove, for people.
///
/// # Errors
/// Those of the database.
pub(crate) async fn held_back(desk: &Desk, company: &Company) -> database::Result<String> {
    let (tenant, now, brake) = (company.tenant.clone(), desk.now(), removals::brake(desk));
    let weigh = move |conn: &mut Connection| weigh_missing(conn, &tenant, now, brake);
    let what = match desk.context.database.read("synchronizer.held-back", weigh).await? {
        Some(Verdict::Quarantine { why }) => removals::in_words(&why),
        Some(Verdict::Allowed) | None => "too much".to_owned(),
    };
    Ok(format!("it would remove {what} from the directory"))
}

/// Whether the mirror has all that the last run told, and has looked at everybody who waited for something of it. Who is missing is
/// no part of it. `tells_again` has the first of what it lacks told once more.
///
/// # Errors
/// Those of the database and of the queue.
pub(crate) async fn is_taken_in(desk: &Desk, company: &Company, tells_again: bool) -> anyhow::Result<bool> {
    let tenant = company.tenant.clone();
    let read = move |conn: &mut Connection| -> database::Result<(Option<Snapshot>, bool)> {
        Ok((snapshots::get(conn, &tenant)?, waiting::has_releases(conn, &tenant)?))
    };
    let (newest, is_releasing) = desk.context.database.read("synchronizer.told", read).await?;
    if is_releasing {
        return Ok(false);
    }
    // It found both sides alike: there is nothing to wait for.
    if newest.is_some_and(|at| at.stage == Stage::Idle && at.told == 0) {
        return Ok(true);
    }
    let mut after: Option<EntityKey> = None;
    loop {
        let (tenant, limit) = (company.tenant.clone(), desk.timing.compared);
        let read = move |conn: &mut Connection| -> database::Result<(Page, bool)> {
            let page = side_by_side(conn, &tenant, after.as_ref(), limit, false)?;
            Ok((page, waiting::has_releases(conn, &tenant)?))
        };
        let (page, is_releasing) = desk.context.database.read("synchronizer.taken-in", read).await?;
        if !page.told.is_empty() || is_releasing {
            if tells_again {
                publish(desk, company, page.told).await?;
            }
            return Ok(false);
        }
        after = page.next;
        if after.is_none() {
            return Ok(true);
        }
    }
}

/// Goes through a page of what the run has learned and of the mirror, as far as both are known. Where the source lists members in part
/// only, those of whom the rest was never told are to be asked for singly.
fn side_by_side(
    conn: &mut Connection,
    tenant: &TenantId,
    after: Option<&EntityKey>,
    limit: i64,
    lists_in_part: bool,
) -> database::Result<Page> {
    let rows = snapshots::page(conn, tenant, after, limit)?;
    let records = snapshots::mirror_after(conn, tenant, after, limit)?;
    let is_full = |count: usize| i64::try_from(count).is_ok_and(|count| count >= limit);
    let ends = [
        rows.last().filter(|_| is_full(rows.len())).map(|(key, _)| key.clone()),
        records.last().filter(|_| is_full(records.len())).map(|(key, _)| key.clone()),
    ];
    let next = ends.into_iter().flatten().min();
    let mut both: BTreeMap<EntityKey, (Option<Row>, Option<Record>)> = BTreeMap::new();
    for (key, texts) in rows {
        both.entry(key).or_default().0 = Row::from_texts(&texts);
    }
    for (key, record) in records {
        both.entry(key).or_default().1 = Some(record);
    }
    let reborn = Reborn::among(conn, tenant, both.values().filter_map(|(_, record)| record.as_ref()))?;
    let mut page = Page { next, ..Page::default() };
    let until = page.next.clone();
    for (key, (row, record)) in both {
        if until.as_ref().is_some_and(|until| key > *until) {
            break;
        }
        if lists_in_part && let Some(at) = told_in_part(&key, row.as_ref(), record.as_ref()) {
            page.unsure.insert(Question { about: key.clone(), why: Why::Hint, at });
        }
        match compare(&key, row.as_ref(), record.as_ref(), &reborn) {
            Some(Difference::Told(told)) => {
                page.lost += u64::from(told.iter().any(is_lost));
                page.told.extend(told);
            }
            Some(Difference::Unsure) => {
                page.unsure.insert(missing(key));
            }
            // Counted by themselves at the end.
            Some(Difference::Missing) | None => {}
        }
    }
    Ok(page)
}

/// When a member was listed of whom nobody ever told who leads it; an answer a moment later has it all, and finds that the mirror took in
/// what was listed.
fn told_in_part(key: &EntityKey, row: Option<&Row>, record: Option<&Record>) -> Option<UnixMillis> {
    let listed = row?.details.as_ref().filter(|_| key.kind == EntityKind::Member)?;
    let is_known = record.is_some_and(|record| Told::of(record).at(Field::Leaders).is_some());
    (!is_known).then_some(listed.at)
}

/// Whether a callback should have told it: that something is there, and where. Names and the like raise none (reference wecom 0).
fn is_lost(told: &Observation) -> bool {
    let placed =
        |what: &What| what.fields().is_some_and(|told| told.has(Field::Departments) || told.has(Field::Parent));
    matches!(told.what, What::Created { .. }) || placed(&told.what)
}

/// What the mirror has live and the source has not is asked about, a page at a time. This run's list was the first one that did not
/// have it; the question's own is the second.
async fn ask_about_missing(desk: &Desk, company: &Company, mut at: Snapshot) -> anyhow::Result<Step> {
    let (tenant, limit) = (company.tenant.clone(), desk.timing.compared);
    let after = at.place.as_deref().and_then(key_of);
    let read = move |conn: &mut Connection| snapshots::missing_after(conn, &tenant, after.as_ref(), limit);
    let mut gone = desk.context.database.read("synchronizer.missing-page", read).await?;
    let Some(last) = gone.last() else { return finish(desk, company, at, BTreeSet::new()).await };
    at.place = Some(text_of(last));
    gone.retain(|key| !key.is_root());
    at.differences = at.differences.saturating_add(gone.len() as u64);
    let (now, asked_at) = (desk.now(), at.asked_at);
    let due_at = match company.contacts.roster() {
        Roster::Whole(_) => now,
        Roster::ByDepartment(_) => now.plus_millis(LOOKED_FOR_AGAIN_MILLIS),
    };
    let ask = move |conn: &mut Connection, tenant: &TenantId| {
        questions::ask(conn, tenant, &gone.iter().cloned().map(missing).collect(), due_at)?;
        questions::note_absent(conn, tenant, &gone, asked_at)
    };
    Ok(write(desk, company, at, ask).await?)
}

/// The run is over.
async fn finish(desk: &Desk, company: &Company, mut at: Snapshot, unsure: BTreeSet<Question>) -> anyhow::Result<Step> {
    (at.stage, at.place) = (Stage::Idle, None);
    let (now, is_whole, differences) = (desk.now(), at.is_whole, at.differences);
    let started_at = at.started_at;
    let close = move |conn: &mut Connection, tenant: &TenantId| {
        questions::ask(conn, tenant, &unsure, now)?;
        if !is_whole {
            return Ok(());
        }
        // Whatever callbacks were missed before this began is mended, since all of it was seen; attendance and approvals are not yet.
        record_runs::want_for_gap(conn, tenant)?;
        gaps::forget(conn, tenant, started_at)
    };
    let step = write(desk, company, at, close).await?;
    if matches!(step, Step::Next(_)) {
        count_run(desk, company, if is_whole { "finished" } else { "incomplete" });
        let meter = desk.counted.directory_differences.with_label_values(&[company.tenant.as_str()]);
        meter.set(i64::try_from(differences).unwrap_or(i64::MAX));
        tracing::info!(tenant.id = %company.tenant, differences, whole = is_whole, "the directory was compared");
    }
    Ok(step)
}

/// Writes how far the run got, and with it what `also` writes.
async fn write(
    desk: &Desk,
    company: &Company,
    at: Snapshot,
    also: impl FnOnce(&mut Connection, &TenantId) -> database::Result<()> + Send + 'static,
) -> database::Result<Step> {
    let (tenant, owner) = (company.tenant.clone(), desk.context.instance.clone());
    let (now, until) = desk.hold();
    let write = move |conn: &mut Connection| -> database::Result<Step> {
        // The tenant before its run, as everywhere.
        store::outbox::lock_tenants(conn, [&tenant])?;
        if !snapshots::advance(conn, &tenant, &at, &Hold { owner: &owner, now, until })? {
            return Ok(Step::Lost);
        }
        also(conn, &tenant)?;
        Ok(Step::Next(at))
    };
    desk.context.database.write("synchronizer.run", write).await
}

fn count_run(desk: &Desk, company: &Company, outcome: &str) {
    desk.counted.sync_runs_total.with_label_values(&[company.tenant.as_str(), "pull", outcome]).inc();
}

fn note_progress(desk: &Desk, company: &Company, at: &Snapshot, share: f64) {
    let ratio = match at.stage {
        Stage::DepartmentIds => 0.0,
        Stage::MemberIds => 0.1,
        Stage::DepartmentDetails => 0.2,
        Stage::MemberDetails => 0.3,
        Stage::Comparing => 0.8,
        Stage::Allowed | Stage::Quarantined => 0.9,
        Stage::Idle => 1.0,
    };
    desk.counted.sync_progress_ratio.with_label_values(&[company.tenant.as_str()]).set(ratio * share);
}

const fn missing(about: EntityKey) -> Question {
    Question { about, why: Why::Missing, at: UnixMillis(0) }
}

/// A key as a run's place is kept.
fn text_of(key: &EntityKey) -> String {
    format!("{}/{}", key.kind.as_str(), key.id)
}

fn key_of(text: &str) -> Option<EntityKey> {
    let (kind, id) = text.split_once('/')?;
    Some(EntityKey { kind: kind.parse::<EntityKind>().ok()?, id: id.into() })
}
