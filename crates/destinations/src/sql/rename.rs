//! A member goes on under another id, and whatever refers to it follows.

use database::Connection;

use super::{Tables, plan::Rename, write::run};

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
