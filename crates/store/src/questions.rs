//! What the resolver needs from a platform. Unique per entity: many hints about one are one question.

use std::collections::BTreeSet;

use common::{EntityKey, TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::prelude::*;
use directory::Question;

use crate::{
    convert::{ROWS_PER_STATEMENT, entity_key},
    schema::resolver::questions,
};

/// An open question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenQuestion {
    /// About which entity.
    pub about: EntityKey,
    /// Why it is asked: `hint`, `undecided`, `missing` or `blocking`.
    pub why: String,
    /// When it was first asked.
    pub asked_at: UnixMillis,
}

/// Asks. A question that is open already stays as it is.
pub fn ask(conn: &mut Connection, tenant: &TenantId, asked: &BTreeSet<Question>, now: UnixMillis) -> Result<()> {
    let asked: Vec<&Question> = asked.iter().collect();
    for piece in asked.chunks(ROWS_PER_STATEMENT) {
        let rows: Vec<_> = piece
            .iter()
            .map(|question| {
                (
                    questions::tenant.eq(tenant.as_str()),
                    questions::kind.eq(question.about.kind.as_str()),
                    questions::id.eq(&*question.about.id),
                    questions::why.eq(question.why.as_str()),
                    questions::asked_at.eq(now.0),
                    questions::next_attempt.eq(now.0),
                    questions::attempts.eq(0),
                )
            })
            .collect();
        on_backend!(conn, c => diesel::insert_into(questions::table).values(rows).on_conflict_do_nothing().execute(c))?;
    }
    Ok(())
}

/// The open questions of a tenant, the oldest first.
pub fn open(conn: &mut Connection, tenant: &TenantId, limit: i64) -> Result<Vec<OpenQuestion>> {
    let rows: Vec<(String, String, String, i64)> = on_backend!(conn, c => questions::table
        .filter(questions::tenant.eq(tenant.as_str()))
        .order((questions::asked_at, questions::kind, questions::id))
        .limit(limit)
        .select((questions::kind, questions::id, questions::why, questions::asked_at))
        .load(c))?;
    rows.into_iter()
        .map(|(kind, id, why, asked_at)| {
            Ok(OpenQuestion { about: entity_key(&kind, &id)?, why, asked_at: UnixMillis(asked_at) })
        })
        .collect()
}
