//! The cursors of `user/list_id`: opaque to who uses them, refused when they are not ours or too old (reference wecom
//! 3.4).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha1::{Digest, Sha1};

/// Where a page begins: after this membership. What changes meanwhile before it is not seen, what changes behind it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    /// The number of the page, the first being 1.
    pub(super) page: u32,
    /// The folded id of the member that was told last.
    pub(super) member: String,
    /// The department of it that was told last.
    pub(super) department: u64,
}

/// Writes and reads cursors. Another epoch's are invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursors {
    pub(super) seed: u64,
    pub(super) epoch: u64,
}

impl Cursors {
    pub(super) fn write(self, position: &Position) -> String {
        let Position { page, member, department } = position;
        let text = format!("{page}:{department}:{member}");
        URL_SAFE_NO_PAD.encode(format!("{}:{text}", self.seal(&text)))
    }

    pub(super) fn read(self, cursor: &str) -> Option<Position> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (seal, text) = text.split_once(':')?;
        if seal != self.seal(text) {
            return None;
        }
        let (page, rest) = text.split_once(':')?;
        let (department, member) = rest.split_once(':')?;
        Some(Position { page: page.parse().ok()?, member: member.to_owned(), department: department.parse().ok()? })
    }

    fn seal(self, text: &str) -> String {
        let digest: [u8; 20] = Sha1::digest(format!("cursor {} {} {text}", self.seed, self.epoch)).into();
        hex::encode(digest)
    }
}
