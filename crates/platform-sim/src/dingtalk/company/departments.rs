//! Operations on departments, and the events of them (reference dingtalk 3.2).

use serde_json::json;

use super::super::events::Event;
use super::{Company, Department, Illegal, ROOT};

impl Company {
    /// Creates a department; its id comes with the events.
    ///
    /// # Errors
    /// [`Illegal`] if the one above it does not exist.
    pub fn create_department(&mut self, name: &str, parent: i64) -> Result<(i64, Vec<Event>), Illegal> {
        self.existing(parent)?;
        let now_ms = self.tick();
        let id = self.numbers.department;
        self.numbers.department += 1;
        let department = Department {
            id,
            name: name.to_owned(),
            parent: Some(parent),
            order: self.next_order(),
            managers: Vec::new(),
            hidden: false,
            in_scope: true,
            readable_from_ms: now_ms.saturating_add(self.options.entity_lag_ms),
        };
        self.departments.insert(id, department);
        Ok((id, vec![self.tell_department("org_dept_create", id, now_ms)]))
    }

    /// Renames a department.
    ///
    /// # Errors
    /// [`Illegal`] if it does not exist.
    pub fn rename_department(&mut self, id: i64, name: &str) -> Result<Vec<Event>, Illegal> {
        self.change_department(id, |department| name.clone_into(&mut department.name))
    }

    /// Puts a department under another one.
    ///
    /// # Errors
    /// [`Illegal`] if one of them does not exist, or it would be below itself.
    pub fn move_department(&mut self, id: i64, parent: i64) -> Result<Vec<Event>, Illegal> {
        if id == ROOT {
            return Err(Illegal::Root);
        }
        self.existing(parent)?;
        if self.line_up(parent).contains(&id) {
            return Err(Illegal::Cycle(id));
        }
        self.change_department(id, |department| department.parent = Some(parent))
    }

    /// Names the managers of a department.
    ///
    /// # Errors
    /// [`Illegal`] if it or one of them does not exist.
    pub fn set_managers(&mut self, id: i64, managers: &[&str]) -> Result<Vec<Event>, Illegal> {
        for manager in managers {
            self.present(manager)?;
        }
        let managers: Vec<String> = managers.iter().map(|manager| (*manager).to_owned()).collect();
        self.change_department(id, |department| department.managers = managers)
    }

    /// Changes anything of a department but its id and the one above it.
    ///
    /// # Errors
    /// [`Illegal`] if it does not exist.
    pub fn change_department(&mut self, id: i64, edit: impl FnOnce(&mut Department)) -> Result<Vec<Event>, Illegal> {
        let department = self.departments.get_mut(&id).ok_or(Illegal::UnknownDepartment(id))?;
        edit(department);
        let now_ms = self.tick();
        Ok(vec![self.tell_department("org_dept_modify", id, now_ms)])
    }

    /// Removes an empty department.
    ///
    /// # Errors
    /// [`Illegal`] if it does not exist, is the root, or has members or departments.
    pub fn remove_department(&mut self, id: i64) -> Result<Vec<Event>, Illegal> {
        self.existing(id)?;
        if id == ROOT {
            return Err(Illegal::Root);
        }
        let has_children = self.departments.values().any(|department| department.parent == Some(id));
        let has_members = self.members.values().any(|member| member.departments().any(|department| department == id));
        if has_children || has_members {
            return Err(Illegal::NotEmpty(id));
        }
        self.departments.remove(&id);
        let now_ms = self.tick();
        Ok(vec![self.tell_department("org_dept_remove", id, now_ms)])
    }

    /// The departments from this one up to the root, itself first.
    pub(super) fn line_up(&self, id: i64) -> Vec<i64> {
        std::iter::successors(Some(id), |id| self.departments.get(id)?.parent).collect()
    }

    pub(super) fn existing(&self, id: i64) -> Result<&Department, Illegal> {
        self.departments.get(&id).ok_or(Illegal::UnknownDepartment(id))
    }

    pub(super) fn next_order(&mut self) -> i64 {
        let order = self.numbers.order;
        self.numbers.order += 1;
        order
    }

    fn tell_department(&mut self, kind: &str, id: i64, now_ms: i64) -> Event {
        self.raise(kind, now_ms, json!({"deptId": [id]}))
    }
}
