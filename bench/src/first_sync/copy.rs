//! `COPY`: the fastest way that PostgreSQL has to fill tables with keys, and how long that takes.

use std::{
    io::{Read as _, Write},
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};
use common::EntityKey;
use database::{Database, Options};
use destinations::{
    Batch as _, Links, TenantFacts,
    sql::{SchemaName, SqlTables},
};
use diesel::{
    connection::SimpleConnection as _,
    pg::CopyFormat,
    prelude::*,
    result::Error::{self, SerializationError},
};
use test_kit::FreshDatabase;

use crate::{
    meter::{Meter, Roots, Usage},
    stage::Stage,
};

/// What is handed to the client's library at once.
const PIECE_BYTES: usize = 1 << 16;

diesel::table! {
    core.departments (tenant_id, id) {
        tenant_id -> Text,
        id -> Text,
        parent_id -> Nullable<Text>,
        name -> Text,
        name_en -> Nullable<Text>,
        position -> Nullable<BigInt>,
        leaders -> Text,
        version -> BigInt,
        source_time -> BigInt,
        deleted_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    core.members (tenant_id, id) {
        tenant_id -> Text,
        id -> Text,
        name -> Text,
        mobile -> Nullable<Text>,
        email -> Nullable<Text>,
        title -> Nullable<Text>,
        gender -> Text,
        status -> Text,
        employee_number -> Nullable<Text>,
        main_department_id -> Nullable<Text>,
        manager_id -> Nullable<Text>,
        attributes -> Text,
        version -> BigInt,
        source_time -> BigInt,
        deleted_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    core.member_departments (tenant_id, member_id, department_id) {
        tenant_id -> Text,
        member_id -> Text,
        department_id -> Text,
        is_leader -> Bool,
        position -> BigInt,
    }
}

/// The rows of a core product, as `COPY` has them in its text format.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) departments: Vec<u8>,
    pub(super) members: Vec<u8>,
    pub(super) memberships: Vec<u8>,
}

/// What filling the tables took.
pub(super) struct Filling {
    pub(super) rows: usize,
    pub(super) seconds: f64,
    pub(super) usage: Usage,
}

/// All of a table, over a connection of its own: diesel leaves the end of a copy unread on it.
macro_rules! taken {
    ($table:ident, $url:expr) => {{
        let mut c = PgConnection::establish($url).context("connecting to the core product")?;
        let mut text = Vec::new();
        let copied = diesel::copy_to($table::table).with_format(CopyFormat::Text).load_raw(&mut c);
        copied?.read_to_end(&mut text)?;
        text
    }};
}

/// Fills a table; how many rows there were.
macro_rules! filled {
    ($table:ident, $c:expr, $text:expr) => {
        diesel::copy_from($table::table)
            .from_raw_data($table::table, |copy| hand_over($text, copy))
            .with_format(CopyFormat::Text)
            .execute($c)?
    };
}

impl Rows {
    /// All rows of a product.
    pub(super) fn of(url: &str) -> Result<Self> {
        Ok(Self {
            departments: taken!(departments, url),
            members: taken!(members, url),
            memberships: taken!(member_departments, url),
        })
    }

    /// Fills empty tables, and measures it.
    pub(super) fn fill(&self, url: &str, roots: Roots) -> Result<Filling> {
        let mut c = PgConnection::establish(url).context("connecting to the core product")?;
        let meter = Meter::start(roots)?;
        let began = Instant::now();
        // What is referred to first.
        let rows = filled!(departments, &mut c, &self.departments)
            + filled!(members, &mut c, &self.members)
            + filled!(member_departments, &mut c, &self.memberships);
        let seconds = began.elapsed().as_secs_f64();
        Ok(Filling { rows, seconds, usage: meter.read()? })
    }

    fn lines(&self) -> usize {
        let all = [&self.departments, &self.members, &self.memberships];
        all.into_iter().flatten().filter(|byte| **byte == b'\n').count()
    }
}

/// The same rows into fresh tables of the same kind, and nothing else.
pub(super) async fn measure(stage: &Stage, rows: &Rows) -> Result<Filling> {
    let database = stage.database();
    make_tables(&database).await?;
    let filling = rows.fill(database.url(), stage.servers_alone())?;
    ensure!(filling.rows == rows.lines(), "COPY took {} of {} rows", filling.rows, rows.lines());
    Ok(filling)
}

/// Empty tables with their keys, made by the code that makes them in earnest.
pub(super) async fn make_tables(product: &FreshDatabase) -> Result<()> {
    let database = Database::open(&Options { pool_size: 1, ..Options::new(product.url()) })?;
    let tables = SqlTables::over(database, SchemaName::default(), "acme".parse()?, TenantFacts::default());
    let links: Links = [(EntityKey::department("1"), "HQ".to_owned())].into_iter().collect();
    tables.prepare(&links).await?;
    // The root department comes with the others.
    let mut c = PgConnection::establish(product.url()).context("connecting to the core product")?;
    Ok(c.batch_execute("DELETE FROM core.departments")?)
}

fn hand_over(text: &[u8], copy: &mut dyn Write) -> Result<(), Error> {
    text.chunks(PIECE_BYTES)
        .try_for_each(|piece| copy.write_all(piece))
        .map_err(|error| SerializationError(error.into()))
}
