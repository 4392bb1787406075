//! Operations on departments.

use super::{Callback, Company, Document, Illegal, MAX_DEPTH, department_key, render};
use crate::{Act, Department, ROOT, Subject};

impl Company {
    /// Creates a department; returns its new id, which no other department has had or will have.
    ///
    /// # Errors
    /// [`Illegal`] if the parent is unknown or too deep, or a sibling has the name.
    pub fn create_department(&mut self, name: &str, parent: &str) -> Result<(String, Vec<Callback>), Illegal> {
        self.add_department(None, name, parent, None)
    }

    /// Creates a department under an id and with an order of the caller's choice, where given.
    pub(crate) fn add_department(
        &mut self,
        chosen: Option<u64>,
        name: &str,
        parent: &str,
        order: Option<u64>,
    ) -> Result<(String, Vec<Callback>), Illegal> {
        self.known_department(parent)?;
        if self.tree.depth(parent) >= MAX_DEPTH {
            return Err(Illegal::TooDeep(name.to_owned()));
        }
        self.free_name(name, parent, None)?;
        let number = match chosen {
            Some(number) => self.choose_number(number)?,
            None => self.next_number(),
        };
        let id = number.to_string();
        let order = Some(order.unwrap_or_else(|| 100_000_u64.wrapping_mul(number.wrapping_add(1)) % (1 << 32)));
        let department = Department { id: id.clone(), name: name.to_owned(), parent: Some(parent.to_owned()), order };
        let at_seconds = self.tick(&[department_key(&id)], &[]);
        let elements = render::department_created(&department, self.options.profile);
        self.tree.add(department);
        self.department_pool.add(id.clone());
        let callback =
            self.department_callback(&id, Act::Create, at_seconds, Document::contact("create_party", elements));
        Ok((id, vec![callback]))
    }

    /// The next id that no department has had.
    fn next_number(&mut self) -> u64 {
        while self.chosen_departments.contains(&self.next_department) {
            self.next_department += 1;
        }
        let number = self.next_department;
        self.next_department += 1;
        number
    }

    fn choose_number(&mut self, number: u64) -> Result<u64, Illegal> {
        if self.tree.contains(&number.to_string()) {
            return Err(Illegal::DepartmentIdTaken(number.to_string()));
        }
        self.chosen_departments.insert(number);
        Ok(number)
    }

    /// Puts a department under another one.
    ///
    /// # Errors
    /// [`Illegal`] if one is unknown, it is the root, a cycle would arise, or a sibling there has its name.
    pub fn move_department(&mut self, id: &str, parent: &str) -> Result<Vec<Callback>, Illegal> {
        self.may_move(id, parent)?;
        let name = self.department_name(id);
        self.free_name(&name, parent, Some(id))?;
        self.change_department(id, |company| company.tree.relocate(id, parent))
    }

    /// Renames a department; the root too.
    ///
    /// # Errors
    /// [`Illegal`] if it is unknown or a sibling has the name.
    pub fn rename_department(&mut self, id: &str, name: &str) -> Result<Vec<Callback>, Illegal> {
        let department = self.tree.get(id).ok_or_else(|| Illegal::UnknownDepartment(id.to_owned()))?;
        if let Some(parent) = department.parent.clone() {
            self.free_name(name, &parent, Some(id))?;
        }
        self.change_department(id, |company| company.tree.rename(id, name))
    }

    /// Removes an empty department.
    ///
    /// # Errors
    /// [`Illegal`] if it is unknown, the root, or not empty.
    pub fn remove_department(&mut self, id: &str) -> Result<Vec<Callback>, Illegal> {
        self.movable(id)?;
        if self.tree.has_children(id) || self.roster.occupies(id) {
            return Err(Illegal::NotEmpty(id.to_owned()));
        }
        let at_seconds = self.tick(&[department_key(id)], &[]);
        let document = Document::contact("delete_party", render::department_removed(id));
        let callback = self.department_callback(id, Act::Remove, at_seconds, document);
        self.tree.remove(id);
        self.department_pool.remove(id);
        self.names_en.remove(id);
        Ok(vec![callback])
    }

    fn change_department(&mut self, id: &str, change: impl FnOnce(&mut Self)) -> Result<Vec<Callback>, Illegal> {
        let before = self.tree.get(id).cloned().ok_or_else(|| Illegal::UnknownDepartment(id.to_owned()))?;
        let at_seconds = self.tick(&[department_key(id)], &[]);
        change(self);
        let elements =
            self.tree.get(id).and_then(|after| render::department_updated(&before, after, self.options.profile));
        let document = elements.map(|elements| Document::contact("update_party", elements));
        let callback = document.map(|document| self.department_callback(id, Act::Update, at_seconds, document));
        Ok(Vec::from_iter(callback))
    }

    fn department_callback(&mut self, id: &str, act: Act, at_seconds: i64, document: Document) -> Callback {
        let depth = self.tree.depth(id);
        self.callback(at_seconds, Subject::Department(id.to_owned()), act, depth, document)
    }

    pub(super) fn known_department(&self, id: &str) -> Result<(), Illegal> {
        if self.tree.contains(id) { Ok(()) } else { Err(Illegal::UnknownDepartment(id.to_owned())) }
    }

    pub(super) fn department_name(&self, id: &str) -> String {
        self.tree.get(id).map(|department| department.name.clone()).unwrap_or_default()
    }

    pub(super) fn may_move(&self, id: &str, parent: &str) -> Result<(), Illegal> {
        self.movable(id)?;
        self.known_department(parent)?;
        if self.tree.is_within(parent, id) {
            return Err(Illegal::Cycle(id.to_owned()));
        }
        if self.tree.depth(parent) + 1 + self.tree.height(id) > MAX_DEPTH {
            return Err(Illegal::TooDeep(id.to_owned()));
        }
        Ok(())
    }

    fn movable(&self, id: &str) -> Result<(), Illegal> {
        if id == ROOT { Err(Illegal::Root) } else { self.known_department(id) }
    }

    pub(super) fn free_name(&self, name: &str, parent: &str, except: Option<&str>) -> Result<(), Illegal> {
        let taken =
            self.tree.children(parent).any(|sibling| sibling.name == name && Some(sibling.id.as_str()) != except);
        if taken { Err(Illegal::NameTaken(name.to_owned())) } else { Ok(()) }
    }
}
