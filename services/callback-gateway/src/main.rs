//! The callback gateway as a process of its own.

use std::process::ExitCode;

use outbound::Guard;
use service::{Running, process};

fn main() -> ExitCode {
    process::main(callback_gateway::NAME, |config, ctx| {
        let section = config.callback_gateway.clone();
        let listener = process::bind("callback_gateway.listen", section.listen)?;
        let platforms = Guard::new(config.synchronizer.allowed_networks.clone());
        let gateway = callback_gateway::run(section, platforms, listener, ctx.clone());
        Ok(vec![Running::new(callback_gateway::NAME, gateway)])
    })
}
