//! Keys, and those that were replaced not long ago.

use common::{Secret, UnixMillis};
use service::tenants::CallbackPair;
use wecom::Refusal;

use crate::answer::Refused;

/// The current keys of one platform, and the previous ones while they hold.
pub(super) struct Pair<K> {
    current: K,
    previous: Option<(K, UnixMillis)>,
}

impl<K> Pair<K> {
    /// Makes the keys; none where there is no token. `former` are those that were replaced, and until when they hold.
    pub(super) fn new<E>(
        token: &Secret,
        aes_key: &Secret,
        former: Option<(&CallbackPair, UnixMillis)>,
        make: impl Fn(&Secret, &Secret) -> Result<K, E>,
    ) -> Result<Option<Self>, E> {
        if token.is_empty() {
            return Ok(None);
        }
        let previous = match former {
            Some((pair, until)) => Some((make(&pair.token, &pair.aes_key)?, until)),
            None => None,
        };
        Ok(Some(Self { current: make(token, aes_key)?, previous }))
    }

    /// Verifies and decrypts with the current keys, then with the previous ones while they hold; says which did. A rotation may
    /// have replaced only one of token and key, so a good signature that does not decrypt is not the end yet.
    pub(super) fn open<T>(
        &self,
        now: UnixMillis,
        is_stale: bool,
        verify: impl Fn(&K) -> bool,
        decrypt: impl Fn(&K) -> Result<T, Refusal>,
    ) -> Result<(T, &K), Refused> {
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until).map(|(keys, _)| keys);
        let mut refused = Refused::from(Refusal::BAD_SIGNATURE);
        for keys in std::iter::once(&self.current).chain(previous) {
            if !verify(keys) {
                continue;
            }
            if is_stale {
                return Err(Refused::STALE);
            }
            match decrypt(keys) {
                Ok(opened) => return Ok((opened, keys)),
                Err(refusal) => refused = refusal.into(),
            }
        }
        Err(refused)
    }
}
