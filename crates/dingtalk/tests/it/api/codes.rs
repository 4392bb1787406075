//! The table of return codes, against the reference.

use common::{Disposition, Reason};
use dingtalk::api::{Code, Kind, Meaning};

/// Section 5.4 of reference dingtalk, class by class as it has them, with those of section 5.2.
const TOKEN: &[i64] = &[40014, 42001, 40001, 41001, 40000];
const TOKEN_WORDS: &[&str] = &["InvalidAuthentication", "AuthenticationFailed.MissingParameter"];
const CREDENTIALS: &[i64] = &[40096, 40089];
const CREDENTIALS_WORDS: &[&str] = &["invalidClientIdOrSecret", "invalid.client", "authFailed"];
const PERMISSION: &[i64] = &[60011, 43007, 50002, 50004, 60020];
const PERMISSION_WORDS: &[&str] = &["Forbidden.AccessDenied.AccessTokenPermissionDenied", "IpNotInWhiteList"];
const THROTTLED_WORDS: &[&str] = &[
    "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi",
    "Forbidden.AccessDenied.QpsLimitForApi",
    "Forbidden.AccessDenied.QpmLimitForAppkeyAndApi",
    "Forbidden.AccessDenied.QpmLimitForSuitekeyAndOrgAndApi",
    "Forbidden.AccessDenied.QpsLimitForSuitekeyAndOrgAndApi",
];
const QUOTA: &[i64] = &[90020, 20001];
const QUOTA_WORDS: &[&str] = &["ApiCountLimitForOrg", "Forbidden.AccessDenied.ApiCountLimitForOrg"];
const BUSY: &[i64] = &[-1, 15];
const BUSY_WORDS: &[&str] = &["system.busy", "systemBusy", "systemError"];
const NOT_FOUND: &[i64] = &[33012, 60121, 60003];
const NOT_FOUND_WORDS: &[&str] = &["processInstanceNotExist"];
const INVALID: &[i64] = &[400_002, 40035, 22, 850_012, 850_015];
const INVALID_WORDS: &[&str] = &["invalidParameter", "Missingbody"];

/// Codes, and what all of them mean.
type Class<'a> = (&'a [i64], &'a [&'a str], fn(Meaning) -> bool);

#[test]
fn every_code_of_the_reference_means_what_its_class_says() {
    let throttled: Vec<i64> = (90001..=90018).collect();
    let classes: [Class<'_>; 9] = [
        (TOKEN, TOKEN_WORDS, |meaning| meaning == Meaning::Renew),
        (CREDENTIALS, CREDENTIALS_WORDS, |meaning| meaning == Meaning::Credentials),
        (PERMISSION, PERMISSION_WORDS, |meaning| {
            matches!(meaning, Meaning::Outage | Meaning::Permanent(Kind::Forbidden | Kind::Invisible))
        }),
        (&throttled, THROTTLED_WORDS, |meaning| matches!(meaning, Meaning::Wait { .. })),
        (QUOTA, QUOTA_WORDS, |meaning| meaning == Meaning::Quota),
        (BUSY, BUSY_WORDS, |meaning| meaning == Meaning::Retry),
        (&[1111], &[], |meaning| matches!(meaning, Meaning::Wait { refuses_for } if refuses_for.as_secs() == 300)),
        (NOT_FOUND, NOT_FOUND_WORDS, |meaning| meaning == Meaning::Permanent(Kind::NotFound)),
        (INVALID, INVALID_WORDS, |meaning| meaning == Meaning::Permanent(Kind::Invalid)),
    ];
    for (numbers, words, fits) in classes {
        let numbers = numbers.iter().map(|&number| Code::Number(number));
        for code in numbers.chain(words.iter().map(|&word| Code::Word(word.into()))) {
            assert!(fits(code.meaning()), "{code} is {:?}", code.meaning());
            assert_ne!(code.text(), Code::Number(777_777).text(), "{code} has no text");
        }
    }
}

#[test]
fn those_that_decide_what_becomes_of_the_directory_are_named_singly() {
    for (number, kind) in [(50002, Kind::Invisible), (50004, Kind::Invisible), (60011, Kind::Forbidden)] {
        assert_eq!(Code::Number(number).meaning(), Meaning::Permanent(kind), "{number}");
    }
    for unknown in [0, 1, 88, 40002, 60099, 90000, 90019, i64::MIN, i64::MAX] {
        assert_eq!(Code::Number(unknown).meaning(), Meaning::Unknown, "{unknown}");
    }
}

#[test]
fn what_is_not_there_is_waited_for_and_what_cannot_be_right_is_not() {
    let reason_of = |number: i64| match Code::Number(number).meaning().disposition() {
        Disposition::Reject { reason } => Some(reason),
        _ => None,
    };
    for number in NOT_FOUND {
        assert_eq!(reason_of(*number), Some(Reason::DependencyMissing), "{number}");
    }
    for number in INVALID.iter().chain(&[60011, 50002]) {
        assert_eq!(reason_of(*number), Some(Reason::RejectedByDestination), "{number}");
    }
    for number in [-1, 90018, 90020, 1111, 42001, 40096, 60020, 777_777] {
        assert_eq!(reason_of(number), None, "{number}");
    }
}
