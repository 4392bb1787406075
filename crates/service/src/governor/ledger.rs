//! What is spent, in the store: short transactions, each over all numbers that one call spends.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use common::{Clock, UnixMillis};
use database::{Connection, Database, Result};
use outbound::{Allowance, Block, Budget, Limit, Spend, Spent, Urgency};
use store::allowances::{self, Key, Numbers, Rows};

use super::lanes::Turn;

/// What the store says to somebody who wants to call.
pub(super) enum Answer {
    /// These turns are taken; at least one.
    Turns(Vec<Turn>),
    /// Nothing is free soon; it is worth asking again then, by our clock.
    Later(UnixMillis),
    /// The platform refuses until then, by our clock.
    Closed(Allowance, UnixMillis),
}

pub(super) struct Ledger {
    database: Database,
    clock: Arc<dyn Clock>,
}

impl Ledger {
    pub(super) fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock }
    }

    /// Takes at most `wanted` turns that start soon.
    pub(super) async fn take(&self, spends: &[Spend], urgency: Urgency, wanted: usize) -> Result<Answer> {
        let (spends, clock) = (spends.to_vec(), Arc::clone(&self.clock));
        let take = move |conn: &mut Connection| take(conn, &spends, urgency, wanted, &*clock);
        self.database.write("allowances.take", take).await
    }

    /// Notes that the platform refuses; returns until when nothing is to be sent, by our clock.
    pub(super) async fn refuse(&self, of: &Allowance, refuses_for: Duration) -> Result<UnixMillis> {
        let (key, clock) = (whole(of), Arc::clone(&self.clock));
        let refuse = move |conn: &mut Connection| refuse(conn, key, refuses_for, &*clock);
        self.database.write("allowances.refuse", refuse).await
    }

    /// When the last of `calls` calls may be made, by our clock.
    pub(super) async fn predict(&self, spends: &[Spend], calls: u64) -> Result<Option<UnixMillis>> {
        let (spends, clock) = (spends.to_vec(), Arc::clone(&self.clock));
        let predict = move |conn: &mut Connection| -> Result<Option<UnixMillis>> {
            let lines = lines(&spends);
            let read = allowances::read(conn, &keys(&lines), clock.now())?;
            let page = Page::new(read, &*clock);
            Ok(page.budget(&lines).last_of(calls, page.theirs).map(|last| page.ours(last)))
        };
        self.database.read("allowances.predict", predict).await
    }

    /// Forgets what was not used for so long.
    pub(super) async fn prune(&self, unused_millis: i64) -> Result<usize> {
        let now = self.clock.now();
        self.database.write("allowances.prune", move |conn| allowances::prune(conn, now, unused_millis)).await
    }
}

/// When the last of `calls` calls may be made if nothing was spent before.
pub(super) fn unspent(spends: &[Spend], calls: u64, now: UnixMillis) -> Option<UnixMillis> {
    let page = Page { theirs: now, here: now, rows: Rows::new() };
    page.budget(&lines(spends)).last_of(calls, now)
}

fn take(conn: &mut Connection, spends: &[Spend], urgency: Urgency, wanted: usize, clock: &dyn Clock) -> Result<Answer> {
    let lines = lines(spends);
    let mut page = Page::new(allowances::lock(conn, &keys(&lines), clock.now())?, clock);
    let closed = spends.iter().map(|spend| (page.opened(&whole(&spend.of)), &spend.of)).max();
    if let Some((until, of)) = closed
        && page.theirs < until
    {
        return Ok(Answer::Closed(of.clone(), page.ours(until)));
    }
    let mut budget = page.budget(&lines);
    let reserved = budget.reserve(urgency, wanted, page.theirs);
    if reserved.starts.is_empty() {
        return Ok(Answer::Later(page.ours(reserved.ask_again)));
    }
    for (key, spent) in lines.limits.keys().zip(budget.spent()) {
        let numbers = page.rows.entry(key.clone()).or_default();
        (numbers.total_micros, numbers.backfill_micros) = (spent.total_micros, spent.backfill_micros);
    }
    allowances::save(conn, &page.rows, page.theirs)?;
    let grace = budget.grace_millis();
    let turn = |start: UnixMillis| Turn { start: page.ours(start), latest: page.ours(start).plus_millis(grace) };
    Ok(Answer::Turns(reserved.starts.into_iter().map(turn).collect()))
}

fn refuse(conn: &mut Connection, key: Key, refuses_for: Duration, clock: &dyn Clock) -> Result<UnixMillis> {
    let mut page = Page::new(allowances::lock(conn, &BTreeSet::from([key.clone()]), clock.now())?, clock);
    let numbers = page.rows.entry(key).or_default();
    let block = block(numbers).again(refuses_for, page.theirs);
    (numbers.refused_until, numbers.refused_millis) = (block.until, block.lasts_millis);
    allowances::save(conn, &page.rows, page.theirs)?;
    Ok(page.ours(block.until))
}

fn block(numbers: &Numbers) -> Block {
    Block { until: numbers.refused_until, lasts_millis: numbers.refused_millis }
}

/// The row of an allowance as a whole.
fn whole(of: &Allowance) -> Key {
    Key {
        company: of.company.to_string(),
        interface: of.interface.to_owned(),
        egress: of.egress.to_string(),
        per_millis: 0,
    }
}

/// The rows that a call meets.
struct Lines {
    /// One for each allowance as a whole.
    wholes: BTreeSet<Key>,
    /// One for each limit.
    limits: BTreeMap<Key, Limit>,
}

fn lines(spends: &[Spend]) -> Lines {
    let mut lines = Lines { wholes: BTreeSet::new(), limits: BTreeMap::new() };
    for spend in spends {
        for &limit in spend.limits {
            let per_millis = i64::try_from(limit.per.as_millis()).unwrap_or(i64::MAX).max(1);
            let line = lines.limits.entry(Key { per_millis, ..whole(&spend.of) }).or_insert(limit);
            line.calls = line.calls.min(limit.calls);
        }
        lines.wholes.insert(whole(&spend.of));
    }
    lines
}

fn keys(lines: &Lines) -> BTreeSet<Key> {
    lines.wholes.iter().chain(lines.limits.keys()).cloned().collect()
}

/// Rows as they were found at one moment, by the clock that all share and by ours.
struct Page {
    theirs: UnixMillis,
    here: UnixMillis,
    rows: Rows,
}

impl Page {
    /// To be called right after the rows were found.
    fn new((theirs, rows): (UnixMillis, Rows), clock: &dyn Clock) -> Self {
        Self { theirs, here: clock.now(), rows }
    }

    /// A moment by our clock.
    fn ours(&self, theirs: UnixMillis) -> UnixMillis {
        self.here.plus_millis(theirs.since(self.theirs))
    }

    /// Until when the platform refuses, or refused.
    fn opened(&self, whole: &Key) -> UnixMillis {
        self.rows.get(whole).map(|numbers| block(numbers).until_by(self.theirs)).unwrap_or_default()
    }

    /// The limits in the order of their keys, with what is spent of each.
    fn budget(&self, lines: &Lines) -> Budget {
        let mut budget = Budget::default();
        for (key, &limit) in &lines.limits {
            let numbers = self.rows.get(key).copied().unwrap_or_default();
            let noted = Spent { total_micros: numbers.total_micros, backfill_micros: numbers.backfill_micros };
            budget.add(limit, noted, self.opened(&key.whole()), self.theirs);
        }
        budget
    }
}
