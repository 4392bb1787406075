//! Rows as the statements that insert them.

use super::{DepartmentRow, MemberRow, Rows};

pub(super) fn statements(rows: &Rows) -> String {
    let departments = rows.departments.values().map(department);
    let members = rows.members.values().map(member);
    departments.chain(members).collect()
}

fn department(row: &DepartmentRow) -> String {
    format!(
        "INSERT INTO departments (tenant_id, id, parent_id, name, name_en, position, leaders, deleted_at)
         VALUES ('acme', {}, {}, {}, {}, {}, {}, {});",
        text(&row.id),
        optional(row.parent.as_deref()),
        text(&row.name),
        optional(row.name_en.as_deref()),
        number(row.position),
        text(&serde_json::to_string(&row.leaders).unwrap()),
        number(row.deleted_at),
    )
}

fn member(row: &MemberRow) -> String {
    let mut sql = format!(
        "INSERT INTO members (tenant_id, id, name, mobile, email, title, gender, status, employee_number,
             main_department_id, manager_id, attributes, deleted_at)
         VALUES ('acme', {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {});",
        text(&row.id),
        text(&row.name),
        optional(row.mobile.as_deref()),
        optional(row.email.as_deref()),
        optional(row.title.as_deref()),
        text(&row.gender),
        text(&row.status),
        optional(row.employee_number.as_deref()),
        optional(row.main_department.as_deref()),
        optional(row.manager.as_deref()),
        text(&serde_json::to_string(&row.attributes).unwrap()),
        number(row.deleted_at),
    );
    for (department, place) in &row.places {
        sql.push_str(&format!(
            "INSERT INTO member_departments (tenant_id, member_id, department_id, is_leader, position)
             VALUES ('acme', {}, {}, {}, {});",
            text(&row.id),
            text(department),
            u8::from(place.leads),
            place.position,
        ));
    }
    sql
}

fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

fn optional(value: Option<&str>) -> String {
    value.map_or_else(|| "NULL".to_owned(), text)
}

fn number(value: Option<i64>) -> String {
    value.map_or_else(|| "NULL".to_owned(), |value| value.to_string())
}
