//! Between rows and the vocabulary's types.

use std::str::FromStr;

use common::{EntityKey, EntityKind};
use database::Result;
use serde::{Serialize, de::DeserializeOwned};

/// Most rows of one statement. SQLite takes 32,766 bound values and our widest row has 17 columns.
pub(crate) const ROWS_PER_STATEMENT: usize = 500;

/// A version or count as the databases keep it.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The way back; what is negative was never written by us.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// A row that holds something that we never write.
pub(crate) fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> database::Error {
    diesel::result::Error::DeserializationError(Box::new(error)).into()
}

/// An id or a name out of a column.
pub(crate) fn parse<T>(text: &str) -> Result<T>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse().map_err(unreadable)
}

/// An entity's key out of two columns.
pub(crate) fn entity_key(kind: &str, id: &str) -> Result<EntityKey> {
    Ok(EntityKey { kind: parse::<EntityKind>(kind)?, id: id.into() })
}

/// A JSON column.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(unreadable)
}

/// The text of a JSON column.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    let failed = |error| diesel::result::Error::SerializationError(Box::new(error)).into();
    serde_json::to_string(value).map_err(failed)
}

/// Ids of `keys` by kind, in pieces that fit one statement: SQLite has no way to say `(kind, id) in (..)` with an index.
pub(crate) fn by_kind(keys: &[EntityKey]) -> Vec<(&'static str, Vec<&str>)> {
    let mut pieces = Vec::new();
    for kind in EntityKind::ALL {
        let ids: Vec<&str> = keys.iter().filter(|key| key.kind == kind).map(|key| &*key.id).collect();
        pieces.extend(ids.chunks(ROWS_PER_STATEMENT).map(|piece| (kind.as_str(), piece.to_vec())));
    }
    pieces
}

/// Where the kinds of the directory begin in the order of the tables, which is that of the names of kinds...
pub(crate) const DIRECTORY_FROM: &str = EntityKind::Department.as_str();
/// ...and where they end: all others come before or behind them.
pub(crate) const DIRECTORY_UNTIL: &str = EntityKind::Member.as_str();

/// The place in the order of the tables behind which a page of the directory begins. It ends with [`DIRECTORY_UNTIL`].
pub(crate) fn directory_after(after: Option<&EntityKey>) -> (&str, &str) {
    after.map_or((DIRECTORY_FROM, ""), |key| (key.kind.as_str(), &*key.id))
}

/// Rows of a table after a key, in the order of its primary key. As one comparison of rows it is where a scan of the index begins; spelled
/// with `OR` the server goes through all rows of the tenant for each page.
macro_rules! after_key {
    ($table:literal, $kind:expr, $id:expr) => {
        crate::convert::compared_key!($table, " > ", $kind, $id)
    };
}
pub(crate) use after_key;

/// Rows of a table up to a key, itself included, see [`after_key`].
macro_rules! until_key {
    ($table:literal, $kind:expr, $id:expr) => {
        crate::convert::compared_key!($table, " <= ", $kind, $id)
    };
}
pub(crate) use until_key;

macro_rules! compared_key {
    ($table:literal, $sign:literal, $kind:expr, $id:expr) => {
        diesel::dsl::sql::<diesel::sql_types::Bool>(concat!("(", $table, ".kind, ", $table, ".id)", $sign, "("))
            .bind::<diesel::sql_types::Text, _>($kind)
            .sql(", ")
            .bind::<diesel::sql_types::Text, _>($id)
            .sql(")")
    };
}
pub(crate) use compared_key;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_directorys_kinds_come_together_and_in_the_order_of_keys() {
        for kind in EntityKind::ALL {
            let is_among = (DIRECTORY_FROM..=DIRECTORY_UNTIL).contains(&kind.as_str());
            assert_eq!(is_among, kind.is_directory(), "{kind:?}");
        }
        assert!(EntityKind::DIRECTORY.map(EntityKind::as_str).is_sorted());
    }
}
