//! Maps and sets by entity.

use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;

use crate::EntityKey;

/// A map by entity, for what is looked up and not gone through: its order means nothing, though it is the same each time.
pub type EntityMap<V> = HashMap<EntityKey, V, FixedState>;

/// A set of entities, for what is looked up and not gone through.
pub type EntitySet = HashSet<EntityKey, FixedState>;
