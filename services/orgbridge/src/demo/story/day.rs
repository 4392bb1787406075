//! The day: callbacks that carry ids only, come doubled, shuffled and late, or not at all; an OA that is down; a forger.

use std::time::Instant;

use platform_sim::{Act, Callback, Order, Pace, Script, State, Subject};

use super::{Story, seconds};
use crate::{
    demo::{
        display::Display,
        texts,
        watch::Seen,
        world::{DEPTH, IMPORT, departments_for},
    },
    failure::Failure,
};

/// One callback among so many is lost.
const LOST_AMONG: usize = 10;
/// Of removals no more than these: whoever is only missed counts for the brake, and it is there for many.
const MOST_LOST_REMOVALS: usize = 2;

impl Story {
    pub(super) async fn import(&mut self, display: &mut Display<'_, '_>) -> Result<(), Failure> {
        let (language, started) = (display.language(), Instant::now());
        display.begin(texts::import(language))?;
        let members = (self.members() / 4).max(8);
        let callbacks = self.world.happen(|company| {
            company.set_pace(IMPORT);
            let callbacks = company.import(members, departments_for(members), DEPTH);
            company.set_pace(Pace::OwnSecond);
            callbacks
        });
        // What stands right below the root comes last of all: until then nearly everything waits.
        let is_top = |callback: &Callback| callback.depth == 1 && matches!(callback.subject, Subject::Department(_));
        let (top, below): (Vec<_>, Vec<_>) = callbacks.into_iter().partition(is_top);
        let mut sent = self.send(&below, Order::Worst, display).await?;
        self.wait(display, "import", Seen::is_resolved).await?;
        sent += self.send(&top, Order::Worst, display).await?;
        self.wait(display, "import", Seen::is_settled).await?;
        let (departments, members) = self.world.size();
        Ok(display.end(texts::import_done(
            language,
            sent.requests,
            sent.copies,
            self.sum.parked_peak,
            departments,
            members,
            seconds(started.elapsed()),
        ))?)
    }

    pub(super) async fn life(&mut self, display: &mut Display<'_, '_>) -> Result<(), Failure> {
        let (language, started) = (display.language(), Instant::now());
        display.begin(texts::life(language))?;
        let steps = self.members().clamp(60, 2000);
        let callbacks = self.world.happen(|company| {
            let mut callbacks = company.live(steps);
            // Names, numbers, positions and direct leaders: nothing is pushed about these.
            callbacks.extend(company.drift(steps / 4));
            callbacks
        });
        let (arriving, lost) = lose(callbacks);
        self.sum.callbacks_lost += lost;
        let sent = self.send(&arriving, Order::Shuffled(self.options.seed), display).await?;
        self.wait(display, "life", Seen::is_settled).await?;
        let told = texts::life_done(language, arriving.len(), sent.copies, lost, seconds(started.elapsed()));
        Ok(display.end(told)?)
    }

    pub(super) async fn outage(&mut self, display: &mut Display<'_, '_>) -> Result<(), Failure> {
        let language = display.language();
        display.begin(texts::outage(language))?;
        self.world.oa.set_state(State::Down);
        let steps = (self.members() / 4).clamp(20, 500);
        let callbacks = self.world.happen(|company| company.live(steps));
        self.send(&callbacks, Order::Late { seed: self.options.seed, places: 10 }, display).await?;
        let went_on = |seen: &Seen| seen.core_is_settled() && seen.oa_is_away;
        let backlog = self.wait(display, "core", went_on).await?.oa_backlog;
        self.sum.oa_backlog_peak = backlog;
        display.update(texts::outage_core_went_on(language, backlog));
        let back = Instant::now();
        self.world.oa.set_state(State::Up);
        self.wait(display, "OA", Seen::is_settled).await?;
        let told = texts::outage_done(language, callbacks.len(), backlog, seconds(back.elapsed()));
        Ok(display.end(told)?)
    }

    pub(super) async fn forgery(&mut self, display: &mut Display<'_, '_>) -> Result<(), Failure> {
        let language = display.language();
        // A real company's callback, and yet it must not count: the signature is made with another token.
        let mut elsewhere = platform_sim::Company::new(platform_sim::CompanyOptions::default());
        let forged: Vec<Callback> = elsewhere.import(1, 1, 1);
        let stats = self.world.forger.send(&forged, &Script::default()).await;
        let refusal = stats.last_refusal.filter(|status| stats.answered == 0 && *status == 401);
        self.sum.forgeries_refused = usize::from(refusal.is_some());
        Ok(display.line(match refusal {
            Some(status) => texts::forgery_done(language, status),
            None => texts::forgery_failed(language, format!("{:?}", stats.last_refusal)),
        })?)
    }
}

/// Some callbacks never arrive; returns the others, and how many they are.
fn lose(callbacks: Vec<Callback>) -> (Vec<Callback>, usize) {
    let all = callbacks.len();
    let mut removals = 0;
    let mut place = 0;
    let arriving: Vec<Callback> = callbacks
        .into_iter()
        .filter(|callback| {
            place += 1;
            let is_removal = callback.act == Act::Remove;
            let is_lost = place % LOST_AMONG == 0 && !(is_removal && removals >= MOST_LOST_REMOVALS);
            removals += usize::from(is_lost && is_removal);
            !is_lost
        })
        .collect();
    let lost = all - arriving.len();
    (arriving, lost)
}

#[cfg(test)]
mod tests {
    use platform_sim::{Company, CompanyOptions, Profile};

    use super::*;

    #[test]
    fn one_callback_in_ten_is_lost_and_few_of_them_are_removals() {
        let mut company = Company::new(CompanyOptions { profile: Profile::Reduced, ..CompanyOptions::default() });
        company.populate(500, 60, DEPTH);
        let callbacks = company.live(2000);
        let all = callbacks.len();
        let removals = |callbacks: &[Callback]| callbacks.iter().filter(|one| one.act == Act::Remove).count();
        let all_removals = removals(&callbacks);
        let (arriving, lost) = lose(callbacks);
        assert_eq!(arriving.len() + lost, all);
        assert!((all / 20..=all / 10).contains(&lost), "{lost} of {all}");
        assert_eq!(all_removals - removals(&arriving), MOST_LOST_REMOVALS);
    }
}
