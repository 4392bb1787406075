//! Records of which somebody said that they changed: read by themselves, ahead of the next poll. A push is believed in nothing but that.

use std::pin::pin;

use common::{EntityKey, EntityKind, UnixMillis, jitter_of};
use database::Connection;
use futures::{StreamExt, stream};
use jiandaoyun::{
    Form,
    api::{Answer, ApiError, Record},
};
use store::{
    outbox,
    questions::{self, ANSWERS_LATER_BY_MILLIS, Claimed},
};

use super::{
    bind::bind,
    poll::known_since,
    source::Source,
    take::{Limits, take},
    trouble::{Trouble, is_of_one, millis, rest, told_something},
};
use crate::desk::Desk;

const KIND: EntityKind = EntityKind::Onboarding;
/// Questions that are claimed at once: at five calls a second they take a few seconds.
const CLAIMED: i64 = 32;
/// Calls that are on their way at once: as many as the client lets through.
const AT_ONCE: usize = 2;

/// What a call brought; `None` where nothing was asked.
type Told = Option<Result<Answer<Option<Record>>, ApiError>>;

/// Works through one claim of questions. The flag says whether there may be more.
///
/// # Errors
/// When the queue or the database fails. What was claimed is asked again when the claim has run out.
pub(crate) async fn round(desk: &Desk, source: &Source) -> anyhow::Result<bool> {
    if source.rests_until(desk.now()).is_some() {
        return Ok(false);
    }
    let claimed = claim(desk, source).await?;
    let count = claimed.len();
    if count == 0 {
        return Ok(false);
    }
    let mut round =
        Round { desk, source, records: Vec::new(), answered: Vec::new(), put_off: Vec::new(), in_vain: Vec::new() };
    Box::pin(round.work(claimed)).await?;
    round.finish().await?;
    let is_more = i64::try_from(count).is_ok_and(|count| count >= CLAIMED);
    Ok(is_more && !desk.stops() && source.rests_until(desk.now()).is_none())
}

async fn claim(desk: &Desk, source: &Source) -> database::Result<Vec<Claimed>> {
    let (tenant, now) = (source.tenant.clone(), desk.now());
    let until = now.plus_millis(millis(desk.timing.claim));
    let claim = move |conn: &mut Connection| questions::claim(conn, &tenant, &[KIND], now, until, CLAIMED);
    desk.context.database.write("synchronizer.claim-hires", claim).await
}

struct Round<'a> {
    desk: &'a Desk,
    source: &'a Source,
    records: Vec<Record>,
    /// The platform's time at which each was asked about.
    answered: Vec<(EntityKey, UnixMillis)>,
    /// To be asked again at these times; it does not count as an attempt.
    put_off: Vec<(EntityKey, UnixMillis)>,
    /// To be asked again at these times; nothing came of it.
    in_vain: Vec<(EntityKey, UnixMillis)>,
}

impl Round<'_> {
    async fn work(&mut self, claimed: Vec<Claimed>) -> anyhow::Result<()> {
        let Self { desk, source, .. } = *self;
        let asked = self.sort(claimed);
        if asked.is_empty() {
            return Ok(());
        }
        // Its fields may have other names than when it was last polled.
        let bound = match Box::pin(bind(desk, source, false)).await {
            Ok((bound, _)) => bound,
            Err(trouble) => {
                let until = rest(desk, source, &trouble);
                self.put_off.extend(asked.into_iter().map(|(question, _)| (question.about, until)));
                return Ok(());
            }
        };
        let calls = asked.into_iter().map(|(question, record)| put(desk, source, question, record));
        let calls: Vec<_> = calls.collect();
        {
            let mut told = pin!(stream::iter(calls).buffer_unordered(AT_ONCE));
            while let Some((question, told)) = told.next().await {
                self.settle(question, told);
            }
        }
        let start = match source.start {
            Some(start) => start,
            None => known_since(desk, source).await?,
        };
        let records = std::mem::take(&mut self.records);
        Box::pin(take(desk, source, &bound, &records, Limits { since: None, start })).await
    }

    /// Those to ask about now, with the record's id: an answer has to be later than the hint. Those about records of another form, as a
    /// former mapping had it, are not asked at all.
    fn sort(&mut self, claimed: Vec<Claimed>) -> Vec<(Claimed, String)> {
        let now = self.desk.now();
        let mut asked = Vec::new();
        for question in claimed {
            let enough = question.about_at.plus_millis(ANSWERS_LATER_BY_MILLIS);
            match Form::of_entity(&question.about.id).filter(|(form, _)| form == self.source.form()) {
                None => self.answered.push((question.about, enough)),
                Some(_) if now < enough => self.put_off.push((question.about, enough)),
                Some((_, record)) => asked.push((question, record)),
            }
        }
        asked
    }

    fn settle(&mut self, question: Claimed, told: Told) {
        let Self { desk, source, .. } = *self;
        let Some(told) = told else {
            let now = desk.now();
            let until = source.rests_until(now).unwrap_or(now);
            self.put_off.push((question.about, until));
            return;
        };
        match told {
            Ok(answer) => {
                told_something(source);
                self.records.extend(answer.value);
                self.answer(question, answer.asked_at);
            }
            Err(error) if is_of_one(&error) => {
                let attempt = question.attempts.saturating_add(1);
                let roll = jitter_of(&[source.tenant.as_str(), &question.about.id], attempt);
                let wait = desk.timing.backoff.wait(attempt, roll);
                self.in_vain.push((question.about, desk.now().plus_millis(millis(wait))));
            }
            Err(error) => {
                let until = rest(desk, source, &Trouble::Api(error));
                self.put_off.push((question.about, until));
            }
        }
    }

    /// What was asked too early by the platform's clock is taken, and asked once more.
    fn answer(&mut self, question: Claimed, asked_at: UnixMillis) {
        let lacks = question.about_at.plus_millis(ANSWERS_LATER_BY_MILLIS).since(asked_at);
        if lacks > 0 {
            self.put_off.push((question.about, self.desk.now().plus_millis(lacks)));
        } else {
            self.answered.push((question.about, asked_at));
        }
    }

    /// Closes what is answered, since all that came of it is durable, and writes when the rest is asked again.
    async fn finish(self) -> database::Result<()> {
        let Self { desk, source, answered, put_off, in_vain, .. } = self;
        let counted = &desk.counted.questions_total;
        let tenant = source.tenant.as_str();
        counted.with_label_values(&[tenant, "answered"]).inc_by(answered.len() as u64);
        counted.with_label_values(&[tenant, "postponed"]).inc_by((put_off.len() + in_vain.len()) as u64);
        let (tenant, now) = (source.tenant.clone(), desk.now());
        let write = move |conn: &mut Connection| -> database::Result<()> {
            outbox::lock_tenants(conn, [&tenant])?;
            questions::answered(conn, &tenant, &answered, now)?;
            questions::postpone(conn, &tenant, &put_off, false)?;
            questions::postpone(conn, &tenant, &in_vain, true)
        };
        desk.context.database.write("synchronizer.close-hires", write).await
    }
}

async fn put(desk: &Desk, source: &Source, question: Claimed, record: String) -> (Claimed, Told) {
    // Another one met a platform that answers nobody.
    if desk.stops() || source.rests_until(desk.now()).is_some() {
        return (question, None);
    }
    let told = source.client.record(source.form(), &record).await;
    (question, Some(told))
}
