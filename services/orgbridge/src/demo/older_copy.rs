//! What the core product knows before the first sync: an older copy of the company, under ids of its own. Some people are missing,
//! some have left since, some are known by a former name, and the newest department is not there.

use std::{collections::BTreeMap, path::Path};

use common::{EntityKey, TenantId};
use database::{Connection, Database, Options};
use destinations::{Batch as _, Links, TenantFacts, sql::SqlTables};
use diesel::{
    RunQueryDsl, SqliteConnection, sql_query,
    sql_types::{BigInt, Bool, Nullable, Text},
};
use platform_sim::{Department, Member, ROOT, Snapshot, fold};

use super::world::EMPLOYEE_NUMBER;

/// The product's name for the root department.
const TOP: &str = "HQ";
/// Of so many members one is not known yet, and one is known by a former name.
const UNKNOWN_AMONG: usize = 7;
const RENAMED_AMONG: usize = 20;
/// Percentage of those who have left since, and the most of them: the brake is for more.
const LEFT_PERCENT: usize = 3;
const MOST_LEFT: usize = 100;

/// How much the copy holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) departments: usize,
    pub(super) members: usize,
}

/// Writes the copy into the product's file, as the product itself would have.
pub(super) async fn write(file: &Path, tenant: &TenantId, company: &Snapshot) -> anyhow::Result<Size> {
    let url = format!("sqlite://{}", file.display());
    let root_name = company.departments.get(ROOT).map(|root| root.name.clone()).unwrap_or_default();
    let facts = TenantFacts { root_name, ..TenantFacts::default() };
    let links: Links = [(EntityKey::department(ROOT), TOP.to_owned())].into_iter().collect();
    SqlTables::in_file(url.clone(), tenant.clone(), facts).prepare(&links).await?;
    let product = Database::open(&Options::new(url))?;
    let (tenant, company) = (tenant.as_str().to_owned(), company.clone());
    let write = move |conn: &mut Connection| OlderCopy::of(&tenant, &company).write(conn.sqlite()?);
    Ok(product.write("demo.older-copy", write).await?)
}

struct OlderCopy<'a> {
    tenant: &'a str,
    company: &'a Snapshot,
    /// Ids of rows by folded ids of members, of those who are known.
    rows: BTreeMap<&'a str, String>,
    /// The department that is not known yet.
    newest: Option<&'a str>,
}

/// Nothing can be below the newest one.
fn newest_department(company: &Snapshot) -> Option<&str> {
    let below = company.departments.values().filter(|department| department.parent.is_some());
    below.max_by_key(|department| number(&department.id)).map(|department| department.id.as_str())
}

fn number(id: &str) -> u64 {
    id.parse().unwrap_or_default()
}

impl<'a> OlderCopy<'a> {
    fn of(tenant: &'a str, company: &'a Snapshot) -> Self {
        let known = company.members.keys().enumerate().filter(|(number, _)| !number.is_multiple_of(UNKNOWN_AMONG));
        let rows = known.map(|(number, id)| (id.as_str(), format!("P-{number}"))).collect();
        Self { tenant, company, rows, newest: newest_department(company) }
    }

    fn write(&self, c: &mut SqliteConnection) -> database::Result<Size> {
        let mut departments: Vec<&Department> =
            self.company.departments.values().filter(|department| department.id != ROOT).collect();
        departments.retain(|department| Some(department.id.as_str()) != self.newest);
        // Parents first: they were there first.
        departments.sort_by_key(|department| number(&department.id));
        let leaders = self.leaders();
        for department in &departments {
            let leaders = leaders.get(department.id.as_str()).map(Vec::as_slice).unwrap_or_default();
            self.department(c, department, leaders)?;
        }
        let mut members = self.rows.len();
        for (place, (id, member)) in self.company.members.iter().enumerate() {
            if let Some(row) = self.rows.get(id.as_str()) {
                self.member(c, row, member, place % RENAMED_AMONG == 1)?;
            }
        }
        for number in 0..(self.company.members.len() * LEFT_PERCENT / 100).clamp(1, MOST_LEFT) {
            self.former(c, number)?;
            members += 1;
        }
        Ok(Size { departments: departments.len() + 1, members })
    }

    /// Rows of those who lead each department.
    fn leaders(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut leaders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (id, member) in &self.company.members {
            let Some(row) = self.rows.get(id.as_str()) else { continue };
            member.leads.iter().for_each(|led| leaders.entry(led.as_str()).or_default().push(row.as_str()));
        }
        leaders
    }

    fn department(&self, c: &mut SqliteConnection, department: &Department, leaders: &[&str]) -> database::Result<()> {
        let parent = department.parent.as_deref().map(|parent| self.place(parent));
        let order = department.order.and_then(|order| i64::try_from(order).ok());
        sql_query(
            "INSERT INTO departments (tenant_id, id, parent_id, name, position, leaders, version, source_time)
             VALUES (?, ?, ?, ?, ?, ?, 0, 0)",
        )
        .bind::<Text, _>(self.tenant)
        .bind::<Text, _>(self.place(&department.id))
        .bind::<Nullable<Text>, _>(parent)
        .bind::<Text, _>(&department.name)
        .bind::<Nullable<BigInt>, _>(order)
        .bind::<Text, _>(serde_json::json!(leaders).to_string())
        .execute(c)?;
        Ok(())
    }

    fn member(&self, c: &mut SqliteConnection, row: &str, member: &Member, is_renamed: bool) -> database::Result<()> {
        let name = if is_renamed { format!("{}（曾用名）", member.name) } else { member.name.clone() };
        let main = member.main_department.as_deref().map(|main| self.place(main));
        let manager = member.leaders.first().and_then(|leader| self.rows.get(fold(leader).as_str()));
        sql_query(
            "INSERT INTO members (tenant_id, id, name, mobile, email, title, gender, status, employee_number,
                 main_department_id, manager_id, attributes, version, source_time)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)",
        )
        .bind::<Text, _>(self.tenant)
        .bind::<Text, _>(row)
        .bind::<Text, _>(name)
        .bind::<Nullable<Text>, _>(filled(&member.mobile))
        .bind::<Nullable<Text>, _>(filled(&member.email))
        .bind::<Nullable<Text>, _>(filled(&member.title))
        .bind::<Text, _>(member.gender.to_string())
        .bind::<Text, _>(member.status.to_string())
        .bind::<Nullable<Text>, _>(member.attributes.get(EMPLOYEE_NUMBER))
        .bind::<Nullable<Text>, _>(main)
        .bind::<Nullable<Text>, _>(manager)
        .bind::<Text, _>(serde_json::json!(member.attributes).to_string())
        .execute(c)?;
        // As the platform lists them; whoever is in the newest department was somewhere else then.
        let mut departments: Vec<&String> = member.departments.iter().collect();
        departments.sort_by_key(|id| number(id));
        departments.retain(|id| Some(id.as_str()) != self.newest);
        if departments.is_empty() {
            return self.belongs(c, row, TOP, 0, false);
        }
        for (place, department) in departments.into_iter().enumerate() {
            self.belongs(c, row, &self.place(department), place, member.leads.contains(department))?;
        }
        Ok(())
    }

    /// Somebody whom the platform does not know any more.
    fn former(&self, c: &mut SqliteConnection, number: usize) -> database::Result<()> {
        let row = format!("G-{number}");
        sql_query(
            "INSERT INTO members (tenant_id, id, name, mobile, gender, status, main_department_id, version, source_time)
             VALUES (?, ?, ?, ?, 'unknown', 'active', ?, 0, 0)",
        )
        .bind::<Text, _>(self.tenant)
        .bind::<Text, _>(&row)
        .bind::<Text, _>(format!("前员工{number}"))
        .bind::<Text, _>(format!("139{number:08}"))
        .bind::<Text, _>(TOP)
        .execute(c)?;
        self.belongs(c, &row, TOP, 0, false)
    }

    fn belongs(
        &self,
        c: &mut SqliteConnection,
        member: &str,
        department: &str,
        place: usize,
        leads: bool,
    ) -> database::Result<()> {
        sql_query(
            "INSERT INTO member_departments (tenant_id, member_id, department_id, is_leader, position)
             VALUES (?, ?, ?, ?, ?)",
        )
        .bind::<Text, _>(self.tenant)
        .bind::<Text, _>(member)
        .bind::<Text, _>(department)
        .bind::<Bool, _>(leads)
        .bind::<BigInt, _>(i64::try_from(place).unwrap_or(i64::MAX))
        .execute(c)?;
        Ok(())
    }

    /// The row of a department; what is not known yet is the top for now.
    fn place(&self, department: &str) -> String {
        let is_known = department != ROOT && Some(department) != self.newest;
        if is_known { format!("D-{department}") } else { TOP.to_owned() }
    }
}

fn filled(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
