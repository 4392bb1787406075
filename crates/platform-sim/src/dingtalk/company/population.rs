//! A whole company at once.

use super::super::events::Event;
use super::super::ids;
use super::{Company, Illegal, NewMember, ROOT};

const SURNAMES: &[&str] = &["王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "欧阳", "上官"];
const GIVEN: &[&str] = &["伟", "芳", "娜", "敏", "静", "强", "磊", "洋", "春晓", "志远", "子涵", "雨桐", "𠮷"];
const WORK: &[&str] = &["车间", "研发部", "销售部", "质量部", "采购部", "物流组", "人力资源部", "财务部"];

/// A name for a number.
pub(super) fn name(number: u64) -> String {
    let pick = |names: &[&str], what: &str| {
        let length = u64::try_from(names.len()).unwrap_or(1);
        let place = usize::try_from(ids::draw(number, what) % length).unwrap_or_default();
        names.get(place).copied().unwrap_or_default().to_owned()
    };
    pick(SURNAMES, "surname") + &pick(GIVEN, "given")
}

impl Company {
    /// Creates so many departments below the root and hires so many members: every fifth is in two departments, every
    /// tenth manages one, and most have a superior.
    ///
    /// # Errors
    /// None where the company has not reached the end of its numbers.
    pub fn populate(&mut self, departments: usize, members: usize) -> Result<Vec<Event>, Illegal> {
        let mut events = Vec::new();
        let mut ids = vec![ROOT];
        for number in 0..departments {
            let parent = ids.get(number / 4).copied().unwrap_or(ROOT);
            let name = format!("{}{}", WORK.get(number % WORK.len()).copied().unwrap_or_default(), number + 1);
            let (id, created) = self.create_department(&name, parent)?;
            ids.push(id);
            events.extend(created);
        }
        let mut managers: Vec<String> = Vec::new();
        for number in 0..members {
            let of = |place: usize| ids.get(place % ids.len()).copied().unwrap_or(ROOT);
            let first = of(number + 1);
            let second = of(number + 2);
            let both = number % 5 == 0 && first != second;
            let departments = if both { vec![first, second] } else { vec![first] };
            let mut new = NewMember { departments, ..NewMember::default() };
            new.manager = managers.get(number % 7).cloned().unwrap_or_default();
            let (userid, hired) = self.hire(new)?;
            events.extend(hired);
            if number % 10 == 0 {
                events.extend(self.set_managers(first, &[&userid])?);
                managers.push(userid);
            }
        }
        Ok(events)
    }
}
