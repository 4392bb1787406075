//! The one door for blocking work.

use std::{
    any::Any,
    future::pending,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinError,
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    Connection, Error, Fault, Faults, Migrations, Observer, Options, Result,
    connection::Begin,
    options::Place,
    pool::{self, BUSY_MILLIS, Pool, Role},
};

/// An open database; cheap to clone. It is closed when the last clone is dropped.
#[derive(Clone)]
pub struct Database {
    writer: Arc<Pool>,
    readers: Arc<Pool>,
    faults: Option<Arc<dyn Faults>>,
    observer: Option<Arc<dyn Observer>>,
    inline: bool,
}

impl Database {
    /// Opens a database, and makes the file and its directories where there are none. A server is not asked before it is needed.
    ///
    /// # Errors
    /// [`Error::Url`] when the address is not one of ours, [`Error::Unavailable`] when it cannot be opened.
    pub fn open(options: &Options) -> Result<Self> {
        let place = options.place()?;
        let (writer, readers) = match place {
            // Nobody is asked yet: a server may come later.
            Place::Server(_) => {
                let any = Pool::new(Role::Any, place, options);
                return Ok(Self {
                    writer: Arc::clone(&any),
                    readers: any,
                    faults: None,
                    observer: None,
                    inline: false,
                });
            }
            Place::Memory => {
                let only = Pool::new(Role::Only, place, options);
                (Arc::clone(&only), only)
            }
            Place::File(_) => {
                pool::try_place(&place, options)?;
                (Pool::new(Role::Writer, place.clone(), options), Pool::new(Role::Reader, place, options))
            }
        };
        let database = Self { writer, readers, faults: None, observer: None, inline: false };
        // The first connection makes the file and sets its journal; it also tells at once whether the place is any
        // good.
        database.with_writer(|_| Ok(()))?;
        Ok(database)
    }

    /// The same database with scripted faults, for tests.
    #[must_use]
    pub fn with_faults(mut self, faults: Arc<dyn Faults>) -> Self {
        self.faults = Some(faults);
        self
    }

    /// The same database with somebody who is told of everything that passes.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The same database, working on the calling task instead of a thread of its own: for simulations on one thread.
    #[must_use]
    pub fn inline(mut self) -> Self {
        self.inline = true;
        self
    }

    /// Runs `work` on one snapshot of the database. It cannot write. `what` names it for metrics and scripted faults.
    ///
    /// # Errors
    /// Those of `work`, and [`Error`] for what goes wrong around it.
    pub async fn read<T, E>(
        &self,
        what: &'static str,
        work: impl FnOnce(&mut Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        opened(self.pass(&self.readers, what, Begin::Read, closed(work)).await?)
    }

    /// Runs `work` in one transaction: committed on `Ok`, rolled back on `Err` or panic. In SQLite it holds the write lock from
    /// the start, and writers of this process take turns in the order in which they came; in PostgreSQL (READ COMMITTED)
    /// work that decides on what it read locks those rows first. The work is done, or not, even if the caller stops
    /// waiting for it.
    ///
    /// # Errors
    /// Those of `work`, and [`Error`] for what goes wrong around it.
    pub async fn write<T, E>(
        &self,
        what: &'static str,
        work: impl FnOnce(&mut Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        opened(self.pass(&self.writer, what, Begin::Write, closed(work)).await?)
    }

    /// Brings the schema up to date while nobody else can write: all that is missing, or nothing. Blocks; for start-up.
    /// Returns the names of what was applied, so nothing the second time.
    ///
    /// # Errors
    /// [`Error::Newer`] when the database has migrations that are not in the set, [`Error::Migration`] when one fails,
    /// [`Error::Busy`] when this process is writing at the moment.
    pub fn migrate(&self, migrations: Migrations) -> Result<Vec<String>> {
        self.with_writer(|connection| migrations.apply(connection, BUSY_MILLIS))
    }

    fn with_writer<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        let permit = Arc::clone(&self.writer.permits).try_acquire_owned().map_err(|_taken| Error::Busy)?;
        let result = work(self.writer.idle()?.connection());
        drop(permit);
        result
    }

    async fn pass(&self, pool: &Arc<Pool>, what: &'static str, how: Begin, work: Work) -> Result<Outcome> {
        self.suffer(|faults| faults.before(what)).await?;
        let came = Instant::now();
        let turn = turn(Arc::clone(&pool.permits), pool.patience);
        let pool = Arc::clone(pool);
        // A simulation reads all the time, and the switch makes SQLite prepare every statement anew.
        let query_only = how == Begin::Read && pool.role() == Role::Only && !self.inline;
        // The permit lives inside the work: a caller who stops waiting does not let another in.
        let job = move |permit: OwnedSemaphorePermit| {
            let began = Instant::now();
            let result = in_transaction(&pool, how, query_only, work);
            drop(permit);
            (began, result)
        };
        let (began, result) = if self.inline {
            job(turn.await?)
        } else {
            // Whose turn it is may not be polled just now, and keeps all others waiting: a task of its own is.
            AbortOnDropHandle::new(tokio::spawn(on_a_thread(turn, job))).await.map_err(unfinished)??
        };
        if let Some(observer) = &self.observer {
            let is_done = matches!(result, Ok(Ok(_)));
            observer.ran(what, began.duration_since(came), began.elapsed(), is_done);
        }
        let outcome = result?;
        if outcome.is_ok() {
            self.suffer(|faults| faults.after(what)).await?;
        }
        Ok(outcome)
    }

    async fn suffer(&self, ask: impl FnOnce(&dyn Faults) -> Fault) -> Result<()> {
        let fault = self.faults.as_deref().map(ask).unwrap_or_default();
        match fault {
            Fault::None => Ok(()),
            Fault::Fail => Err(Error::unavailable("a scripted fault")),
            Fault::Delay(time) => {
                tokio::time::sleep(time).await;
                Ok(())
            }
            Fault::Hang => pending().await,
        }
    }
}

/// Waits for a connection that nobody uses.
async fn turn(permits: Arc<Semaphore>, patience: Option<Duration>) -> Result<OwnedSemaphorePermit> {
    let permit = permits.acquire_owned();
    let permit = match patience {
        Some(patience) => timeout(patience, permit).await.map_err(|_elapsed| Error::Busy)?,
        None => permit.await,
    };
    permit.map_err(Error::unavailable)
}

/// Runs the job on a thread when its turn comes.
async fn on_a_thread<R: Send + 'static>(
    turn: impl Future<Output = Result<OwnedSemaphorePermit>>,
    job: impl FnOnce(OwnedSemaphorePermit) -> R + Send + 'static,
) -> Result<R> {
    let permit = turn.await?;
    tokio::task::spawn_blocking(move || job(permit)).await.map_err(unfinished)
}

fn unfinished(error: JoinError) -> Error {
    if error.is_panic() { Error::Panicked } else { Error::unavailable(error) }
}

/// Commits what is done on `Ok`. The outer error is that of what goes wrong around the work.
fn in_transaction(pool: &Pool, how: Begin, query_only: bool, work: Work) -> Result<Outcome> {
    let mut lease = pool.begin(how)?;
    let connection = lease.connection();
    let result = catch_unwind(AssertUnwindSafe(|| read_only(connection, query_only, work)));
    let result = result.unwrap_or(Err(Error::Panicked));
    let result = match result {
        Ok(Ok(value)) => connection.commit().map(|()| Ok(value)),
        refused => refused,
    };
    if !matches!(result, Ok(Ok(_))) {
        connection.roll_back_all();
        lease.inspect();
    }
    result
}

/// The readers of a file or a server cannot write anyway; the only connection of an in-memory database is kept from it
/// meanwhile, so that tests find the same mistakes.
fn read_only(connection: &mut Connection, query_only: bool, work: Work) -> Result<Outcome> {
    if !query_only {
        return Ok(work(connection));
    }
    connection.set_query_only(true)?;
    let result = catch_unwind(AssertUnwindSafe(|| work(connection)));
    connection.set_query_only(false)?;
    result.map_err(|_panic| Error::Panicked)
}

/// A piece of work whose types are forgotten. There are hundreds of them, and all that is around them is compiled once.
type Work = Box<dyn FnOnce(&mut Connection) -> Outcome + Send>;
/// Its value, or its error.
type Outcome = Result<Box<dyn Any + Send>, Box<dyn Any + Send>>;

fn closed<T: Send + 'static, E: Send + 'static>(
    work: impl FnOnce(&mut Connection) -> Result<T, E> + Send + 'static,
) -> Work {
    Box::new(|connection| match work(connection) {
        Ok(value) => Ok(Box::new(value)),
        Err(error) => Err(Box::new(error)),
    })
}

fn opened<T: 'static, E: From<Error> + 'static>(outcome: Outcome) -> Result<T, E> {
    // What comes out is what `closed` put in.
    let lost = |_: Box<dyn Any + Send>| E::from(Error::Panicked);
    match outcome {
        Ok(value) => value.downcast().map(|value| *value).map_err(lost),
        Err(error) => Err(error.downcast().map_or_else(lost, |error| *error)),
    }
}
