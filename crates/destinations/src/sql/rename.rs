//! A member goes on under another id, and whatever refers to it follows.
//!
//! Where a link tells that the product has an id of its own, that stays, and nothing needs to follow.

use database::Connection;

use super::{
    Tables,
    known::{Known, Row},
    wanted::{Member, Wanted},
    write::run,
};

/// A row goes on under another id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rename {
    /// Its id.
    pub(super) from: String,
    /// The new one.
    pub(super) to: String,
    /// The new id has a row already: references move there, the old row goes.
    pub(super) merge: bool,
}

/// What a rename asks of the tables.
pub(super) enum Renaming {
    /// A row gets another id.
    Row(Rename),
    /// Nothing: the row keeps its id, which from now on is that of the member's new id.
    Link,
}

impl Renaming {
    /// Brings `known` up to the state after it; its version is still to be written. The link is not moved here.
    pub(super) fn carry_over(self, known: &mut Known) -> Option<Rename> {
        let Self::Row(rename) = self else { return None };
        known.move_member(&rename.from, &rename.to);
        Some(rename)
    }
}

/// The rename that a change stands for; `None` when there is nothing to rename (any more). The old row may have come after the
/// change itself, which was sent before and not heard of: then it goes all the same.
pub(super) fn decide(wanted: &Wanted, member: &Member, known: &Known) -> Option<Renaming> {
    let (old, new) = (member.renamed_from.as_ref()?, &wanted.key);
    let is_older = |row: &&Row| row.version < wanted.version;
    match (known.links.core_id(old), known.links.core_id(new)) {
        (Some(_), _) if old == new => None,
        (Some(linked), None) => {
            // What came under the new id before us goes into the row that is linked.
            let own = known.row(new).filter(is_older);
            let there = known.row(old);
            let to = there.map_or(linked, |row| row.id.as_str()).to_owned();
            let rename = own.map(|own| Rename { from: own.id.clone(), to, merge: there.is_some() });
            Some(rename.map_or(Renaming::Link, Renaming::Row))
        }
        _ => {
            let row = known.row(old).filter(is_older)?;
            let there = known.row(new).filter(|_| old != new);
            let to = there.map_or_else(|| known.new_member_id(new, member), |there| there.id.clone());
            let is_other = row.id != to;
            is_other.then(|| Renaming::Row(Rename { from: row.id.clone(), to, merge: there.is_some() }))
        }
    }
}

/// Rows that refer to it follow by `ON UPDATE CASCADE`, those of other tables of the product too.
pub(super) const MOVE: &str = "WITH renamed AS MATERIALIZED
        (SELECT $1 AS tenant_id, value ->> 0 AS old, value ->> 1 AS new FROM jsonb_array_elements($2::jsonb))
    UPDATE core.members SET id = renamed.new
    FROM renamed WHERE members.tenant_id = renamed.tenant_id AND members.id = renamed.old";

/// Both ids have rows: what refers to the old one moves, then it goes. The new one's departments are written with it.
pub(super) const MERGE: [&str; 4] = [
    "WITH renamed AS MATERIALIZED
         (SELECT $1 AS tenant_id, value ->> 0 AS old, value ->> 1 AS new FROM jsonb_array_elements($2::jsonb))
     UPDATE core.attendance SET member_id = renamed.new
     FROM renamed WHERE attendance.tenant_id = renamed.tenant_id AND attendance.member_id = renamed.old",
    "WITH renamed AS MATERIALIZED
         (SELECT $1 AS tenant_id, value ->> 0 AS old, value ->> 1 AS new FROM jsonb_array_elements($2::jsonb))
     UPDATE core.approvals SET applicant_id = renamed.new
     FROM renamed WHERE approvals.tenant_id = renamed.tenant_id AND approvals.applicant_id = renamed.old",
    "DELETE FROM core.member_departments
     WHERE tenant_id = $1 AND member_id = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))",
    "DELETE FROM core.members
     WHERE tenant_id = $1 AND id = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))",
];

/// Managers and leaders are no foreign keys. One look at the tenant's rows serves all renames of a segment.
const MANAGERS: &str = "UPDATE core.members SET manager_id =
        (SELECT value ->> 1 FROM jsonb_array_elements($2::jsonb)
         WHERE lower((value ->> 0) COLLATE \"C\") = lower(members.manager_id COLLATE \"C\"))
    WHERE tenant_id = $1 AND lower(manager_id COLLATE \"C\") IN
        (SELECT lower((value ->> 0) COLLATE \"C\") FROM jsonb_array_elements($2::jsonb))";

/// Renames; no id occurs twice among them.
pub(super) fn rename(c: &mut Connection, tables: &Tables, renames: &[Rename]) -> database::Result<()> {
    let pairs = |merge: Option<bool>| -> Vec<(&str, &str)> {
        let wanted = renames.iter().filter(|rename| merge.is_none_or(|merge| rename.merge == merge));
        wanted.map(|rename| (rename.from.as_str(), rename.to.as_str())).collect()
    };
    run(c, tables, MOVE, &pairs(Some(false)))?;
    for statement in MERGE {
        run(c, tables, statement, &pairs(Some(true)))?;
    }
    run(c, tables, MANAGERS, &pairs(None))?;
    run(c, tables, tables.dialect.leaders(), &pairs(None))
}
