//! Records that were read: looked at, mapped, compared with what is known, told, noted.

use std::collections::BTreeMap;

use common::{EntityKey, EntityKind, UnixMillis, onboarding};
use database::Connection;
use jiandaoyun::{api::Record, mapping::Why};
use store::{
    form_records::{self, FormRecord, Noted},
    records,
};

use super::{
    bind::Bound,
    judge::{Candidate, Mirrored, News, minds_mirror},
    source::Source,
};
use crate::{desk::Desk, publish::publish_on};

/// Which records are taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Changed since then; all where there is no such time.
    pub(crate) since: Option<UnixMillis>,
    /// Entered since then.
    pub(crate) start: UnixMillis,
}

/// What is known of records before they are judged.
struct Known {
    rows: BTreeMap<String, FormRecord>,
    /// What the mirror has, by record, of those for which it matters.
    mirrored: BTreeMap<String, Mirrored>,
}

/// Takes records. On `Ok` all that is new of them is durable.
///
/// # Errors
/// When the queue or the database fails: they are to be read again, which does no harm.
pub(crate) async fn take(
    desk: &Desk,
    source: &Source,
    bound: &Bound,
    records: &[Record],
    limits: Limits,
) -> anyhow::Result<()> {
    let admitted: Vec<Candidate> =
        records.iter().filter_map(|record| admit(desk, source, bound, record, limits)).collect();
    if admitted.is_empty() {
        return Ok(());
    }
    let form = source.form().to_string();
    let (admitted, Known { mut rows, mut mirrored }) = known(desk, source, admitted).await?;
    let mut news = Vec::new();
    for candidate in admitted {
        let mirrored = mirrored.remove(&candidate.id).unwrap_or_default();
        let (row, is_admitted) = (rows.remove(&candidate.id), !candidate.is_withdrawn);
        match candidate.judge(&form, row, &mirrored) {
            Some(new) => news.push(new),
            None if is_admitted => count(desk, source, "known"),
            None => {}
        }
    }
    if news.is_empty() {
        return Ok(());
    }
    let events: Vec<_> = news.iter().map(|new| new.event(desk, source)).collect();
    publish_on(desk, &source.lane, &events).await?;
    fail::fail_point!("synchronizer.hires_published_before_noted");
    for new in &news {
        count(desk, source, new.outcome);
    }
    note(desk, source, news).await?;
    Ok(())
}

/// Counts a record by what it came to.
pub(crate) fn count(desk: &Desk, source: &Source, outcome: &str) {
    desk.counted.form_records_total.with_label_values(&[source.tenant.as_str(), outcome]).inc();
}

fn admit(desk: &Desk, source: &Source, bound: &Bound, record: &Record, limits: Limits) -> Option<Candidate> {
    match bound.mapping.admits(record, limits.since, limits.start) {
        Ok(()) => Some(Candidate::new(source, record, &bound.mapping.map(record))),
        Err(why) => {
            count(desk, source, why.label());
            // It may have been admitted when it was last read.
            let may_be_withdrawn = matches!(why, Why::NotApproved | Why::Condition { .. });
            may_be_withdrawn.then(|| Candidate::withdrawn(source, record))
        }
    }
}

async fn known(desk: &Desk, source: &Source, admitted: Vec<Candidate>) -> database::Result<(Vec<Candidate>, Known)> {
    let (tenant, form) = (source.tenant.clone(), source.form().clone());
    let look = move |conn: &mut Connection| -> database::Result<(Vec<Candidate>, Known)> {
        let ids: Vec<&str> = admitted.iter().map(|candidate| candidate.id.as_str()).collect();
        let rows = form_records::get_many(conn, &tenant, &form.to_string(), &ids)?;
        let minding = rows.iter().filter(|(_, row)| minds_mirror(row));
        let keys: Vec<EntityKey> =
            minding.map(|(id, _)| EntityKey::new(EntityKind::Onboarding, &form.entity_id(id))).collect();
        let mut mirrored = BTreeMap::new();
        for (key, row) in records::load(conn, &tenant, &keys)? {
            if let Some((_, record)) = onboarding::split(&key.id) {
                mirrored.insert(record.to_owned(), Mirrored::of(&row.record));
            }
        }
        Ok((admitted, Known { rows, mirrored }))
    };
    desk.context.database.read("synchronizer.known-hires", look).await
}

/// Notes what was told. Where somebody noted meanwhile what came of a request, that stays.
async fn note(desk: &Desk, source: &Source, news: Vec<News>) -> database::Result<()> {
    let (tenant, form, now) = (source.tenant.clone(), source.form().to_string(), desk.now());
    let write = move |conn: &mut Connection| -> database::Result<()> {
        let ids: Vec<&str> = news.iter().map(|new| new.id.as_str()).collect();
        let rows = form_records::get_many(conn, &tenant, &form, &ids)?;
        let noted: Vec<Noted<'_>> = news.iter().map(|new| noted(new, rows.get(&new.id))).collect();
        form_records::note(conn, &tenant, &form, &noted, now)
    };
    desk.context.database.write("synchronizer.note-hires", write).await
}

fn noted<'a>(new: &'a News, row: Option<&'a FormRecord>) -> Noted<'a> {
    let (record, content_hash) = (new.id.as_str(), new.content.as_str());
    match row.filter(|row| new.before.as_ref() != Some(*row)) {
        Some(row) => Noted { record, content_hash, state: row.state, reasons: row.reasons.as_deref() },
        None => Noted { record, content_hash, state: new.state, reasons: new.reasons.as_deref() },
    }
}
