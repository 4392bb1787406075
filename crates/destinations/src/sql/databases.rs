//! The databases of core products: each open once in a process, however many tenants have their tables there.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use database::{Database, Options, Synchronous};

use super::Place;
use crate::Unavailable;

/// Connections of a process to one server, at most, for all of its tenants: a server has few.
const CONNECTIONS: u32 = 8;
/// How long a connection is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(60);

/// What is open, for all who share it. Cheap to clone. A database is closed when nobody uses it any more.
#[derive(Clone, Default)]
pub struct Databases(Arc<Mutex<HashMap<String, Weak<Database>>>>);

impl Databases {
    /// The database at a place, opened if it is not. Blocks.
    pub(super) fn open(&self, place: &Place) -> Result<Arc<Database>, Unavailable> {
        // Who tells a server by other addresses or another user does not share it.
        let url = match place {
            Place::File(url) => url.clone(),
            Place::Server(address) => address.resolve()?,
        };
        if let Some(database) = self.get(&url) {
            return Ok(database);
        }
        let database = Arc::new(Database::open(&Options {
            // A commit is our word that the change arrived, so it waits for the disk.
            synchronous: Synchronous::Full,
            pool_size: CONNECTIONS,
            // Triggers and views of the product run here too.
            goes_by_keys: false,
            idle: Some(IDLE),
            ..Options::new(&url)
        })?);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, database| database.strong_count() > 0);
        // Somebody else may have been faster; then ours was never used.
        let shared = open.get(&url).and_then(Weak::upgrade);
        Ok(shared.unwrap_or_else(|| {
            open.insert(url, Arc::downgrade(&database));
            database
        }))
    }

    /// After a failure: a file may be another one by now, and who opens it next looks for it. A server's connections are looked at
    /// one by one.
    pub(super) fn doubt(&self, place: &Place, database: &Arc<Database>) {
        if let Place::File(url) = place {
            let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let is_it = open.get(url).is_some_and(|known| known.ptr_eq(&Arc::downgrade(database)));
            if is_it {
                open.remove(url);
            }
        }
    }

    fn get(&self, url: &str) -> Option<Arc<Database>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(url)?.upgrade()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_open_once_until_it_is_doubted() {
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| Place::File(format!("sqlite://{}", directory.path().join(name).display()));
        let (databases, core) = (Databases::default(), place("core.db"));
        let first = databases.open(&core).unwrap();
        assert!(Arc::ptr_eq(&first, &databases.clone().open(&core).unwrap()));
        assert!(!Arc::ptr_eq(&first, &databases.open(&place("other.db")).unwrap()));

        databases.doubt(&core, &first);
        let second = databases.open(&core).unwrap();
        assert!(!Arc::ptr_eq(&first, &second));
        // Another tenant fails with the former one, which is nobody's any more.
        databases.doubt(&core, &first);
        assert!(Arc::ptr_eq(&second, &databases.open(&core).unwrap()));
    }

    #[test]
    fn what_nobody_uses_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| Place::File(format!("sqlite://{}", directory.path().join(name).display()));
        let databases = Databases::default();
        let gone = Arc::downgrade(&databases.open(&place("core.db")).unwrap());
        assert!(gone.upgrade().is_none());
        let _other = databases.open(&place("other.db")).unwrap();
        assert_eq!(databases.0.lock().unwrap().len(), 1);
    }
}
