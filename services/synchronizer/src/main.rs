//! The synchronizer as a process of its own.

use std::process::ExitCode;

use broker::Lane;
use service::{Running, process};

fn main() -> ExitCode {
    process::main(synchronizer::NAME, |config, ctx| {
        let lanes = config.broker.lanes.iter().map(|lane| Lane::new(lane)).collect();
        let running = synchronizer::run(config.synchronizer.clone(), lanes, ctx.clone());
        Ok(vec![Running::new(synchronizer::NAME, running)])
    })
}
