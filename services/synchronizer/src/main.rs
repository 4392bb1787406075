//! The synchronizer as a process of its own.

use std::process::ExitCode;

use broker::Lane;
use outbound::Guard;
use service::{Running, process};

fn main() -> ExitCode {
    process::main(synchronizer::NAME, |config, ctx| {
        let lanes = config.broker.lanes.iter().map(|lane| Lane::new(lane)).collect();
        let products = Guard::new(config.sink.allowed_networks.clone());
        let running = synchronizer::run(config.synchronizer.clone(), products, lanes, ctx.clone());
        Ok(vec![Running::new(synchronizer::NAME, running)])
    })
}
