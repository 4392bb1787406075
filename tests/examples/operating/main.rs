//! The operating trials, by hand: the services as an operator has them, under load, while what operators do is done to them.
//!
//! `cargo run --release -p tests --example operating -- TRIAL [--NAME VALUE]…`, with TRIAL one of `rolling`, `scaling`, `drained`,
//! `upgrade`, `lanes`, `tenants` and `space`. What goes on is told on stderr; the last line, on stdout, is one JSON object. It fails
//! when that has a `complaints` that is not empty. `docs/operating/trials.md` says what each does and which options it has.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its result is what it prints")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a measuring tool stops where it cannot measure"
)]

mod cluster;
mod customer;
mod drained;
mod fleet;
mod lanes;
mod load;
mod newcomers;
mod options;
mod rolling;
mod scaling;
mod space;
mod tenants;
mod upgrade;
mod verdict;

use std::process::ExitCode;

use options::Options;
use serde_json::Value;

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let trial = arguments.next().unwrap_or_default();
    let options = Options::read(arguments);
    let report: Value = match trial.as_str() {
        "rolling" => rolling::run(&options).await,
        "scaling" => scaling::run(&options).await,
        "drained" => drained::run(&options).await,
        "upgrade" => upgrade::run(&options).await,
        "lanes" => lanes::run(&options).await,
        "tenants" => tenants::run(&options).await,
        "space" => space::run(&options).await,
        _ => {
            eprintln!("which trial? rolling, scaling, drained, upgrade, lanes, tenants, space");
            return ExitCode::from(2);
        }
    };
    println!("{report}");
    let has_complaints = report["complaints"].as_array().is_some_and(|complaints| !complaints.is_empty());
    if has_complaints { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
