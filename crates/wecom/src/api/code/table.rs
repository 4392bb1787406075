//! The table of return codes (reference wecom 4; those of media 3.5; attendance: notes of 4).

use std::time::Duration;

use super::{
    Code, Kind,
    Meaning::{self, Outage, Permanent, Renew, Restart, Retry, Wait},
};

/// Codes that mean the same.
pub(super) struct Row {
    codes: &'static [i64],
    pub(super) meaning: Meaning,
    pub(super) text: &'static str,
}

/// The row of a code; `None` when the reference does not know it.
pub(super) fn find(code: Code) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.codes.contains(&code.0))
}

const fn row(codes: &'static [i64], meaning: Meaning, text: &'static str) -> Row {
    Row { codes, meaning, text }
}

const fn wait(seconds: u64) -> Meaning {
    Wait { refuses_for: Duration::from_secs(seconds) }
}

const BLOCKED: Meaning = Permanent(Kind::Blocked);
const CONFLICT: Meaning = Permanent(Kind::Conflict);
const FORBIDDEN: Meaning = Permanent(Kind::Forbidden);
const INVALID: Meaning = Permanent(Kind::Invalid);
const INVISIBLE: Meaning = Permanent(Kind::Invisible);
const NOT_FOUND: Meaning = Permanent(Kind::NotFound);
const TOO_LARGE: Meaning = Permanent(Kind::TooLarge);

/// A block lasts as long as the window whose limit was exceeded: the least is a minute (reference wecom 5.1). No time
/// is documented for too many calls at once; a ticket of a suite is pushed every ten minutes.
const TABLE: &[Row] = &[
    row(&[-1], Retry, "the platform is busy"),
    row(&[6000], Retry, "several writers changed the same data at once"),
    row(&[45035], Retry, "somebody else changed the same thing at that moment"),
    row(&[302005], Retry, "the import failed inside the platform"),
    row(&[301022, 301064, 301096], Retry, "the platform's attendance service is busy"),
    row(&[40001], Renew, "the secret does not fit, was reset, or its app was stopped"),
    row(&[40014], Renew, "the token is not valid"),
    row(&[42001], Renew, "the token is too old"),
    row(&[40082, 42009], Renew, "the token of the suite is not valid or too old"),
    row(&[45009], wait(60), "this interface was called too often"),
    row(&[45033], wait(10), "this interface was called too often at the same moment"),
    row(&[45036], wait(60), "the platform takes the traffic for abnormal"),
    row(&[40085], wait(600), "the ticket of the suite is missing or too old"),
    row(&[302008], wait(60), "another import is running"),
    row(&[50100], Restart, "the place in the list is not known any more"),
    row(&[40013], Outage, "the company's id is wrong"),
    row(&[40091], Outage, "the secret belongs to another company"),
    row(&[40084], Outage, "the permanent code is not valid"),
    row(&[45024], Outage, "the company has as many members as it may have"),
    row(&[45026], Outage, "the import would remove too many members"),
    row(&[48001], Outage, "this interface is not authorised"),
    row(&[48004], Outage, "the authorisation is gone"),
    row(&[48005], Outage, "the interface was withdrawn"),
    row(&[48006], Outage, "the interface was withdrawn because nobody used it"),
    row(&[48010], Outage, "our version of TLS is not taken"),
    row(&[50003, 60031], Outage, "the app is switched off, or barred from interfaces"),
    row(&[60020], Outage, "the address that we call from is not among the trusted ones"),
    row(&[301007], Outage, "the company was dissolved or banned"),
    row(&[48002], FORBIDDEN, "a token of this sort may not call this interface"),
    row(&[48003], FORBIDDEN, "the token is one of another suite"),
    row(&[48009], FORBIDDEN, "the contact-sync secret may not read details from a new address"),
    row(&[60011, 60021, 50002, 92000], INVISIBLE, "outside of what this app may see or change"),
    row(&[40003], NOT_FOUND, "no member has this id"),
    row(&[40031, 301021], NOT_FOUND, "one of the members does not exist or cannot be seen"),
    row(&[40066], NOT_FOUND, "one of the departments does not exist"),
    row(&[46004, 60111], NOT_FOUND, "there is no such member, or it cannot be seen"),
    row(&[60003], NOT_FOUND, "there is no such department, or it cannot be seen"),
    row(&[60004, 60124], NOT_FOUND, "there is no such parent department"),
    row(&[60123], NOT_FOUND, "no department has this id"),
    row(&[60136], NOT_FOUND, "there is no such record"),
    row(&[60005], BLOCKED, "the department still has members"),
    row(&[60006], BLOCKED, "the department still has departments below it"),
    row(&[60010], BLOCKED, "the department would be below itself"),
    row(&[60008], CONFLICT, "a department has this id or name already"),
    row(&[60102], CONFLICT, "a member has this id already"),
    row(&[60104], CONFLICT, "a member has this mobile number already"),
    row(&[60106], CONFLICT, "a member has this e-mail address already"),
    row(&[60145], CONFLICT, "a member has this company mail address already"),
    row(&[60270], CONFLICT, "a member has this alias already"),
    row(&[45029], TOO_LARGE, "the answer would be too large"),
    row(&[40007, 40145], INVALID, "the file is not known or was kept long enough"),
    row(&[40032, 40035, 40058, 40063], INVALID, "a parameter is wrong, empty or too long"),
    row(&[40033], INVALID, "the request has escaped characters"),
    row(&[40088, 40089], INVALID, "the import is not known, or its result was dropped"),
    row(&[40092, 302003, 302004, 302006, 302007], INVALID, "the import's file is wrong"),
    row(&[41001, 41002, 41004], INVALID, "token, company id or secret was not sent"),
    row(&[41009, 41019], INVALID, "the id of a member or department was not sent"),
    row(&[44001, 45001], INVALID, "the file is empty or too large"),
    row(&[60001, 60009, 60125], INVALID, "the department's name is too long or has characters that it may not have"),
    row(&[60007], INVALID, "the root department cannot be removed"),
    row(&[60103], INVALID, "this is no mobile number"),
    row(&[60105], INVALID, "this is no e-mail address"),
    row(&[60107], INVALID, "this is no WeChat id"),
    row(&[60110], INVALID, "a member cannot be in so many departments"),
    row(&[60112], INVALID, "this is no name"),
    row(&[60127], INVALID, "the member has no department"),
    row(&[60129], INVALID, "the member has neither mobile number nor e-mail address"),
    row(&[60132], INVALID, "not each department says whether the member leads it"),
    row(&[60141, 60142, 60143, 60144], INVALID, "a mail address is wrong or cannot be changed"),
    row(&[60257], INVALID, "a member cannot have so many leaders"),
    row(&[81001], INVALID, "the department has as many members and departments as it may have"),
    row(&[81002], INVALID, "the departments are too deep"),
    row(&[301002], INVALID, "the token is one of another app"),
    row(&[301005], INVALID, "the company's creator cannot be removed"),
    row(&[301012, 301013, 301014, 301015], INVALID, "position, telephone, English name or portrait is wrong"),
    row(&[301036], INVALID, "the member's id may not be changed"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_code_is_in_the_table_twice() {
        let mut seen = BTreeSet::new();
        for code in TABLE.iter().flat_map(|row| row.codes) {
            assert!(seen.insert(code), "{code}");
        }
    }

    #[test]
    fn no_text_is_empty_and_none_names_a_code() {
        for row in TABLE {
            assert!(!row.text.is_empty() && !row.text.contains(|c: char| c.is_ascii_digit()), "{}", row.text);
        }
    }
}
