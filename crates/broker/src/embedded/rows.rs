//! The table of messages, and everything that is said to it.

use common::Hop;
use database::{Connection, Result};
use diesel::{
    dsl::{max, sum},
    prelude::*,
    sql_types::{BigInt, Text},
};

use super::ledger::{Claim, Mark};
use crate::{
    Lane,
    group::{Group, WINDOW_BYTES},
    message::Queue,
};

diesel::table! {
    messages (seq) {
        seq -> BigInt,
        hop -> Text,
        lane -> Text,
        partition -> BigInt,
        elements -> Integer,
        body -> Binary,
    }
}

diesel::table! {
    sqlite_sequence (name) {
        name -> Text,
        seq -> BigInt,
    }
}

const HOPS: [Hop; 2] = [Hop::Events, Hop::Changes];

/// Rows per statement: six values each, and SQLite binds at most 32,766.
const ROWS_PER_INSERT: usize = 1000;

#[derive(Insertable)]
#[diesel(table_name = messages, treat_none_as_default_value = false)]
struct NewRow<'a> {
    seq: i64,
    hop: &'static str,
    lane: &'a str,
    partition: i64,
    elements: i32,
    body: &'a [u8],
}

/// Appends groups, in order; returns up to where each of their queues is filled now.
pub(super) fn append(conn: &mut Connection, groups: &[Group]) -> Result<Vec<Mark>> {
    let c = conn.sqlite()?;
    let last: Option<i64> = sqlite_sequence::table
        .filter(sqlite_sequence::name.eq("messages"))
        .select(sqlite_sequence::seq)
        .first(c)
        .optional()?;
    let first = last.unwrap_or(0) + 1;
    let rows: Vec<NewRow<'_>> = (first..).zip(groups).map(|(seq, group)| NewRow::new(seq, group)).collect();
    for some in rows.chunks(ROWS_PER_INSERT) {
        diesel::insert_into(messages::table).values(some).execute(c)?;
    }
    Ok((first..).zip(groups).map(|(seq, group)| (group.queue.clone(), seq)).collect())
}

impl<'a> NewRow<'a> {
    fn new(seq: i64, group: &'a Group) -> Self {
        let Queue { hop, lane, partition } = &group.queue;
        Self {
            seq,
            hop: hop.as_str(),
            lane: lane.as_str(),
            partition: i64::from(*partition),
            elements: group.elements,
            body: &group.body,
        }
    }
}

/// Deletes what lies at or below the marks.
pub(super) fn acknowledge(conn: &mut Connection, marks: &[Mark]) -> Result<()> {
    for (Queue { hop, lane, partition }, upto) in marks {
        let handled = messages::table
            .filter(messages::hop.eq(hop.as_str()))
            .filter(messages::lane.eq(lane.as_str()))
            .filter(messages::partition.eq(i64::from(*partition)))
            .filter(messages::seq.le(upto));
        diesel::delete(handled).execute(conn.sqlite()?)?;
    }
    Ok(())
}

/// Up to where every queue is filled.
pub(super) fn newest(conn: &mut Connection) -> Result<Vec<Mark>> {
    let found: Vec<(String, String, i64, Option<i64>)> = messages::table
        .group_by((messages::hop, messages::lane, messages::partition))
        .select((messages::hop, messages::lane, messages::partition, max(messages::seq)))
        .load(conn.sqlite()?)?;
    let mark = |(hop, lane, partition, newest): (String, String, i64, Option<i64>)| {
        let hop = HOPS.into_iter().find(|known| known.as_str() == hop)?;
        let partition = u32::try_from(partition).ok()?;
        Some((Queue { hop, lane: Lane::new(&lane), partition }, newest?))
    };
    Ok(found.into_iter().filter_map(mark).collect())
}

/// How many documents of a hop there are.
pub(super) fn depth(conn: &mut Connection, hop: Hop) -> Result<u64> {
    let those = messages::table.filter(messages::hop.eq(hop.as_str())).select(sum(messages::elements));
    let elements: Option<i64> = those.first(conn.sqlite()?)?;
    Ok(elements.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}

/// How many documents of a lane of a hop there are.
pub(super) fn depth_of(conn: &mut Connection, hop: Hop, lane: &Lane) -> Result<u64> {
    let those = messages::table.filter(messages::hop.eq(hop.as_str())).filter(messages::lane.eq(lane.as_str()));
    let elements: Option<i64> = those.select(sum(messages::elements)).first(conn.sqlite()?)?;
    Ok(elements.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}

/// What a lane of a hop holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holding {
    pub(crate) hop: Hop,
    pub(crate) lane: Lane,
    /// Documents.
    pub(crate) elements: u64,
    /// Those of the documents, and one more for each.
    pub(crate) bytes: u64,
}

#[derive(QueryableByName)]
struct HoldingRow {
    #[diesel(sql_type = Text)]
    hop: String,
    #[diesel(sql_type = Text)]
    lane: String,
    #[diesel(sql_type = BigInt)]
    elements: i64,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

const HOLDINGS: &str =
    "SELECT hop, lane, sum(elements) AS elements, sum(length(body) - 1) AS bytes FROM messages GROUP BY hop, lane";

/// What there is, per hop and lane. Looks at every row, though not at the bodies.
pub(super) fn holdings(conn: &mut Connection) -> Result<Vec<Holding>> {
    let rows: Vec<HoldingRow> = diesel::sql_query(HOLDINGS).load(conn.sqlite()?)?;
    let unsigned = |number: i64| u64::try_from(number).unwrap_or(0);
    let holding = |row: HoldingRow| {
        let hop = HOPS.into_iter().find(|known| known.as_str() == row.hop)?;
        let (elements, bytes) = (unsigned(row.elements), unsigned(row.bytes));
        Some(Holding { hop, lane: Lane::new(&row.lane), elements, bytes })
    };
    Ok(rows.into_iter().filter_map(holding).collect())
}

/// A row as it is read.
pub(super) struct Row {
    /// Which of the claims it belongs to.
    pub(super) claim: usize,
    pub(super) seq: i64,
    pub(super) body: Vec<u8>,
}

/// What a window holds.
#[derive(Default)]
pub(super) struct Rows {
    /// In order per claim.
    pub(super) rows: Vec<Row>,
    /// The claims in whose queues nothing was found.
    pub(super) empty: Vec<usize>,
}

/// How far one claim has been read.
struct Reading {
    after: i64,
    exhausted: bool,
}

/// Reads about `batch_size` documents: first from every queue an equal share, then from those that have more.
pub(super) fn window(conn: &mut Connection, claims: &[Claim], batch_size: usize) -> Result<Rows> {
    let mut found = Rows::default();
    let mut readings: Vec<Reading> =
        claims.iter().map(|claim| Reading { after: claim.handled, exhausted: false }).collect();
    let share = batch_size.checked_div(claims.len()).unwrap_or(0).max(1);
    let mut room = Room { elements: batch_size.max(1), bytes: WINDOW_BYTES };
    for quota in [share, batch_size] {
        for (index, (claim, reading)) in claims.iter().zip(&mut readings).enumerate() {
            let quota = quota.min(room.elements);
            if quota == 0 || reading.exhausted {
                continue;
            }
            let before = found.rows.len();
            read_some(conn, (index, &claim.queue), reading, quota, &mut room, &mut found.rows)?;
            if found.rows.len() == before && reading.after == claim.handled {
                found.empty.push(index);
            }
        }
    }
    Ok(found)
}

/// What still fits into a window.
struct Room {
    elements: usize,
    bytes: usize,
}

fn read_some(
    conn: &mut Connection,
    (claim, queue): (usize, &Queue),
    reading: &mut Reading,
    quota: usize,
    room: &mut Room,
    rows: &mut Vec<Row>,
) -> Result<()> {
    let next = messages::table
        .filter(messages::hop.eq(queue.hop.as_str()))
        .filter(messages::lane.eq(queue.lane.as_str()))
        .filter(messages::partition.eq(i64::from(queue.partition)))
        .filter(messages::seq.gt(reading.after))
        .order(messages::seq)
        .select((messages::seq, messages::elements, messages::body))
        .limit(i64::try_from(quota).unwrap_or(i64::MAX));
    let mut quota = quota;
    // Row by row, since how many documents are in a row is known only then; the bodies behind the last one stay unread.
    let found = next.load_iter::<(i64, i32, Vec<u8>), diesel::connection::DefaultLoadingMode>(conn.sqlite()?)?;
    for row in found {
        let (seq, elements, body) = row?;
        let elements = usize::try_from(elements).unwrap_or(1);
        quota = quota.saturating_sub(elements);
        room.elements = room.elements.saturating_sub(elements);
        room.bytes = room.bytes.saturating_sub(body.len());
        if room.bytes == 0 {
            room.elements = 0;
        }
        reading.after = seq;
        rows.push(Row { claim, seq, body });
        if quota == 0 || room.elements == 0 {
            return Ok(());
        }
    }
    reading.exhausted = true;
    Ok(())
}
