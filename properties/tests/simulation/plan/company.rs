//! A company: an import, then ordinary life.

use platform_sim::{Callback, Company, CompanyOptions, Pace, Snapshot};

use super::EVENTS;
use crate::{
    clocks::START,
    dice::Dice,
    stores::{COMPANY, CORP},
};

/// What the platform tells of it, in the order in which it happens, and what is true in the end.
pub(crate) fn live(dice: &mut Dice) -> (Vec<Callback>, Snapshot) {
    let pace = match dice.below(3) {
        0 => Pace::OwnSecond,
        1 => Pace::PerSecond(dice.between(2, 5) as u32),
        _ => Pace::PerSecond(20),
    };
    let mut company = Company::new(CompanyOptions {
        seed: dice.roll(),
        corp_id: CORP.to_owned(),
        name: COMPANY.to_owned(),
        start_seconds: START.seconds() - 3600,
        pace,
        reuse_member_ids: dice.once_in(2),
        leader_share: [0.0, 0.3, 0.8][dice.below(3)],
        heralded_share: if dice.once_in(4) { 0.2 } else { 0.0 },
        ..CompanyOptions::default()
    });
    let (members, departments, depth) = (dice.between(6, 24), dice.between(4, 14), dice.between(1, 6));
    let mut callbacks = company.import(members, departments, depth as u32);
    let wanted = dice.between(EVENTS, EVENTS + 6);
    while callbacks.len() < wanted {
        callbacks.extend(company.live(1));
    }
    (callbacks, company.snapshot())
}
