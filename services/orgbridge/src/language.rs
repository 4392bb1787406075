//! The two languages of people at the command line.

use service::Environment;

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// 中文
    Chinese,
}

/// The first of these that is set decides.
const VARIABLES: [&str; 4] = ["ORGBRIDGE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"];

impl Language {
    /// The language that the environment asks for: Chinese where the variable starts with `zh`, else English.
    pub fn of(environment: &Environment) -> Self {
        let wish = VARIABLES.iter().filter_map(|name| environment.get(*name)).find(|value| !value.is_empty());
        match wish.and_then(|value| value.get(..2)) {
            Some(start) if start.eq_ignore_ascii_case("zh") => Self::Chinese,
            _ => Self::English,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let of = |variables: &[(&str, &str)]| {
            Language::of(&variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        assert_eq!(of(&[]), Language::English);
        assert_eq!(of(&[("LANG", "zh_CN.UTF-8")]), Language::Chinese);
        assert_eq!(of(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C")]), Language::English);
        assert_eq!(of(&[("LANG", "en_US.UTF-8"), ("LC_ALL", ""), ("ORGBRIDGE_LANG", "zh")]), Language::Chinese);
    }
}
