//! An OA that speaks WeCom's callback protocol and applies strictly what it is sent.

mod book;
mod directory;
mod server;
mod state;

#[cfg(test)]
mod tests;

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::dev::ServerHandle;

use crate::{CryptoError, Keys, Snapshot, Subject};

use book::Book;
pub use book::{Outcome, Received, Repeats, Violation, ViolationKind};
use state::Script;
pub use state::State;

/// How an OA behaves.
#[derive(Clone, Debug)]
pub struct OaOptions {
    /// It keeps one message per sender and second and drops the others, as receivers do that follow the official advice.
    pub one_per_second: bool,
    /// A direct leader that does not exist is a violation.
    pub strict_leaders: bool,
    /// The log keeps the decrypted text of each message; switch off for very long runs.
    pub keep_plaintexts: bool,
    /// The body of a good answer.
    pub answer: String,
}

impl Default for OaOptions {
    fn default() -> Self {
        Self { one_per_second: false, strict_leaders: true, keep_plaintexts: true, answer: "success".to_owned() }
    }
}

/// Why an OA could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its keys are no good.
    #[error("the keys: {0}")]
    Keys(#[from] CryptoError),
    /// The server could not be set up.
    #[error("the server: {0}")]
    Server(#[from] std::io::Error),
}

/// A running OA. Everything it keeps is in memory. It stops when dropped.
pub struct Oa {
    shared: Arc<Shared>,
    handle: ServerHandle,
    address: SocketAddr,
}

/// What the OA's requests and its owner share.
struct Shared {
    keys: Keys,
    answer: String,
    script: Script,
    book: Mutex<Book>,
}

impl Shared {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Oa {
    /// Starts an OA with the default options on a thread of its own. Any path is its callback address.
    ///
    /// # Errors
    /// [`StartError`] if the keys are no good or the server cannot be set up.
    pub fn start(listener: TcpListener, token: &str, aes_key: &str, receive_id: &str) -> Result<Self, StartError> {
        Self::start_with(listener, Keys::new(token, aes_key, receive_id)?, OaOptions::default())
    }

    /// Starts an OA on a thread of its own.
    ///
    /// # Errors
    /// [`StartError`] if the server cannot be set up.
    pub fn start_with(listener: TcpListener, keys: Keys, options: OaOptions) -> Result<Self, StartError> {
        let address = listener.local_addr()?;
        let answer = options.answer.clone();
        let shared = Arc::new(Shared { keys, answer, script: Script::new(), book: Mutex::new(Book::new(options)) });
        let handle = server::start(listener, Arc::clone(&shared))?;
        Ok(Self { shared, handle, address })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its callback URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/wecom/callback", self.address)
    }

    /// Stops it at once; open connections are closed.
    pub async fn stop(&self) {
        self.handle.stop(false).await;
    }

    /// Changes how it answers from now on; requests that hang are cut.
    pub fn set_state(&self, state: State) {
        self.shared.script.set(state);
    }

    /// From now on messages about this entity are always answered with this status, whatever the state.
    pub fn fail_for(&self, subject: Subject, status: u16) {
        self.fail_when(move |asked| (*asked == subject).then_some(status));
    }

    /// From now on messages about entities for which this gives a status are answered with it. Replaces the one before.
    pub fn fail_when(&self, predicate: impl Fn(&Subject) -> Option<u16> + Send + Sync + 'static) {
        self.shared.script.fail_when(Some(Arc::new(predicate)));
    }

    /// No entity fails any more.
    pub fn heal(&self) {
        self.shared.script.fail_when(None);
    }

    /// The directory as it is here. The root's name is empty until a callback tells it.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.shared.book().snapshot()
    }

    /// What was wrong with what it was sent, in order of arrival. Such messages were answered well and not applied.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.shared.book().violations.clone()
    }

    /// Byte-identical repeats of messages, which were ignored.
    #[must_use]
    pub fn repeats(&self) -> Repeats {
        self.shared.book().repeats
    }

    /// All messages taken in, in order of arrival.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.shared.book().received.clone()
    }

    /// How many messages were taken in.
    #[must_use]
    pub fn received_count(&self) -> usize {
        self.shared.book().received.len()
    }

    /// Decrypted texts of callbacks that are not about departments or members, verbatim, in order of arrival.
    #[must_use]
    pub fn others(&self) -> Vec<String> {
        self.shared.book().others.clone()
    }

    /// How many messages the rule of one per second dropped.
    #[must_use]
    pub fn dropped_by_second(&self) -> u64 {
        self.shared.book().dropped_by_second
    }

    /// How many requests were refused as badly signed, not decryptable or meant for somebody else.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.shared.book().refused
    }
}

impl Drop for Oa {
    fn drop(&mut self) {
        // The order to stop is given by the call; nobody has to wait for it.
        drop(self.handle.stop(false));
    }
}

impl std::fmt::Debug for Oa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Oa").field("address", &self.address).finish_non_exhaustive()
    }
}
