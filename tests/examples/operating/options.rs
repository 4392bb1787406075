//! What is different from one run of a trial to the next: `--NAME VALUE`, as often as you like.

use std::{collections::BTreeMap, fmt::Debug, path::PathBuf, str::FromStr};

/// The options that were given; each trial says what the others are.
#[derive(Debug, Default)]
pub(crate) struct Options {
    given: BTreeMap<String, String>,
}

impl Options {
    /// Stops at what is not a pair of `--NAME` and `VALUE`.
    pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Self {
        let mut arguments = arguments;
        let mut given = BTreeMap::new();
        while let Some(argument) = arguments.next() {
            let name =
                argument.strip_prefix("--").unwrap_or_else(|| panic!("{argument} is not an option: --NAME VALUE"));
            let value = arguments.next().unwrap_or_else(|| panic!("--{name} needs a value"));
            given.insert(name.to_owned(), value);
        }
        Self { given }
    }

    /// The value of `--NAME`, or `usual` where it was not given.
    pub(crate) fn get<T: FromStr<Err: Debug>>(&self, name: &str, usual: T) -> T {
        let Some(text) = self.given.get(name) else { return usual };
        text.parse().unwrap_or_else(|error| panic!("--{name} {text}: {error:?}"))
    }

    /// A path that must be given.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        let given = self.given.get(name);
        given.map_or_else(|| panic!("--{name} PATH is needed"), PathBuf::from)
    }
}
