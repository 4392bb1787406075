//! The resolver as a process of its own.

use std::process::ExitCode;

use broker::Lane;
use service::{Running, process};

fn main() -> ExitCode {
    process::main(resolver::NAME, |config, ctx| {
        let lanes = config.broker.lanes.iter().map(|lane| Lane::new(lane)).collect();
        Ok(vec![Running::new(resolver::NAME, resolver::run(config.resolver.clone(), lanes, ctx.clone()))])
    })
}
