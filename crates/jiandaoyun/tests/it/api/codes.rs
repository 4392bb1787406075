//! The table of return codes, against the reference.

use common::{Disposition, Reason};
use jiandaoyun::api::{Code, Kind, Meaning};

/// Codes of section 3 of reference jiandaoyun, and what all of them mean.
type Class<'a> = (&'a [i64], fn(Meaning) -> bool);

const CLASSES: [Class<'_>; 10] = [
    (&[8303, 8304, 8309], |meaning| matches!(meaning, Meaning::Wait { refuses_for } if refuses_for.as_secs() == 1)),
    (&[9004, 9007], |meaning| meaning == Meaning::Retry),
    (&[4012], |meaning| meaning == Meaning::Later),
    (&[8301, 17018], |meaning| meaning == Meaning::Credentials),
    (&[8302, 17052, 17053, 17054, 8017], |meaning| meaning == Meaning::Outage),
    (&[7103, 7206, 7212, 7221], |meaning| meaning == Meaning::Plan),
    (&[2004, 3000, 30002], |meaning| meaning == Meaning::Configuration),
    (&[4001], |meaning| meaning == Meaning::Permanent(Kind::NotFound)),
    (&[1, 3005, 17017, 4815, 17023, 17024, 17033, 17025, 17026], |meaning| {
        meaning == Meaning::Permanent(Kind::Invalid)
    }),
    (&[17032, 17034], |meaning| meaning == Meaning::Permanent(Kind::NotWritable)),
];

#[test]
fn every_code_of_the_reference_means_what_its_class_says() {
    for (codes, fits) in CLASSES {
        for &code in codes {
            let code = Code(code);
            assert!(fits(code.meaning()), "{code:?} is {:?}", code.meaning());
            assert_ne!(code.text(), Code(777_777).text(), "{code:?} has no text");
        }
    }
    for code in [4000, 4402, 1010] {
        assert_eq!(Code(code).meaning(), Meaning::Permanent(Kind::Refused), "{code}");
    }
    for unknown in [0, 2, 200, 4002, 5000, i64::MIN, i64::MAX] {
        assert_eq!(Code(unknown).meaning(), Meaning::Unknown, "{unknown}");
    }
}

#[test]
fn what_may_pass_is_tried_again_and_what_cannot_be_right_is_not() {
    let after = |code: i64| match Code(code).meaning().disposition() {
        Disposition::Retry { after } => Some(after.as_secs()),
        _ => None,
    };
    for (code, seconds) in [(8303, 1), (9004, 0), (4012, 120), (8301, 60), (8302, 60), (7212, 3600), (3000, 60)] {
        assert_eq!(after(code), Some(seconds), "{code}");
    }
    let reject = |reason| Disposition::Reject { reason };
    assert_eq!(Code(4001).meaning().disposition(), reject(Reason::DependencyMissing));
    for code in [1, 17032, 4402, 777_777] {
        assert_eq!(Code(code).meaning().disposition(), reject(Reason::RejectedByDestination), "{code}");
    }
}
