//! A core product that does what a plan says, item by item, and refuses what breaks a reference.

use std::collections::{BTreeMap, BTreeSet};

use common::EntityKind;

use super::company::{Company, values};
use crate::plan::{Action, Item, Plan, Row};

impl Company {
    /// Applies a plan from its start to its end, and says what is wrong with it.
    pub(super) fn apply(&mut self, plan: &Plan) -> Result<(), String> {
        for item in plan.items() {
            self.apply_item(plan, item).map_err(|error| format!("{}: {error}", super::line(item)))?;
            self.check_references().map_err(|error| format!("{}: {error}", super::line(item)))?;
        }
        Ok(())
    }

    fn apply_item(&mut self, plan: &Plan, item: &Item) -> Result<(), String> {
        let core_id = item.core_id.as_deref().unwrap_or_default();
        let before = self.row(item.kind, core_id).cloned();
        let entity = item.key().and_then(|key| self.entity(&key)).cloned();
        let after = plan.after(item, entity.as_ref(), before.as_ref());
        match item.action {
            Action::Link => self.links.push((item.key().unwrap(), core_id.to_owned(), true)),
            Action::Create => {
                let fold = |id: &str| id.to_lowercase();
                if self.rows.iter().any(|row| row.kind() == item.kind && fold(row.id()) == fold(core_id)) {
                    return Err("there is such a row".into());
                }
                self.rows.push(written(after.unwrap()));
            }
            Action::Update => {
                let (before, after) = (before.unwrap(), after.unwrap());
                check_columns(item, &before, &after)?;
                self.put(written(after));
            }
            Action::Disable => {
                self.put(written(after.unwrap()));
                if item.kind == EntityKind::Department {
                    self.check_nobody_is_in(core_id)?;
                }
            }
            Action::Delete => self.rows.retain(|row| row.kind() != item.kind || row.id() != core_id),
            Action::Unsure | Action::Impossible => {}
        }
        Ok(())
    }

    fn put(&mut self, row: Row) {
        let there = self.rows.iter_mut().find(|there| there.kind() == row.kind() && there.id() == row.id());
        *there.unwrap() = row;
    }

    /// The foreign keys of the tables.
    fn check_references(&self) -> Result<(), String> {
        let departments: BTreeSet<&str> =
            self.rows.iter().filter(|row| row.kind() == EntityKind::Department).map(Row::id).collect();
        let referred = |row: &Row| -> Vec<String> {
            match row {
                Row::Department(row) => row.parent_id.iter().cloned().collect(),
                Row::Member(row) => {
                    let places = row.departments.iter().map(|place| place.department_id.clone());
                    places.chain(row.main_department_id.clone()).collect()
                }
            }
        };
        for row in &self.rows {
            if let Some(missing) = referred(row).iter().find(|id| !departments.contains(id.as_str())) {
                return Err(format!("{} refers to {missing}, which is not there", row.id()));
            }
        }
        Ok(())
    }

    fn check_nobody_is_in(&self, department: &str) -> Result<(), String> {
        let is_in = |row: &&Row| match row {
            Row::Department(row) => {
                row.deleted_at.is_none() && row.id != department && row.parent_id.as_deref() == Some(department)
            }
            Row::Member(row) => {
                let is_main = row.main_department_id.as_deref() == Some(department);
                let is_in = row.departments.iter().any(|place| place.department_id == department);
                row.deleted_at.is_none() && (is_main || is_in)
            }
        };
        self.rows.iter().find(is_in).map_or(Ok(()), |row| Err(format!("{} is in it", row.id())))
    }
}

/// We wrote it.
fn written(mut row: Row) -> Row {
    match &mut row {
        Row::Department(row) => row.version += 1,
        Row::Member(row) => row.version += 1,
    }
    row
}

/// Only what is said to differ becomes different. Who is there has not left.
fn check_columns(item: &Item, before: &Row, after: &Row) -> Result<(), String> {
    let (before, after) = (values(before), values(after));
    let columns: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let said: Vec<&str> = item.why.columns.iter().map(|column| column.as_str()).collect();
    for column in columns {
        let value = |values: &BTreeMap<String, String>| values.get(column).cloned().unwrap_or_default();
        let name = column.split('.').next().unwrap();
        let returned = name == "status" && value(&before) == "left";
        if value(&before) != value(&after) && !said.contains(&name) && !returned {
            return Err(format!("{column} became different"));
        }
    }
    Ok(())
}
