//! Values as digests: to see whether two are the same it is not needed to keep them.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    num::NonZeroU64,
};

/// 64 bits of a value. Two values are compared by it, never many with each other, so one pair in 2^64 would be taken for the
/// same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Digest(NonZeroU64);

impl Digest {
    pub(super) fn of(value: &(impl Hash + ?Sized)) -> Self {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        Self(NonZeroU64::new(hasher.finish()).unwrap_or(NonZeroU64::MIN))
    }
}

/// A text that says something.
pub(super) fn filled(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// What is written between the digits of a number.
const DASHES: [char; 7] = ['-', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{ff0d}'];

/// A mobile number without blanks, dashes and the prefix of the mainland, which may be left out (reference wecom 3.4).
pub(super) fn mobile_key(text: Option<&str>) -> Option<Digest> {
    let number: String = text?.chars().filter(|c| !c.is_whitespace() && !DASHES.contains(c)).collect();
    key(number.strip_prefix("+86").or_else(|| number.strip_prefix("0086")).unwrap_or(&number))
}

/// An e-mail address, whatever its case.
pub(super) fn email_key(text: Option<&str>) -> Option<Digest> {
    key(&text?.trim().to_lowercase())
}

/// A name or an employee number without blanks around it.
pub(super) fn text_key(text: Option<&str>) -> Option<Digest> {
    key(text?.trim())
}

fn key(text: &str) -> Option<Digest> {
    (!text.is_empty()).then(|| Digest::of(text))
}
