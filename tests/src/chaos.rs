//! Chaos: the real processes over a RabbitMQ and a PostgreSQL of their own, two of each service, under a load that never ceases,
//! while a plan drawn from a seed kills, stops, cuts and fills. At the end a ledger tells what was lost, what was doubled and
//! what came from nowhere, as Jepsen's set test does.

mod curse;
mod dice;
mod fault;
mod ledger;
mod load;
mod nemesis;
mod plan;
mod run;
mod settling;
mod site;
mod tally;

pub use ledger::Ledger;
pub use run::Chaos;
pub use tally::Tally;
