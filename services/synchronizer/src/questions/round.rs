//! One round: claims questions of a tenant, asks, publishes what is answered, and says when the rest is asked again.

mod lookups;

use std::{sync::Arc, time::Duration};

use common::{EntityKey, EntityKind, EntityMap, EntitySet, Observation, UnixMillis, jitter_of};
use database::Connection;
use futures::{StreamExt, stream};
use store::questions;

use super::{
    Call, Wanted,
    absence::{APART_MILLIS, Verdict, verdict},
    ask::{self, Asked, Halt, Listing},
    coalesce::{DepartmentIds, Plan, coalesce},
    known::{self, Question, Spelled},
    settle::{Details, Settled, absent, place_in, settle},
};
use crate::{
    companies::Company, contacts::Roster, desk::Desk, ids::Listed, publish::publish_answers, removals, silence,
    timing::millis,
};

/// Answers that are published together, at most.
const ANSWERS_AT_ONCE: usize = 256;

/// Works through one claim of a tenant's questions. The flag says whether there may be more.
///
/// # Errors
/// When the queue or the database fails. What was claimed is asked again when the claim has run out.
pub(crate) async fn round(desk: &Desk, company: &Arc<Company>) -> anyhow::Result<bool> {
    let mut round = Round::claim(desk, company).await?;
    let claimed = round.open.len();
    if claimed == 0 {
        return Ok(false);
    }
    round.put_off_what_is_too_early();
    round.ask().await?;
    round.finish().await?;
    let most = company.contacts.round_of(desk.timing.round);
    let is_more = i64::try_from(claimed).is_ok_and(|claimed| claimed >= most);
    Ok(is_more && !desk.stops())
}

struct Round<'a> {
    desk: &'a Desk,
    company: &'a Arc<Company>,
    halt: Arc<Halt>,
    /// What is neither answered nor put off yet.
    open: EntityMap<Question>,
    /// How those that were claimed are spelled.
    spelled: Arc<Spelled>,
    /// When the round began, and the traces that answers belong to.
    began: UnixMillis,
    traces: EntityMap<String>,
    /// Those whose place was looked up.
    looked_up: EntitySet,
    /// What the app told of those that only a list can tell the rest of.
    held: Vec<(EntityKey, Details)>,
    /// To be asked again at these times; it does not count as an attempt.
    put_off: Vec<(EntityKey, UnixMillis)>,
    /// To be asked again at these times; nothing came of it.
    in_vain: Vec<(EntityKey, UnixMillis)>,
    /// What a list did not have for the first time.
    missed: Vec<(EntityKey, UnixMillis)>,
    answered: u64,
}

impl<'a> Round<'a> {
    async fn claim(desk: &'a Desk, company: &'a Arc<Company>) -> database::Result<Self> {
        let (tenant, now) = (company.tenant.clone(), desk.now());
        let until = now.plus_millis(millis(desk.timing.claim));
        let (limit, reads_details) = (company.contacts.round_of(desk.timing.round), company.contacts.reads_details());
        let claim = move |conn: &mut Connection| known::claim(conn, &tenant, (now, until), limit, reads_details);
        let (claimed, shown) = desk.context.database.write("synchronizer.claim", claim).await?;
        let trace = |question: &Question| Some((question.about.clone(), question.traceparent.clone()?));
        let traces = claimed.iter().filter_map(trace).collect();
        let mut spelled = Spelled::default();
        if company.contacts.minds_case() {
            spelled = shown;
            let memory = company.memory();
            let heard =
                |question: &Question| Some((question.about.clone(), memory.spelled.get(&question.about)?.clone()));
            spelled.add(claimed.iter().filter_map(heard));
        }
        Ok(Self {
            desk,
            company,
            halt: Arc::new(Halt::new(desk.context.stop.clone())),
            open: claimed.into_iter().map(|question| (question.about.clone(), question)).collect(),
            spelled: Arc::new(spelled),
            began: now,
            traces,
            looked_up: EntitySet::default(),
            held: Vec::new(),
            put_off: Vec::new(),
            in_vain: Vec::new(),
            missed: Vec::new(),
            answered: 0,
        })
    }

    /// An answer has to be later than the hint, and whoever waits a moment need not ask twice. And the list of all members is
    /// long: what needs it waits until it may be asked for again.
    fn put_off_what_is_too_early(&mut self) {
        let now = self.desk.now();
        // Where single ones are looked up, who needs the list turns out later.
        let list_at = self.list_at().filter(|_| self.lists_at_once());
        let later = |question: &Question| {
            let list_at = list_at.filter(|_| question.places && question.about.kind == EntityKind::Member);
            list_at.or_else(|| question.wait(now).map(|wait| now.plus_millis(wait)))
        };
        let early: Vec<(EntityKey, UnixMillis)> =
            self.open.values().filter_map(|question| Some((question.about.clone(), later(question)?))).collect();
        for (about, _) in &early {
            self.open.remove(about);
        }
        self.put_off.extend(early);
    }

    /// When the list of all members may be asked for again; `None` if that is now.
    fn list_at(&self) -> Option<UnixMillis> {
        let listed_at = self.company.memory().listed_at?;
        Some(listed_at.plus_millis(APART_MILLIS)).filter(|at| self.desk.now() < *at)
    }

    /// Whether one look at the lists tells of all: where they are of one department each, single ones are looked up before.
    fn lists_at_once(&self) -> bool {
        matches!(self.company.contacts.roster(), Roster::Whole(_))
    }

    async fn ask(&mut self) -> anyhow::Result<()> {
        let wanted: Vec<Wanted> = self.open.values().map(Question::wanted).collect();
        let Plan { details, member_ids, department_ids } = {
            let memory = self.company.memory();
            coalesce(&wanted, self.company.contacts.reads_details(), &memory.too_large)
        };
        let about: EntitySet = self.open.keys().cloned().collect();
        let (company, halt) = (Arc::clone(self.company), Arc::clone(&self.halt));
        let placeless = wanted.into_iter().filter(|wanted| wanted.places).map(|wanted| wanted.about);
        let looks_up = match company.contacts.roster() {
            Roster::Whole(_) => None,
            Roster::ByDepartment(roster) => {
                let placeless: Vec<EntityKey> = placeless.collect();
                self.looked_up.extend(placeless.iter().cloned());
                let with = (Arc::clone(&self.spelled), Arc::clone(&halt));
                Some(ask::look_up(roster, placeless, with, self.desk.timing.in_flight))
            }
        };
        if member_ids && looks_up.is_none() {
            company.memory().listed_at = Some(self.desk.now());
        }
        let lists = Box::pin(async {
            match looks_up {
                Some(looks_up) => looks_up.await,
                None => ask::lists(&company, (&department_ids, member_ids), (&about, &[]), &halt).await,
            }
        });
        let (details, listing) = tokio::join!(self.ask_details(details), lists);
        details?;
        self.tell_above(&listing, &about).await?;
        let rest = self.settle_held(&listing).await?;
        let rest = self.look_up_rest(rest).await?;
        self.ask_lists_for(rest).await
    }

    /// Asks for details, and publishes what is answered by them alone as it comes.
    async fn ask_details(&mut self, calls: Vec<Call>) -> anyhow::Result<()> {
        if !self.company.contacts.reads_details() {
            self.held.extend(self.open.keys().map(|about| (about.clone(), Details::NoApp)));
            return Ok(());
        }
        let singly = self.ask_calls(calls).await?;
        // A call about one entity never asks for it to be asked singly.
        self.ask_calls(singly).await.map(drop)
    }

    /// Puts calls, many at once; returns those that are to be put about single entities instead.
    async fn ask_calls(&mut self, calls: Vec<Call>) -> anyhow::Result<Vec<Call>> {
        let (company, spelled, halt) = (Arc::clone(self.company), Arc::clone(&self.spelled), Arc::clone(&self.halt));
        let asked = stream::iter(calls)
            .map(move |call| ask::details(Arc::clone(&company), call, Arc::clone(&spelled), Arc::clone(&halt)))
            .buffer_unordered(self.desk.timing.in_flight)
            .ready_chunks(ANSWERS_AT_ONCE);
        let mut asked = std::pin::pin!(asked);
        let mut singly = Vec::new();
        while let Some(chunk) = asked.next().await {
            let mut told = Vec::new();
            for (about, asked) in chunk.into_iter().flatten() {
                match asked {
                    Asked::Details(details) => told.extend(self.settle_by_details(about, details)),
                    Asked::Singly if about.kind == EntityKind::Member => singly.push(Call::Member(about)),
                    Asked::Singly => singly.push(Call::Department(about)),
                    Asked::Later(after) => self.ask_again(&about, after),
                    // It stays open, and is put off when the round ends.
                    Asked::Skipped => {}
                }
            }
            self.publish(told).await?;
        }
        Ok(singly)
    }

    fn settle_by_details(&mut self, about: EntityKey, details: Details) -> Vec<Observation> {
        let tells_places = self.company.contacts.details_tell_places();
        let Some(question) = self.open.get_mut(&about) else { return Vec::new() };
        let place = if tells_places { place_in(question, &details) } else { None };
        let listed = place.as_ref().map_or(Listed::Unknown, |(at, place)| Listed::There(*at, place));
        match settle(question, &details, listed) {
            Settled::Answered(told) => {
                self.close(&about, &told);
                told
            }
            Settled::NeedsList | Settled::Missing(_) => {
                self.held.push((about, details));
                Vec::new()
            }
        }
    }

    /// The resolver closes what is answered. An answer that is too early to close a hint tells something all the same.
    fn close(&mut self, about: &EntityKey, told: &[Observation]) {
        let Some(question) = self.open.remove(about) else { return };
        let at = told.iter().map(|told| told.at).max().unwrap_or_default();
        let lacks = question.lacks(at);
        if lacks > 0 {
            self.put_off.push((about.clone(), self.desk.now().plus_millis(lacks)));
        }
    }

    /// Settles what waited for the lists; returns what they do not tell either.
    async fn settle_held(&mut self, listing: &Listing) -> anyhow::Result<Vec<(EntityKey, Details)>> {
        let (mut rest, mut told, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        for (about, details) in std::mem::take(&mut self.held) {
            let Some(question) = self.open.get(&about) else { continue };
            // Who asks may read nobody's details, and yet was told that this one is there.
            let is_hidden = details == Details::Unseen && listing.hidden.contains(&about);
            let details = if is_hidden { Details::Hidden } else { details };
            match settle(question, &details, listing.lists.of(&about)) {
                Settled::Answered(answers) => {
                    self.close(&about, &answers);
                    told.extend(answers);
                }
                Settled::Missing(asked_at) => gone.push((about, asked_at)),
                Settled::NeedsList => rest.push((about, details)),
            }
        }
        self.publish(told).await?;
        self.judge_missing(gone).await?;
        if let Some(after) = listing.failed {
            for (about, _) in rest.drain(..) {
                self.ask_again(&about, after);
            }
        }
        rest.retain(|(about, _)| {
            let Some(after) = listing.later.get(about) else { return true };
            self.ask_again(about, *after);
            false
        });
        Ok(rest)
    }

    /// Asks for whole lists about what the app did not tell, unless they were asked for just now.
    async fn ask_lists_for(&mut self, rest: Vec<(EntityKey, Details)>) -> anyhow::Result<()> {
        let (began, list_at, at_once) = (self.desk.now(), self.list_at(), self.lists_at_once());
        let (mut department_ids, mut member_ids) = (DepartmentIds::None, false);
        for (about, details) in rest {
            if !at_once && details != Details::Hidden && self.is_fresh(&about) {
                // It could not be believed yet, and all departments are not asked about for nothing.
                self.ask_again(&about, Duration::ZERO);
                continue;
            }
            match (about.kind, list_at) {
                (EntityKind::Member, Some(list_at)) => {
                    self.open.remove(&about);
                    self.put_off.push((about, list_at));
                    continue;
                }
                (EntityKind::Member, None) => member_ids = true,
                _ => department_ids = DepartmentIds::All,
            }
            self.held.push((about, details));
        }
        if self.held.is_empty() {
            return Ok(());
        }
        if member_ids {
            self.company.memory().listed_at = Some(self.desk.now());
        }
        let about: EntitySet = self.held.iter().map(|(about, _)| about.clone()).collect();
        let known = if member_ids && !at_once { self.known_departments().await? } else { Vec::new() };
        let lists = ask::lists(self.company, (&department_ids, member_ids), (&about, &known), &self.halt);
        let listing = Box::pin(lists).await;
        if member_ids && !at_once {
            self.rest_from_lists(began, &listing);
        }
        for (about, _) in self.settle_held(&listing).await? {
            if self.halt.silent().is_none() {
                self.ask_again(&about, Duration::ZERO);
            }
        }
        Ok(())
    }

    /// Judges what a whole list does not have: it is believed the second time.
    async fn judge_missing(&mut self, missing: Vec<(EntityKey, UnixMillis)>) -> anyhow::Result<()> {
        let now = self.desk.now();
        let (mut told, mut live, mut absences) = (Vec::new(), Vec::new(), 0);
        for (about, asked_at) in missing {
            let Some(question) = self.open.remove(&about) else { continue };
            let remembered = self.company.memory().missed.get(&about).copied();
            let absent_since = question.absent_since.max(remembered);
            match verdict(asked_at, question.told_at, absent_since) {
                Verdict::TooFresh(wait) | Verdict::TooSoon(wait) => self.put_off.push((about, now.plus_millis(wait))),
                Verdict::First(wait) => {
                    self.put_off.push((about.clone(), now.plus_millis(wait)));
                    self.company.memory().miss(about.clone(), asked_at);
                    self.missed.push((about, asked_at));
                }
                Verdict::Absent if question.is_live => live.push((about, asked_at)),
                Verdict::Absent => {
                    absences += 1;
                    told.extend(absent(&question, asked_at));
                }
            }
        }
        self.count("absent", absences);
        self.publish(told).await?;
        if !live.is_empty() {
            self.put_off.extend(removals::infer(self.desk, self.company, live).await?);
        }
        Ok(())
    }

    /// Something went wrong with this one: it is asked again, later each time.
    fn ask_again(&mut self, about: &EntityKey, after: Duration) {
        let Some(question) = self.open.remove(about) else { return };
        let attempt = question.attempts.saturating_add(1);
        let roll = jitter_of(&[self.company.tenant.as_str(), &about.id], attempt);
        let wait = self.desk.timing.backoff.wait(attempt, roll).max(after);
        self.in_vain.push((about.clone(), self.desk.now().plus_millis(millis(wait))));
    }

    async fn publish(&mut self, told: Vec<Observation>) -> anyhow::Result<()> {
        self.answered += told.len() as u64;
        Ok(publish_answers(self.desk, self.company, told, (self.began, &self.traces)).await?)
    }

    /// Writes when the rest is asked again. What was answered is closed by the resolver; until then it stays claimed.
    async fn finish(mut self) -> anyhow::Result<()> {
        let now = self.desk.now();
        // Cut off: as soon as the platform answers again, or another process goes on.
        self.put_off.extend(self.open.drain().map(|(about, _)| (about, now)));
        self.count("answered", self.answered);
        self.count("postponed", (self.put_off.len() + self.in_vain.len()) as u64);
        if self.is_silent().await? {
            // What got lost does not count.
            self.put_off.append(&mut self.in_vain);
        }
        fail::fail_point!("synchronizer.answered_before_postponed");
        let tenant = self.company.tenant.clone();
        let Self { put_off, in_vain, missed, .. } = self;
        let write = move |conn: &mut Connection| -> database::Result<()> {
            for (about, at) in &missed {
                questions::note_absent(conn, &tenant, std::slice::from_ref(about), *at)?;
            }
            questions::postpone(conn, &tenant, &put_off, false)?;
            questions::postpone(conn, &tenant, &in_vain, true)
        };
        Ok(self.desk.context.database.write("synchronizer.postpone", write).await?)
    }

    /// Whether the platform is silent: it said so, or nothing was answered and it does not answer what it always answers either.
    async fn is_silent(&self) -> database::Result<bool> {
        if let Some((after, why)) = self.halt.silent() {
            silence::begin(self.desk, self.company, *after, why).await?;
            return Ok(true);
        }
        if self.answered > 0 || self.in_vain.is_empty() {
            return Ok(false);
        }
        let Some((after, why)) = silence::probe(self.company).await else { return Ok(false) };
        silence::begin(self.desk, self.company, after, &why).await?;
        Ok(true)
    }

    fn count(&self, outcome: &str, count: u64) {
        let counted = self.desk.counted.questions_total.with_label_values(&[self.company.tenant.as_str(), outcome]);
        counted.inc_by(count);
    }
}
