//! The databases of core products: each open once in a process, however many tenants have their tables there.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use database::{Database, Options, Synchronous};
use tokio::sync::Semaphore;

use super::Place;
use crate::Unavailable;

/// Connections of a process to one server, at most, for all of its tenants: a server has few.
const CONNECTIONS: u32 = 8;
/// How long a tenant waits while others use all of them. Less than a sender's lease holds, so that nobody sends after it.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a connection is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(60);

/// So many are opened at once: each takes a thread while a name is looked up or a file is made.
const OPENED_AT_ONCE: usize = 16;

/// What is open, for all who share it. Cheap to clone. A database is closed when nobody uses it any more.
#[derive(Clone)]
pub struct Databases {
    open: Arc<Mutex<HashMap<String, Entry>>>,
    opening: Arc<Semaphore>,
}

impl Default for Databases {
    fn default() -> Self {
        Self { open: Arc::default(), opening: Arc::new(Semaphore::new(OPENED_AT_ONCE)) }
    }
}

/// A database that was opened.
struct Entry {
    /// As it was opened, with the addresses that its name had then.
    url: String,
    database: Weak<Database>,
    /// Somebody failed with it since.
    is_doubted: bool,
}

impl Databases {
    /// The database at a place, opened if it is not.
    pub(super) async fn open(&self, place: &Place) -> Result<Arc<Database>, Unavailable> {
        if let Some(database) = self.get(place) {
            return Ok(database);
        }
        let interrupted = || Unavailable::new("opening the database was interrupted");
        let _turn = self.opening.acquire().await.map_err(|_closed| interrupted())?;
        if let Some(database) = self.get(place) {
            return Ok(database);
        }
        let (all, place) = (self.clone(), place.clone());
        let opening = tokio::task::spawn_blocking(move || all.open_now(&place));
        opening.await.unwrap_or_else(|_interrupted| Err(interrupted()))
    }

    fn get(&self, place: &Place) -> Option<Arc<Database>> {
        let open = self.lock();
        open.get(place.key()).filter(|entry| !entry.is_doubted)?.database.upgrade()
    }

    /// Blocks.
    fn open_now(&self, place: &Place) -> Result<Arc<Database>, Unavailable> {
        let url = match place {
            Place::File(url) => url.clone(),
            Place::Server(address) => address.resolve()?,
        };
        if let Some(database) = still_there(&mut self.lock(), place, &url) {
            return Ok(database);
        }
        let database = Arc::new(Database::open(&Options {
            // A commit is our word that the change arrived, so it waits for the disk.
            synchronous: Synchronous::Full,
            pool_size: CONNECTIONS,
            // Triggers and views of the product run here too.
            goes_by_keys: false,
            idle: Some(IDLE),
            patience: Some(PATIENCE),
            ..Options::new(&url)
        })?);
        let mut open = self.lock();
        // Somebody else may have been faster; then ours was never used.
        if let Some(shared) = still_there(&mut open, place, &url) {
            return Ok(shared);
        }
        let entry = Entry { url, database: Arc::downgrade(&database), is_doubted: false };
        open.retain(|_, entry| entry.database.strong_count() > 0);
        open.insert(place.key().to_owned(), entry);
        Ok(database)
    }

    /// After a failure: who opens it next makes sure that it is still what is meant.
    pub(super) fn doubt(&self, place: &Place, database: &Arc<Database>) {
        let mut open = self.lock();
        let entry = open.get_mut(place.key()).filter(|entry| entry.database.ptr_eq(&Arc::downgrade(database)));
        if let Some(entry) = entry {
            entry.is_doubted = true;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is open at a place, if it would be opened in the same way. A server's connections are looked at one by one, so that of a doubt
/// only its addresses have to be looked up anew; but a file may be another one by now.
fn still_there(open: &mut HashMap<String, Entry>, place: &Place, url: &str) -> Option<Arc<Database>> {
    let entry = open.get_mut(place.key()).filter(|entry| entry.url == url)?;
    if entry.is_doubted && matches!(place, Place::File(_)) {
        return None;
    }
    let database = entry.database.upgrade()?;
    entry.is_doubted = false;
    Some(database)
}

#[cfg(test)]
mod tests {
    use super::{super::Address, *};

    #[tokio::test]
    async fn a_file_is_open_once_until_it_is_doubted() {
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| Place::File(format!("sqlite://{}", directory.path().join(name).display()));
        let (databases, core) = (Databases::default(), place("core.db"));
        let first = databases.open(&core).await.unwrap();
        assert!(Arc::ptr_eq(&first, &databases.clone().open(&core).await.unwrap()));
        assert!(!Arc::ptr_eq(&first, &databases.open(&place("other.db")).await.unwrap()));

        databases.doubt(&core, &first);
        let second = databases.open(&core).await.unwrap();
        assert!(!Arc::ptr_eq(&first, &second));
        // Another tenant fails with the former one, which is nobody's any more.
        databases.doubt(&core, &first);
        assert!(Arc::ptr_eq(&second, &databases.open(&core).await.unwrap()));
    }

    #[tokio::test]
    async fn a_server_stays_open_when_it_is_doubted_and_its_addresses_are_the_same() {
        let guard = outbound::Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let server = Place::Server(Address::new("postgres://u@127.0.0.1:1/core", guard).unwrap());
        let databases = Databases::default();
        let first = databases.open(&server).await.unwrap();
        databases.doubt(&server, &first);
        assert!(databases.get(&server).is_none());
        assert!(Arc::ptr_eq(&first, &databases.open(&server).await.unwrap()));
        assert!(databases.get(&server).is_some());
    }

    #[tokio::test]
    async fn what_nobody_uses_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| Place::File(format!("sqlite://{}", directory.path().join(name).display()));
        let databases = Databases::default();
        let gone = Arc::downgrade(&databases.open(&place("core.db")).await.unwrap());
        assert!(gone.upgrade().is_none());
        let _other = databases.open(&place("other.db")).await.unwrap();
        assert_eq!(databases.lock().len(), 1);
    }
}
