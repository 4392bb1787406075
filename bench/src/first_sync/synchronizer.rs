//! The synchronizer as a process of its own, in this very program: the code that is shipped, also without the pace that it keeps to
//! by itself. The simulated platform limits nothing, and what is measured is our work, not our patience.

use std::{process::ExitCode, sync::Arc};

use anyhow::{Context as _, Result};
use broker::Lane;
use outbound::{Guard, Unlimited};
use service::{Context, Running, config::SynchronizerConfig, process};
use synchronizer::{Synchronizer, Timing, run::Products};

/// Tells a process that it is to be the synchronizer, and of which sort.
pub(super) const TOLD: &str = "ORGBRIDGE_BENCH_SYNCHRONIZER";
/// It keeps to WeCom's documented rate.
pub(super) const PACED: &str = "paced";
/// It asks as fast as it is answered.
pub(super) const UNPACED: &str = "unpaced";

/// Is the synchronizer until a signal comes, if this process is told to; `None` when it is not.
pub(crate) fn serve_if_told() -> Option<ExitCode> {
    let is_paced = process::environment().get(TOLD)? == PACED;
    Some(process::main(synchronizer::NAME, move |config, context| {
        let lanes: Vec<Lane> = config.broker.lanes.iter().map(|lane| Lane::new(lane)).collect();
        let (section, context) = (config.synchronizer.clone(), context.clone());
        let products = Guard::new(config.sink.allowed_networks.clone());
        let running = async move {
            match is_paced {
                true => synchronizer::run(section, products, lanes, context).await,
                false => unpaced(section, products, lanes, context).await,
            }
        };
        Ok(vec![Running::new(synchronizer::NAME, running)])
    }))
}

async fn unpaced(config: SynchronizerConfig, products: Guard, lanes: Vec<Lane>, context: Context) -> Result<()> {
    let timing = Timing::default();
    let client = |guard| outbound::Client::new(guard, timing.request_timeout).context("making an HTTP client");
    let http = client(Guard::new(config.allowed_networks.clone()))?;
    let products = Arc::new(Products::new(client(products)?));
    let synchronizer = Synchronizer::new(config, lanes, context, http, Arc::new(Unlimited)).with_products(products);
    synchronizer.with_timing(timing).run().await
}
