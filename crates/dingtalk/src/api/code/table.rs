//! The table of return codes (reference dingtalk 5.2 and 5.4; those of single interfaces 4.2 to 4.6).

use std::time::Duration;

use super::{
    Code, Kind,
    Meaning::{self, Credentials, Outage, Permanent, Quota, Renew, Retry, Wait},
};

/// Codes that mean the same.
pub(super) struct Row {
    numbers: &'static [i64],
    words: &'static [&'static str],
    pub(super) meaning: Meaning,
    pub(super) text: &'static str,
}

/// Under what the newer interfaces put refusals by limits and permissions.
const DENIED: &str = "Forbidden.AccessDenied.";

/// The row of a number; `None` when the reference does not know it.
pub(super) fn of_number(number: i64) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.numbers.contains(&number))
}

/// The row of a word; `None` when the reference does not know it. Of limits by second and by minute there are several
/// each, which differ in who is counted.
pub(super) fn of_word(word: &str) -> Option<&'static Row> {
    let word = word.strip_prefix(DENIED).unwrap_or(word);
    let word = ["QpsLimitFor", "QpmLimitFor"].into_iter().find(|limit| word.starts_with(limit)).unwrap_or(word);
    TABLE.iter().find(|row| row.words.contains(&word))
}

const fn row(numbers: &'static [i64], words: &'static [&'static str], meaning: Meaning, text: &'static str) -> Row {
    Row { numbers, words, meaning, text }
}

const fn wait(seconds: u64) -> Meaning {
    Wait { refuses_for: Duration::from_secs(seconds) }
}

const FORBIDDEN: Meaning = Permanent(Kind::Forbidden);
const INVALID: Meaning = Permanent(Kind::Invalid);
const INVISIBLE: Meaning = Permanent(Kind::Invisible);
const NOT_FOUND: Meaning = Permanent(Kind::NotFound);

/// How long a block of 90001 to 90017 lasts is not published: a minute is taken (reference dingtalk 5.2).
const TABLE: &[Row] = &[
    row(&[-1, 15], &["system.busy", "systemBusy"], Retry, "the platform is busy"),
    row(&[], &["systemError", "internalError", "server.error", "unknownError"], Retry, "the platform failed inside"),
    row(&[40014, 40001], &["InvalidAuthentication"], Renew, "the token is not valid"),
    row(&[42001], &[], Renew, "the token is too old"),
    row(&[40000, 41001], &["AuthenticationFailed.MissingParameter"], Renew, "no token was sent"),
    row(
        &[40096, 40089],
        &["invalidClientIdOrSecret", "invalid.client"],
        Credentials,
        "client id and client secret do not belong together",
    ),
    row(
        &[],
        &["authFailed", "unauthorized.client"],
        Credentials,
        "client id and client secret do not belong together, or the app may not do this",
    ),
    row(&[90018], &["QpsLimitFor"], wait(1), "this interface was called too often within a second"),
    row(&[Code::CROWDED], &[], wait(60), "this interface is called too often by everybody together"),
    row(&[], &["QpmLimitFor"], wait(60), "this interface was called too often within a minute"),
    row(
        &[
            90001, 90003, 90004, 90005, 90006, 90007, 90008, 90009, 90010, 90011, 90012, 90013, 90014, 90015, 90016,
            90017,
        ],
        &[],
        wait(60),
        "the platform takes no more calls for a while",
    ),
    row(&[Code::BANNED], &[], wait(300), "the address that we call from is banned for too many calls"),
    row(&[90020, 20001], &["ApiCountLimitForOrg"], Quota, "the company's quota of this month is used up"),
    row(&[60020], &["IpNotInWhiteList"], Outage, "the address that we call from is not among the trusted ones"),
    row(
        &[60011, 43007],
        &["AccessTokenPermissionDenied", "needAuth"],
        FORBIDDEN,
        "the app has not the permission for this interface",
    ),
    row(&[50002], &[], INVISIBLE, "the member is outside of what the app may see"),
    row(&[50004], &[], INVISIBLE, "the department is outside of what the app may see"),
    row(&[33012, 60121], &[], NOT_FOUND, "there is no such member"),
    row(&[60003], &[], NOT_FOUND, "there is no such department"),
    row(&[], &["processInstanceNotExist"], NOT_FOUND, "there is no such approval"),
    row(&[22, 404], &[], INVALID, "there is no such interface"),
    row(&[400_002, 40035], &["invalidParameter", "Missingbody"], INVALID, "a parameter is missing or wrong"),
    row(&[40009], &[], INVALID, "this is no id of a department"),
    row(&[60019], &[], INVALID, "this is no id"),
    row(&[], &["processInstanceIdError", "processCodeError"], INVALID, "this is no id of an approval or a template"),
    row(&[850_012, 850_015], &[], INVALID, "the range of dates is too long, or a column is not known"),
    row(&[], &["unsupported.grant.type"], INVALID, "tokens are not given in this way"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_code_is_in_the_table_twice() {
        let (mut numbers, mut words) = (BTreeSet::new(), BTreeSet::new());
        for row in TABLE {
            assert!(row.numbers.iter().all(|number| numbers.insert(number)), "{}", row.text);
            assert!(row.words.iter().all(|word| words.insert(word)), "{}", row.text);
        }
    }

    #[test]
    fn no_text_is_empty_and_none_names_a_code() {
        for row in TABLE {
            assert!(!row.text.is_empty() && !row.text.contains(|c: char| c.is_ascii_digit()), "{}", row.text);
            assert!(!(row.numbers.is_empty() && row.words.is_empty()), "{}", row.text);
        }
    }
}
