//! What a platform counts by the month and wants to be paid for: how much of it is used, and of which share a warning was given.

use std::str::FromStr;

use common::{Platform, TenantId};
use database::{Connection, Result, on_backend};
use diesel::prelude::*;

use crate::{
    convert::{parse, signed, unreadable, unsigned},
    destinations::UnknownName,
    schema::dingtalk::quotas,
};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Calls of the platform's API.
    Api,
    /// Messages that the platform pushes over a stream.
    Stream,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Api, Self::Stream];

    /// The name in tables, metrics and commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Stream => "stream",
        }
    }
}

impl FromStr for Kind {
    type Err = UnknownName;
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or(UnknownName)
    }
}

/// How much a tenant used of a quota in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// Whose quota it is.
    pub platform: Platform,
    /// What is counted.
    pub kind: Kind,
    /// The month, `yyyy-MM`, by the platform's time.
    pub month: String,
    /// How many were used.
    pub used: u64,
    /// The percentage at which a warning was last given; 0 before the first.
    pub warned: i32,
}

/// One row of the table.
macro_rules! one {
    ($tenant:expr, $platform:expr, $kind:expr, $month:expr) => {
        quotas::table.find(($tenant.as_str(), $platform.as_str(), $kind.as_str(), $month))
    };
}

/// Counts `n` more; returns how many are used by then. Whoever counts at the same time waits until this transaction ends.
///
/// # Errors
/// Those of the database.
pub fn add(
    conn: &mut Connection,
    tenant: &TenantId,
    platform: Platform,
    kind: Kind,
    month: &str,
    n: u64,
) -> Result<u64> {
    let n = signed(n);
    let row = (
        quotas::tenant.eq(tenant.as_str()),
        quotas::platform.eq(platform.as_str()),
        quotas::kind.eq(kind.as_str()),
        quotas::month.eq(month),
        quotas::used.eq(n),
        quotas::warned.eq(0),
    );
    on_backend!(conn, c => diesel::insert_into(quotas::table)
        .values(row)
        .on_conflict((quotas::tenant, quotas::platform, quotas::kind, quotas::month))
        .do_update()
        .set(quotas::used.eq(quotas::used + n))
        .execute(c))?;
    used(conn, tenant, platform, kind, month)
}

/// How many are used.
///
/// # Errors
/// Those of the database.
pub fn used(conn: &mut Connection, tenant: &TenantId, platform: Platform, kind: Kind, month: &str) -> Result<u64> {
    let query = one!(tenant, platform, kind, month).select(quotas::used);
    let used: Option<i64> = on_backend!(conn, c => query.first(c).optional())?;
    Ok(unsigned(used.unwrap_or_default()))
}

/// All that a tenant used, the newest month first.
///
/// # Errors
/// Those of the database.
pub fn list(conn: &mut Connection, tenant: &TenantId) -> Result<Vec<Quota>> {
    let query = quotas::table
        .filter(quotas::tenant.eq(tenant.as_str()))
        .order((quotas::month.desc(), quotas::platform, quotas::kind))
        .select((quotas::platform, quotas::kind, quotas::month, quotas::used, quotas::warned));
    let rows: Vec<(String, String, String, i64, i32)> = on_backend!(conn, c => query.load(c))?;
    let read = |(platform, kind, month, used, warned): (String, String, String, i64, i32)| {
        let platform = Platform::from_name(&platform).ok_or_else(|| unreadable(UnknownName))?;
        Ok(Quota { platform, kind: parse(&kind)?, month, used: unsigned(used), warned })
    };
    rows.into_iter().map(read).collect()
}

/// Notes that a warning is given at this percentage. `false` where one was given at it, or at a higher one, before: of several who
/// notice at once, one warns.
///
/// # Errors
/// Those of the database.
pub fn warn(
    conn: &mut Connection,
    tenant: &TenantId,
    platform: Platform,
    kind: Kind,
    month: &str,
    percent: i32,
) -> Result<bool> {
    let lower = one!(tenant, platform, kind, month).filter(quotas::warned.lt(percent));
    let noted = on_backend!(conn, c => diesel::update(lower).set(quotas::warned.eq(percent)).execute(c))?;
    Ok(noted > 0)
}
