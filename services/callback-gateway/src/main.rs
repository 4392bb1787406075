//! The callback gateway as a process of its own.

use std::process::ExitCode;

use service::{Running, process};

fn main() -> ExitCode {
    process::main(callback_gateway::NAME, |config, ctx| {
        let section = config.callback_gateway.clone();
        let listener = process::bind("callback_gateway.listen", section.listen)?;
        let gateway = callback_gateway::run(section, listener, ctx.clone());
        Ok(vec![Running::new(callback_gateway::NAME, gateway)])
    })
}
