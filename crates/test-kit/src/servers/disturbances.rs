//! What else a test can do to servers of its own.

use std::{ffi::OsStr, path::PathBuf};

use diesel::{Connection, PgConnection, connection::SimpleConnection};

use super::{Servers, run};

/// More than any disk has: RabbitMQ then thinks that its disk is nearly full.
const DISK_ALARM_ON: &str = "10000000000000";
/// Less than any disk has that tests run on.
const DISK_ALARM_OFF: &str = "50000000";
/// Of all sessions but the one that says it.
const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
     WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// The queue.
    RabbitMq,
    /// The databases.
    Postgres,
}

impl Server {
    /// Its name, as in the commands of the script.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RabbitMq => "rabbitmq",
            Self::Postgres => "postgres",
        }
    }
}

/// How PostgreSQL is shut down before it is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// In order, but sessions are not waited for.
    Fast,
    /// As after a crash.
    Immediate,
}

impl Servers {
    /// SIGKILL to one of them.
    ///
    /// # Panics
    /// When the servers are shared, and when it does not end.
    pub fn kill(&self, server: Server) {
        self.command_own(&format!("kill-{}", server.name()));
    }

    /// Starts one of them on what it left, and waits until it is ready. One that runs is left alone.
    ///
    /// # Panics
    /// When the servers are shared, and when it does not start.
    pub fn start_again(&self, server: Server) {
        self.command_own(&format!("start-{}", server.name()));
    }

    /// SIGSTOP to all processes of one of them: its connections stay, and nobody answers on them.
    ///
    /// # Panics
    /// When the servers are shared.
    pub fn pause(&self, server: Server) {
        self.command_own(&format!("pause-{}", server.name()));
    }

    /// SIGCONT to them.
    ///
    /// # Panics
    /// When the servers are shared.
    pub fn resume(&self, server: Server) {
        self.command_own(&format!("resume-{}", server.name()));
    }

    /// Shuts PostgreSQL down and starts it at once.
    ///
    /// # Panics
    /// When the servers are shared, and when it does not start.
    pub fn restart_postgres(&self, shutdown: Shutdown) {
        self.expect_own("restart-postgres");
        let mode = match shutdown {
            Shutdown::Fast => "fast",
            Shutdown::Immediate => "immediate",
        };
        run([OsStr::new("restart-postgres"), self.directory.as_os_str(), OsStr::new(mode)]);
    }

    /// Ends all sessions at PostgreSQL.
    ///
    /// # Panics
    /// When the servers are shared, and when it does not answer.
    pub fn terminate_sessions(&self) {
        self.expect_own("terminate-sessions");
        let mut connection = PgConnection::establish(&self.own_session()).expect("PostgreSQL");
        connection.batch_execute(TERMINATE).expect("sessions ended");
    }

    /// Whether PostgreSQL takes new sessions.
    pub fn postgres_answers(&self) -> bool {
        PgConnection::establish(&self.own_session()).is_ok()
    }

    /// While `on`, RabbitMQ takes nothing, as if its disk were nearly full; who publishes gets no answer.
    ///
    /// # Panics
    /// When the servers are shared, and when RabbitMQ does not answer.
    pub fn disk_alarm(&self, on: bool) {
        self.expect_own("disk-alarm");
        self.rabbitmqctl(&["set_disk_free_limit", if on { DISK_ALARM_ON } else { DISK_ALARM_OFF }]);
    }

    /// Where everything of PostgreSQL is: a disk of its own where that was asked for.
    pub fn postgres_disk(&self) -> PathBuf {
        self.directory.join("postgres")
    }

    fn own_session(&self) -> String {
        format!("{}/postgres?connect_timeout=2", self.postgres)
    }
}
