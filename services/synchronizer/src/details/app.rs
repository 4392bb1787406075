//! A tenant's app at DingTalk, as far as attendance and approvals go.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use common::{EntityKey, EntityKind, UnixMillis};
use dingtalk::{
    Wanted,
    api::{Client, Worth},
};
use outbound::Urgency;
use service::tenant::DingtalkSection;

use super::{gather::Gather, silence::Silence};

/// Unreadable days that are remembered. To forget them costs a few calls.
const MOST_UNREADABLE: usize = 1000;

/// The app, and what must be remembered of it between rounds.
pub(crate) struct App {
    client: Client,
    /// The company's id at DingTalk.
    pub(crate) corp_id: String,
    /// What the tenant takes from here.
    pub(crate) wanted: Wanted,
    memory: Mutex<Memory>,
}

/// What one process remembers of an app. To lose it costs a few calls.
pub(crate) struct Memory {
    /// When punches are asked about next.
    pub(crate) gather: Gather,
    /// Days of which a list for many held what cannot be read: they are asked about by themselves, so that others do not wait for them.
    pub(crate) unreadable: BTreeSet<EntityKey>,
    /// Of which kinds the platform may tell nothing.
    pub(crate) silences: BTreeMap<EntityKind, Silence>,
    /// When failed pushes are to be read next.
    pub(crate) failed_due_at: UnixMillis,
    /// When the list of failed pushes was last read to its end.
    pub(crate) failed_read_at: Option<UnixMillis>,
    /// How many reads of it in a row may have got lost.
    pub(crate) failed_losses: u32,
    /// Whether reads that a former process did not end were looked for.
    pub(crate) knows_torn_reads: bool,
    /// When people whom nobody knows are to be looked for again.
    pub(crate) match_at: UnixMillis,
    /// Before this it is not worth going on with comparing.
    pub(crate) compare_at: UnixMillis,
}

impl App {
    /// `contacts` says whether the tenant's directory is DingTalk's.
    pub(crate) fn new(client: Client, section: &DingtalkSection, contacts: bool) -> Self {
        let wanted = Wanted { contacts, attendance: section.attendance, approvals: section.approvals };
        let memory = Memory {
            gather: Gather::new(),
            unreadable: BTreeSet::new(),
            silences: BTreeMap::new(),
            failed_due_at: UnixMillis(i64::MIN),
            failed_read_at: None,
            failed_losses: 0,
            knows_torn_reads: false,
            match_at: UnixMillis(i64::MIN),
            compare_at: UnixMillis(i64::MIN),
        };
        Self { client, corp_id: section.corp_id.clone(), wanted, memory: Mutex::new(memory) }
    }

    /// Notes that a list for many cannot be read because of this day.
    pub(crate) fn note_unreadable(&self, day: EntityKey) {
        let mut memory = self.memory();
        if memory.unreadable.len() >= MOST_UNREADABLE {
            memory.unreadable.clear();
        }
        memory.unreadable.insert(day);
    }

    /// A client whose calls are worth so much. What is worth little is not urgent either.
    pub(crate) fn client(&self, worth: Worth) -> Client {
        let urgency = if worth == Worth::Low { Urgency::Backfill } else { Urgency::Live };
        self.client.with_worth(worth).with_urgency(urgency)
    }

    /// What is remembered. To be held for a moment only.
    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
