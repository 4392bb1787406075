//! What can be done to the processes, and to what they stand on.

use std::{fmt, time::Duration};

use test_kit::{Server, Shutdown};

use crate::Service;

/// Something bad with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault<H> {
    /// When it begins, since the beginning of all; later, if the one before it takes longer than was thought.
    pub(super) at: Duration,
    /// How long until it is undone.
    pub(super) lasts: Duration,
    /// What it is.
    pub(super) what: H,
}

/// What the plan and the ledger must know of it.
pub(super) trait Harm: Copy + fmt::Display {
    /// The sort of it.
    fn kind(&self) -> &'static str;
    /// Who is killed by it.
    fn kills(&self) -> Option<&'static str>;
    /// Whether a sink may not know afterwards what became of what it had sent. It then sends that again, as it was.
    fn may_repeat(&self) -> bool;
    /// About how long undoing it takes.
    fn takes(&self) -> Duration;
}

/// How a process is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blow {
    /// SIGKILL; afterwards it is started again.
    Kill,
    /// SIGSTOP; afterwards SIGCONT.
    Stop,
}

/// What is done to a process of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OnService {
    pub(super) blow: Blow,
    pub(super) service: Service,
    /// Which of its processes, from 0.
    pub(super) replica: usize,
}

/// What is done to what they stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnServer {
    /// SIGKILL; afterwards it is started again.
    Kill(Server),
    /// SIGSTOP; afterwards SIGCONT.
    Stop(Server),
    /// All connections to it are closed once.
    Cut(Server),
    /// Connections to it stay and pass nothing.
    Hole(Server),
    /// RabbitMQ takes nothing, since its disk seems to be nearly full.
    Alarm,
    /// PostgreSQL is shut down and started at once.
    Restart(Shutdown),
    /// PostgreSQL ends all sessions.
    Terminate,
    /// A disk has no room left.
    FullDisk(Disk),
}

/// A disk that is small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disk {
    /// PostgreSQL's.
    Postgres,
    /// The first gateway's, with its spool. RabbitMQ cannot be reached meanwhile: else nobody would notice.
    Spool,
}

impl Harm for OnService {
    fn kind(&self) -> &'static str {
        match self.blow {
            Blow::Kill => "kill",
            Blow::Stop => "stop",
        }
    }

    fn kills(&self) -> Option<&'static str> {
        (self.blow == Blow::Kill).then(|| self.service.program())
    }

    /// A sink that stands still hears of an answer when it has given up waiting for it.
    fn may_repeat(&self) -> bool {
        self.service == Service::Sink
    }

    fn takes(&self) -> Duration {
        match self.blow {
            Blow::Kill => Duration::from_millis(1500),
            Blow::Stop => Duration::ZERO,
        }
    }
}

impl fmt::Display for OnService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}-{}", self.kind(), self.service.program(), self.replica + 1)
    }
}

impl Harm for OnServer {
    fn kind(&self) -> &'static str {
        match self {
            Self::Kill(_) => "kill",
            Self::Stop(_) => "stop",
            Self::Cut(_) => "cut",
            Self::Hole(_) => "black_hole",
            Self::Alarm => "alarm",
            Self::Restart(_) => "restart",
            Self::Terminate => "terminate",
            Self::FullDisk(_) => "full_disk",
        }
    }

    fn kills(&self) -> Option<&'static str> {
        match self {
            Self::Kill(server) => Some(server.name()),
            _ => None,
        }
    }

    /// What was sent is written down in PostgreSQL.
    fn may_repeat(&self) -> bool {
        match self {
            Self::Kill(server) | Self::Stop(server) | Self::Cut(server) | Self::Hole(server) => {
                *server == Server::Postgres
            }
            Self::Alarm | Self::FullDisk(Disk::Spool) => false,
            Self::Restart(_) | Self::Terminate | Self::FullDisk(Disk::Postgres) => true,
        }
    }

    fn takes(&self) -> Duration {
        Duration::from_millis(match self {
            Self::Kill(Server::RabbitMq) => 8000,
            Self::Kill(Server::Postgres) | Self::Restart(_) => 1000,
            Self::Alarm | Self::FullDisk(_) => 2000,
            Self::Stop(_) | Self::Cut(_) | Self::Hole(_) | Self::Terminate => 200,
        })
    }
}

impl fmt::Display for OnServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind();
        match self {
            Self::Kill(server) | Self::Stop(server) | Self::Cut(server) | Self::Hole(server) => {
                write!(f, "{kind} {}", server.name())
            }
            Self::Restart(shutdown) => write!(f, "{kind} postgres, {shutdown:?}"),
            Self::FullDisk(disk) => write!(f, "{kind}, {disk:?}"),
            Self::Alarm | Self::Terminate => f.write_str(kind),
        }
    }
}
