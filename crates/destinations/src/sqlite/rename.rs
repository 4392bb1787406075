//! A member goes on under another id, and whatever refers to it follows.

use database::Connection;

use super::{Tables, plan::Rename, write::run};

/// Rows that refer to it follow by `ON UPDATE CASCADE`, those of other tables of the product too.
pub(super) const MOVE: &str = "WITH renamed AS MATERIALIZED
        (SELECT ?1 AS tenant_id, value ->> 0 AS old, value ->> 1 AS new FROM json_each(?2))
    UPDATE members SET id = renamed.new
    FROM renamed WHERE members.tenant_id = renamed.tenant_id AND members.id = renamed.old";

/// Both ids have rows: what refers to the old one moves, then it goes. The new one's departments are written with it.
pub(super) const MERGE: [&str; 4] = [
    "WITH renamed AS MATERIALIZED
         (SELECT ?1 AS tenant_id, value ->> 0 AS old, value ->> 1 AS new FROM json_each(?2))
     UPDATE attendance SET member_id = renamed.new
     FROM renamed WHERE attendance.tenant_id = renamed.tenant_id AND attendance.member_id = renamed.old",
    "WITH renamed AS MATERIALIZED
         (SELECT ?1 AS tenant_id, value ->> 0 AS old, value ->> 1 AS new FROM json_each(?2))
     UPDATE approvals SET applicant_id = renamed.new
     FROM renamed WHERE approvals.tenant_id = renamed.tenant_id AND approvals.applicant_id = renamed.old",
    "DELETE FROM member_departments
     WHERE tenant_id = ?1 AND member_id IN (SELECT value ->> 0 FROM json_each(?2))",
    "DELETE FROM members WHERE tenant_id = ?1 AND id IN (SELECT value ->> 0 FROM json_each(?2))",
];

/// Managers and leaders are no foreign keys. One look at the tenant's rows serves all renames of a segment.
const REFERENCES: [&str; 2] = [
    "UPDATE members SET manager_id =
         (SELECT value ->> 1 FROM json_each(?2) WHERE lower(value ->> 0) = lower(members.manager_id))
     WHERE tenant_id = ?1 AND lower(manager_id) IN (SELECT lower(value ->> 0) FROM json_each(?2))",
    "UPDATE departments SET leaders =
         (SELECT json_group_array(coalesce(
              (SELECT r.value ->> 1 FROM json_each(?2) AS r WHERE lower(r.value ->> 0) = lower(l.value)), l.value))
          FROM json_each(departments.leaders) AS l)
     WHERE tenant_id = ?1 AND leaders <> '[]' AND EXISTS
         (SELECT 1 FROM json_each(departments.leaders) AS l
          WHERE lower(l.value) IN (SELECT lower(value ->> 0) FROM json_each(?2)))",
];

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
    for statement in REFERENCES {
        run(c, tables, statement, &pairs(None))?;
    }
    Ok(())
}
