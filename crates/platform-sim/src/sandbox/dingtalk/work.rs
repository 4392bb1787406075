//! What happens at a plant: people come and go.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::dingtalk::{Company, Event, Illegal, NewMember, ROOT};

/// Nobody leaves when there are no more than these, and nobody is hired when there are so many.
const FEWEST: usize = 5;
const MOST: usize = 200;

const TITLES: [&str; 4] = ["装配工", "班组长", "质检员", "仓库管理员"];

/// One thing; which, follows from seed and turn.
pub(super) fn something(company: &mut Company, seed: u64, turn: u64) -> Result<Vec<Event>, Illegal> {
    let mut random = StdRng::seed_from_u64(seed ^ turn.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let departments: Vec<i64> = company.departments().keys().copied().collect();
    let department = departments.choose(&mut random).copied().unwrap_or(ROOT);
    let members: Vec<String> = company.members().keys().cloned().collect();
    let member = members.choose(&mut random).cloned().unwrap_or_default();
    match random.random_range(0..10) {
        0 if members.len() > FEWEST => company.leave(&member),
        1 | 2 if members.len() < MOST => {
            let (_userid, events) = company.hire(NewMember::in_departments(&[department]))?;
            Ok(events)
        }
        3 => company.move_member(&member, &[department]),
        4 => {
            let title = TITLES.choose(&mut random).copied().unwrap_or_default();
            company.update_member(&member, |member| title.clone_into(&mut member.title))
        }
        _ => {
            let now_ms = company.now_ms();
            company.punch(&member, now_ms)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::dingtalk::CompanyOptions;

    #[test]
    fn people_come_and_go_and_the_plant_stays_a_plant() {
        let mut company = Company::new(CompanyOptions::default());
        company.populate(4, 12).expect("a company");
        let mut kinds = BTreeSet::new();
        for turn in 0..2000 {
            let events = something(&mut company, 3, turn).expect("it is possible");
            kinds.extend(events.into_iter().map(|event| event.kind));
            assert!((FEWEST..=MOST).contains(&company.members().len()));
        }
        for kind in ["user_add_org", "user_leave_org", "user_modify_org", "attendance_check_record"] {
            assert!(kinds.contains(kind), "{kind}");
        }
    }
}
