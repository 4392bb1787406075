//! What is known of approvals besides what each of them says: of which forms there are any, and to whose attendance they apply.

use common::{TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::{prelude::*, upsert::excluded};

use crate::{
    convert::ROWS_PER_STATEMENT,
    schema::dingtalk::{approval_days, approval_templates},
};

/// A day to which an approval applies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    /// The id of the day, see [`common::attendance`].
    pub id: String,
    /// The member, as the platform spells it.
    pub member: String,
}

/// Notes that there are approvals of these forms.
///
/// # Errors
/// Those of the database.
pub fn note_templates(conn: &mut Connection, tenant: &TenantId, templates: &[&str], now: UnixMillis) -> Result<()> {
    for piece in templates.chunks(ROWS_PER_STATEMENT) {
        let row = |template: &&str| {
            (
                approval_templates::tenant.eq(tenant.as_str().to_owned()),
                approval_templates::template.eq((*template).to_owned()),
                approval_templates::seen_at.eq(now.0),
            )
        };
        let rows: Vec<_> = piece.iter().map(row).collect();
        on_backend!(conn, c => diesel::insert_into(approval_templates::table)
            .values(rows)
            .on_conflict((approval_templates::tenant, approval_templates::template))
            .do_update()
            .set(approval_templates::seen_at.eq(excluded(approval_templates::seen_at)))
            .execute(c))?;
    }
    Ok(())
}

/// The forms of which there are approvals that were seen at this time or later, after one, in their order, at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn templates(
    conn: &mut Connection,
    tenant: &TenantId,
    seen_from: UnixMillis,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<String>> {
    let query = approval_templates::table
        .filter(approval_templates::tenant.eq(tenant.as_str()))
        .filter(approval_templates::seen_at.ge(seen_from.0))
        .filter(approval_templates::template.gt(after.unwrap_or_default()))
        .order(approval_templates::template)
        .limit(limit)
        .select(approval_templates::template);
    Ok(on_backend!(conn, c => query.load(c))?)
}

/// Notes to which days an approval that was agreed to applies, no day twice; `head` is the approval that it corrects, or itself.
///
/// # Errors
/// Those of the database.
pub fn note_days(
    conn: &mut Connection,
    tenant: &TenantId,
    approval: &str,
    head: &str,
    days: &[Day],
    now: UnixMillis,
) -> Result<()> {
    for piece in days.chunks(ROWS_PER_STATEMENT) {
        let row = |day: &Day| {
            (
                approval_days::tenant.eq(tenant.as_str().to_owned()),
                approval_days::approval.eq(approval.to_owned()),
                approval_days::day.eq(day.id.clone()),
                approval_days::member.eq(day.member.clone()),
                approval_days::head.eq(head.to_owned()),
                approval_days::noted_at.eq(now.0),
            )
        };
        let rows: Vec<_> = piece.iter().map(row).collect();
        on_backend!(conn, c => diesel::insert_into(approval_days::table)
            .values(rows)
            .on_conflict_do_nothing()
            .execute(c))?;
    }
    Ok(())
}

/// All days to which an approval applies, and the others that correct the same one or that it corrects, each once.
///
/// # Errors
/// Those of the database.
pub fn days_beside(conn: &mut Connection, tenant: &TenantId, approval: &str) -> Result<Vec<Day>> {
    let heads = approval_days::table
        .filter(approval_days::tenant.eq(tenant.as_str()))
        .filter(approval_days::approval.eq(approval).or(approval_days::head.eq(approval)))
        .select(approval_days::head)
        .distinct();
    let heads: Vec<String> = on_backend!(conn, c => heads.load(c))?;
    let days = approval_days::table
        .filter(approval_days::tenant.eq(tenant.as_str()))
        .filter(approval_days::head.eq_any(heads))
        .select((approval_days::day, approval_days::member))
        .order((approval_days::day, approval_days::member));
    let rows: Vec<(String, String)> = on_backend!(conn, c => days.load(c))?;
    let mut days: Vec<Day> = rows.into_iter().map(|(id, member)| Day { id, member }).collect();
    days.dedup_by(|one, other| one.id == other.id);
    Ok(days)
}

/// Forgets days that were noted before this moment. Returns how many.
///
/// # Errors
/// Those of the database.
pub fn prune(conn: &mut Connection, before: UnixMillis) -> Result<usize> {
    let old = approval_days::table.filter(approval_days::noted_at.lt(before.0));
    Ok(on_backend!(conn, c => diesel::delete(old).execute(c))?)
}

/// Forgets what is known of approvals of a tenant that is removed.
pub(crate) fn forget(conn: &mut Connection, tenant: &TenantId) -> Result<()> {
    let days = approval_days::table.filter(approval_days::tenant.eq(tenant.as_str()));
    on_backend!(conn, c => diesel::delete(days).execute(c))?;
    let templates = approval_templates::table.filter(approval_templates::tenant.eq(tenant.as_str()));
    on_backend!(conn, c => diesel::delete(templates).execute(c))?;
    Ok(())
}
