//! The table of return codes (reference jiandaoyun 3).

use super::{
    Code, Kind,
    Meaning::{self, Configuration, Credentials, Later, Outage, Permanent, Plan, Retry, Wait},
    TOO_OFTEN,
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

const INVALID: Meaning = Permanent(Kind::Invalid);
const NOT_FOUND: Meaning = Permanent(Kind::NotFound);
const NOT_WRITABLE: Meaning = Permanent(Kind::NotWritable);
const REFUSED: Meaning = Permanent(Kind::Refused);
const WAIT: Meaning = Wait { refuses_for: TOO_OFTEN };

const TABLE: &[Row] = &[
    row(&[8303], WAIT, "the company's calls are too many"),
    row(&[Code::INTERFACE_TOO_OFTEN], WAIT, "this interface was called too often"),
    row(&[8309], WAIT, "one member's calls are too many"),
    row(&[9004, 9007], Retry, "the platform is busy"),
    row(&[4012], Later, "the form is being edited as a whole"),
    row(&[8301, 17018], Credentials, "the API key is not valid"),
    row(&[8302], Outage, "this interface is not in the company's plan, or was not granted"),
    row(&[17052], Outage, "the address that we call from is not among the trusted ones of the API key"),
    row(&[17053], Outage, "the application was not granted to the API key"),
    row(&[17054], Outage, "this interface was not granted to the API key"),
    row(&[8017], Outage, "there is no such company, or it was closed"),
    row(&[7103, 7206, 7212, 7221], Plan, "what the company's plan holds is used up"),
    row(&[2004], Configuration, "there is no such application"),
    row(&[3000], Configuration, "there is no such form"),
    row(&[30002], Configuration, "this form of the CRM cannot be called"),
    row(&[4001], NOT_FOUND, "there is no such record"),
    row(&[1, 3005, 17017], INVALID, "a parameter is missing or wrong"),
    row(&[4815], INVALID, "the filter is too long"),
    row(&[17023, 17024, 17033], INVALID, "too many records at once"),
    row(&[17025, 17026], INVALID, "the id of the transaction is malformed or was used before"),
    row(&[17032, 17034], NOT_WRITABLE, "a field of this type cannot be written"),
    row(&[4000], REFUSED, "the record could not be stored"),
    row(&[4402], REFUSED, "a check of the form refused the record"),
    row(&[1010], REFUSED, "there is no such member"),
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
