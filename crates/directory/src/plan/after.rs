//! How rows are to look once an item is applied: the second pass, over those that differ.

use common::{Entity, EntityKey, EntityKind, Field};

use super::{
    digest::filled,
    item::{Action, Item},
    outcome::Plan,
    row::{DepartmentRow, GENDER, MemberRow, Membership, Row, STATUS},
    told::{Told, ToldDepartment, ToldMember, ToldPlace},
};

impl Plan {
    /// How the row of an item is to look once it is applied, in the destination's ids. `entity` is what the source tells of the
    /// item's entity, `before` the row as it is; what the source does not tell stays as it is there. Version and
    /// source time are left to whoever writes. `None` where there is no row afterwards, or nothing is done, or what is needed is not given.
    pub fn after(&self, item: &Item, entity: Option<&Entity>, before: Option<&Row>) -> Option<Row> {
        match item.action {
            Action::Link => before.cloned(),
            Action::Create | Action::Update => {
                let (key, id) = (item.key()?, item.core_id.as_deref()?);
                match (item.kind, before) {
                    (EntityKind::Department, Some(Row::Department(row))) => {
                        Some(self.department(&key, entity?, row.clone(), true).into())
                    }
                    (EntityKind::Member, Some(Row::Member(row))) => {
                        Some(self.member(entity?, row.clone(), true).into())
                    }
                    (EntityKind::Department, _) => {
                        let row = self.new_department(&key, entity?, id);
                        Some(self.department(&key, entity?, row, false).into())
                    }
                    (EntityKind::Member, _) => Some(self.member(entity?, new_member(entity?, id), false).into()),
                    _ => None,
                }
            }
            Action::Disable => before.cloned().map(|row| self.disabled(row)),
            Action::Delete | Action::Unsure | Action::Impossible => None,
        }
    }

    fn new_department(&self, key: &EntityKey, entity: &Entity, id: &str) -> DepartmentRow {
        let known = filled(entity.fields.text(Field::Name)).filter(|_| !(key.is_root() && entity.incomplete));
        let stand_in = if key.is_root() { &self.options.root_name } else { &entity.shown_id };
        DepartmentRow { id: id.to_owned(), name: known.unwrap_or(stand_in).to_owned(), ..DepartmentRow::default() }
    }

    fn department(&self, key: &EntityKey, entity: &Entity, mut row: DepartmentRow, was_there: bool) -> DepartmentRow {
        let told = ToldDepartment::of(key, entity);
        row.deleted_at = None;
        if let Some(name) = told.name {
            row.name = name.to_owned();
        }
        lay(&mut row.name_en, told.name_en);
        row.position = told.position.or(row.position);
        if let Some(parent) = told.parent.and_then(|parent| self.translation.departments.row(parent)) {
            row.parent_id = Some(parent.as_ref().to_owned());
        }
        if let Some(leaders) = told.leaders {
            let known: Vec<String> = leaders.iter().filter_map(|leader| self.member_id(leader)).collect();
            if known.len() == leaders.len() || !was_there {
                row.leaders = known;
            }
        }
        row
    }

    fn member(&self, entity: &Entity, mut row: MemberRow, was_there: bool) -> MemberRow {
        let told = ToldMember::of(entity, &self.options.employee_number);
        let [name, mobile, email, title, gender, status, number] = told.texts;
        if let Some(Some(name)) = name {
            row.name = name.to_owned();
        }
        lay(&mut row.mobile, mobile);
        lay(&mut row.email, email);
        lay(&mut row.title, title);
        lay(&mut row.gender, gender);
        // Who is there has not left.
        let has_left = row.status.as_deref().is_none_or(|status| status == "left");
        lay(&mut row.status, status.or(has_left.then_some(Some(STATUS))));
        lay(&mut row.employee_number, number);
        row.deleted_at = None;
        for (name, text) in &told.attributes {
            match text {
                Some(text) => {
                    row.attributes.insert((*name).to_owned(), (*text).to_owned());
                }
                None => {
                    row.attributes.remove(*name);
                }
            }
        }
        if let Some(places) = &told.departments {
            row.departments =
                places.iter().filter_map(|place| self.membership(place, told.tells_leads, &row)).collect();
            row.main_department_id = self.main_department(told.main, &row);
        }
        match told.manager {
            Some(Some(manager)) => {
                let known = self.member_id(manager);
                if known.is_some() || !was_there {
                    row.manager_id = known;
                }
            }
            Some(None) => row.manager_id = None,
            None => {}
        }
        row
    }

    /// Where the source does not tell who leads, who led goes on leading.
    fn membership(&self, place: &ToldPlace<'_>, tells_leads: bool, before: &MemberRow) -> Option<Membership> {
        let department_id = self.translation.departments.row(place.department)?.as_ref().to_owned();
        let led = before.departments.iter().any(|there| there.is_leader && there.department_id == department_id);
        let is_leader = if tells_leads { place.leads } else { led };
        Some(Membership { department_id, is_leader, position: place.position })
    }

    /// The one that is told; else the one that it had, if it still is in it; else the first.
    fn main_department(&self, told: Told<&str>, row: &MemberRow) -> Option<String> {
        if let Some(main) = told.and_then(|main| self.translation.departments.row(main)) {
            return Some(main.as_ref().to_owned());
        }
        let ids = || row.departments.iter().map(|place| &place.department_id);
        let kept = row.main_department_id.as_ref().filter(|main| ids().any(|id| id == *main));
        kept.or(ids().next()).cloned()
    }

    /// The row of a member that is referred to; `None` while a person must decide on it.
    fn member_id(&self, id: &str) -> Option<String> {
        let members = &self.translation.members;
        if members.knows(id) {
            return members.row(id).map(|id| id.as_ref().to_owned());
        }
        Some(EntityKey::member(id).id.as_ref().to_owned())
    }

    fn disabled(&self, mut row: Row) -> Row {
        match &mut row {
            Row::Department(row) => row.deleted_at = Some(self.options.now),
            Row::Member(row) => {
                row.deleted_at = Some(self.options.now);
                row.status = Some("left".to_owned());
                row.departments.clear();
            }
        }
        row
    }
}

/// A row of which nothing is known yet.
fn new_member(entity: &Entity, id: &str) -> MemberRow {
    MemberRow {
        id: id.to_owned(),
        name: filled(entity.fields.text(Field::Name)).unwrap_or(&entity.shown_id).to_owned(),
        gender: Some(GENDER.to_owned()),
        status: Some(STATUS.to_owned()),
        ..MemberRow::default()
    }
}

fn lay(column: &mut Option<String>, told: Told<Option<&str>>) {
    if let Some(text) = told {
        *column = text.map(str::to_owned);
    }
}
