//! The company whose attendance is asked for.

use platform_sim::dingtalk::{Company, CompanyOptions, Shift, time};

/// A Monday, the days before it, and the next one.
pub(super) const FRIDAY: &str = "2026-09-18";
pub(super) const SATURDAY: &str = "2026-09-19";
pub(super) const SUNDAY: &str = "2026-09-20";
pub(super) const MONDAY: &str = "2026-09-21";
pub(super) const TUESDAY: &str = "2026-09-22";

/// A moment of a day by China's clock.
pub(super) fn at(date: &str, clock: &str) -> i64 {
    time::parse(&format!("{date} {clock}")).unwrap()
}

/// A company on Monday before anybody comes. Friday was a holiday all the same, and nobody works at weekends but the night shift, every
/// tenth member, which came on Sunday evening.
pub(super) fn early_on_monday(departments: usize, members: usize) -> Company {
    let options = CompanyOptions { start_ms: at(FRIDAY, "07:00"), pace_ms: 0, ..CompanyOptions::default() };
    let mut company = Company::new(options);
    company.populate(departments, members).unwrap();
    company.set_holiday(FRIDAY);
    let (day, night) = members_of(&company);
    for member in &day {
        for date in [FRIDAY, MONDAY, TUESDAY] {
            company.schedule(member, date, &Shift::day()).unwrap();
        }
    }
    for member in &night {
        company.schedule(member, SUNDAY, &Shift::night()).unwrap();
    }
    company.set_now_ms(at(FRIDAY, "09:00"));
    for member in &day {
        company.punch(member, at(FRIDAY, "08:55:30")).unwrap();
    }
    company.set_now_ms(at(SUNDAY, "22:00"));
    for member in &night {
        company.punch(member, at(SUNDAY, "21:58:10")).unwrap();
    }
    company.set_now_ms(at(MONDAY, "05:20"));
    company
}

/// Who works by day, and who by night.
pub(super) fn members_of(company: &Company) -> (Vec<String>, Vec<String>) {
    let (mut day, mut night) = (Vec::new(), Vec::new());
    for (number, member) in company.members().keys().enumerate() {
        if number % 10 == 9 { night.push(member.clone()) } else { day.push(member.clone()) }
    }
    (day, night)
}
