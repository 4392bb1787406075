//! User ids (reference wecom 3.4).

use crate::mapping::reason::Reason;

const LONGEST_BYTES: usize = 64;

/// Whether a text is a user id: it is refused where it is none, never repaired, since another id is another person.
pub(crate) fn is_userid(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'@' | b'.');
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    begins && text.len() <= LONGEST_BYTES && text.bytes().all(allowed)
}

pub(super) fn settle(text: &str) -> Result<&str, Reason> {
    if is_userid(text) { Ok(text) } else { Err(Reason::NoUserid) }
}
