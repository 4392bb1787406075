//! Callbacks that may be missing: when nothing could be taken over, a platform may have given up. A reconciliation that begins
//! later finds what came of it.

use common::{TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::prelude::*;

use self::schema::gaps;
use crate::convert::parse;

mod schema {
    diesel::table! {
        gaps (tenant) {
            tenant -> Text,
            since -> BigInt,
            until -> BigInt,
        }
    }
}

/// A time in which callbacks of a tenant could not be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The first such callback.
    pub since: UnixMillis,
    /// The last one.
    pub until: UnixMillis,
}

impl Gap {
    /// One callback.
    pub const fn at(moment: UnixMillis) -> Self {
        Self { since: moment, until: moment }
    }

    /// From the earlier of both to the later.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { since: self.since.min(other.since), until: self.until.max(other.until) }
    }
}

/// Notes that callbacks of a tenant may be missing; what is noted already only grows. Several gateways may do so at once.
///
/// # Errors
/// Those of the database.
pub fn note(conn: &mut Connection, tenant: &TenantId, gap: Gap) -> Result<()> {
    let (id, since, until) = (tenant.as_str(), gap.since.0, gap.until.0);
    let row = (gaps::tenant.eq(id), gaps::since.eq(since), gaps::until.eq(until));
    on_backend!(conn, c => diesel::insert_into(gaps::table).values(row).on_conflict_do_nothing().execute(c))?;
    let later = gaps::table.find(id).filter(gaps::since.gt(since));
    on_backend!(conn, c => diesel::update(later).set(gaps::since.eq(since)).execute(c))?;
    let earlier = gaps::table.find(id).filter(gaps::until.lt(until));
    on_backend!(conn, c => diesel::update(earlier).set(gaps::until.eq(until)).execute(c))?;
    Ok(())
}

/// When callbacks of a tenant may be missing; `None` when none is.
///
/// # Errors
/// Those of the database.
pub fn get(conn: &mut Connection, tenant: &TenantId) -> Result<Option<Gap>> {
    let query = gaps::table.find(tenant.as_str()).select((gaps::since, gaps::until));
    let found: Option<(i64, i64)> = on_backend!(conn, c => query.first(c).optional())?;
    Ok(found.map(|(since, until)| Gap { since: UnixMillis(since), until: UnixMillis(until) }))
}

/// The same of all tenants.
///
/// # Errors
/// Those of the database.
pub fn all(conn: &mut Connection) -> Result<Vec<(TenantId, Gap)>> {
    let query = gaps::table.select((gaps::tenant, gaps::since, gaps::until));
    let found: Vec<(String, i64, i64)> = on_backend!(conn, c => query.load(c))?;
    let gap = |(tenant, since, until): (String, i64, i64)| {
        Ok((parse(&tenant)?, Gap { since: UnixMillis(since), until: UnixMillis(until) }))
    };
    found.into_iter().map(gap).collect()
}

/// Forgets a gap that was over before this moment.
pub fn forget(conn: &mut Connection, tenant: &TenantId, before: UnixMillis) -> Result<()> {
    let over = gaps::table.find(tenant.as_str()).filter(gaps::until.lt(before.0));
    on_backend!(conn, c => diesel::delete(over).execute(c))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use database::{Database, Options};

    use super::*;

    #[tokio::test]
    async fn a_gap_only_grows() {
        let database = Database::open(&Options::new("sqlite::memory:")).unwrap();
        database.migrate(crate::migrations()).unwrap();
        let work = |conn: &mut Connection| -> Result<Vec<Option<Gap>>> {
            let (acme, globex): (TenantId, TenantId) = ("acme".parse().unwrap(), "globex".parse().unwrap());
            let mut seen = vec![get(conn, &acme)?];
            for (since, until) in [(50, 60), (55, 58), (40, 41), (70, 90)] {
                note(conn, &acme, Gap { since: UnixMillis(since), until: UnixMillis(until) })?;
                seen.push(get(conn, &acme)?);
            }
            seen.push(get(conn, &globex)?);
            Ok(seen)
        };
        let seen = database.write("test", work).await.unwrap();
        let gap = |since, until| Some(Gap { since: UnixMillis(since), until: UnixMillis(until) });
        assert_eq!(seen, [None, gap(50, 60), gap(50, 60), gap(40, 60), gap(40, 90), None]);
    }
}
