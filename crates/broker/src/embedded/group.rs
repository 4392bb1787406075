//! Documents that wait together become rows.

use std::collections::HashMap;

use bytes::Bytes;

use super::ledger::Queue;

/// A row carries at most this many documents ...
pub(super) const GROUP_DOCUMENTS: i32 = 64;
/// ... and this many bytes, unless a single document is longer.
pub(super) const GROUP_BYTES: usize = 256 * 1024;

/// A document on its way into the queue.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) queue: Queue,
    pub(super) payload: Bytes,
}

/// A row to be: a JSON array of documents of one queue.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) queue: Queue,
    pub(super) elements: i32,
    pub(super) body: Vec<u8>,
}

impl Group {
    fn open(queue: Queue) -> Self {
        Self { queue, elements: 0, body: vec![b'['] }
    }

    fn has_room(&self, document: &Bytes) -> bool {
        self.elements < GROUP_DOCUMENTS && self.body.len() + document.len() + 2 <= GROUP_BYTES
    }

    fn push(&mut self, document: &Bytes) {
        if self.elements > 0 {
            self.body.push(b',');
        }
        self.body.extend_from_slice(document);
        self.elements += 1;
    }
}

/// Groups documents in the order of their arrival: per queue, every group is full before the next one begins.
pub(super) fn group(documents: impl IntoIterator<Item = Document>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut open: HashMap<Queue, usize> = HashMap::new();
    for Document { queue, payload } in documents {
        let last = open.get(&queue).copied().filter(|&at| groups.get(at).is_some_and(|group| group.has_room(&payload)));
        let at = last.unwrap_or_else(|| {
            groups.push(Group::open(queue.clone()));
            open.insert(queue, groups.len() - 1);
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(at) {
            group.push(&payload);
        }
    }
    groups.iter_mut().for_each(|group| group.body.push(b']'));
    groups
}

#[cfg(test)]
mod tests {
    use common::Hop;

    use super::*;
    use crate::Lane;

    fn document(partition: u32, payload: &str) -> Document {
        let queue = Queue { hop: Hop::Events, lane: Lane::shared(), partition };
        Document { queue, payload: Bytes::copy_from_slice(payload.as_bytes()) }
    }

    fn shown(groups: &[Group]) -> Vec<(u32, i32, &str)> {
        groups.iter().map(|g| (g.queue.partition, g.elements, std::str::from_utf8(&g.body).unwrap())).collect()
    }

    #[test]
    fn what_waits_together_shares_a_row_per_queue() {
        let groups = group([document(0, "1"), document(1, "2"), document(0, "{}")]);
        assert_eq!(shown(&groups), [(0, 2, "[1,{}]"), (1, 1, "[2]")]);
    }

    #[test]
    fn a_row_has_64_documents_at_most() {
        let groups = group((0..130).map(|_| document(0, "7")));
        assert_eq!(groups.iter().map(|g| g.elements).collect::<Vec<_>>(), [64, 64, 2]);
    }

    #[test]
    fn a_row_has_256_kib_at_most_unless_one_document_is_longer() {
        let long = format!("\"{}\"", "x".repeat(GROUP_BYTES));
        let half = format!("\"{}\"", "x".repeat(GROUP_BYTES / 2 - 4));
        let groups = group([&*long, &half, &half, "1", "2"].map(|text| document(0, text)));
        assert_eq!(groups.iter().map(|g| g.elements).collect::<Vec<_>>(), [1, 2, 2]);
        assert!(groups.iter().skip(1).all(|g| g.body.len() <= GROUP_BYTES));
    }
}
