//! Chaos in its long form, by hand: real processes, two of each service, over a RabbitMQ and a PostgreSQL of this run, under a load
//! that never ceases; killed, stopped, cut off and filled up by a plan drawn from a seed.
//!
//! `cargo run --release -p tests --example chaos -- [SEED] [CALLBACKS] [KILLS]`; 1, 20000 and 30 unless told otherwise. First the
//! plan, then one JSON line; it fails when that is not as promised. An odd seed has an OA that never takes one member, an even
//! one an OA that never takes one department. As root, disks are filled too.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its result is what it prints")]

use std::process::ExitCode;

use tests::chaos::Chaos;

#[tokio::main]
async fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("SEED, CALLBACKS, KILLS"));
    let seed = numbers.next().unwrap_or(1);
    let mut size = |usual| numbers.next().map_or(usual, |number| usize::try_from(number).expect("not that many"));
    let (callbacks, kills) = (size(20_000), size(30));
    let chaos = Chaos::long(seed, callbacks, kills);
    eprintln!("{}", chaos.plan());
    let ledger = chaos.run().await;
    println!("{}", ledger.to_json());
    let complaints = ledger.complaints();
    if complaints.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("{complaints:#?}\n{}", ledger.details());
    ExitCode::FAILURE
}
