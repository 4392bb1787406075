//! The company as the core product knew it before: an older copy, under ids of its own. Four in five members are in it, one in
//! twenty under a former name, and some who have left since.

use std::collections::HashMap;

use platform_sim::{Department, Member, ROOT, Snapshot, fold};

use super::copy::Rows;

/// The row of the root department.
const TOP: &str = "HQ";
/// `COPY`'s way to write nothing.
const NULL: &str = "\\N";

/// What the copy lacks, and what it has too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Age {
    /// Members that are in it.
    pub(super) known: usize,
    /// Of these, members under a former name.
    pub(super) renamed: usize,
    /// Members who have left since.
    pub(super) left: usize,
}

/// The older copy of a company.
pub(super) fn copy_of(company: &Snapshot) -> (Rows, Age) {
    let rows: HashMap<&str, String> = company
        .members
        .keys()
        .enumerate()
        .filter(|(number, _)| is_known(*number))
        .map(|(number, id)| (id.as_str(), format!("P-{number}")))
        .collect();
    let age = Age {
        known: rows.len(),
        renamed: (0..company.members.len()).filter(|number| is_renamed(*number)).count(),
        left: company.members.len() * 3 / 100,
    };
    let mut writer = Writer { rows: &rows, all: Rows::default() };
    let mut leaders: HashMap<&str, Vec<&str>> = HashMap::new();
    for (key, member) in &company.members {
        for led in member.leads.iter().filter(|_| rows.contains_key(key.as_str())) {
            leaders.entry(led.as_str()).or_default().push(key.as_str());
        }
    }
    for department in company.departments.values() {
        writer.department(department, leaders.remove(department.id.as_str()).unwrap_or_default());
    }
    for (number, member) in company.members.values().enumerate().filter(|(number, _)| is_known(*number)) {
        writer.member(number, member);
    }
    for number in 0..age.left {
        writer.former(number);
    }
    (writer.all, age)
}

fn is_known(number: usize) -> bool {
    !number.is_multiple_of(5)
}

fn is_renamed(number: usize) -> bool {
    number % 20 == 1
}

/// Writes lines of `COPY`.
struct Writer<'a> {
    /// Ids of rows by folded ids of members.
    rows: &'a HashMap<&'a str, String>,
    all: Rows,
}

impl Writer<'_> {
    fn department(&mut self, department: &Department, leaders: Vec<&str>) {
        let id = department_row(&department.id);
        let parent = department.parent.as_deref().map(department_row);
        let order = department.order.map(|order| order.to_string());
        let leaders: Vec<&String> = leaders.into_iter().filter_map(|leader| self.rows.get(leader)).collect();
        let leaders = serde_json::json!(leaders).to_string();
        let name = Some(department.name.as_str());
        let place = [Some("acme"), Some(id.as_str()), parent.as_deref(), name, None, order.as_deref()];
        let rest = [Some(leaders.as_str()), Some("0"), Some("0"), None];
        line(&mut self.all.departments, place.into_iter().chain(rest));
    }

    fn member(&mut self, number: usize, member: &Member) {
        let id = format!("P-{number}");
        let former = format!("曾用名{number}");
        let name = if is_renamed(number) { &former } else { &member.name };
        let (gender, status) = (member.gender.to_string(), member.status.to_string());
        let main = member.main_department.as_deref().map(department_row);
        // One whom the copy does not know is named by nobody in it.
        let manager = member.leaders.first().and_then(|leader| self.rows.get(fold(leader).as_str())).cloned();
        let attributes = serde_json::json!(member.attributes).to_string();
        let columns = [
            Some("acme"),
            Some(id.as_str()),
            Some(name.as_str()),
            filled(&member.mobile),
            filled(&member.email),
            filled(&member.title),
            Some(gender.as_str()),
            Some(status.as_str()),
            member.attributes.get(super::EMPLOYEE_NUMBER).map(String::as_str),
            main.as_deref(),
            manager.as_deref(),
            Some(attributes.as_str()),
        ];
        line(&mut self.all.members, columns.into_iter().chain([Some("0"), Some("0"), None]));
        // As the platform lists them.
        let mut departments: Vec<&String> = member.departments.iter().collect();
        departments.sort_by_key(|id| id.parse::<u64>().unwrap_or_default());
        for (place, department) in departments.into_iter().enumerate() {
            let (row, place) = (department_row(department), place.to_string());
            let leads = if member.leads.contains(department) { "t" } else { "f" };
            let columns = [Some("acme"), Some(id.as_str()), Some(row.as_str()), Some(leads), Some(place.as_str())];
            line(&mut self.all.memberships, columns);
        }
    }

    /// Somebody whom the platform does not know any more.
    fn former(&mut self, number: usize) {
        let (id, name, mobile) = (format!("G-{number}"), format!("前员工{number}"), format!("139{number:08}"));
        let person = [Some("acme"), Some(id.as_str()), Some(name.as_str()), Some(mobile.as_str()), None, None];
        let rest = [Some("unknown"), Some("active"), None, Some(TOP), None, Some("{}"), Some("0"), Some("0"), None];
        line(&mut self.all.members, person.into_iter().chain(rest));
        line(&mut self.all.memberships, [Some("acme"), Some(id.as_str()), Some(TOP), Some("f"), Some("0")]);
    }
}

fn department_row(id: &str) -> String {
    if id == ROOT { TOP.to_owned() } else { format!("D-{id}") }
}

fn filled(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// Adds a line. What would end a column or a line is escaped.
fn line<'a>(lines: &mut Vec<u8>, columns: impl IntoIterator<Item = Option<&'a str>>) {
    let mut text = String::new();
    for (place, column) in columns.into_iter().enumerate() {
        if place > 0 {
            text.push('\t');
        }
        let Some(column) = column else {
            text.push_str(NULL);
            continue;
        };
        for letter in column.chars() {
            match letter {
                '\\' => text.push_str("\\\\"),
                '\t' => text.push_str("\\t"),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                letter => text.push(letter),
            }
        }
    }
    text.push('\n');
    lines.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use platform_sim::{Company, CompanyOptions};

    use super::*;

    #[test]
    fn the_copy_lacks_one_in_five_and_has_some_who_left() {
        let mut company = Company::new(CompanyOptions::default());
        company.populate(1_000, 50, 5);
        let (rows, age) = copy_of(&company.snapshot());
        assert_eq!(age, Age { known: 800, renamed: 50, left: 30 });
        let lines = |text: &[u8]| text.iter().filter(|byte| **byte == b'\n').count();
        assert_eq!((lines(&rows.departments), lines(&rows.members)), (50, 830));
        let members = String::from_utf8(rows.members).unwrap();
        assert!(members.lines().all(|line| line.split('\t').count() == 15), "{members}");
        let departments = String::from_utf8(rows.departments).unwrap();
        assert!(departments.lines().all(|line| line.split('\t').count() == 10), "{departments}");
    }

    #[test]
    fn what_would_end_a_column_is_escaped() {
        let mut lines = Vec::new();
        line(&mut lines, [Some("a\tb\\"), None, Some("c\n")]);
        assert_eq!(String::from_utf8(lines).unwrap(), "a\\tb\\\\\t\\N\tc\\n\n");
    }
}
