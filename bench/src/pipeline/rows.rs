//! What the rows of an event cost by themselves: those that the resolver and the sink write, into tables made by the code that
//! makes them in earnest, a thousand events at once and each table by one statement.
//!
//! These are limits: nothing is read before, rows come as arrays, and a transaction has four times the events of one of ours.

use std::ops::Range;

use anyhow::Result;
use common::TenantId;
use database::{Database, Options as Opening};
use destinations::{
    Batch as _, Links, TenantFacts,
    sql::{SchemaName, SqlTables},
};
use diesel::{
    Connection as _, PgConnection, QueryResult, RunQueryDsl,
    connection::SimpleConnection,
    sql_query,
    sql_types::{Array, BigInt, Bool, Text},
};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::{Options, sample::Sample};
use crate::{
    meter::{Meter, Roots},
    numbers::rounded,
    requests::{self, AVATAR},
    stage::Stage,
};

/// Events of one transaction.
const BATCH: usize = 1000;

/// Microseconds of processor time per event.
pub(super) struct Rows {
    /// Keys, record, outbox, and the tenant's last version.
    pub(super) resolver: Cost,
    /// The core's member and its departments, the position, the attempt, and the outbox emptied.
    pub(super) sink: Cost,
}

/// Of the client and of the server.
pub(super) struct Cost {
    client: f64,
    postgres: f64,
}

/// Writes the rows of so many events.
pub(super) async fn measure(stage: &Stage, sample: Sample, options: &Options) -> Result<Rows> {
    let place = stage.database();
    let database = Database::open(&Opening { pool_size: 1, ..Opening::new(place.url()) })?;
    let migrating = database.clone();
    spawn_blocking(move || migrating.migrate(store::migrations())).await??;
    let facts = TenantFacts {
        root_name: "示例制造有限公司".to_owned(),
        corp_id: tests::Bridge::credentials().corp_id.to_owned(),
        ..TenantFacts::default()
    };
    let tenant: TenantId = "acme".parse()?;
    SqlTables::over(database, SchemaName::default(), tenant, facts).prepare(&Links::default()).await?;
    let (url, roots) = (place.url().to_owned(), stage.servers_alone());
    let (departments, batches) = (options.departments, options.budget_events.div_ceil(BATCH).max(1));
    spawn_blocking(move || write_all(&url, &sample, departments, batches, &roots)).await?
}

fn write_all(url: &str, sample: &Sample, departments: u32, batches: usize, roots: &Roots) -> Result<Rows> {
    let mut c = PgConnection::establish(url)?;
    c.batch_execute(&furnish(departments))?;
    let of_resolver: Vec<OfResolver> = (0..batches).map(|number| OfResolver::make(number, sample)).collect();
    let resolver = cost(&mut c, of_resolver, roots, OfResolver::write)?;
    let of_sink: Vec<OfSink> = (0..batches).map(|number| OfSink::make(number, sample)).collect();
    let sink = cost(&mut c, of_sink, roots, OfSink::write)?;
    Ok(Rows { resolver, sink })
}

/// What must be there before the first event.
fn furnish(departments: u32) -> String {
    format!(
        "INSERT INTO tenants (id, document, data_key, lane, revision, applied_at) VALUES ('acme', '', '', 'shared', 1, 0);
         INSERT INTO destinations (tenant, id, kind, position, started_version, created_at)
             VALUES ('acme', 'core', 'postgres', 0, 0, 0);
         INSERT INTO core.departments (tenant_id, id, parent_id, name, version, source_time)
             SELECT 'acme', n::text, '1', '部门' || n, n, 0 FROM generate_series(2, {departments}) AS n"
    )
}

fn cost<B>(
    c: &mut PgConnection,
    batches: Vec<B>,
    roots: &Roots,
    mut write: impl FnMut(B, &mut PgConnection) -> QueryResult<()>,
) -> Result<Cost> {
    let events = batches.len() * BATCH;
    c.batch_execute("CHECKPOINT")?;
    let meter = Meter::start(roots.clone())?;
    for batch in batches {
        write(batch, c)?;
    }
    let usage = meter.read()?;
    Ok(Cost { client: usage.own_micros(events), postgres: usage.micros("postgres", events) })
}

/// The numbers of a batch's events.
fn numbers(batch: usize) -> Range<usize> {
    batch * BATCH..(batch + 1) * BATCH
}

fn version(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX).saturating_add(1)
}

/// Like a key of content: the second first, then what nobody can foretell.
fn key(number: usize, at: i64) -> String {
    let number = number as u64;
    let scattered = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{at:08x}{scattered:016x}{:016x}", scattered.wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ number)
}

/// What the resolver writes of a thousand events.
struct OfResolver {
    at_millis: i64,
    inside: String,
    keys: Vec<String>,
    ids: Vec<String>,
    records: Vec<String>,
    versions: Vec<i64>,
    changes: Vec<String>,
}

impl OfResolver {
    fn make(batch: usize, sample: &Sample) -> Self {
        let of = |text: &str| -> Vec<String> {
            numbers(batch).map(|number| text.replace(&sample.id, &requests::member_id(number))).collect()
        };
        Self {
            at_millis: sample.at * 1000,
            inside: sample.inside.clone(),
            keys: numbers(batch).map(|number| key(number, sample.at)).collect(),
            ids: numbers(batch).map(requests::member_id).collect(),
            records: of(&sample.record),
            versions: numbers(batch).map(version).collect(),
            changes: of(&sample.change),
        }
    }

    fn write(self, c: &mut PgConnection) -> QueryResult<()> {
        let last = self.versions.last().copied().unwrap_or_default();
        c.transaction(|c| {
            sql_query(
                "INSERT INTO event_keys (tenant, key, event, at)
                 SELECT 'acme', key, key, $1 FROM unnest($2) AS new (key) ON CONFLICT DO NOTHING",
            )
            .bind::<BigInt, _>(self.at_millis)
            .bind::<Array<Text>, _>(self.keys)
            .execute(c)?;
            sql_query(
                "INSERT INTO records (tenant, kind, id, body, inside, asked, given_up)
                 SELECT 'acme', 'member', id, body, $1, false, false FROM unnest($2, $3) AS new (id, body)
                 ON CONFLICT (tenant, kind, id) DO UPDATE SET body = excluded.body, inside = excluded.inside",
            )
            .bind::<Text, _>(self.inside)
            .bind::<Array<Text>, _>(self.ids)
            .bind::<Array<Text>, _>(self.records)
            .execute(c)?;
            sql_query(
                "INSERT INTO outbox (tenant, version, body, created_at)
                 SELECT 'acme', version, body, $1 FROM unnest($2, $3) AS new (version, body)",
            )
            .bind::<BigInt, _>(self.at_millis)
            .bind::<Array<BigInt>, _>(self.versions)
            .bind::<Array<Text>, _>(self.changes)
            .execute(c)?;
            sql_query("UPDATE tenants SET last_version = $1 WHERE id = 'acme'").bind::<BigInt, _>(last).execute(c)?;
            Ok(())
        })
    }
}

/// What the sink writes of a thousand changes.
struct OfSink {
    at_millis: i64,
    ids: Vec<String>,
    names: Vec<String>,
    mobiles: Vec<String>,
    emails: Vec<String>,
    main_departments: Vec<String>,
    attributes: Vec<String>,
    versions: Vec<i64>,
    /// One row per member and department.
    members: Vec<String>,
    departments: Vec<String>,
    leads: Vec<bool>,
    positions: Vec<i64>,
}

impl OfSink {
    fn make(batch: usize, sample: &Sample) -> Self {
        let ids: Vec<String> = numbers(batch).map(requests::member_id).collect();
        let main = sample.departments.first().cloned().unwrap_or_default();
        let places = || memberships(&ids, &sample.departments);
        Self {
            at_millis: sample.at * 1000,
            names: numbers(batch).map(|number| format!("张三{}", number % 1000)).collect(),
            mobiles: numbers(batch).map(|number| format!("13{number:09}")).collect(),
            emails: ids.iter().map(|id| format!("{id}@example.com")).collect(),
            main_departments: vec![main; BATCH],
            attributes: ids.iter().map(|id| attributes(id)).collect(),
            versions: numbers(batch).map(version).collect(),
            members: places().map(|(id, _, _)| id.to_owned()).collect(),
            departments: places().map(|(_, _, department)| department.to_owned()).collect(),
            leads: places().map(|(_, at, _)| at == 0).collect(),
            positions: places().map(|(_, at, _)| i64::try_from(at).unwrap_or_default()).collect(),
            ids,
        }
    }

    fn write(self, c: &mut PgConnection) -> QueryResult<()> {
        let at_millis = self.at_millis;
        let range =
            (self.versions.first().copied().unwrap_or_default(), self.versions.last().copied().unwrap_or_default());
        c.transaction(|c| self.write_core(c))?;
        c.transaction(|c| note_progress(c, range, at_millis))?;
        sql_query("DELETE FROM outbox WHERE tenant = 'acme' AND version <= $1")
            .bind::<BigInt, _>(range.1)
            .execute(c)?;
        Ok(())
    }

    fn write_core(self, c: &mut PgConnection) -> QueryResult<()> {
        sql_query(
            "INSERT INTO core.members (tenant_id, id, name, mobile, email, title, gender, status, main_department_id,
                 attributes, version, source_time)
             SELECT 'acme', id, name, mobile, email, '产品经理', 'male', 'active', main, attributes::jsonb, version, $1
             FROM unnest($2, $3, $4, $5, $6, $7, $8) AS new (id, name, mobile, email, main, attributes, version)
             ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name, mobile = excluded.mobile,
                 email = excluded.email, title = excluded.title, gender = excluded.gender, status = excluded.status,
                 main_department_id = excluded.main_department_id, attributes = excluded.attributes,
                 version = excluded.version, source_time = excluded.source_time, deleted_at = NULL
             WHERE members.version < excluded.version",
        )
        .bind::<BigInt, _>(self.at_millis)
        .bind::<Array<Text>, _>(self.ids)
        .bind::<Array<Text>, _>(self.names)
        .bind::<Array<Text>, _>(self.mobiles)
        .bind::<Array<Text>, _>(self.emails)
        .bind::<Array<Text>, _>(self.main_departments)
        .bind::<Array<Text>, _>(self.attributes)
        .bind::<Array<BigInt>, _>(self.versions)
        .execute(c)?;
        sql_query(
            "INSERT INTO core.member_departments (tenant_id, member_id, department_id, is_leader, position)
             SELECT 'acme', member, department, leads, place
             FROM unnest($1, $2, $3, $4) AS new (member, department, leads, place) ON CONFLICT DO NOTHING",
        )
        .bind::<Array<Text>, _>(self.members)
        .bind::<Array<Text>, _>(self.departments)
        .bind::<Array<Bool>, _>(self.leads)
        .bind::<Array<BigInt>, _>(self.positions)
        .execute(c)?;
        Ok(())
    }
}

fn note_progress(c: &mut PgConnection, (first, last): (i64, i64), at_millis: i64) -> QueryResult<()> {
    sql_query("UPDATE destinations SET position = $1, last_success_at = $2 WHERE tenant = 'acme' AND id = 'core'")
        .bind::<BigInt, _>(last)
        .bind::<BigInt, _>(at_millis)
        .execute(c)?;
    sql_query(
        "INSERT INTO attempts (tenant, destination, from_version, to_version, changes, at, took_millis, outcome)
         VALUES ('acme', 'core', $1, $2, 1000, $3, 10, 'applied')",
    )
    .bind::<BigInt, _>(first)
    .bind::<BigInt, _>(last)
    .bind::<BigInt, _>(at_millis)
    .execute(c)?;
    Ok(())
}

/// Each member with each of the departments, and the place of that among them.
fn memberships<'a>(ids: &'a [String], departments: &'a [String]) -> impl Iterator<Item = (&'a str, usize, &'a str)> {
    ids.iter().flat_map(move |id| {
        departments.iter().enumerate().map(move |(place, department)| (id.as_str(), place, department.as_str()))
    })
}

/// What a member of these callbacks has beyond the columns.
fn attributes(id: &str) -> String {
    json!({
        "爱好": "旅游", "alias": "0000", "telephone": "020-3456788", "address": "广州市海珠区",
        "biz_mail": format!("{id}@corp.example.com"), "avatar": AVATAR,
    })
    .to_string()
}

impl Rows {
    pub(super) fn told(&self) -> Value {
        json!({ "resolver": self.resolver.told(), "sink": self.sink.told() })
    }
}

impl Cost {
    pub(super) fn sum(&self) -> f64 {
        self.client + self.postgres
    }

    fn told(&self) -> Value {
        json!({ "client": rounded(self.client), "postgres": rounded(self.postgres) })
    }
}
