//! The durable queue in RabbitMQ, for when several processes share it.

mod consumer;
mod flight;
mod inbox;
mod line;
mod link;
mod making;
mod members;
mod options;
mod publisher;
mod reader;
mod topology;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use common::{Backoff, Hop};
use tokio::{
    runtime::Handle as Runtime,
    sync::{mpsc, oneshot},
    time::{Instant, timeout, timeout_at},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use self::{
    consumer::Consumer,
    inbox::Holdings,
    line::Line,
    link::{Access, Link},
    members::{Live, share},
    publisher::{Calls, Job, Publisher},
    topology::Topology,
};
pub use self::{
    members::{Alone, Members},
    options::RabbitMqOptions,
};
use crate::{
    Broker, ConsumeOptions, Error, Handler, Lane, Outgoing, Result, Share,
    group::{Document, documents},
};

/// How many calls may wait at the publisher before the next ones wait for room.
const WAITING_CALLS: usize = 1024;

/// How long [`RabbitMq::close`] waits for answers and farewells.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// The waits before a connection or a subscription is tried again.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(5) };

/// What held for that long did work; when it ends then, the waits begin with the first.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// The queue in RabbitMQ; cheap to clone. It has two connections, one to publish and one to consume, so that acknowledgements go
/// on while the broker takes no messages. Both come back by themselves whenever they end.
///
/// What is published while there is no connection waits for one, but not longer than the confirm deadline. A call that fails may
/// have stored its messages all the same.
#[derive(Clone)]
pub struct RabbitMq(Arc<Inner>);

struct Inner {
    access: Arc<Access>,
    topology: Arc<Topology>,
    members: Arc<dyn Members>,
    /// Whom somebody asked about.
    crews: Mutex<HashMap<(Hop, Lane), Live>>,
    confirm_deadline: Duration,
    publishing: Line,
    /// Opened with the first consumer.
    consuming: OnceLock<Line>,
    jobs: mpsc::Sender<Job>,
    /// The lanes that this instance has to do with.
    used: Mutex<BTreeSet<(Hop, Lane)>>,
    holdings: Holdings,
    tasks: TaskTracker,
    stop: CancellationToken,
    _stop_when_dropped: DropGuard,
}

impl RabbitMq {
    /// The queue at a broker, which need not be there yet. Needs a tokio runtime with I/O and time around it, on which its
    /// tasks live until the last clone is dropped.
    ///
    /// # Errors
    /// [`Error::BadUrl`], [`Error::BadName`], [`Error::NoRuntime`].
    pub fn new(options: RabbitMqOptions, members: Arc<dyn Members>) -> Result<Self> {
        Runtime::try_current().map_err(|_outside| Error::NoRuntime)?;
        let access = Arc::new(options.access()?);
        let topology = Arc::new(Topology::new(&options.namespace, options.partitions)?);
        let (stop, line_ends, tasks) = (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
        let publishing = Line::open(Arc::clone(&access), "publishing", line_ends.clone(), &tasks);
        let (jobs, waiting) = mpsc::channel(WAITING_CALLS);
        let publisher = Publisher {
            line: publishing.clone(),
            topology: Arc::clone(&topology),
            jobs: waiting,
            held: Vec::new(),
            calls: Calls::default(),
            stop: stop.clone(),
            _line_ends: line_ends.drop_guard(),
        };
        tasks.spawn(publisher.run());
        let inner = Inner {
            access,
            topology,
            members,
            crews: Mutex::default(),
            confirm_deadline: options.confirm_deadline,
            publishing,
            consuming: OnceLock::new(),
            jobs,
            used: Mutex::default(),
            holdings: Holdings::default(),
            tasks,
            _stop_when_dropped: stop.clone().drop_guard(),
            stop,
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Ends it for all clones: waits, for a few seconds at most, for answers to what is under way, and closes the connections.
    /// Consumers should have been stopped before; those that were not give back what they have in hand.
    pub async fn close(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        drop(timeout(CLOSE_PATIENCE, self.0.tasks.wait()).await);
    }
}

impl Inner {
    /// Checks a lane, and remembers it.
    fn uses(&self, hop: Hop, lane: &Lane) -> Result<()> {
        self.topology.check(lane)?;
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert((hop, lane.clone()));
        Ok(())
    }

    fn lanes(&self, hop: Hop) -> Vec<Lane> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.iter().filter(|(of, _)| *of == hop).map(|(_, lane)| lane.clone()).collect()
    }

    async fn publish(&self, hop: Hop, lane: &Lane, documents: Vec<Document>) -> Result<()> {
        let due = Instant::now() + self.confirm_deadline;
        let link = timeout_at(due, self.publishing.link()).await.map_err(|_elapsed| Error::Unavailable)??;
        let stored = self.publish_on(&link, hop, lane, documents);
        timeout_at(due, stored).await.map_err(|_elapsed| Error::Unconfirmed)?
    }

    async fn publish_on(&self, link: &Link, hop: Hop, lane: &Lane, documents: Vec<Document>) -> Result<()> {
        if self.publishing.is_blocked() {
            return Err(Error::Blocked);
        }
        link.ensure(&self.topology, hop, lane).await?;
        let (answer, answered) = oneshot::channel();
        self.jobs.send(Job { documents, answer }).await.map_err(|_gone| Error::Closed)?;
        answered.await.map_err(|_gone| Error::Closed)?
    }

    fn share(&self, hop: Hop, lane: &Lane) -> Share {
        let live = {
            let mut crews = self.crews.lock().unwrap_or_else(PoisonError::into_inner);
            let crew = crews.entry((hop, lane.clone())).or_insert_with(|| self.members.watch(hop, lane));
            Arc::clone(&crew.borrow_and_update())
        };
        share(&*self.members, &live, self.topology.queues(hop, lane).map(|queue| self.topology.name(&queue)))
    }

    fn consuming(&self) -> Line {
        let open = || Line::open(Arc::clone(&self.access), "consuming", self.stop.clone(), &self.tasks);
        self.consuming.get_or_init(open).clone()
    }

    async fn depth(&self, hop: Hop, lanes: &[Lane]) -> Result<u64> {
        let counting = timeout(self.confirm_deadline, self.count(hop, lanes));
        let ready = counting.await.map_err(|_elapsed| Error::Unavailable)??;
        let held = lanes.iter().map(|lane| self.holdings.of(hop, lane)).sum::<usize>();
        Ok(ready.saturating_add(u64::try_from(held).unwrap_or(u64::MAX)))
    }

    async fn count(&self, hop: Hop, lanes: &[Lane]) -> Result<u64> {
        // Preferred, since the other one hears nothing while it is blocked.
        let line = self.consuming.get().unwrap_or(&self.publishing);
        let link = line.link().await?;
        if line.is_blocked() {
            return Err(Error::Blocked);
        }
        for lane in lanes {
            link.ensure(&self.topology, hop, lane).await?;
        }
        Ok(self.topology.ready(&link, hop, lanes).await?)
    }
}

#[async_trait]
impl Broker for RabbitMq {
    async fn publish(&self, hop: Hop, lane: &Lane, messages: Vec<Outgoing>) -> Result<()> {
        if messages.is_empty() {
            return Ok(());
        }
        let documents = documents(hop, lane, messages, self.0.topology.partitions())?;
        self.0.uses(hop, lane)?;
        self.0.publish(hop, lane, documents).await
    }

    async fn consume(
        &self,
        hop: Hop,
        lanes: &[Lane],
        options: ConsumeOptions,
        handler: Arc<dyn Handler>,
        stop: CancellationToken,
    ) -> Result<()> {
        lanes.iter().try_for_each(|lane| self.0.uses(hop, lane))?;
        let consumer = Consumer {
            line: self.0.consuming(),
            topology: Arc::clone(&self.0.topology),
            members: Arc::clone(&self.0.members),
            holdings: self.0.holdings.clone(),
            tasks: self.0.tasks.clone(),
            hop,
            lanes: lanes.to_vec(),
            options,
            handler,
            stop,
        };
        consumer.run().await
    }

    fn share(&self, hop: Hop, lane: &Lane) -> Share {
        self.0.share(hop, lane)
    }

    async fn depth(&self, hop: Hop) -> Result<u64> {
        let lanes = self.0.lanes(hop);
        if lanes.is_empty() {
            return Ok(0);
        }
        self.0.depth(hop, &lanes).await
    }

    async fn depth_of(&self, hop: Hop, lane: &Lane) -> Result<u64> {
        self.0.topology.check(lane)?;
        self.0.depth(hop, std::slice::from_ref(lane)).await
    }
}
