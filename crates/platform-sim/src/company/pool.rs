//! A set of ids from which one can be drawn in constant time.

use std::collections::HashMap;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

#[derive(Debug, Default)]
pub(super) struct Pool {
    ids: Vec<String>,
    places: HashMap<String, usize>,
}

impl Pool {
    pub(super) fn new(ids: impl IntoIterator<Item = String>) -> Self {
        let mut pool = Self::default();
        for id in ids {
            pool.add(id);
        }
        pool
    }

    pub(super) fn add(&mut self, id: String) {
        self.places.insert(id.clone(), self.ids.len());
        self.ids.push(id);
    }

    pub(super) fn remove(&mut self, id: &str) {
        let Some(place) = self.places.remove(id) else { return };
        self.ids.swap_remove(place);
        if let Some(moved) = self.ids.get(place) {
            self.places.insert(moved.clone(), place);
        }
    }

    pub(super) fn draw(&self, random: &mut StdRng) -> Option<String> {
        self.ids.choose(random).cloned()
    }
}
