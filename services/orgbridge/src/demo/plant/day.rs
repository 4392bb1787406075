//! A day at work: people come and go, ask for leave and overtime, forget to punch, and are corrected.

use platform_sim::dingtalk::{Company, Event, Illegal, Matter, Shift, TimeResult, Verdict, time};

use super::Plant;

const MINUTE_MS: i64 = 60_000;
/// One in so many forgets to punch when going, and one in so many is corrected by an administrator.
const FORGETS_AMONG: usize = 5;
const CORRECTED_AMONG: usize = 7;
/// One approval in so many is refused, and one is withdrawn.
const REFUSED_AMONG: usize = 9;
const WITHDRAWN_AMONG: usize = 11;

/// What happened.
pub(in crate::demo) struct Happened {
    /// Punches and what became of them.
    pub(in crate::demo) attendance: Vec<Event>,
    /// Approvals, and what they raise beside their own events.
    pub(in crate::demo) approvals: Vec<Event>,
}

impl Plant {
    /// Lets yesterday happen.
    pub(in crate::demo) fn work(&self) -> Result<Happened, Illegal> {
        self.happen(|company| {
            let today = time::date(company.now_ms());
            let date = time::previous_day(&today).ok_or(Illegal::Time(today))?;
            let day = Workday {
                rest_day: time::previous_day(&date).unwrap_or_default(),
                midnight_ms: midnight(&date)?,
                date,
            };
            Ok(Happened { attendance: day.punches(company)?, approvals: day.approvals(company)? })
        })
    }

    /// Somebody comes or goes, now.
    pub(in crate::demo) fn punch(&self, place: usize) -> Result<Vec<Event>, Illegal> {
        self.happen(|company| {
            let members = company.members().len().max(1);
            let member = company.members().keys().nth(place % members).cloned().unwrap_or_default();
            company.punch(&member, company.now_ms())
        })
    }
}

struct Workday {
    date: String,
    /// The one before: nothing was planned on it.
    rest_day: String,
    midnight_ms: i64,
}

impl Workday {
    fn at(&self, hour: i64, minute: i64) -> i64 {
        self.midnight_ms + (hour * 60 + minute) * MINUTE_MS
    }

    fn punches(&self, company: &mut Company) -> Result<Vec<Event>, Illegal> {
        let mut events = Vec::new();
        for (place, member) in people(company).iter().enumerate() {
            let minute = i64::try_from(place % 30).unwrap_or_default();
            let plans = company.schedule(member, &self.date, &Shift::day())?;
            events.extend(company.punch(member, self.at(8, 40 + minute))?);
            if place % FORGETS_AMONG != 3 {
                events.extend(company.punch(member, self.at(18, minute))?);
            }
            if let Some(first) = plans.first().filter(|_| place % CORRECTED_AMONG == 2) {
                events.extend(company.boss_edit(member, *first, TimeResult::Normal)?);
            }
        }
        Ok(events)
    }

    fn approvals(&self, company: &mut Company) -> Result<Vec<Event>, Illegal> {
        let leave_types: Vec<String> = company.leave_types().iter().map(|leave| leave.name.clone()).collect();
        let people = people(company);
        let mut events = Vec::new();
        for (place, member) in people.iter().enumerate() {
            let leave_type = leave_types.get(place / 6 % leave_types.len().max(1)).cloned().unwrap_or_default();
            let (id, started) = company.start_approval(member, self.matter(place, member, leave_type))?;
            events.extend(started);
            if let Some(to) = people.first().filter(|_| place % 4 == 1) {
                events.extend(company.redirect(&id, to)?);
                events.extend(company.comment(&id, to, "请补充说明")?);
            }
            events.extend(match place {
                place if place % REFUSED_AMONG == 8 => company.decide(&id, Verdict::Refuse)?,
                place if place % WITHDRAWN_AMONG == 10 => company.terminate(&id)?,
                _ => company.decide(&id, Verdict::Agree)?,
            });
            if place == 0 {
                let (revocation, asked) = company.revoke(&id)?;
                events.extend(asked);
                events.extend(company.decide(&revocation, Verdict::Agree)?);
            }
        }
        Ok(events)
    }

    /// Each kind of what attendance knows, one after the other.
    fn matter(&self, place: usize, member: &str, leave_type: String) -> Matter {
        match place % 6 {
            0 => Matter::Leave { leave_type, begin_ms: self.at(9, 0), end_ms: self.at(18, 0) },
            1 => {
                let workers = vec![member.to_owned()];
                Matter::Overtime { workers, begin_ms: self.at(19, 0), end_ms: self.at(21, 0) }
            }
            2 => Matter::Trip { begin_ms: self.at(0, 0), end_ms: self.at(24, 0) },
            3 => Matter::Makeup { work_date: self.date.clone(), at_ms: self.at(18, 0) },
            4 => Matter::Outing { begin_ms: self.at(14, 0), end_ms: self.at(16, 0) },
            // Nothing was planned on that day: no punch event tells of it (reference dingtalk 6.4).
            _ => Matter::Makeup { work_date: self.rest_day.clone(), at_ms: self.at(-14, 0) },
        }
    }
}

fn people(company: &Company) -> Vec<String> {
    company.members().keys().cloned().collect()
}

fn midnight(date: &str) -> Result<i64, Illegal> {
    time::midnight(date).ok_or_else(|| Illegal::Time(date.to_owned()))
}

#[cfg(test)]
mod tests {
    use platform_sim::dingtalk::CompanyOptions;

    use super::*;

    #[test]
    fn a_day_has_everything_that_attendance_knows() {
        let mut company = Company::new(CompanyOptions::default());
        company.populate(3, 20).unwrap();
        let day = Workday {
            date: "2026-09-18".into(),
            rest_day: "2026-09-17".into(),
            midnight_ms: midnight("2026-09-18").unwrap(),
        };
        let (punches, approvals) = (day.punches(&mut company).unwrap(), day.approvals(&mut company).unwrap());
        let of_kind = |events: &[Event], kind: &str| events.iter().filter(|event| event.kind == kind).count();
        assert_eq!(of_kind(&punches, "attendance_check_record"), 36);
        assert_eq!(of_kind(&punches, "attend_bossCheck_change"), 3);
        assert!(of_kind(&approvals, "bpms_instance_change") >= 40);
        assert!(of_kind(&approvals, "bpms_task_change") >= 40);
        assert!(of_kind(&approvals, "attendance_approve_status_change") > 0);
        let truth = platform_sim::dingtalk::api::truth_of_attendance(&company, i64::MAX);
        for kind in ["result", "punch", "makeup", "leave", "overtime", "trip", "outing"] {
            assert!(truth.values().any(|row| row.kind == kind), "{kind}");
        }
    }
}
