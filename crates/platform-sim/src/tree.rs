//! The departments of a directory with what is below each of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{Department, ROOT};

#[derive(Clone, Debug)]
pub(crate) struct Tree {
    departments: BTreeMap<String, Department>,
    children: HashMap<String, BTreeSet<String>>,
}

impl Tree {
    /// A tree that holds the root only.
    pub(crate) fn new(root_name: &str) -> Self {
        let root = Department { id: ROOT.to_owned(), name: root_name.to_owned(), parent: None, order: None };
        Self { departments: BTreeMap::from([(ROOT.to_owned(), root)]), children: HashMap::new() }
    }

    pub(crate) fn all(&self) -> &BTreeMap<String, Department> {
        &self.departments
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Department> {
        self.departments.get(id)
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.departments.contains_key(id)
    }

    pub(crate) fn add(&mut self, department: Department) {
        if let Some(parent) = &department.parent {
            self.children.entry(parent.clone()).or_default().insert(department.id.clone());
        }
        self.departments.insert(department.id.clone(), department);
    }

    pub(crate) fn rename(&mut self, id: &str, name: &str) {
        if let Some(department) = self.departments.get_mut(id) {
            name.clone_into(&mut department.name);
        }
    }

    pub(crate) fn reorder(&mut self, id: &str, order: u64) {
        if let Some(department) = self.departments.get_mut(id) {
            department.order = Some(order);
        }
    }

    pub(crate) fn relocate(&mut self, id: &str, parent: &str) {
        let Some(department) = self.departments.get_mut(id) else { return };
        if let Some(before) = department.parent.replace(parent.to_owned())
            && let Some(siblings) = self.children.get_mut(&before)
        {
            siblings.remove(id);
        }
        self.children.entry(parent.to_owned()).or_default().insert(id.to_owned());
    }

    pub(crate) fn remove(&mut self, id: &str) {
        let Some(department) = self.departments.remove(id) else { return };
        self.children.remove(id);
        if let Some(siblings) = department.parent.and_then(|parent| self.children.get_mut(&parent)) {
            siblings.remove(id);
        }
    }

    pub(crate) fn children(&self, id: &str) -> impl Iterator<Item = &Department> {
        self.children.get(id).into_iter().flatten().filter_map(|child| self.departments.get(child))
    }

    pub(crate) fn has_children(&self, id: &str) -> bool {
        self.children.get(id).is_some_and(|children| !children.is_empty())
    }

    /// The number of departments above this one: 0 for the root.
    pub(crate) fn depth(&self, id: &str) -> u32 {
        let mut depth = 0;
        let mut current = id;
        while let Some(parent) = self.get(current).and_then(|department| department.parent.as_deref()) {
            depth += 1;
            current = parent;
        }
        depth
    }

    /// The number of levels below this department.
    pub(crate) fn height(&self, id: &str) -> u32 {
        let mut height = 0;
        let mut pending = vec![(id, 0)];
        while let Some((current, level)) = pending.pop() {
            height = height.max(level);
            pending.extend(self.children(current).map(|child| (child.id.as_str(), level + 1)));
        }
        height
    }

    /// Whether it is that department or lies below it.
    pub(crate) fn is_within(&self, id: &str, ancestor: &str) -> bool {
        let mut current = Some(id);
        while let Some(id) = current {
            if id == ancestor {
                return true;
            }
            current = self.get(id).and_then(|department| department.parent.as_deref());
        }
        false
    }
}
