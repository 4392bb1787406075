//! Services side by side.

use std::{pin::Pin, time::Duration};

use anyhow::{Context as _, anyhow};
use futures::future::BoxFuture;
use tokio::{
    task::{JoinError, JoinSet},
    time::{Instant, timeout_at},
};

use crate::Context;

type Future = Pin<Box<dyn std::future::Future<Output = anyhow::Result<()>> + Send>>;

/// A service that was given everything it needs.
pub struct Running {
    name: &'static str,
    future: Future,
}

impl Running {
    /// A service. Its future returns after the context's stop token was cancelled, never before.
    pub fn new(
        name: &'static str,
        future: impl std::future::Future<Output = anyhow::Result<()>> + Send + 'static,
    ) -> Self {
        Self { name, future: Box::pin(future) }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// Runs services until the stop token is cancelled, then gives them `grace` to finish what is in hand. A service that ends
/// before that is a fault even if it says Ok, and stops the others.
///
/// # Errors
/// The first fault; or what was still running when the grace ended.
pub fn supervise(services: Vec<Running>, ctx: &Context, grace: Duration) -> BoxFuture<'_, anyhow::Result<()>> {
    Box::pin(async move {
        let mut running = JoinSet::new();
        let mut names: Vec<&'static str> = Vec::new();
        for Running { name, future } in services {
            names.push(name);
            running.spawn(async move { (name, tokio::spawn(future).await) });
        }
        let mut fault = None;
        let early = tokio::select! {
            biased;
            () = ctx.stop.cancelled() => None,
            early = running.join_next() => early,
        };
        if let Some(Ok((name, ended))) = early {
            names.retain(|other| *other != name);
            fault = Some(early_end(name, ended));
        }
        ctx.health.drain();
        ctx.stop.cancel();
        let deadline = Instant::now() + grace;
        while let Ok(Some(joined)) = timeout_at(deadline, running.join_next()).await {
            let Ok((name, ended)) = joined else { continue };
            names.retain(|other| *other != name);
            if let Err(error) = outcome(name, ended) {
                tracing::error!(service = name, error = %format!("{error:#}"), "a service failed while stopping");
                fault.get_or_insert(error);
            }
        }
        if !names.is_empty() {
            fault.get_or_insert(anyhow!("still running after {} s: {}", grace.as_secs(), names.join(", ")));
        }
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_secs(1));
        if !ctx.finish_tasks(left).await {
            fault.get_or_insert(anyhow!("tasks were still running after {} s", grace.as_secs()));
        }
        fault.map_or(Ok(()), Err)
    })
}

type Ended = Result<anyhow::Result<()>, JoinError>;

fn early_end(name: &'static str, ended: Ended) -> anyhow::Error {
    match outcome(name, ended) {
        Ok(()) => anyhow!("{name} ended by itself"),
        Err(error) => error,
    }
}

fn outcome(name: &'static str, ended: Ended) -> anyhow::Result<()> {
    match ended {
        Ok(result) => result.with_context(|| format!("{name} failed")),
        Err(_) => Err(anyhow!("{name} panicked")),
    }
}
