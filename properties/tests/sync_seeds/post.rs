//! What was told and is on its way to the resolver.

use common::{Event, UnixMillis};

use crate::dice::Dice;

/// Something that was told.
#[derive(Debug, Clone)]
pub(crate) enum Letter {
    /// A callback, as it is pushed.
    Callback(String),
    /// What the synchronizer published.
    Event(Event),
}

/// What is on its way, and when it arrives.
#[derive(Default)]
pub(crate) struct Post(Vec<(UnixMillis, Letter)>);

impl Post {
    pub(crate) fn send(&mut self, arrives: UnixMillis, letter: Letter) {
        self.0.push((arrives, letter));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What has arrived by now, in any order.
    pub(crate) fn take(&mut self, now: UnixMillis, dice: &mut Dice) -> Vec<Letter> {
        let (arrived, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.0).into_iter().partition(|(at, _)| *at <= now);
        self.0 = rest;
        let mut arrived: Vec<Letter> = arrived.into_iter().map(|(_, letter)| letter).collect();
        dice.shuffle(&mut arrived);
        arrived
    }
}
