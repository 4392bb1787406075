//! What callbacks are answered while the broker is away and the spool runs full, and while thousands of sockets do nothing, by hand:
//! real processes on a RabbitMQ and a PostgreSQL of this run.
//!
//! `cargo run --release -p tests --example broker_trials -- [stopped | black-hole | alarm | disk | sockets]`; one JSON line per trial.
//! Without a name all of them, one after the other. `disk` wants to be root.

#![expect(clippy::print_stdout, reason = "its result is what it prints")]
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a measuring tool stops where it cannot measure")]

mod disk;
mod feed;
mod outages;
mod sockets;
mod watch;

use std::sync::Arc;

use test_kit::Servers;
use tokio::task::spawn_blocking;

use outages::Outage;

#[tokio::main]
async fn main() {
    let which = std::env::args().nth(1);
    let is_wanted = |name: &str| which.as_deref().is_none_or(|wanted| wanted == name);
    let servers = Arc::new(spawn_blocking(Servers::start).await.unwrap());
    for outage in [Outage::Stopped, Outage::BlackHole, Outage::Alarm] {
        if is_wanted(outage.name()) {
            println!("{}", outages::trial(&servers, outage).await);
        }
    }
    if is_wanted("disk") {
        println!("{}", disk::trial(&servers).await);
    }
    if is_wanted("sockets") {
        println!("{}", sockets::trial(&servers).await);
    }
}
