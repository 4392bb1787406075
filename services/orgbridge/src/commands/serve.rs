//! `serve`

use anyhow::Context as _;
use service::{process, telemetry};
use tokio_util::sync::CancellationToken;

use super::{Done, Source};
use crate::{
    Output,
    all_in_one::{AllInOne, Service},
    failure::Failure,
    texts,
};

/// Runs services in this process until a signal comes.
pub(super) fn serve(source: Source, only: &[Service], output: &mut Output<'_>) -> Done {
    let config = source.config()?;
    let services = choose(only, output)?;
    telemetry::init(&config.telemetry, &source.environment);
    process::raise_file_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    let served = runtime.block_on(async {
        let stop = CancellationToken::new();
        process::stop_on_signals(stop.clone())?;
        let all = AllInOne::open(&config, source.environment, &services, stop).await?;
        let (language, listening) = (output.language, all.listening());
        if let Some(gateway) = listening.gateway {
            output.line(texts::listens(language, Service::CallbackGateway.name(), gateway))?;
        }
        output.line(texts::listens(language, "admin", listening.admin))?;
        output.line(texts::serving(language, config.data_dir.display()))?;
        Ok(all.run().await?)
    });
    runtime.shutdown_timeout(process::LAST_WORK);
    served
}

/// The services that are meant: all that are built, or those named. Each once, in the table's order.
fn choose(only: &[Service], output: &mut Output<'_>) -> Result<Vec<Service>, Failure> {
    for service in only.iter().filter(|service| !service.is_built()) {
        output.aside(texts::not_built_yet(output.language, service.name()))?;
    }
    let is_meant = |service: &Service| only.is_empty() || only.contains(service);
    let services: Vec<Service> = Service::BUILT.into_iter().filter(is_meant).collect();
    if services.is_empty() {
        return Err(Failure::Wrong(vec![texts::nothing_to_serve(output.language)]));
    }
    Ok(services)
}
