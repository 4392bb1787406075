//! What differs between an entity and its row.

use platform_sim::{Member, fold};

use super::Naive;
use crate::{
    copy::{NUMBER, listed},
    product::Place,
};

impl Naive<'_> {
    /// The columns of a department's row that the platform tells otherwise.
    pub(super) fn department_differences(&self, id: &str, row: &str) -> Vec<&'static str> {
        let (department, row) = (&self.company.departments[id], &self.rows.departments[row]);
        let leading = self.company.members.iter().filter(|(_, member)| member.leads.iter().any(|led| led == id));
        // None while a person must decide on one of them.
        let leaders: Option<Vec<String>> = leading.map(|(id, _)| self.member_target(id)).collect();
        let there: Vec<String> = row.leaders.iter().map(|leader| fold(leader)).collect();
        let parent = department.parent.as_ref().map(|parent| self.standing(parent));
        let position = department.order.map(|order| i64::try_from(order).unwrap());
        named([
            ("name", department.name != row.name),
            // Nobody has an English name there.
            ("name_en", row.name_en.as_deref().is_some_and(|name| !name.is_empty())),
            ("parent_id", parent.is_some_and(|parent| parent != row.parent)),
            ("position", position.is_some() && position != row.position),
            ("leaders", leaders.is_some_and(|leaders| leaders != there)),
            ("deleted_at", row.deleted_at.is_some()),
        ])
    }

    /// The columns of a member's row that the platform tells otherwise.
    pub(super) fn member_differences(&self, id: &str, member: &Member) -> Vec<&'static str> {
        let row = &self.rows.members[self.members.row(id).unwrap()];
        let is = |told: &str, there: &Option<String>| told == there.as_deref().unwrap_or_default();
        let number = member.attributes.get(NUMBER);
        // A leader on whom a person must decide is not compared.
        let manager = member.leaders.first().map(|leader| self.member_target(leader));
        let there = row.manager.as_deref().map(fold);
        let has_manager = match manager {
            None => there.is_none(),
            Some(None) => true,
            Some(target) => target == there,
        };
        let main = member.main_department.as_ref().and_then(|main| self.standing(main));
        let details = ["alias", "telephone", "address", "biz_mail", "avatar"];
        let has_attributes = member.attributes.iter().all(|(name, value)| row.attributes.get(name) == Some(value));
        let has_emptied = details.iter().any(|name| row.attributes.contains_key(*name));
        named([
            ("name", member.name != row.name),
            ("mobile", !is(&member.mobile, &row.mobile)),
            ("email", !is(&member.email, &row.email)),
            ("title", !is(&member.title, &row.title)),
            ("gender", member.gender.to_string() != row.gender),
            ("status", member.status.to_string() != row.status),
            ("employee_number", number.is_some_and(|number| !is(number, &row.employee_number))),
            ("main_department_id", main != row.main_department),
            ("manager_id", !has_manager),
            ("attributes", !has_attributes || has_emptied),
            ("departments", self.is_elsewhere(member, row.places.iter())),
            ("deleted_at", row.deleted_at.is_some()),
        ])
    }

    fn is_elsewhere<'a>(&self, member: &Member, there: impl Iterator<Item = (&'a String, &'a Place)>) -> bool {
        let place = |(position, id): (i64, &String)| {
            let place = Place { leads: member.leads.contains(id), position };
            (self.standing(id).unwrap(), place)
        };
        let mut told: Vec<(String, Place)> = (0..).zip(listed(&member.departments)).map(place).collect();
        told.sort_by(|one, other| one.0.cmp(&other.0));
        let there: Vec<(String, Place)> = there.map(|(id, place)| (id.clone(), *place)).collect();
        told != there
    }
}

/// Those of them that differ.
fn named<const N: usize>(columns: [(&'static str, bool); N]) -> Vec<&'static str> {
    columns.into_iter().filter(|(_, differs)| *differs).map(|(column, _)| column).collect()
}
