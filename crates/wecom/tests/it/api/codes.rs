//! The table of return codes, against the reference.

use std::collections::BTreeSet;

use common::{Disposition, Reason};
use wecom::api::{Code, Kind, Meaning};

/// Section 4 of reference wecom, class by class as it has them, then those of section 3.5 and of the notes.
const TRANSIENT: &[i64] = &[-1, 6000, 45035, 302005, 301022, 301064, 301096];
const TOKEN: &[i64] = &[40001, 40014, 42001, 40082, 42009];
const QUOTA: &[i64] = &[45009, 45033, 45036, 40085, 302008];
const CURSOR: &[i64] = &[50100];
const OPERATOR: &[i64] = &[
    40013, 40091, 40084, 45024, 45026, 48001, 48002, 48003, 48004, 48005, 48006, 48009, 48010, 50003, 60031, 60011,
    60021, 50002, 92000, 60020, 301007,
];
const DEPENDENCY: &[i64] =
    &[40003, 40031, 301021, 40066, 46004, 60003, 60004, 60124, 60005, 60006, 60010, 60111, 60123, 60136];
const CONFLICT: &[i64] = &[60008, 60102, 60104, 60106, 60145, 60270];
const PERMANENT: &[i64] = &[
    40032, 40035, 40058, 40063, 40033, 40088, 40089, 40092, 41001, 41002, 41004, 41009, 41019, 45029, 60001, 60009,
    60125, 60007, 60103, 60105, 60107, 60112, 60127, 60129, 60132, 60110, 60141, 60142, 60143, 60144, 60257, 81001,
    81002, 301002, 301005, 301012, 301013, 301014, 301015, 301036, 302003, 302004, 302006, 302007, 40007, 40145, 44001,
    45001,
];

fn meanings(codes: &[i64]) -> Vec<(i64, Meaning)> {
    codes.iter().map(|&code| (code, Code(code).meaning())).collect()
}

/// Codes, and what all of them mean.
type Class<'a> = (&'a [i64], fn(Meaning) -> bool);

#[test]
fn every_code_of_the_reference_means_what_its_class_says() {
    let classes: [Class<'_>; 8] = [
        (TRANSIENT, |meaning| meaning == Meaning::Retry),
        (TOKEN, |meaning| meaning == Meaning::Renew),
        (QUOTA, |meaning| matches!(meaning, Meaning::Wait { .. })),
        (CURSOR, |meaning| meaning == Meaning::Restart),
        (OPERATOR, |meaning| {
            matches!(meaning, Meaning::Outage | Meaning::Permanent(Kind::Forbidden | Kind::Invisible))
        }),
        (DEPENDENCY, |meaning| matches!(meaning, Meaning::Permanent(Kind::NotFound | Kind::Blocked))),
        (CONFLICT, |meaning| meaning == Meaning::Permanent(Kind::Conflict)),
        (PERMANENT, |meaning| matches!(meaning, Meaning::Permanent(Kind::Invalid | Kind::TooLarge))),
    ];
    for (codes, fits) in classes {
        for (code, meaning) in meanings(codes) {
            assert!(fits(meaning), "{code} is {meaning:?}");
            assert!(Code(code).text() != Code(777_777).text(), "{code} has no text");
        }
    }
}

#[test]
fn the_reference_has_so_many_codes() {
    let all: BTreeSet<i64> =
        [TRANSIENT, TOKEN, QUOTA, CURSOR, OPERATOR, DEPENDENCY, CONFLICT, PERMANENT].concat().into_iter().collect();
    let known = (-100..1_000_000).filter(|&code| Code(code).meaning() != Meaning::Unknown).count();
    assert_eq!((all.len(), known), (107, 107));
}

#[test]
fn those_that_decide_what_becomes_of_the_directory_are_named_singly() {
    for code in [60003, 60111, 46004] {
        assert_eq!(Code(code).meaning(), Meaning::Permanent(Kind::NotFound), "{code}");
    }
    for code in [60011, 60021] {
        assert_eq!(Code(code).meaning(), Meaning::Permanent(Kind::Invisible), "{code}");
    }
    for code in [48002, 48009] {
        assert_eq!(Code(code).meaning(), Meaning::Permanent(Kind::Forbidden), "{code}");
    }
    for code in [60020, 50003, 301007, 40013] {
        assert_eq!(Code(code).meaning(), Meaning::Outage, "{code}");
    }
    for unknown in [1, 40002, 60099, 99999, i64::MIN, i64::MAX] {
        assert_eq!(Code(unknown).meaning(), Meaning::Unknown, "{unknown}");
    }
}

#[test]
fn what_is_not_there_is_waited_for_and_what_cannot_be_right_is_not() {
    let reason_of = |code: i64| match Code(code).meaning().disposition() {
        Disposition::Reject { reason } => Some(reason),
        _ => None,
    };
    assert_eq!(reason_of(60003), Some(Reason::DependencyMissing));
    assert_eq!(reason_of(60005), Some(Reason::DependencyMissing));
    assert_eq!(reason_of(60102), Some(Reason::RejectedByDestination));
    assert_eq!(reason_of(60103), Some(Reason::RejectedByDestination));
    for code in [-1, 45009, 42001, 60020, 50100, 777_777] {
        assert_eq!(reason_of(code), None, "{code}");
    }
}

#[test]
fn each_code_of_a_creation_names_the_field_that_it_is_about() {
    for (field, codes) in [
        ("userid", &[40003, 60102][..]),
        ("name", &[60112]),
        ("mobile", &[60103, 60104, 60129]),
        ("email", &[60105, 60106]),
        ("biz_mail", &[60145]),
        ("alias", &[60270]),
        ("department", &[60003, 60110, 60123, 60127, 40066]),
        ("is_leader_in_dept", &[60132]),
        ("direct_leader", &[60257]),
        ("position", &[301012]),
        ("telephone", &[301013]),
    ] {
        for &code in codes {
            assert_eq!(Code(code).field(), Some(field), "{code}");
        }
    }
    for none in [-1, 0, 45009, 45024, 60011, 777_777] {
        assert_eq!(Code(none).field(), None, "{none}");
    }
    for there in [60003, 60123, 40066] {
        assert!(Code(there).misses_department(), "{there}");
    }
    assert!(![60102, 60111, 40031, 60110].into_iter().any(|code| Code(code).misses_department()));
}
