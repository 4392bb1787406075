//! Resolving names for the HTTP client. What comes out of here is connected to, so a name cannot change in between.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{Guard, Lookup};

/// Asks the operating system.
pub(super) struct System;

impl Lookup for System {
    fn lookup(&self, host: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Gives the HTTP client only addresses that the guard allows.
pub(crate) struct Filtered(pub(super) Guard);

impl Resolve for Filtered {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0.clone();
        Box::pin(async move {
            let found = guard.lookup.lookup(name.as_str().to_owned()).await?;
            let allowed = guard.filter(name.as_str(), found)?;
            // Port 0 stands for the one of the URL.
            Ok(Box::new(allowed.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}
