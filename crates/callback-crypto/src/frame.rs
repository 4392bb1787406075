//! What is inside the cipher: random bytes, the message's length, the message, its owner, and padding
//! (reference wecom 1.5, dingtalk 2.3).

use subtle::{Choice, ConstantTimeEq, ConstantTimeGreater, ConstantTimeLess};

use crate::utf8;

/// Random bytes in front of the length.
const RANDOM_BYTES: usize = 16;
/// Random bytes and the message's length, four bytes big endian.
pub(crate) const HEAD_BYTES: usize = RANDOM_BYTES + 4;
/// PKCS#7 counts in blocks of 32 here, although AES has 16.
pub(crate) const PADDING_BYTES: usize = 32;

/// A message as it is before encryption.
pub(crate) fn fill(message: &[u8], owner: &str, random16: [u8; 16]) -> Vec<u8> {
    let used = HEAD_BYTES + message.len() + owner.len();
    let padding = PADDING_BYTES - used % PADDING_BYTES;
    let mut data = Vec::with_capacity(used + padding);
    data.extend_from_slice(&random16);
    // A message of 4 GiB cannot get here: it would have to fit an HTTP body.
    data.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    data.extend_from_slice(message);
    data.extend_from_slice(owner.as_bytes());
    data.resize(used + padding, u8::try_from(padding).unwrap_or_default());
    data
}

/// Where the message ends, and whether padding, length, owner and text are as they must be. No branch and no number of steps
/// depends on the plaintext.
pub(crate) fn inspect(data: &[u8], owner: &[u8]) -> (usize, Choice) {
    let last = data.last().copied().unwrap_or_default();
    let mut sound = !last.ct_eq(&0) & !last.ct_gt(&(PADDING_BYTES as u8));
    for (from_end, byte) in (0u8..).zip(data.iter().rev().take(PADDING_BYTES)) {
        sound &= !from_end.ct_lt(&last) | byte.ct_eq(&last);
    }
    let content_end = data.len().saturating_sub(usize::from(last).min(PADDING_BYTES));
    let message_end = content_end.saturating_sub(owner.len()).max(HEAD_BYTES);
    let stated = data.get(RANDOM_BYTES..).and_then(|rest| rest.first_chunk::<4>()).copied().unwrap_or_default();
    let stated_end = u64::from(u32::from_be_bytes(stated)) + (HEAD_BYTES + owner.len()) as u64;
    sound &= stated_end.ct_eq(&(content_end as u64));
    // Whether there is so much data at all is no secret.
    sound &= data.get(message_end..message_end + owner.len()).unwrap_or_default().ct_eq(owner);
    let least = data.len().saturating_sub(HEAD_BYTES + owner.len() + PADDING_BYTES);
    sound &= utf8::prefix_is_text(data.get(HEAD_BYTES..).unwrap_or_default(), message_end - HEAD_BYTES, least);
    (message_end, sound)
}
