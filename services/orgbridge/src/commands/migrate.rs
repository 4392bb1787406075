//! `migrate`

use anyhow::Context as _;
use database::{Database, Options};

use super::{Done, Source};
use crate::{Output, arguments::Printing, texts};

/// Brings the database up to date and tells what was applied. Needs no key, so that a job without secrets can do it.
pub(super) fn migrate(source: &Source, printing: Printing, output: &mut Output<'_>) -> Done {
    let config = source.config()?;
    let options = Options { pool_size: 1, ..Options::new(config.database.url.expose()) };
    let database = Database::open(&options).context("database.url: opening the database")?;
    let applied = database.migrate(store::migrations()).context("bringing the database up to date")?;
    if printing.json {
        return Ok(output.json(&applied)?);
    }
    for name in &applied {
        output.line(texts::migrated(output.language, name))?;
    }
    if applied.is_empty() {
        output.line(texts::up_to_date(output.language))?;
    }
    Ok(())
}
