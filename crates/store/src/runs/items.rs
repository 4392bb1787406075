//! The items of a run's plan, with the rows as they were, and what became of each.

use std::collections::BTreeSet;

use common::{DestinationId, EntityKey, EntityKind, TenantId};
use database::{Connection, Result, on_backend};
use diesel::{
    PgConnection,
    dsl::count_star,
    prelude::*,
    sql_query,
    sql_types::{Array, BigInt, Nullable, Text},
};
use directory::plan::{Action, Item};

use super::ItemState;
use crate::{
    convert::{ROWS_PER_STATEMENT, from_json, parse, signed, to_json, unreadable, unsigned},
    schema::runs::plan_items,
};

/// An item to be kept.
#[derive(Clone)]
pub struct NewItem {
    /// Its place in the plan, from 1.
    pub seq: u64,
    /// Where it is about.
    pub destination: DestinationId,
    /// What is to be done, and why.
    pub item: Item,
    /// The row as it is, as JSON.
    pub before: Option<String>,
    /// The row as it is to be, as JSON.
    pub after: Option<String>,
    /// What became of it already.
    pub state: ItemState,
}

/// An item as it is kept.
#[derive(Debug, Clone)]
pub struct PlanItem {
    /// Its place in the plan, and what it is.
    pub planned: NewItem,
    /// The version of its change.
    pub version: Option<u64>,
    /// Why it was skipped or failed; without personal data.
    pub note: Option<String>,
}

/// What became of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Its place in the plan.
    pub seq: u64,
    /// What became of it.
    pub state: ItemState,
    /// The version of its change.
    pub version: Option<u64>,
    /// Why it was skipped or failed; without personal data.
    pub note: Option<String>,
}

/// Shows nothing personal.
impl std::fmt::Debug for NewItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewItem")
            .field("seq", &self.seq)
            .field("destination", &self.destination)
            .field("item", &self.item)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// How many items of a run are in which state.
pub type Tally = Vec<(ItemState, u64)>;

#[derive(Insertable, Queryable)]
#[diesel(table_name = plan_items, treat_none_as_default_value = false)]
struct Row {
    run: String,
    seq: i64,
    destination: String,
    action: String,
    kind: String,
    id: Option<String>,
    core_id: Option<String>,
    why: String,
    before: Option<String>,
    after: Option<String>,
    state: String,
    version: Option<i64>,
    note: Option<String>,
}

impl Row {
    fn new(run: &str, new: &NewItem) -> Result<Self> {
        let text = |id: &std::sync::Arc<str>| id.as_ref().to_owned();
        Ok(Self {
            run: run.to_owned(),
            seq: signed(new.seq),
            destination: new.destination.as_str().to_owned(),
            action: new.item.action.as_str().to_owned(),
            kind: new.item.kind.as_str().to_owned(),
            id: new.item.id.as_ref().map(text),
            core_id: new.item.core_id.as_ref().map(text),
            why: to_json(&new.item.why)?,
            before: new.before.clone(),
            after: new.after.clone(),
            state: new.state.as_str().to_owned(),
            version: None,
            note: None,
        })
    }

    fn read(self) -> Result<PlanItem> {
        let action: Action = serde_json::from_value(serde_json::Value::String(self.action)).map_err(unreadable)?;
        let item = Item {
            action,
            kind: parse(&self.kind)?,
            id: self.id.map(Into::into),
            core_id: self.core_id.map(Into::into),
            why: from_json(&self.why)?,
        };
        let planned = NewItem {
            seq: unsigned(self.seq),
            destination: parse(&self.destination)?,
            item,
            before: self.before,
            after: self.after,
            state: parse(&self.state)?,
        };
        Ok(PlanItem { planned, version: self.version.map(unsigned), note: self.note })
    }
}

/// Keeps items of a run.
///
/// # Errors
/// Those of the database.
pub fn insert_items(conn: &mut Connection, run: &str, new: &[NewItem]) -> Result<()> {
    for piece in new.chunks(ROWS_PER_STATEMENT) {
        let rows = piece.iter().map(|item| Row::new(run, item)).collect::<Result<Vec<Row>>>()?;
        match conn {
            Connection::Sqlite(c) => {
                diesel::insert_into(plan_items::table).values(&rows).execute(c)?;
            }
            Connection::Postgres(c) => {
                insert_columns(c, run, &rows)?;
            }
        }
    }
    Ok(())
}

/// Whole columns, see `bulk`.
fn insert_columns(c: &mut PgConnection, run: &str, rows: &[Row]) -> QueryResult<usize> {
    fn column<'a, T>(rows: &'a [Row], of: impl Fn(&'a Row) -> T) -> Vec<T> {
        rows.iter().map(of).collect()
    }
    sql_query(
        "INSERT INTO plan_items (run, seq, destination, action, kind, id, core_id, why, before, after, state)
         SELECT $1, new.* FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AS new",
    )
    .bind::<Text, _>(run)
    .bind::<Array<BigInt>, _>(column(rows, |row| row.seq))
    .bind::<Array<Text>, _>(column(rows, |row| row.destination.as_str()))
    .bind::<Array<Text>, _>(column(rows, |row| row.action.as_str()))
    .bind::<Array<Text>, _>(column(rows, |row| row.kind.as_str()))
    .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.id.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.core_id.as_deref()))
    .bind::<Array<Text>, _>(column(rows, |row| row.why.as_str()))
    .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.before.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.after.as_deref()))
    .bind::<Array<Text>, _>(column(rows, |row| row.state.as_str()))
    .execute(c)
}

/// Forgets what was kept of a plan that was not finished.
///
/// # Errors
/// Those of the database.
pub fn clear_items(conn: &mut Connection, run: &str) -> Result<()> {
    on_backend!(conn, c => diesel::delete(plan_items::table.filter(plan_items::run.eq(run))).execute(c))?;
    Ok(())
}

/// Forgets the items of a run after a place.
///
/// # Errors
/// Those of the database.
pub fn clear_items_after(conn: &mut Connection, run: &str, seq: u64) -> Result<()> {
    let later = plan_items::table.filter(plan_items::run.eq(run)).filter(plan_items::seq.gt(signed(seq)));
    on_backend!(conn, c => diesel::delete(later).execute(c))?;
    Ok(())
}

/// Forgets the items of a run up to a place.
///
/// # Errors
/// Those of the database.
pub fn clear_items_until(conn: &mut Connection, run: &str, seq: u64) -> Result<()> {
    let earlier = plan_items::table.filter(plan_items::run.eq(run)).filter(plan_items::seq.le(signed(seq)));
    on_backend!(conn, c => diesel::delete(earlier).execute(c))?;
    Ok(())
}

/// The destinations that items of a run are about.
///
/// # Errors
/// Those of the database.
pub fn planned_at(conn: &mut Connection, run: &str) -> Result<BTreeSet<DestinationId>> {
    let query = plan_items::table.filter(plan_items::run.eq(run)).select(plan_items::destination).distinct();
    let ids: Vec<String> = on_backend!(conn, c => query.load(c))?;
    ids.iter().map(|id| parse(id)).collect()
}

/// The rows that a run disables or deletes: where, of which kind, and their ids.
///
/// # Errors
/// Those of the database.
pub fn removals(conn: &mut Connection, run: &str) -> Result<BTreeSet<(DestinationId, EntityKind, String)>> {
    let actions = [Action::Disable, Action::Delete].map(Action::as_str);
    let query = plan_items::table
        .filter(plan_items::run.eq(run))
        .filter(plan_items::action.eq_any(actions))
        .filter(plan_items::core_id.is_not_null())
        .select((plan_items::destination, plan_items::kind, plan_items::core_id.assume_not_null()));
    let rows: Vec<(String, String, String)> = on_backend!(conn, c => query.load(c))?;
    rows.into_iter().map(|(destination, kind, id)| Ok((parse(&destination)?, parse(&kind)?, id))).collect()
}

/// The items of a run after a place, in order, at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn items(conn: &mut Connection, run: &str, after: u64, limit: i64) -> Result<Vec<PlanItem>> {
    let query = plan_items::table
        .filter(plan_items::run.eq(run))
        .filter(plan_items::seq.gt(signed(after)))
        .order(plan_items::seq)
        .limit(limit);
    let rows: Vec<Row> = on_backend!(conn, c => query.load(c))?;
    rows.into_iter().map(Row::read).collect()
}

/// The next items of a run that are still to be published, in order, at most `limit`. Deletions come later, see [`deletions`].
///
/// # Errors
/// Those of the database.
pub fn pending(conn: &mut Connection, run: &str, limit: i64) -> Result<Vec<PlanItem>> {
    let query = plan_items::table
        .filter(plan_items::run.eq(run))
        .filter(plan_items::state.eq(ItemState::Pending.as_str()))
        .filter(plan_items::action.ne(Action::Delete.as_str()))
        .order(plan_items::seq)
        .limit(limit);
    let rows: Vec<Row> = on_backend!(conn, c => query.load(c))?;
    rows.into_iter().map(Row::read).collect()
}

/// The next rows of a run that are still to be deleted, in order, at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn deletions(conn: &mut Connection, run: &str, limit: i64) -> Result<Vec<PlanItem>> {
    let query = plan_items::table
        .filter(plan_items::run.eq(run))
        .filter(plan_items::state.eq(ItemState::Pending.as_str()))
        .filter(plan_items::action.eq(Action::Delete.as_str()))
        .order(plan_items::seq)
        .limit(limit);
    let rows: Vec<Row> = on_backend!(conn, c => query.load(c))?;
    rows.into_iter().map(Row::read).collect()
}

/// The items of a run after a place whose changes are published, in order, at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn sent(conn: &mut Connection, run: &str, after: u64, limit: i64) -> Result<Vec<PlanItem>> {
    let query = plan_items::table
        .filter(plan_items::run.eq(run))
        .filter(plan_items::state.eq(ItemState::Sent.as_str()))
        .filter(plan_items::seq.gt(signed(after)))
        .order(plan_items::seq)
        .limit(limit);
    let rows: Vec<Row> = on_backend!(conn, c => query.load(c))?;
    rows.into_iter().map(Row::read).collect()
}

/// The entities of which a plan changed rows at a destination by a change of that version or a later one.
///
/// # Errors
/// Those of the database.
pub fn changed_since(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &DestinationId,
    version: u64,
) -> Result<BTreeSet<EntityKey>> {
    let runs = super::ids(conn, tenant)?;
    let query = plan_items::table
        .filter(plan_items::run.eq_any(runs))
        .filter(plan_items::destination.eq(destination.as_str()))
        .filter(plan_items::version.ge(signed(version)))
        .filter(plan_items::id.is_not_null())
        .select((plan_items::kind, plan_items::id.assume_not_null()))
        .distinct();
    let rows: Vec<(String, String)> = on_backend!(conn, c => query.load(c))?;
    rows.iter().map(|(kind, id)| Ok(EntityKey::new(parse(kind)?, id))).collect()
}

/// Notes what became of items.
///
/// # Errors
/// Those of the database.
pub fn settle(conn: &mut Connection, run: &str, settled: &[Settled]) -> Result<()> {
    if let Connection::Postgres(c) = conn {
        let seqs: Vec<i64> = settled.iter().map(|one| signed(one.seq)).collect();
        let states: Vec<&str> = settled.iter().map(|one| one.state.as_str()).collect();
        let versions: Vec<Option<i64>> = settled.iter().map(|one| one.version.map(signed)).collect();
        let notes: Vec<Option<&str>> = settled.iter().map(|one| one.note.as_deref()).collect();
        sql_query(
            "UPDATE plan_items SET state = new.state, version = new.version, note = new.note
             FROM unnest($2, $3, $4, $5) AS new (seq, state, version, note)
             WHERE plan_items.run = $1 AND plan_items.seq = new.seq",
        )
        .bind::<Text, _>(run)
        .bind::<Array<BigInt>, _>(seqs)
        .bind::<Array<Text>, _>(states)
        .bind::<Array<Nullable<BigInt>>, _>(versions)
        .bind::<Array<Nullable<Text>>, _>(notes)
        .execute(c)?;
        return Ok(());
    }
    for one in settled {
        let target = plan_items::table.find((run, signed(one.seq)));
        let values = (
            plan_items::state.eq(one.state.as_str()),
            plan_items::version.eq(one.version.map(signed)),
            plan_items::note.eq(one.note.as_deref()),
        );
        on_backend!(conn, c => diesel::update(target).set(values).execute(c))?;
    }
    Ok(())
}

/// All items of a run whose changes are published have arrived, but those that are settled otherwise.
///
/// # Errors
/// Those of the database.
pub fn settle_sent(conn: &mut Connection, run: &str, otherwise: &[Settled]) -> Result<()> {
    settle(conn, run, otherwise)?;
    let arrived =
        plan_items::table.filter(plan_items::run.eq(run)).filter(plan_items::state.eq(ItemState::Sent.as_str()));
    let values = plan_items::state.eq(ItemState::Applied.as_str());
    on_backend!(conn, c => diesel::update(arrived).set(values).execute(c))?;
    Ok(())
}

/// How many items of a run are in which state.
///
/// # Errors
/// Those of the database.
pub fn tally(conn: &mut Connection, run: &str) -> Result<Tally> {
    let query = plan_items::table
        .filter(plan_items::run.eq(run))
        .group_by(plan_items::state)
        .order(plan_items::state)
        .select((plan_items::state, count_star()));
    let rows: Vec<(String, i64)> = on_backend!(conn, c => query.load(c))?;
    rows.into_iter().map(|(state, count)| Ok((parse(&state)?, unsigned(count)))).collect()
}
