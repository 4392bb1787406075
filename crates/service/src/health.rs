//! Whether the process is ready for traffic, and if not, why.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// What the parts of a process say of themselves; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    draining: bool,
    parts: BTreeMap<&'static str, Readiness>,
}

/// What one part says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It works.
    Ready,
    /// It does not, and why, in words for an operator without personal data.
    NotReady(String),
}

impl Health {
    /// A part says how it is; a part that has never said anything does not count.
    pub fn set(&self, part: &'static str, readiness: Readiness) {
        self.state(|state| {
            let before = state.parts.insert(part, readiness.clone());
            match (before, &readiness) {
                (Some(Readiness::NotReady(_)), Readiness::Ready) => tracing::info!(part, "ready again"),
                (None | Some(Readiness::Ready), Readiness::NotReady(why)) => tracing::warn!(part, why, "not ready"),
                _ => {}
            }
        });
    }

    /// The process is about to stop: nothing new should come.
    pub fn drain(&self) {
        self.state(|state| state.draining = true);
    }

    /// Why the process is not ready, by part; empty when it is.
    pub fn reasons(&self) -> BTreeMap<&'static str, String> {
        self.state(|state| {
            let mut reasons: BTreeMap<&'static str, String> = state
                .parts
                .iter()
                .filter_map(|(part, readiness)| match readiness {
                    Readiness::Ready => None,
                    Readiness::NotReady(why) => Some((*part, why.clone())),
                })
                .collect();
            if state.draining {
                reasons.insert("process", "stopping".to_owned());
            }
            reasons
        })
    }

    fn state<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_ready_when_all_its_parts_are() {
        let health = Health::default();
        assert!(health.reasons().is_empty());
        health.set("database", Readiness::NotReady("busy".into()));
        health.set("broker", Readiness::Ready);
        assert_eq!(health.reasons(), BTreeMap::from([("database", "busy".to_owned())]));
        health.set("database", Readiness::Ready);
        assert!(health.reasons().is_empty());
        health.drain();
        assert_eq!(health.reasons().len(), 1);
    }
}
