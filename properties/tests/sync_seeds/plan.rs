//! What a run is to be, drawn from its seed: a company, how it is told of, what a person wants when, and what goes wrong when.

use std::collections::BTreeMap;

use platform_sim::{Company, CompanyOptions, Pace, Profile};

use crate::{
    clocks::START,
    dice::Dice,
    faults::Kind,
    stores::{COMPANY, CORP},
};

/// Each run has at least so many events.
pub(crate) const EVENTS: usize = 60;
/// Each run has so many turns.
pub(crate) const TURNS: usize = 22;
/// So much goes wrong at its time, and so much at the next occasion after its time.
const AT_ONCE: usize = 6;
const AT_OCCASION: usize = 5;
/// Our clock is off by at most so many milliseconds.
const MOST_SKEW_MILLIS: usize = 10_000;

/// What goes wrong at its time.
const NOW: &[Kind] = &[
    Kind::ApiBusy,
    Kind::ApiBroken,
    Kind::ApiThrottled,
    Kind::ApiRefuses,
    Kind::TokensDie,
    Kind::CursorsDie,
    Kind::PageFails,
    Kind::DepartmentFails,
    Kind::ScopeNarrowed,
    Kind::RowEdited,
    Kind::RowDeleted,
    Kind::ClockSet,
];
/// What goes wrong at the next occasion.
const NEXT: &[Kind] = &[
    Kind::CutOff,
    Kind::CutOffAfterCommit,
    Kind::PublishFailed,
    Kind::ConfirmLost,
    Kind::DeliveryFailed,
    Kind::DeliveryUnheard,
    Kind::CallbackLost,
];

/// See the module.
pub(crate) struct Plan {
    /// As it is when somebody first looks.
    pub(crate) company: Company,
    pub(crate) habits: Habits,
    /// In which turns a run is asked for, and whether its plan is applied a day later.
    pub(crate) wishes: BTreeMap<usize, bool>,
    /// What goes wrong in which turns.
    pub(crate) faults: BTreeMap<usize, Vec<Kind>>,
}

/// What does not change within a run. Once in how many times something happens; 0: never.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    /// What callbacks carry.
    pub(crate) profile: Profile,
    /// The app is an old one, which sees mobile numbers, mail addresses and genders.
    pub(crate) is_personal: bool,
    /// Rows of a page of the list of ids.
    pub(crate) page_rows: usize,
    /// The product holds rows before the first sync.
    pub(crate) is_filled: bool,
    /// Some of its rows have the platform's ids.
    pub(crate) keeps_ids: bool,
    /// How far our clock is ahead at first.
    pub(crate) skew_millis: i64,
    pub(crate) callback_is_lost: usize,
    pub(crate) callback_is_repeated: usize,
    pub(crate) callback_is_delayed: usize,
    pub(crate) answer_is_repeated: usize,
    pub(crate) answer_is_delayed: usize,
    /// The longest that something that was told is on its way.
    pub(crate) longest_delay_seconds: usize,
    /// Events of one transaction of the resolver, released entities of another one.
    pub(crate) events_at_once: usize,
    pub(crate) released_at_once: usize,
    /// Changes of one transaction of the product.
    pub(crate) changes_at_once: usize,
    /// Entities that the synchronizer compares at once, and questions that it claims at once.
    pub(crate) compared_at_once: i64,
    pub(crate) asked_at_once: i64,
    /// Between two calls the company lives.
    pub(crate) lives_meanwhile: usize,
}

impl Plan {
    /// Draws a run; what is decided on the way comes from the dice that are left.
    pub(crate) fn draw(seed: u64) -> (Self, Dice) {
        let mut dice = Dice::new(seed);
        let habits = Habits::draw(&mut dice);
        let company = company(&mut dice, &habits);
        let wishes = wishes(&mut dice);
        let faults = faults(&mut dice);
        (Self { company, habits, wishes, faults }, dice)
    }
}

fn company(dice: &mut Dice, habits: &Habits) -> Company {
    let mut company = Company::new(CompanyOptions {
        seed: dice.roll(),
        corp_id: CORP.to_owned(),
        name: COMPANY.to_owned(),
        profile: habits.profile,
        start_seconds: START.seconds() - 3600,
        pace: Pace::OwnSecond,
        // A row of the product that bears somebody's former id may not be given to another one by us: a person must do that.
        reuse_member_ids: !habits.keeps_ids && dice.once_in(2),
        leader_share: [0.0, 0.3, 0.8][dice.below(3)],
        heralded_share: if dice.once_in(4) { 0.2 } else { 0.0 },
        ..CompanyOptions::default()
    });
    let (members, departments, depth) = (dice.between(8, 15), dice.between(3, 5), dice.between(1, 3));
    company.populate(members, departments, depth as u32);
    company
}

/// The first sync early on, later one or two reconciliations. At least one plan is applied a day later.
fn wishes(dice: &mut Dice) -> BTreeMap<usize, bool> {
    let is_first_late = dice.once_in(2);
    let mut wishes =
        BTreeMap::from([(dice.between(0, 4), is_first_late), (dice.between(9, 13), !is_first_late || dice.once_in(3))]);
    if dice.once_in(2) {
        wishes.insert(dice.between(16, TURNS - 1), dice.once_in(3));
    }
    wishes
}

fn faults(dice: &mut Dice) -> BTreeMap<usize, Vec<Kind>> {
    let mut faults: BTreeMap<usize, Vec<Kind>> = BTreeMap::new();
    for (kinds, count) in [(NOW, AT_ONCE), (NEXT, AT_OCCASION)] {
        for _ in 0..count {
            let kind = *dice.pick(kinds).unwrap();
            faults.entry(dice.below(TURNS)).or_default().push(kind);
        }
    }
    faults
}

impl Habits {
    fn draw(dice: &mut Dice) -> Self {
        let profile = if dice.once_in(3) { Profile::Full } else { Profile::Reduced };
        let is_filled = !dice.once_in(4);
        let mut rarity = |least: usize, most: usize| if dice.once_in(3) { 0 } else { dice.between(least, most) };
        let (callback_is_lost, callback_is_repeated) = (rarity(8, 30), rarity(3, 12));
        let (callback_is_delayed, answer_is_repeated, answer_is_delayed) = (rarity(2, 8), rarity(4, 16), rarity(2, 8));
        Self {
            profile,
            is_personal: dice.once_in(2),
            page_rows: [3, 5, 9][dice.below(3)],
            is_filled,
            keeps_ids: is_filled && dice.once_in(2),
            skew_millis: skew_millis(dice),
            callback_is_lost,
            callback_is_repeated,
            callback_is_delayed,
            answer_is_repeated,
            answer_is_delayed,
            longest_delay_seconds: [4, 30, 120][dice.below(3)],
            events_at_once: [1, 4, 64][dice.below(3)],
            released_at_once: [1, 5, 64][dice.below(3)],
            changes_at_once: [1, 4, 32][dice.below(3)],
            compared_at_once: [4, 11, 1000][dice.below(3)],
            asked_at_once: [2, 7, 1000][dice.below(3)],
            lives_meanwhile: [0, 6, 15][dice.below(3)],
        }
    }
}

/// How far our clock is ahead, or behind.
pub(crate) fn skew_millis(dice: &mut Dice) -> i64 {
    dice.between(0, 2 * MOST_SKEW_MILLIS) as i64 - MOST_SKEW_MILLIS as i64
}
