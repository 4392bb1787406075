//! What a worker knows while it holds the lease, and what it is in the tables.

use std::collections::BTreeMap;

use common::{DestinationId, EntityKey, TenantId, UnixMillis};
use database::{Connection, Result};
use destinations::Message;
use store::{
    destinations::{self as rows, Lease},
    held::{self, FormerId, Held, HeldState},
    messages, outbox,
};

use crate::courier::{Courier, Exception, Former, State};

/// The state of a destination while its lease is held.
pub(super) struct Books {
    pub(super) courier: Courier,
    pub(super) lease: Lease,
    pub(super) lease_until: UnixMillis,
    /// Messages that are stored, by version.
    pub(super) messages: BTreeMap<u64, Message>,
    /// Up to this version changes may have been sent in a batch, and the destination may have some of them.
    pub(super) in_flight: u64,
    pub(super) last_second: Option<i64>,
    pub(super) is_handshaken: bool,
    pub(super) touched: i64,
    pub(super) failing_since: Option<UnixMillis>,
}

/// Whose books, and on whose behalf.
#[derive(Clone)]
pub(super) struct Opening {
    pub(super) tenant: TenantId,
    pub(super) destination: DestinationId,
    pub(super) owner: String,
    pub(super) fingerprint: String,
    /// So many changes a batch may have at most; 0 where there are none.
    pub(super) batch: u64,
    pub(super) now: UnixMillis,
    pub(super) until: UnixMillis,
}

impl Books {
    /// Takes the lease and reads everything; `None` while somebody else holds it or the destination has no row.
    pub(super) fn open(conn: &mut Connection, opening: &Opening) -> Result<Option<Self>> {
        let Opening { tenant, destination, owner, fingerprint, batch, now, until } = opening;
        let Some(lease) = rows::acquire(conn, tenant, destination, owner, *now, *until)? else { return Ok(None) };
        let Some(mut row) = rows::get(conn, tenant, destination)? else { return Ok(None) };
        let held = held::load(conn, tenant, destination)?;
        let mut courier = Courier::new(row.position, held.into_iter().map(exception));
        let mut texts: BTreeMap<u64, String> = messages::load(conn, tenant, destination)?.into_iter().collect();
        // Whoever had these books before may have sent something and not lived to note it: the first of the open group, or, if
        // there is none, any that was held. It is noted at once, since what is planned from it must stay the same.
        match texts.range(row.position + 1..).next() {
            Some((first, _)) => courier.note_unheard(*first),
            None => courier.note_unheard_among(|version| texts.contains_key(&version)),
        }
        // Of batches nothing is stored: it may have been the next one, or one of what was held.
        let in_flight = outbox::last_version(conn, tenant)?.min(row.position + batch);
        if *batch > 0 {
            courier.note_unheard_held();
            if in_flight > row.position {
                courier.note_unheard(in_flight);
            }
        }
        let unsure = courier.take_changed().into_iter();
        let unsure: Vec<_> = unsure.filter_map(|(key, exception)| Some((self::row(key, exception?), None))).collect();
        held::put(conn, tenant, destination, &unsure)?;
        if row.fingerprint != *fingerprint {
            texts.clear();
            messages::clear(conn, tenant, destination)?;
            rows::set_fingerprint(conn, &lease, fingerprint)?;
            row.handshake_at = None;
        }
        // One that cannot be read was stored by another release; it is made anew.
        let read = |(version, text): (u64, String)| Some((version, serde_json::from_str(&text).ok()?));
        let stored: BTreeMap<u64, Message> = texts.into_iter().filter_map(read).collect();
        let seconds = stored.values().map(|message| message.second);
        let last_second = seconds.chain(row.last_second).max();
        Ok(Some(Self {
            courier,
            lease,
            lease_until: *until,
            messages: stored,
            in_flight,
            last_second,
            is_handshaken: row.handshake_at.is_some(),
            touched: row.touched,
            failing_since: row.last_error.map(|(_, since)| since),
        }))
    }

    /// Whether changes above the position may have been sent: a group of messages that was stored and not worked off, or a batch of
    /// which not all outcomes are noted. They are settled, as they were planned, before anything else is sent.
    pub(super) fn is_in_the_middle(&self) -> bool {
        let position = self.courier.position();
        self.messages.last_key_value().is_some_and(|(version, _)| *version > position) || self.in_flight > position
    }
}

/// A row as the courier sees it.
fn exception(row: Held) -> (EntityKey, Exception) {
    let on = row.waits_for.into_iter().collect();
    let state = match row.state {
        HeldState::Held => State::Held,
        HeldState::Waiting => State::Waiting { on },
        HeldState::Dead => State::Dead { on },
    };
    let exception = Exception {
        state,
        version: row.version,
        absent: row.absent,
        unsure: row.unsure,
        removal: row.removal,
        there: row.there.into_iter().collect(),
        left: row.left.into_iter().collect(),
        formerly: row.formerly.into_iter().map(former).collect(),
        attempts: row.attempts,
        next_attempt: row.next_attempt,
        since: row.since,
        reason: row.reason.unwrap_or_default(),
    };
    (row.entity, exception)
}

fn former(id: FormerId) -> Former {
    Former { key: id.key, version: id.version, unsure: id.unsure }
}

fn former_id(former: Former) -> FormerId {
    FormerId { key: former.key, version: former.version, unsure: former.unsure }
}

/// The way back.
pub(super) fn row(key: EntityKey, exception: Exception) -> Held {
    let waits_for = exception.waits_on().map(|on| on.iter().cloned().collect()).unwrap_or_default();
    Held {
        entity: key,
        version: exception.version,
        state: match exception.state {
            State::Held => HeldState::Held,
            State::Waiting { .. } => HeldState::Waiting,
            State::Dead { .. } => HeldState::Dead,
        },
        reason: Some(exception.reason).filter(|reason| !reason.is_empty()),
        absent: exception.absent,
        unsure: exception.unsure,
        removal: exception.removal,
        there: exception.there.into_iter().collect(),
        left: exception.left.into_iter().collect(),
        waits_for,
        formerly: exception.formerly.into_iter().map(former_id).collect(),
        attempts: exception.attempts,
        next_attempt: exception.next_attempt,
        since: exception.since,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_comes_out_of_its_row_as_it_was() {
        let given_up = |id: &str, unsure| Former { key: EntityKey::member(id), version: 7, unsure };
        for unsure in [true, false] {
            let before = Exception {
                state: State::Waiting { on: [EntityKey::department("2")].into() },
                version: 9,
                absent: true,
                unsure,
                removal: false,
                there: [EntityKey::department("3"), EntityKey::department("4")].into(),
                left: [EntityKey::department("3")].into(),
                formerly: vec![given_up("b", unsure), given_up("c", !unsure)],
                attempts: 2,
                next_attempt: UnixMillis(2000),
                since: UnixMillis(1000),
                reason: "500".to_owned(),
            };
            let key = EntityKey::member("a");
            assert_eq!(exception(row(key.clone(), before.clone())), (key, before));
        }
    }
}
