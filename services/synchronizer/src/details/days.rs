//! One round about members' days: claims questions, puts them in few calls, publishes what is answered, and says when the rest is asked again.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use common::{EntityKey, EntityKind, Field, Fields, Observation, UnixMillis, What, jitter_of};
use database::Connection;
use dingtalk::api::Answer;
use directory::Record;
use futures::{StreamExt, stream};
use store::{questions, records, repulls};

use super::{
    App,
    calls::{Call, Groups, Told, calls_of, put},
    day::{Day, Way},
    difference::Difference,
    failure::{Halt, Meant, longer},
    known::{ByDay, beside, by_day, mirror, of_records, whose},
    looks::{self, planned},
    silence,
    tell::tell,
};
use crate::{companies::Company, desk::Desk, questions::early::ROUNDING_MILLIS, timing::millis};

const KIND: EntityKind = EntityKind::AttendanceDay;
/// Questions that are claimed at once: as many as a large plant has when people come.
const CLAIMED: i64 = 5000;
/// Calls of one round, so that those who punch meanwhile do not wait for long leave of many. At the platform's rate they take a while.
const CALLS: usize = 256;
/// Calls that are on their way at once.
const AT_ONCE: usize = 8;
/// So often in a round a batch is divided because something in its answer cannot be read. A few rows that are odd are found with that; where
/// all are, the platform changed something, and looking for the one to blame would cost the quota.
const DIVISIONS: u32 = 32;
/// What is no member's day is not asked about again before this.
const NONSENSE_SECONDS: i64 = 86_400;

/// Works through one claim of a tenant's days. `gathers` says whether punches are being asked about in this look: they are by all of its
/// rounds, or by none. The flag that is returned says whether there may be more.
///
/// # Errors
/// When the queue or the database fails. What was claimed is asked again when the claim has run out.
pub(crate) async fn round(desk: &Desk, company: &Company, app: &App, gathers: &mut bool) -> anyhow::Result<bool> {
    if !app.wanted.attendance || silence::until(app, KIND, desk.now()).is_some() {
        return Ok(false);
    }
    let (mut round, days) = Round::claim(desk, company, app).await?;
    let claimed = days.len() + round.put_off.len();
    if claimed == 0 {
        return Ok(false);
    }
    let calls = round.plan(days, gathers);
    round.ask(calls).await?;
    round.finish().await?;
    Ok(i64::try_from(claimed).is_ok_and(|claimed| claimed >= CLAIMED) && !desk.stops())
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
    answered: u64,
    /// Whose answers could not be read.
    unreadable: u64,
    /// How often a batch was divided because of that.
    divisions: u32,
}

impl<'a> Round<'a> {
    async fn claim(desk: &'a Desk, company: &'a Company, app: &'a App) -> database::Result<(Self, Vec<Day>)> {
        let (tenant, now) = (company.tenant.clone(), desk.now());
        let until = now.plus_millis(millis(desk.timing.claim));
        let claim = move |conn: &mut Connection| -> database::Result<(Vec<Day>, Vec<EntityKey>)> {
            let claimed = questions::claim(conn, &tenant, &[KIND], now, until, CLAIMED)?;
            let about = |claimed: &questions::Claimed| claimed.about.clone();
            let mut wanted: Vec<EntityKey> = claimed.iter().map(about).collect();
            wanted.extend(claimed.iter().filter_map(|claimed| whose(&claimed.about)));
            wanted.sort_unstable();
            wanted.dedup();
            let known: BTreeMap<EntityKey, records::Row> = records::load(conn, &tenant, &wanted)?.into_iter().collect();
            let (mut days, mut nonsense) = (Vec::new(), Vec::new());
            for claimed in claimed {
                let about = claimed.about.clone();
                let member = whose(&about).and_then(|member| known.get(&member)).map(|row| &row.record);
                let spelled = member.and_then(|member| member.shown.as_ref()).map(|(_, id)| id.as_str());
                let is_former = |member: &Record| member.ended_at().is_some() && !member.exists();
                let is_of_former = member.is_some_and(|member| is_former(member) || member.absent_at().is_some());
                let record = known.get(&about).map(|row| &row.record);
                match Day::new(claimed, record, spelled) {
                    Some(mut day) => {
                        day.is_of_former = is_of_former;
                        days.push(day);
                    }
                    None => nonsense.push(about),
                }
            }
            Ok((days, nonsense))
        };
        let (days, nonsense) = desk.context.database.write("synchronizer.claim-days", claim).await?;
        let again = now.plus_seconds(NONSENSE_SECONDS);
        let put_off = nonsense.into_iter().map(|about| (about, again)).collect();
        let halt = Halt::new(desk.context.stop.clone());
        let (in_vain, too_dear) = (Vec::new(), Vec::new());
        let (answered, unreadable, divisions) = (0, 0, 0);
        let round = Self { desk, company, app, halt, put_off, in_vain, too_dear, answered, unreadable, divisions };
        Ok((round, days))
    }

    /// Which calls answer these days now; the others are put off: an answer has to be later than what it is asked about, and punches are
    /// gathered.
    fn plan(&mut self, days: Vec<Day>, gathers: &mut bool) -> Vec<Call> {
        let now = self.desk.now();
        let unreadable = self.app.memory().unreadable.clone();
        let mut groups = Groups::new();
        for day in days {
            let way = if unreadable.contains(&day.key) { Way::Whole } else { day.way() };
            match day.wait(now) {
                Some(wait) => self.put_off.push((day.key, now.plus_millis(wait))),
                None => groups.entry((day.worth(now), way)).or_default().push(day),
            }
        }
        if let Some(at) = self.gathers_at(&groups, now, gathers) {
            let (punches, others): (Groups, Groups) =
                groups.into_iter().partition(|((_, way), _)| *way == Way::Punches);
            self.put_off.extend(punches.into_values().flatten().map(|day| (day.key, at)));
            groups = others;
        }
        let mut calls = calls_of(groups);
        let later = calls.split_off(calls.len().min(CALLS));
        self.put_off.extend(later.into_iter().flat_map(|call| call.batch.days).map(|day| (day.key, now)));
        calls
    }

    /// When punches are asked about, if that is not now.
    fn gathers_at(&self, groups: &Groups, now: UnixMillis, gathers: &mut bool) -> Option<UnixMillis> {
        let punches = groups.iter().filter(|((_, way), _)| *way == Way::Punches).flat_map(|(_, days)| days);
        let oldest = punches.map(|day| day.asked_at).min()?;
        if *gathers {
            return None;
        }
        let mut memory = self.app.memory();
        let at = memory.gather.at(oldest, &self.desk.timing);
        if now < at {
            return Some(at);
        }
        memory.gather.begins(now);
        *gathers = true;
        None
    }

    async fn ask(&mut self, calls: Vec<Call>) -> anyhow::Result<()> {
        let mut calls = calls;
        while !calls.is_empty() {
            let asked = calls.into_iter().map(|call| put(self.app.client(call.worth), call, self.halt.clone()));
            let asked: Vec<_> = asked.collect();
            // Settling asks too: a call that nobody goes on with meanwhile might keep it waiting.
            let asked: Vec<_> = stream::iter(asked).buffer_unordered(AT_ONCE).collect().await;
            let mut again = Vec::new();
            for (call, told) in asked {
                again.extend(self.settle(call, told).await?);
            }
            calls = again;
        }
        Ok(())
    }

    /// Settles what a call brought; returns what is to be asked in other calls instead.
    async fn settle(&mut self, call: Call, told: Told) -> anyhow::Result<Vec<Call>> {
        let now = self.desk.now();
        let error = match told {
            Some(Ok(answer)) => {
                silence::end(self.desk, self.company, self.app, KIND).await?;
                self.answer(call, answer).await?;
                return Ok(Vec::new());
            }
            Some(Err(error)) => error,
            None => {
                self.put_off(call.batch.days, now);
                return Ok(Vec::new());
            }
        };
        match self.halt.judge(&error) {
            Meant::Silent { .. } => self.put_off(call.batch.days, now),
            Meant::TooDear { after } => {
                let at = now.plus_millis(millis(after));
                self.too_dear.extend(call.batch.days.into_iter().map(|day| (day.key, at)));
            }
            Meant::Later { after } => self.ask_again(call.batch.days, after),
            Meant::Unreadable { after } => {
                silence::end(self.desk, self.company, self.app, KIND).await?;
                return Ok(self.divide(call, after));
            }
            Meant::NotThere | Meant::Wrong => {
                silence::end(self.desk, self.company, self.app, KIND).await?;
                let Call { worth, way, batch } = call;
                let single = batch.days.first().cloned();
                // It was so at this moment or later.
                let at = error.asked_at().unwrap_or_else(|| now.plus_millis(-ROUNDING_MILLIS));
                match batch.halved() {
                    Some(halves) => return Ok(halves.map(|batch| Call { worth, way, batch }).into()),
                    None => self.nothing(single, at).await?,
                }
            }
        }
        Ok(Vec::new())
    }

    /// Something in the answer cannot be read: halves are asked about, until it is known of which day that is. That one is asked about by
    /// itself, in the other way, which shows no other day; and if that cannot be read either, later each time.
    fn divide(&mut self, call: Call, after: Duration) -> Vec<Call> {
        let Call { worth, way, batch } = call;
        let is_single = batch.days.len() <= 1;
        if (is_single && way == Way::Whole) || self.divisions >= DIVISIONS {
            self.unreadable += batch.days.len() as u64;
            self.ask_again(batch.days, after);
            return Vec::new();
        }
        self.divisions += 1;
        if is_single {
            batch.days.iter().for_each(|day| self.app.note_unreadable(day.key.clone()));
            return vec![Call { worth, way: Way::Whole, batch }];
        }
        let halves = batch.halved().into_iter().flatten();
        halves.map(|batch| Call { worth, way, batch }).collect()
    }

    /// The platform says of one day that it cannot be asked about: there is no more to be told.
    async fn nothing(&mut self, day: Option<Day>, at: UnixMillis) -> anyhow::Result<()> {
        let Some(day) = day else { return Ok(()) };
        let what = What::Updated { fields: Fields::new().with(Field::Records, day.records) };
        let id = day.key.id.to_string();
        self.answered += 1;
        let told = vec![Observation { kind: KIND, id, at, what, hint: false, answer: true }];
        tell(self.desk, self.company, self.app, told).await
    }

    async fn answer(&mut self, call: Call, answer: Answer<Vec<(String, Fields)>>) -> anyhow::Result<()> {
        self.halt.answered();
        let (way, days, at) = (call.way, call.batch.days, answer.asked_at);
        let mut told = by_day(self.desk, self.company, self.app, answer.value).await?;
        let known = self.known(&days, &told).await?;
        let compare = |day: Day| {
            let answered = told.remove(&*day.key.id).unwrap_or_default();
            let difference = Difference::of(&day, way, answered, at, &known);
            (day, difference)
        };
        let asked_at = days.iter().map(|day| day.asked_at).min().unwrap_or_default();
        let members = days.iter().map(|day| (EntityKey::member(&day.member), day.member.clone())).collect();
        let compared: Vec<(Day, Difference)> = days.into_iter().map(compare).collect();
        let beside = beside(told, &members, (way, at), &known);
        let new = compared.iter().chain(&beside).filter(|(_, difference)| difference.is_any());
        let news: BTreeSet<String> = new.map(|(day, _)| day.member.clone()).collect();
        let now = self.desk.now();
        let (mut told, mut looks) = (Vec::new(), Vec::new());
        for (day, difference) in beside {
            told.push(of_records(&day, &difference.records, at));
            told.extend(difference.told);
            let planned = planned(asked_at, now, &self.desk.timing);
            let at_once = Some(now).filter(|_| way == Way::Both);
            looks.extend(planned.into_iter().chain(at_once).map(|due_at| (day.key.clone(), due_at)));
        }
        for (day, difference) in compared {
            let answer = difference.answer(&day, way, news.contains(&day.member), at, now);
            let Difference { told: differing, same, gone, .. } = difference;
            told.extend(differing);
            if day.is_live() {
                // Something older may be on its way to the mirror.
                told.extend(same);
                let planned = planned(day.asked_at, now, &self.desk.timing);
                looks.extend(planned.into_iter().map(|due_at| (day.key.clone(), due_at)));
            }
            told.extend(gone);
            told.push(answer);
            let lacks = day.lacks(at);
            if lacks > 0 {
                self.put_off.push((day.key, now.plus_millis(lacks)));
            }
            self.answered += 1;
        }
        // Before it is answered: who has an answer is not asked about again.
        self.plan_looks(looks).await?;
        tell(self.desk, self.company, self.app, told).await
    }

    /// What the mirror has of the records that were told, of those that these days had before, and of days that were told of beside them.
    async fn known(&self, days: &[Day], told: &ByDay) -> database::Result<BTreeMap<EntityKey, Record>> {
        let ids = told.values().flatten().map(|(id, _)| id).chain(days.iter().flat_map(|day| &day.records));
        let records = ids.map(|id| EntityKey::new(EntityKind::Attendance, id));
        let mut keys: Vec<EntityKey> = records.chain(told.keys().map(|id| EntityKey::new(KIND, id))).collect();
        keys.sort_unstable();
        keys.dedup();
        mirror(self.desk, self.company, keys).await
    }

    async fn plan_looks(&self, looks: Vec<(EntityKey, UnixMillis)>) -> database::Result<()> {
        if looks.is_empty() {
            return Ok(());
        }
        let tenant = self.company.tenant.clone();
        let plan = move |conn: &mut Connection| repulls::plan(conn, &tenant, &looks);
        self.desk.context.database.write("synchronizer.plan-looks", plan).await
    }

    fn put_off(&mut self, days: Vec<Day>, at: UnixMillis) {
        self.put_off.extend(days.into_iter().map(|day| (day.key, at)));
    }

    /// Something went wrong with these: they are asked again, later each time.
    fn ask_again(&mut self, days: Vec<Day>, after: Duration) {
        let now = self.desk.now();
        for day in days {
            let attempt = day.attempts.saturating_add(1);
            let roll = jitter_of(&[self.company.tenant.as_str(), &day.key.id], attempt);
            let wait = self.desk.timing.backoff.wait(attempt, roll).max(longer(after, attempt));
            self.in_vain.push((day.key, now.plus_millis(millis(wait))));
        }
    }

    /// Writes when the rest is asked again. What was answered is closed by the resolver; until then it stays claimed.
    async fn finish(mut self) -> anyhow::Result<()> {
        let counted = &self.desk.counted.questions_total;
        let tenant = self.company.tenant.as_str();
        counted.with_label_values(&[tenant, "answered"]).inc_by(self.answered);
        counted.with_label_values(&[tenant, "postponed"]).inc_by((self.put_off.len() + self.in_vain.len()) as u64);
        if self.unreadable > 0 {
            counted.with_label_values(&[tenant, "unreadable"]).inc_by(self.unreadable);
            let days = self.unreadable;
            tracing::warn!(tenant.id = %tenant, days, "what the platform answers of these days cannot be read; they are asked about again");
        }
        if let Some(silence) = self.halt.silence(self.answered) {
            silence::begin(self.desk, self.company, self.app, KIND, silence).await?;
            // What got lost does not count.
            self.put_off.append(&mut self.in_vain);
        }
        let tenant = self.company.tenant.clone();
        let Self { desk, put_off, in_vain, too_dear, .. } = self;
        let now = desk.now();
        let write = move |conn: &mut Connection| -> database::Result<()> {
            questions::postpone(conn, &tenant, &put_off, false)?;
            questions::postpone(conn, &tenant, &in_vain, true)?;
            looks::instead(conn, &tenant, &too_dear, now)
        };
        Ok(desk.context.database.write("synchronizer.postpone-days", write).await?)
    }
}
