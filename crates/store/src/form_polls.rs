//! The polls of forms: how far each got, when the next one is due, and who is at it. A form has one at a time, or two would ask for the same
//! people.

use common::{TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::prelude::*;

use crate::{clock::shared_clock, schema::forms::form_polls, snapshots::Hold};

/// The polls of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    /// When the last one that read every page began; `None` while none did.
    pub mark: Option<UnixMillis>,
    /// When the last one began.
    pub started_at: UnixMillis,
    /// Behind which record that one goes on, empty before the first; `None` when it is over.
    pub place: Option<String>,
    /// Whether it reads all records, whenever they were changed.
    pub is_full: bool,
    /// When the last one began that read all records, whenever they were changed.
    pub full_at: Option<UnixMillis>,
    /// When the next one is due, or this one goes on.
    pub due_at: UnixMillis,
    /// Why the last one stopped before its end, for people; `None` while all is well.
    pub why: Option<String>,
    /// When the form was first known: nobody who is older is asked for unless something else is configured.
    pub created_at: UnixMillis,
}

#[derive(Queryable)]
struct Row {
    mark: Option<i64>,
    started_at: i64,
    place: Option<String>,
    is_full: bool,
    full_at: Option<i64>,
    due_at: i64,
    why: Option<String>,
    created_at: i64,
}

impl Row {
    fn read(self) -> Poll {
        let Self { mark, started_at, place, is_full, full_at, due_at, why, created_at } = self;
        Poll {
            mark: mark.map(UnixMillis),
            started_at: UnixMillis(started_at),
            place,
            is_full,
            full_at: full_at.map(UnixMillis),
            due_at: UnixMillis(due_at),
            why,
            created_at: UnixMillis(created_at),
        }
    }
}

const COLUMNS: (
    form_polls::mark,
    form_polls::started_at,
    form_polls::place,
    form_polls::is_full,
    form_polls::full_at,
    form_polls::due_at,
    form_polls::why,
    form_polls::created_at,
) = (
    form_polls::mark,
    form_polls::started_at,
    form_polls::place,
    form_polls::is_full,
    form_polls::full_at,
    form_polls::due_at,
    form_polls::why,
    form_polls::created_at,
);

/// The row of a form, while it is held.
macro_rules! held_by {
    ($tenant:expr, $form:expr, $hold:expr) => {
        form_polls::table.find(($tenant.as_str(), $form)).filter(form_polls::lease_owner.eq($hold.owner))
    };
}

/// The polls of a form, `{app_id}/{entry_id}`.
///
/// # Errors
/// Those of the database.
pub fn get(conn: &mut Connection, tenant: &TenantId, form: &str) -> Result<Option<Poll>> {
    let query = form_polls::table.find((tenant.as_str(), form)).select(COLUMNS);
    let found: Option<Row> = on_backend!(conn, c => query.first(c).optional())?;
    Ok(found.map(Row::read))
}

/// Those of all forms of a tenant, by form.
///
/// # Errors
/// Those of the database.
pub fn list(conn: &mut Connection, tenant: &TenantId) -> Result<Vec<(String, Poll)>> {
    let query = form_polls::table
        .filter(form_polls::tenant.eq(tenant.as_str()))
        .order(form_polls::form)
        .select((form_polls::form, COLUMNS));
    let found: Vec<(String, Row)> = on_backend!(conn, c => query.load(c))?;
    Ok(found.into_iter().map(|(form, row)| (form, row.read())).collect())
}

/// Makes the row of a form that has none; its first poll is due at once.
///
/// # Errors
/// Those of the database.
pub fn announce(conn: &mut Connection, tenant: &TenantId, form: &str, now: UnixMillis) -> Result<()> {
    let row = (
        form_polls::tenant.eq(tenant.as_str()),
        form_polls::form.eq(form),
        form_polls::started_at.eq(0_i64),
        form_polls::is_full.eq(false),
        form_polls::due_at.eq(now.0),
        form_polls::lease_until.eq(0_i64),
        form_polls::created_at.eq(now.0),
    );
    on_backend!(conn, c => diesel::insert_into(form_polls::table).values(row).on_conflict_do_nothing().execute(c))?;
    Ok(())
}

/// Makes the next poll of a form due at this moment if it is not due before.
///
/// # Errors
/// Those of the database.
pub fn want(conn: &mut Connection, tenant: &TenantId, form: &str, at: UnixMillis) -> Result<()> {
    let later = form_polls::table.find((tenant.as_str(), form)).filter(form_polls::due_at.gt(at.0));
    on_backend!(conn, c => diesel::update(later).set(form_polls::due_at.eq(at.0)).execute(c))?;
    Ok(())
}

/// Takes the polls of a form if nobody holds them, the one who asks included; `false` where somebody does, or there is no row.
///
/// # Errors
/// Those of the database.
pub fn take(conn: &mut Connection, tenant: &TenantId, form: &str, hold: &Hold<'_>) -> Result<bool> {
    let (now, until) = shared_clock(conn, hold.now, hold.until)?;
    let row = form_polls::table.find((tenant.as_str(), form)).filter(form_polls::lease_until.le(now.0));
    let values = (form_polls::lease_owner.eq(hold.owner), form_polls::lease_until.eq(until.0));
    Ok(on_backend!(conn, c => diesel::update(row).set(values).execute(c))? > 0)
}

/// Frees all of them where only one process can use the database at a time: whoever held them is gone.
///
/// # Errors
/// Those of the database.
pub fn free_leases(conn: &mut Connection) -> Result<()> {
    match conn {
        Connection::Sqlite(c) => {
            diesel::update(form_polls::table).set(form_polls::lease_until.eq(0_i64)).execute(c)?;
        }
        Connection::Postgres(_) => {}
    }
    Ok(())
}

/// Begins a poll of a form that is held, which began at `started_at` and is followed by the next one at `due_at`; `false` when somebody
/// else took it. The mark stays: only the end of a poll moves it. What stopped the one before is over.
///
/// # Errors
/// Those of the database.
pub fn begin(
    conn: &mut Connection,
    tenant: &TenantId,
    form: &str,
    (started_at, is_full, due_at): (UnixMillis, bool, UnixMillis),
    hold: &Hold<'_>,
) -> Result<bool> {
    let values = (
        form_polls::started_at.eq(started_at.0),
        form_polls::is_full.eq(is_full),
        form_polls::place.eq(Some("")),
        form_polls::due_at.eq(due_at.0),
        form_polls::why.eq(None::<String>),
    );
    let row = held_by!(tenant, form, hold);
    Ok(on_backend!(conn, c => diesel::update(row).set(values).execute(c))? > 0)
}

/// Writes behind which record a poll goes on, all before it being durable, and holds it longer; `false` when somebody else took it.
///
/// # Errors
/// Those of the database.
pub fn advance(conn: &mut Connection, tenant: &TenantId, form: &str, place: &str, hold: &Hold<'_>) -> Result<bool> {
    let (_, until) = shared_clock(conn, hold.now, hold.until)?;
    let values = (form_polls::place.eq(Some(place)), form_polls::lease_until.eq(until.0));
    let row = held_by!(tenant, form, hold);
    Ok(on_backend!(conn, c => diesel::update(row).set(values).execute(c))? > 0)
}

/// A poll read every page, and all of it is durable: the mark moves to its beginning. `false` when somebody else took it.
///
/// # Errors
/// Those of the database.
pub fn finish(conn: &mut Connection, tenant: &TenantId, form: &str, hold: &Hold<'_>) -> Result<bool> {
    let values = (
        form_polls::mark.eq(form_polls::started_at.nullable()),
        form_polls::place.eq(None::<String>),
        form_polls::why.eq(None::<String>),
    );
    let row = held_by!(tenant, form, hold);
    if on_backend!(conn, c => diesel::update(row).set(values).execute(c))? == 0 {
        return Ok(false);
    }
    let full = held_by!(tenant, form, hold).filter(form_polls::is_full);
    let values = form_polls::full_at.eq(form_polls::started_at.nullable());
    on_backend!(conn, c => diesel::update(full).set(values).execute(c))?;
    Ok(true)
}

/// A poll stopped before its end, for this reason without personal data; it goes on where it is, not before `due_at`. `false` when
/// somebody else took it.
///
/// # Errors
/// Those of the database.
pub fn stop(
    conn: &mut Connection,
    tenant: &TenantId,
    form: &str,
    (why, due_at): (&str, UnixMillis),
    hold: &Hold<'_>,
) -> Result<bool> {
    let values = (form_polls::why.eq(Some(why)), form_polls::due_at.eq(due_at.0));
    let row = held_by!(tenant, form, hold);
    Ok(on_backend!(conn, c => diesel::update(row).set(values).execute(c))? > 0)
}

/// Gives the polls of a form back, so that another process may go on with them at once.
///
/// # Errors
/// Those of the database.
pub fn give_back(conn: &mut Connection, tenant: &TenantId, form: &str, owner: &str) -> Result<()> {
    let row = form_polls::table.find((tenant.as_str(), form)).filter(form_polls::lease_owner.eq(owner));
    let values = (form_polls::lease_owner.eq(None::<String>), form_polls::lease_until.eq(0_i64));
    on_backend!(conn, c => diesel::update(row).set(values).execute(c))?;
    Ok(())
}

/// Forgets the polls of a tenant that is removed: if it is applied again, nobody from before that is asked for.
pub(crate) fn forget(conn: &mut Connection, tenant: &TenantId) -> Result<()> {
    let all = form_polls::table.filter(form_polls::tenant.eq(tenant.as_str()));
    on_backend!(conn, c => diesel::delete(all).execute(c))?;
    Ok(())
}
