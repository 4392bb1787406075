//! How a database is opened.

use std::{path::PathBuf, time::Duration};

use url::Url;

use crate::{Error, Result};

/// How a database is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sqlite://PATH` (relative or absolute; missing directories are created), `sqlite::memory:`, or
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETERS` with the parameters of libpq.
    pub url: String,
    /// How many connections there may be; at least one. In SQLite that is how many reads may run at once, beside one writer.
    /// In memory everything is one at a time.
    pub pool_size: u32,
    /// What a commit waits for, in SQLite; a PostgreSQL server has its own setting.
    pub synchronous: Synchronous,
    /// All that is asked goes by a key, or walks along one in its order: a PostgreSQL server is kept from gathering and sorting rows.
    /// One that has no statistics of a table that just filled takes it for small, and would do so with all of it for every page.
    pub goes_by_keys: bool,
    /// How long a connection stays open that nobody uses, to half a minute; for ever without. One in memory always stays.
    pub idle: Option<Duration>,
    /// How long a caller waits for a connection that others use before it hears [`Error::Busy`]; as long as it takes without.
    pub patience: Option<Duration>,
}

/// What a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// Until it is on the disk: needed where a commit is an answer to somebody outside.
    #[default]
    Full,
    /// Until it is with the operating system: a power cut may take back the last commits, in order, but breaks nothing.
    Normal,
}

impl Options {
    /// Four reads at once, commits that wait for the disk, everything by keys, and connections that stay open.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            pool_size: 4,
            synchronous: Synchronous::default(),
            goes_by_keys: true,
            idle: None,
            patience: None,
        }
    }

    pub(crate) fn place(&self) -> Result<Place> {
        if self.url == "sqlite::memory:" {
            return Ok(Place::Memory);
        }
        if self.url.starts_with("postgres://") || self.url.starts_with("postgresql://") {
            return server_address(&self.url).map(Place::Server);
        }
        match self.url.strip_prefix("sqlite://") {
            Some(path) if !path.is_empty() => Ok(Place::File(path.into())),
            _ => Err(Error::Url),
        }
    }
}

/// Where a database lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    File(PathBuf),
    Memory,
    /// A PostgreSQL server, by a URL for libpq.
    Server(String),
}

/// What keeps a connection from hanging on a peer that vanished: libpq's own default is to wait for many minutes. Seconds, but
/// for `tcp_user_timeout`, which is in milliseconds.
const NEVER_HANG: [(&str, &str); 6] = [
    ("application_name", "orgbridge"),
    ("connect_timeout", "5"),
    ("keepalives_idle", "10"),
    ("keepalives_interval", "5"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "10000"),
];

/// The URL with our time-outs, where it does not say its own.
fn server_address(url: &str) -> Result<String> {
    if !is_well_encoded(url) {
        // libpq would say so with the password in it.
        return Err(Error::Url);
    }
    let mut url = Url::parse(url).map_err(|_syntax| Error::Url)?;
    let said: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    for (name, value) in NEVER_HANG.iter().filter(|(name, _)| !said.iter().any(|said| said == name)) {
        url.query_pairs_mut().append_pair(name, value);
    }
    Ok(url.into())
}

/// Whether each `%` is followed by two hexadecimal digits, and they are not those of NUL.
fn is_well_encoded(url: &str) -> bool {
    let is_code = |piece: &str| {
        let digits = piece.get(..2).filter(|digits| *digits != "00");
        digits.is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
    };
    url.split('%').skip(1).all(is_code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_gets_time_outs_and_keeps_its_own() {
        let options = Options::new("postgres://u:p+w@db:5433/name?sslmode=verify-full&connect_timeout=2");
        let Ok(Place::Server(url)) = options.place() else { panic!("a server") };
        assert!(url.starts_with("postgres://u:p+w@db:5433/name?sslmode=verify-full&connect_timeout=2&"), "{url}");
        assert!(url.contains("&tcp_user_timeout=10000"), "{url}");
        assert!(!url.contains("connect_timeout=5"), "{url}");
    }

    #[test]
    fn other_schemes_are_refused() {
        for url in [
            "",
            "sqlite://",
            "mysql://db",
            "postgres:nonsense",
            "postgresql",
            "postgres://u:p%zz@h/d",
            "postgres://u:p%+f@h/d",
        ] {
            assert!(matches!(Options::new(url).place(), Err(Error::Url)), "{url}");
        }
    }
}
