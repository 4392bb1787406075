//! What an OA keeps: its directory, and a log of what it was sent and what was wrong with it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use super::OaOptions;
use super::directory::{Directory, Fault};
use crate::message::Message;
use crate::{Act, Snapshot, Subject};

/// What was wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViolationKind {
    /// It was sent before what it refers to: a department, a parent or a leader that is not there.
    SentBeforeReference,
    /// It creates what is there, with the same content as before in another message.
    Doubled,
    /// It creates what is there, or renames onto it.
    AlreadyThere,
    /// It changes or removes what is not there.
    NotThere,
    /// It removes a department with members or departments in it.
    NotEmpty,
    /// It puts a department below itself.
    Cycle,
    /// It cannot be understood.
    Malformed,
}

/// A message that a strict receiver cannot apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The number of the message in the log.
    pub number: usize,
    /// What was wrong.
    pub kind: ViolationKind,
    /// `create_user` and the like.
    pub change_type: String,
    /// What the message was about.
    pub subject: Subject,
    /// The missing or occupied id, or what cannot be understood.
    pub detail: String,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It changed the directory, or said what is so anyway.
    Applied,
    /// It is not about the directory and was kept verbatim.
    Kept,
    /// It was a byte-identical repeat.
    Repeat,
    /// The rule of one per second dropped it.
    DroppedBySecond,
    /// It was a violation.
    Violation,
}

/// One message taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its number, from 0.
    pub number: usize,
    /// `create_user` and the like; the event's name for others.
    pub change_type: String,
    /// What it was about.
    pub subject: Subject,
    /// What it said.
    pub act: Act,
    /// `CreateTime`, Unix seconds.
    pub create_time: i64,
    /// What became of it.
    pub outcome: Outcome,
    /// The decrypted text; empty if the OA was told not to keep it.
    pub plaintext: Arc<str>,
}

/// Repeats of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repeats {
    /// All whose decrypted text came before.
    pub all: u64,
    /// Those of them that were encrypted or signed anew instead of being sent again as they were.
    pub sealed_anew: u64,
}

type Hash = [u8; 20];

pub(super) struct Book {
    options: OaOptions,
    directory: Directory,
    /// Hashes of decrypted texts, each with that of the request that brought it first.
    seen: HashMap<Hash, Hash>,
    seconds: HashSet<(String, i64)>,
    pub(super) received: Vec<Received>,
    pub(super) violations: Vec<Violation>,
    pub(super) others: Vec<String>,
    pub(super) repeats: Repeats,
    pub(super) dropped_by_second: u64,
    pub(super) refused: u64,
}

impl Book {
    pub(super) fn new(options: OaOptions) -> Self {
        Self {
            directory: Directory::new(options.strict_leaders),
            options,
            seen: HashMap::new(),
            seconds: HashSet::new(),
            received: Vec::new(),
            violations: Vec::new(),
            others: Vec::new(),
            repeats: Repeats::default(),
            dropped_by_second: 0,
            refused: 0,
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.directory.snapshot()
    }

    /// Takes a decrypted text in. `wire` is the request as it came; `fails` may ask for a status instead.
    pub(super) fn take(&mut self, text: &str, wire: &[u8], fails: impl Fn(&Subject) -> Option<u16>) -> Result<(), u16> {
        let message = Message::parse(text).ok();
        let (subject, act) = message.as_ref().map_or((Subject::Other, Act::Other), Message::about);
        if let Some(status) = fails(&subject) {
            return Err(status);
        }
        let outcome = self.judge(text, wire, message.as_ref(), &subject, act);
        let (change_type, create_time) = message.map(described).unwrap_or_default();
        let plaintext = if self.options.keep_plaintexts { Arc::from(text) } else { Arc::from("") };
        let number = self.received.len();
        self.received.push(Received { number, change_type, subject, act, create_time, outcome, plaintext });
        Ok(())
    }

    fn judge(&mut self, text: &str, wire: &[u8], message: Option<&Message>, subject: &Subject, act: Act) -> Outcome {
        let (text_hash, wire_hash): (Hash, Hash) = (Sha1::digest(text).into(), Sha1::digest(wire).into());
        if let Some(first) = self.seen.get(&text_hash) {
            self.repeats.all += 1;
            self.repeats.sealed_anew += u64::from(*first != wire_hash);
            return Outcome::Repeat;
        }
        self.seen.insert(text_hash, wire_hash);
        if let Some(message) = message.filter(|_message| self.options.one_per_second) {
            let first = self.seconds.insert((message.from.clone(), message.create_time));
            if !first {
                self.dropped_by_second += 1;
                return Outcome::DroppedBySecond;
            }
        }
        let Some(message) = message.filter(|_message| act != Act::Other) else {
            self.others.push(text.to_owned());
            return Outcome::Kept;
        };
        match self.directory.apply(message, subject, act) {
            Ok(()) => Outcome::Applied,
            Err(Fault { kind, detail }) => {
                let (number, change_type) = (self.received.len(), message.change_type.clone());
                self.violations.push(Violation { number, kind, change_type, subject: subject.clone(), detail });
                Outcome::Violation
            }
        }
    }
}

fn described(message: Message) -> (String, i64) {
    let kind = if message.change_type.is_empty() { message.event } else { message.change_type };
    (kind, message.create_time)
}
