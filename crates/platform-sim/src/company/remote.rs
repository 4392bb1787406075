//! What the contact-sync secret changes through the API: it raises no callback (reference wecom 0).

use super::{Company, Illegal, department_key};

impl Company {
    /// Does something whose callbacks nobody hears: they leave no gap in the numbering of those that are heard.
    pub(crate) fn silently<T>(&mut self, operation: impl FnOnce(&mut Self) -> T) -> T {
        let next_sequence = self.next_sequence;
        let done = operation(self);
        self.next_sequence = next_sequence;
        done
    }

    /// Changes those of a department's name, parent and order that are given; all of them or none.
    pub(crate) fn rewrite_department(
        &mut self,
        id: &str,
        name: Option<&str>,
        parent: Option<&str>,
        order: Option<u64>,
    ) -> Result<(), Illegal> {
        let department = self.tree.get(id).ok_or_else(|| Illegal::UnknownDepartment(id.to_owned()))?;
        if let Some(parent) = parent {
            self.may_move(id, parent)?;
        }
        if let Some(parent) = parent.or(department.parent.as_deref()) {
            self.free_name(name.unwrap_or(&department.name), parent, Some(id))?;
        }
        self.tick(&[department_key(id)], &[]);
        if let Some(name) = name {
            self.tree.rename(id, name);
        }
        if let Some(parent) = parent {
            self.tree.relocate(id, parent);
        }
        if let Some(order) = order {
            self.tree.reorder(id, order);
        }
        Ok(())
    }
}
