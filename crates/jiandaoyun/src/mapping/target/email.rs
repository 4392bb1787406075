//! E-mail addresses (reference wecom 3.4).

use crate::mapping::reason::Reason;

const LEAST_BYTES: usize = 6;
const MOST_BYTES: usize = 64;

/// Whether a text is an address: something before and something with a dot behind one `@`, in the characters that addresses
/// are written with.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    (LEAST_BYTES..=MOST_BYTES).contains(&text.len()) && is_local(local) && is_domain(domain)
}

fn is_local(local: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-.".contains(&byte);
    let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
    !local.is_empty() && local.bytes().all(allowed) && !dots
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    domain.contains('.') && domain.split('.').all(is_label)
}

pub(super) fn settle(text: &str) -> Result<&str, Reason> {
    if is_email(text) { Ok(text) } else { Err(Reason::NoEmail) }
}
