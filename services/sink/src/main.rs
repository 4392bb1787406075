//! The sink as a process of its own.

use std::process::ExitCode;

use broker::Lane;
use outbound::Guard;
use service::{Running, process};

fn main() -> ExitCode {
    process::main(sink::NAME, |config, ctx| {
        let lanes = config.broker.lanes.iter().map(|lane| Lane::new(lane)).collect();
        let platforms = Guard::new(config.synchronizer.allowed_networks.clone());
        Ok(vec![Running::new(sink::NAME, sink::run(config.sink.clone(), platforms, lanes, ctx.clone()))])
    })
}
