//! One round about approvals: each is asked about by itself. One that was agreed to changes the days to which it applies.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use common::{EntityKey, EntityKind, Field, Observation, UnixMillis, What, jitter_of};
use database::Connection;
use dingtalk::api::{Answer, ApiError, Approval, Client, Kind, Worth};
use futures::{StreamExt, stream};
use store::{
    approvals::{self, Day},
    questions, records,
};

use super::{
    App,
    approval::{Question, amended, answered, days_of, hinted, relatives, times},
    failure::{BARRED_FOR, Halt, Meant, longer},
    known::mirror,
    looks,
    people::identify,
    silence,
    tell::tell,
};
use crate::{
    companies::Company,
    desk::Desk,
    questions::{
        absence::{Verdict, verdict},
        early::ROUNDING_MILLIS,
    },
    timing::millis,
};

const KIND: EntityKind = EntityKind::Approval;
/// Questions that are claimed at once: at five calls a second they take a while.
const CLAIMED: i64 = 256;
/// Calls that are on their way at once.
const AT_ONCE: usize = 8;

/// What a call brought; `None` where nothing was asked.
type Told = Option<Result<Answer<Approval>, ApiError>>;

/// Works through one claim of a tenant's approvals. The flag says whether there may be more.
///
/// # Errors
/// When the queue or the database fails. What was claimed is asked again when the claim has run out.
pub(crate) async fn round(desk: &Desk, company: &Company, app: &App) -> anyhow::Result<bool> {
    if !app.wanted.approvals || silence::until(app, KIND, desk.now()).is_some() {
        return Ok(false);
    }
    let (mut round, claimed) = Round::claim(desk, company, app).await?;
    let count = claimed.len();
    if count == 0 {
        return Ok(false);
    }
    round.ask(claimed).await?;
    round.finish().await?;
    Ok(i64::try_from(count).is_ok_and(|count| count >= CLAIMED) && !desk.stops())
}

struct Round<'a> {
    desk: &'a Desk,
    company: &'a Company,
    app: &'a App,
    halt: Halt,
    /// To be asked again at these times; it does not count as an attempt.
    put_off: Vec<(EntityKey, UnixMillis)>,
    /// To be asked again at these times; nothing came of it.
    in_vain: Vec<(EntityKey, UnixMillis)>,
    /// To be looked at at these times, and asked about no more until then: something may be told of them meanwhile.
    too_dear: Vec<(EntityKey, UnixMillis)>,
    /// What the platform did not have for the first time.
    missed: Vec<(EntityKey, UnixMillis)>,
    answered: u64,
    absent: u64,
    /// Of which the answer could not be read.
    unreadable: u64,
}

impl<'a> Round<'a> {
    async fn claim(desk: &'a Desk, company: &'a Company, app: &'a App) -> database::Result<(Self, Vec<Question>)> {
        let (tenant, now) = (company.tenant.clone(), desk.now());
        let until = now.plus_millis(millis(desk.timing.claim));
        let claim = move |conn: &mut Connection| -> database::Result<Vec<Question>> {
            let claimed = questions::claim(conn, &tenant, &[KIND], now, until, CLAIMED)?;
            let about: Vec<EntityKey> = claimed.iter().map(|claimed| claimed.about.clone()).collect();
            let known: BTreeMap<EntityKey, records::Row> = records::load(conn, &tenant, &about)?.into_iter().collect();
            let question = |claimed: questions::Claimed| {
                let record = known.get(&claimed.about).map(|row| &row.record);
                Question::new(claimed, record)
            };
            let questions: Vec<Question> = claimed.into_iter().map(question).collect();
            let templates = questions.iter().filter_map(|question| question.known.text(Field::Template));
            let templates: BTreeSet<&str> = templates.collect();
            let templates: Vec<&str> = templates.into_iter().collect();
            approvals::note_templates(conn, &tenant, &templates, now)?;
            Ok(questions)
        };
        let claimed = desk.context.database.write("synchronizer.claim-approvals", claim).await?;
        let halt = Halt::new(desk.context.stop.clone());
        let (put_off, in_vain, too_dear, missed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (answered, absent, unreadable) = (0, 0, 0);
        let round = Self { desk, company, app, halt, put_off, in_vain, too_dear, missed, answered, absent, unreadable };
        Ok((round, claimed))
    }

    async fn ask(&mut self, questions: Vec<Question>) -> anyhow::Result<()> {
        let now = self.desk.now();
        let mut calls = Vec::new();
        for question in questions {
            match question.wait(now) {
                Some(wait) => self.put_off.push((question.key, now.plus_millis(wait))),
                None => calls.push(put(self.app.client(worth(&question)), question, self.halt.clone())),
            }
        }
        // Settling asks too: a call that nobody goes on with meanwhile might keep it waiting.
        let asked: Vec<_> = stream::iter(calls).buffer_unordered(AT_ONCE).collect().await;
        for (question, told) in asked {
            self.settle(question, told).await?;
        }
        Ok(())
    }

    async fn settle(&mut self, question: Question, told: Told) -> anyhow::Result<()> {
        let now = self.desk.now();
        let error = match told {
            Some(Ok(answer)) => {
                silence::end(self.desk, self.company, self.app, KIND).await?;
                return self.answer(question, answer).await;
            }
            Some(Err(error)) => error,
            None => {
                self.put_off.push((question.key, now));
                return Ok(());
            }
        };
        match self.halt.judge(&error) {
            Meant::Silent { .. } => self.put_off.push((question.key, now)),
            Meant::TooDear { after } => self.too_dear.push((question.key, now.plus_millis(millis(after)))),
            Meant::Later { after } => self.ask_again(&question, after),
            Meant::Unreadable { after } => {
                silence::end(self.desk, self.company, self.app, KIND).await?;
                self.unreadable += 1;
                self.ask_again(&question, after);
            }
            // Whether it is there is not told.
            Meant::Wrong if error.kind() == Some(Kind::Invisible) => self.ask_again(&question, BARRED_FOR),
            Meant::NotThere | Meant::Wrong => {
                silence::end(self.desk, self.company, self.app, KIND).await?;
                // It was so at this moment or later.
                let asked_at = error.asked_at().unwrap_or_else(|| now.plus_millis(-ROUNDING_MILLIS));
                self.judge_missing(question, asked_at).await?;
            }
        }
        Ok(())
    }

    async fn answer(&mut self, question: Question, answer: Answer<Approval>) -> anyhow::Result<()> {
        self.halt.answered();
        let (id, at, approval) = (&*question.key.id, answer.asked_at, answer.value);
        let mut fields = approval.fields_beside(&question.known);
        let applicant = fields.text(Field::Applicant).filter(|id| !id.is_empty()).map(str::to_owned);
        let identities = identify(self.desk, self.company, self.app, applicant.into_iter().collect()).await?;
        identities.put_into(&mut fields, Field::Applicant);
        let mut told: Vec<Observation> = times(id, &mut fields).into_iter().collect();
        let beside = self.relatives(id, &approval).await?;
        told.extend(beside.into_iter().map(|other| hinted(other, at)));
        if approval.is_agreed() && !question.was_agreed() {
            // Before it is told: who is told to be agreed to is not new any more.
            let days = self.note_days(id, &approval).await?;
            told.extend(self.amended(days, at));
        }
        // Behind what follows from it: who has an answer is not asked about again.
        told.push(answered(id, at, What::Updated { fields }));
        let lacks = question.lacks(at);
        if lacks > 0 {
            self.put_off.push((question.key.clone(), self.desk.now().plus_millis(lacks)));
        }
        self.answered += 1;
        tell(self.desk, self.company, self.app, told).await
    }

    /// Those beside it that are to be asked about.
    async fn relatives(&self, id: &str, approval: &Approval) -> database::Result<BTreeSet<String>> {
        let others = approval.attached.iter().chain(&approval.main);
        let keys: Vec<EntityKey> = others.map(|other| EntityKey::new(KIND, other)).collect();
        if keys.is_empty() {
            return Ok(BTreeSet::new());
        }
        let known = mirror(self.desk, self.company, keys).await?;
        Ok(relatives(id, approval, |key| known.get(key).cloned()))
    }

    /// Keeps to which days an approval applies; returns them and those of whatever it corrects, or is corrected by: these change, too.
    async fn note_days(&self, id: &str, approval: &Approval) -> database::Result<Vec<Day>> {
        let days = days_of(approval);
        if days.is_empty() && approval.main.is_none() {
            return Ok(days);
        }
        let (tenant, now) = (self.company.tenant.clone(), self.desk.now());
        let (id, head) = (id.to_owned(), approval.main.clone().unwrap_or_else(|| id.to_owned()));
        let note = move |conn: &mut Connection| -> database::Result<Vec<Day>> {
            approvals::note_days(conn, &tenant, &id, &head, &days, now)?;
            let beside = approvals::days_beside(conn, &tenant, &head)?;
            Ok(days.into_iter().chain(beside).collect())
        };
        self.desk.context.database.write("synchronizer.approval-days", note).await
    }

    /// Has days looked at, if the tenant wants attendance.
    fn amended(&self, days: Vec<Day>, at: UnixMillis) -> Vec<Observation> {
        if !self.app.wanted.attendance {
            return Vec::new();
        }
        let mut days = days;
        days.sort_unstable();
        days.dedup_by(|one, other| one.id == other.id);
        days.into_iter().map(|day| amended(day, at)).collect()
    }

    /// The platform says that there is none: that is believed the second time, and not soon after it was told of, since it may be behind.
    async fn judge_missing(&mut self, question: Question, asked_at: UnixMillis) -> anyhow::Result<()> {
        let now = self.desk.now();
        if question.is_ended {
            return self.gone(&question, asked_at).await;
        }
        match verdict(asked_at, question.about_at, question.absent_since) {
            Verdict::TooFresh(_) => self.ask_again(&question, Duration::ZERO),
            Verdict::TooSoon(wait) => self.put_off.push((question.key, now.plus_millis(wait))),
            Verdict::First(wait) => {
                self.put_off.push((question.key.clone(), now.plus_millis(wait)));
                self.missed.push((question.key, asked_at));
            }
            Verdict::Absent => self.gone(&question, asked_at).await?,
        }
        Ok(())
    }

    /// It is not there; the days to which it applied are looked at.
    async fn gone(&mut self, question: &Question, at: UnixMillis) -> anyhow::Result<()> {
        let (tenant, id) = (self.company.tenant.clone(), question.key.id.to_string());
        let days = move |conn: &mut Connection| approvals::days_beside(conn, &tenant, &id);
        let days = self.desk.context.database.read("synchronizer.days-beside", days).await?;
        let mut told = self.amended(days, at);
        told.push(answered(&question.key.id, at, What::Absent));
        if question.exists {
            told.push(answered(&question.key.id, at, What::Removed));
        }
        self.absent += 1;
        tell(self.desk, self.company, self.app, told).await
    }

    /// Something went wrong with this one: it is asked again, later each time.
    fn ask_again(&mut self, question: &Question, after: Duration) {
        let attempt = question.attempts.saturating_add(1);
        let roll = jitter_of(&[self.company.tenant.as_str(), &question.key.id], attempt);
        let wait = self.desk.timing.backoff.wait(attempt, roll).max(longer(after, attempt));
        self.in_vain.push((question.key.clone(), self.desk.now().plus_millis(millis(wait))));
    }

    /// Writes when the rest is asked again. What was answered is closed by the resolver; until then it stays claimed.
    async fn finish(mut self) -> anyhow::Result<()> {
        let (counted, tenant) = (&self.desk.counted.questions_total, self.company.tenant.as_str());
        counted.with_label_values(&[tenant, "answered"]).inc_by(self.answered);
        counted.with_label_values(&[tenant, "absent"]).inc_by(self.absent);
        counted.with_label_values(&[tenant, "postponed"]).inc_by((self.put_off.len() + self.in_vain.len()) as u64);
        if self.unreadable > 0 {
            counted.with_label_values(&[tenant, "unreadable"]).inc_by(self.unreadable);
            let approvals = self.unreadable;
            tracing::warn!(tenant.id = %tenant, approvals, "what the platform answers of these approvals cannot be read; they are asked about again");
        }
        if let Some(silence) = self.halt.silence(self.answered + self.absent) {
            silence::begin(self.desk, self.company, self.app, KIND, silence).await?;
            // What got lost does not count.
            self.put_off.append(&mut self.in_vain);
        }
        let tenant = self.company.tenant.clone();
        let Self { desk, put_off, in_vain, too_dear, missed, .. } = self;
        let now = desk.now();
        let write = move |conn: &mut Connection| -> database::Result<()> {
            for (about, at) in &missed {
                questions::note_absent(conn, &tenant, std::slice::from_ref(about), *at)?;
            }
            questions::postpone(conn, &tenant, &put_off, false)?;
            questions::postpone(conn, &tenant, &in_vain, true)?;
            looks::instead(conn, &tenant, &too_dear, now)
        };
        Ok(desk.context.database.write("synchronizer.postpone-approvals", write).await?)
    }
}

/// What the answer is worth.
fn worth(question: &Question) -> Worth {
    if question.is_live() {
        Worth::Essential
    } else if question.is_a_look() {
        Worth::Low
    } else {
        Worth::Useful
    }
}

/// Asks, unless nothing is to be asked any more.
async fn put(client: Client, question: Question, halt: Halt) -> (Question, Told) {
    if halt.is_on() {
        return (question, None);
    }
    let told = client.approval(&question.key.id).await;
    (question, Some(told))
}
