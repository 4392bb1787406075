//! What this process knows of each queue without asking the database: up to where it was filled, handed out, handled
//! and acknowledged, and which consumer has it in hand.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use common::Hop;
use tokio::sync::Notify;

use crate::{Lane, message::Queue};

/// A row number of a queue, mostly meaning "up to here".
pub(super) type Mark = (Queue, i64);

/// The marks of one queue. Rows are handled in order, so a number says it all: `acknowledged <= handled <= newest`.
#[derive(Debug, Default)]
struct Marks {
    newest: i64,
    handed_out: i64,
    handled: i64,
    acknowledged: i64,
    holder: Option<u64>,
}

#[derive(Default)]
struct State {
    queues: BTreeMap<Queue, Marks>,
    /// In the order in which they joined.
    members: Vec<(u64, Hop, Vec<Lane>)>,
    next_member: u64,
    turn: usize,
}

/// See the module.
#[derive(Default)]
pub(super) struct Ledger {
    state: Mutex<State>,
    /// Rung, for all who wait, when there may be something to claim.
    pub(super) work: Notify,
    /// Rung when there is something to acknowledge.
    pub(super) handled: Notify,
}

impl Ledger {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rows up to these are there to be read.
    pub(super) fn filled(&self, marks: Vec<Mark>) {
        let mut state = self.state();
        for (queue, newest) in marks {
            let known = state.queues.entry(queue).or_default();
            known.newest = known.newest.max(newest);
        }
        drop(state);
        self.work.notify_waiters();
    }

    /// Rows up to these were there before this process was, and may have been handed out by a former one.
    pub(super) fn inherited(&self, marks: Vec<Mark>) {
        let mut state = self.state();
        for (queue, newest) in &marks {
            state.queues.entry(queue.clone()).or_default().handed_out = *newest;
        }
        drop(state);
        self.filled(marks);
    }

    /// What was handled and is not acknowledged.
    pub(super) fn to_acknowledge(&self) -> Vec<Mark> {
        let state = self.state();
        let open = state.queues.iter().filter(|(_, marks)| marks.acknowledged < marks.handled);
        open.map(|(queue, marks)| (queue.clone(), marks.handled)).collect()
    }

    /// Rows up to these are acknowledged.
    pub(super) fn acknowledged(&self, done: &[Mark]) {
        let mut state = self.state();
        for (queue, upto) in done {
            if let Some(marks) = state.queues.get_mut(queue) {
                marks.acknowledged = marks.acknowledged.max(*upto);
            }
        }
    }

    /// A new consumer. It leaves when it is dropped.
    pub(super) fn join(self: Arc<Self>, hop: Hop, lanes: &[Lane]) -> Member {
        let mut state = self.state();
        let id = state.next_member;
        state.next_member += 1;
        state.members.push((id, hop, lanes.to_vec()));
        drop(state);
        Member { id, ledger: self }
    }
}

/// A consumer's place among those who share the queues.
pub(super) struct Member {
    id: u64,
    pub(super) ledger: Arc<Ledger>,
}

/// A queue that its claimer alone may read now.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) queue: Queue,
    /// Read what lies above this ...
    pub(super) handled: i64,
    /// ... up to at least this. Above it may be more.
    pub(super) newest: i64,
    /// Rows up to this were, or may have been, handed out before.
    pub(super) handed_out: i64,
}

impl Member {
    /// Takes in hand all queues of its share that have work. Where several consumers serve a lane, each has every n-th
    /// of them, counted by partition; one that moved with a newcomer is taken when its former holder is done with it.
    pub(super) fn claim(&self) -> Vec<Claim> {
        let mut state = self.ledger.state();
        let State { queues, members, turn, .. } = &mut *state;
        let mut claims = Vec::new();
        for (queue, marks) in queues.iter_mut() {
            if marks.newest <= marks.handled || marks.holder.is_some() || !is_share_of(self.id, queue, members) {
                continue;
            }
            marks.holder = Some(self.id);
            let (handled, newest, handed_out) = (marks.handled, marks.newest, marks.handed_out);
            claims.push(Claim { queue: queue.clone(), handled, newest, handed_out });
        }
        // Every queue gets to be the first, in case a window has no room for all.
        *turn = turn.wrapping_add(1);
        let first = turn.checked_rem(claims.len()).unwrap_or_default();
        claims.rotate_left(first);
        claims
    }

    /// Notes what is about to be handed out.
    pub(super) fn hand_out(&self, marks: &[Mark]) {
        let mut state = self.ledger.state();
        for (queue, upto) in marks {
            if let Some(known) = state.queues.get_mut(queue) {
                known.handed_out = known.handed_out.max(*upto);
            }
        }
    }

    /// Notes what was handled, and puts down all that it has in hand.
    pub(super) fn release(&self, handled: &[Mark]) {
        let mut state = self.ledger.state();
        for (queue, upto) in handled {
            if let Some(known) = state.queues.get_mut(queue) {
                known.handled = known.handled.max(*upto);
            }
        }
        put_down(&mut state, self.id);
        let shared = state.members.len() > 1;
        drop(state);
        if !handled.is_empty() {
            self.ledger.handled.notify_one();
        }
        if shared {
            self.ledger.work.notify_waiters();
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut state = self.ledger.state();
        put_down(&mut state, self.id);
        state.members.retain(|(id, ..)| *id != self.id);
        drop(state);
        self.ledger.work.notify_waiters();
    }
}

fn put_down(state: &mut State, id: u64) {
    for marks in state.queues.values_mut().filter(|marks| marks.holder == Some(id)) {
        marks.holder = None;
    }
}

fn is_share_of(id: u64, queue: &Queue, members: &[(u64, Hop, Vec<Lane>)]) -> bool {
    let serves = |(_, hop, lanes): &&(u64, Hop, Vec<Lane>)| *hop == queue.hop && lanes.contains(&queue.lane);
    let count = members.iter().filter(serves).count();
    let rank = members.iter().filter(serves).position(|(member, ..)| *member == id);
    let turn = usize::try_from(queue.partition).unwrap_or_default().checked_rem(count);
    rank.is_some() && rank == turn
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(partition: u32) -> Queue {
        Queue { hop: Hop::Events, lane: Lane::shared(), partition }
    }

    fn partitions(claims: &[Claim]) -> Vec<u32> {
        let mut partitions: Vec<u32> = claims.iter().map(|claim| claim.queue.partition).collect();
        partitions.sort_unstable();
        partitions
    }

    #[test]
    fn consumers_share_partitions_and_hand_over_when_done() {
        let ledger = Arc::new(Ledger::default());
        ledger.filled((0..4).map(|partition| (queue(partition), 10)).collect());
        let first = Arc::clone(&ledger).join(Hop::Events, &[Lane::shared()]);
        assert_eq!(partitions(&first.claim()), [0, 1, 2, 3]);
        let second = Arc::clone(&ledger).join(Hop::Events, &[Lane::shared()]);
        assert!(second.claim().is_empty(), "the first still has all in hand");
        first.release(&[(queue(0), 10)]);
        assert_eq!(partitions(&second.claim()), [1, 3]);
        assert_eq!(partitions(&first.claim()), [2], "0 is done, 1 and 3 are the other's");
        drop(second);
        assert_eq!(partitions(&first.claim()), [1, 3], "the one that left put down what it had in hand");
    }

    #[test]
    fn other_lanes_and_hops_are_not_touched() {
        let ledger = Arc::new(Ledger::default());
        ledger.filled(vec![(queue(0), 1)]);
        assert!(Arc::clone(&ledger).join(Hop::Changes, &[Lane::shared()]).claim().is_empty());
        assert!(Arc::clone(&ledger).join(Hop::Events, &[Lane::new("big")]).claim().is_empty());
    }

    #[test]
    fn what_is_handled_stays_to_be_acknowledged_until_it_is() {
        let ledger = Arc::new(Ledger::default());
        ledger.filled(vec![(queue(0), 5)]);
        let member = Arc::clone(&ledger).join(Hop::Events, &[Lane::shared()]);
        member.claim();
        member.release(&[(queue(0), 3)]);
        assert_eq!(ledger.to_acknowledge(), [(queue(0), 3)]);
        ledger.acknowledged(&[(queue(0), 3)]);
        assert!(ledger.to_acknowledge().is_empty());
    }
}
