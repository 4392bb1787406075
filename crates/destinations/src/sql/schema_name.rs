//! The name of a schema in PostgreSQL.

/// The name of a schema in PostgreSQL, exactly as it is written: it is always quoted. `core` unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaName(String);

/// A name that no schema of ours can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to 63 bytes and no zero byte, and not begin with pg_")]
pub struct BadSchemaName;

impl SchemaName {
    /// PostgreSQL cuts off what is longer, without a word.
    const LONGEST_BYTES: usize = 63;

    /// Takes a name.
    ///
    /// # Errors
    /// PostgreSQL cannot hold it, or keeps it for itself.
    pub fn new(name: impl Into<String>) -> Result<Self, BadSchemaName> {
        let name = name.into();
        let fits = (1..=Self::LONGEST_BYTES).contains(&name.len()) && !name.contains('\0');
        let is_reserved = name.starts_with("pg_") || name == "information_schema";
        if fits && !is_reserved { Ok(Self(name)) } else { Err(BadSchemaName) }
    }

    /// The bare name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as statements hold it, whatever is in it.
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0.replace('"', "\"\""))
    }
}

impl Default for SchemaName {
    fn default() -> Self {
        Self("core".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_whatever_is_in_it() {
        let quoted = |name: &str| SchemaName::new(name).map(|name| name.quoted());
        assert_eq!(quoted("core"), Ok("\"core\"".to_owned()));
        assert_eq!(quoted("a\"; DROP TABLE x; --"), Ok("\"a\"\"; DROP TABLE x; --\"".to_owned()));
        assert_eq!(quoted("组织.core"), Ok("\"组织.core\"".to_owned()));
    }

    #[test]
    fn names_that_postgresql_would_change_or_keep_are_refused() {
        for name in ["", "a\0b", "pg_catalog", "pg_x", "information_schema", &"x".repeat(64), &"组".repeat(22)] {
            assert_eq!(SchemaName::new(name), Err(BadSchemaName), "{name}");
        }
        assert!(SchemaName::new("x".repeat(63)).is_ok());
    }
}
