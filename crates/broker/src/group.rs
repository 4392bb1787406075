//! Documents that wait together share one message of a broker, a JSON array, and come out of it one by one.

use std::collections::HashMap;

use bytes::Bytes;
use common::{Hop, partition_of};
use serde_json::value::RawValue;

use crate::{Error, Lane, Outgoing, Result, message::Queue};

/// A group carries at most this many documents ...
const GROUP_DOCUMENTS: i32 = 64;
/// ... and this many bytes, unless a single document is longer.
const GROUP_BYTES: usize = 256 * 1024;

/// What is handed out at once is closed at this many bytes, whatever its number of documents.
pub(crate) const WINDOW_BYTES: usize = 8 * 1024 * 1024;

/// A document on its way into the queue.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) queue: Queue,
    pub(crate) payload: Bytes,
    pub(crate) traceparent: Option<Box<str>>,
}

/// What is published in one call, each with its queue.
///
/// # Errors
/// [`Error::NotJson`].
pub(crate) fn documents(hop: Hop, lane: &Lane, messages: Vec<Outgoing>, partitions: u32) -> Result<Vec<Document>> {
    let sort = |(index, message): (usize, Outgoing)| {
        // Checked here, since in a group with others it would make all of them unreadable.
        if !message.is_surely_json {
            serde_json::from_slice::<&RawValue>(&message.payload).map_err(|_syntax| Error::NotJson { index })?;
        }
        let partition = partition_of(&message.ordering_key, partitions);
        let Outgoing { payload, traceparent, .. } = message;
        Ok(Document { queue: Queue { hop, lane: lane.clone(), partition }, payload, traceparent })
    };
    messages.into_iter().enumerate().map(sort).collect()
}

/// A JSON array of documents of one queue.
#[derive(Debug)]
pub(crate) struct Group<C = ()> {
    pub(crate) queue: Queue,
    pub(crate) elements: i32,
    pub(crate) body: Vec<u8>,
    /// Of the first document that belongs to a trace.
    pub(crate) traceparent: Option<Box<str>>,
    /// Whose documents are in it, each once.
    pub(crate) callers: Vec<C>,
}

impl<C: PartialEq> Group<C> {
    fn open(queue: Queue) -> Self {
        Self { queue, elements: 0, body: vec![b'['], traceparent: None, callers: Vec::new() }
    }

    fn has_room(&self, document: &Bytes) -> bool {
        self.elements < GROUP_DOCUMENTS && self.body.len() + document.len() + 2 <= GROUP_BYTES
    }

    fn push(&mut self, caller: C, document: &Bytes) {
        if self.elements > 0 {
            self.body.push(b',');
        }
        self.body.extend_from_slice(document);
        self.elements += 1;
        if self.callers.last() != Some(&caller) {
            self.callers.push(caller);
        }
    }
}

/// Groups documents in the order of their arrival: per queue, every group is full before the next one begins. Those of
/// one caller follow each other.
pub(crate) fn group<C: PartialEq>(documents: impl IntoIterator<Item = (C, Document)>) -> Vec<Group<C>> {
    let mut groups: Vec<Group<C>> = Vec::new();
    let mut open: HashMap<Queue, usize> = HashMap::new();
    for (caller, Document { queue, payload, traceparent }) in documents {
        // Mostly all are for one queue.
        let newest = groups.last().filter(|group| group.queue == queue).map(|_| groups.len() - 1);
        let last = newest.or_else(|| open.get(&queue).copied());
        let last = last.filter(|&at| groups.get(at).is_some_and(|group| group.has_room(&payload)));
        let at = last.unwrap_or_else(|| {
            groups.push(Group::open(queue.clone()));
            open.insert(queue, groups.len() - 1);
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(at) {
            group.push(caller, &payload);
            if group.traceparent.is_none() {
                group.traceparent = traceparent;
            }
        }
    }
    groups.iter_mut().for_each(|group| group.body.push(b']'));
    groups
}

/// The documents of a group, each checked on its own, without copying. What is no list of documents comes out as it is.
pub(crate) fn take_apart(body: Bytes) -> Vec<Bytes> {
    match serde_json::from_slice::<Vec<&RawValue>>(&body) {
        Ok(documents) if !documents.is_empty() => {
            documents.iter().map(|document| body.slice_ref(document.get().as_bytes())).collect()
        }
        _ => vec![body],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(partition: u32, payload: &str) -> Document {
        let queue = Queue { hop: Hop::Events, lane: Lane::shared(), partition };
        Document { queue, payload: Bytes::copy_from_slice(payload.as_bytes()), traceparent: None }
    }

    fn grouped(documents: impl IntoIterator<Item = Document>) -> Vec<Group> {
        group(documents.into_iter().map(|document| ((), document)))
    }

    fn shown(groups: &[Group]) -> Vec<(u32, i32, &str)> {
        groups.iter().map(|g| (g.queue.partition, g.elements, std::str::from_utf8(&g.body).unwrap())).collect()
    }

    #[test]
    fn what_waits_together_shares_a_group_per_queue() {
        let groups = grouped([document(0, "1"), document(1, "2"), document(0, "{}")]);
        assert_eq!(shown(&groups), [(0, 2, "[1,{}]"), (1, 1, "[2]")]);
    }

    #[test]
    fn a_group_has_64_documents_at_most() {
        let groups = grouped((0..130).map(|_| document(0, "7")));
        assert_eq!(groups.iter().map(|g| g.elements).collect::<Vec<_>>(), [64, 64, 2]);
    }

    #[test]
    fn a_group_has_256_kib_at_most_unless_one_document_is_longer() {
        let long = format!("\"{}\"", "x".repeat(GROUP_BYTES));
        let half = format!("\"{}\"", "x".repeat(GROUP_BYTES / 2 - 4));
        let groups = grouped([&*long, &half, &half, "1", "2"].map(|text| document(0, text)));
        assert_eq!(groups.iter().map(|g| g.elements).collect::<Vec<_>>(), [1, 2, 2]);
        assert!(groups.iter().skip(1).all(|g| g.body.len() <= GROUP_BYTES));
    }

    #[test]
    fn a_group_knows_whose_documents_it_has() {
        let documents = [('a', 0), ('a', 1), ('a', 0), ('b', 0), ('c', 1)];
        let groups = group(documents.map(|(caller, partition)| (caller, document(partition, "7"))));
        assert_eq!(groups.iter().map(|g| g.callers.clone()).collect::<Vec<_>>(), [vec!['a', 'b'], vec!['a', 'c']]);
    }

    #[test]
    fn documents_come_out_byte_for_byte() {
        let taken = take_apart(Bytes::from_static(br#"[{"b": 1.0,"a":"\u4f01"},2 ,[]]"#));
        assert_eq!(taken, [&br#"{"b": 1.0,"a":"\u4f01"}"#[..], b"2", b"[]"]);
    }

    #[test]
    fn what_is_no_list_comes_out_as_it_is() {
        for body in ["", "{}", "[1,", "[]", "\u{0}"] {
            assert_eq!(take_apart(Bytes::from(body)), [body]);
        }
    }
}
