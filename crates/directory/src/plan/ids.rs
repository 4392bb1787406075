//! Ids as small numbers, and values by such numbers, so that a company of a million fits into memory.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, DefaultHasher},
    sync::Arc,
};

use common::{EntityKey, EntityKind};

/// An id as a number; it means something only together with its [`Ids`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Node(u32);

impl Node {
    pub(super) fn from_index(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// All ids of one side and kind, those that are only referred to included. Ids of members that differ in case are one.
pub(super) struct Ids {
    kind: EntityKind,
    /// By folded id. The hasher has a fixed key: nothing here may depend on chance.
    nodes: HashMap<Arc<str>, Node, BuildHasherDefault<DefaultHasher>>,
    /// As they are shown.
    texts: Vec<Arc<str>>,
}

impl Ids {
    pub(super) fn new(kind: EntityKind) -> Self {
        Self { kind, nodes: HashMap::default(), texts: Vec::new() }
    }

    /// The number of an id.
    pub(super) fn node(&mut self, id: &str) -> Node {
        let key = EntityKey::new(self.kind, id).id;
        if let Some(node) = self.nodes.get(&key) {
            return *node;
        }
        let node = Node::from_index(self.texts.len());
        self.texts.push(Arc::clone(&key));
        self.nodes.insert(key, node);
        node
    }

    /// The number of an id that was named before.
    pub(super) fn find(&self, id: &str) -> Option<Node> {
        self.nodes.get(&EntityKey::new(self.kind, id).id).copied()
    }

    /// How an id is shown from now on.
    pub(super) fn spell(&mut self, node: Node, id: &str) {
        if let Some(text) = self.texts.get_mut(node.index())
            && **text != *id
        {
            *text = id.into();
        }
    }

    /// The id as it is shown.
    pub(super) fn text(&self, node: Node) -> Arc<str> {
        self.texts.get(node.index()).cloned().unwrap_or_default()
    }

    /// The id as it is shown.
    pub(super) fn str(&self, node: Node) -> &str {
        self.texts.get(node.index()).map(|text| &**text).unwrap_or_default()
    }

    /// The id of a new row: as people see it, if a database can tell that it is the same id. Databases fold the letters A to Z
    /// only.
    pub(super) fn row_id(&self, node: Node) -> Arc<str> {
        let shown = self.text(node);
        let key = EntityKey::new(self.kind, &shown).id;
        if shown.eq_ignore_ascii_case(&key) { shown } else { key }
    }

    /// How many there are: their numbers are those below.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    /// All of them, as they were first named.
    pub(super) fn nodes(&self) -> impl Iterator<Item = Node> + use<> {
        (0..self.texts.len()).map(Node::from_index)
    }
}

/// Values by number; what was never put there is absent.
pub(super) struct Table<T>(Vec<Option<T>>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Table<T> {
    pub(super) fn get(&self, node: Node) -> Option<&T> {
        self.0.get(node.index())?.as_ref()
    }

    pub(super) fn get_mut(&mut self, node: Node) -> Option<&mut T> {
        self.0.get_mut(node.index())?.as_mut()
    }

    pub(super) fn has(&self, node: Node) -> bool {
        self.get(node).is_some()
    }

    pub(super) fn put(&mut self, node: Node, value: T) {
        if self.0.len() <= node.index() {
            self.0.resize_with(node.index() + 1, || None);
        }
        if let Some(place) = self.0.get_mut(node.index()) {
            *place = Some(value);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Node, &T)> {
        let numbered = self.0.iter().enumerate();
        numbered.filter_map(|(index, value)| Some((Node::from_index(index), value.as_ref()?)))
    }
}
