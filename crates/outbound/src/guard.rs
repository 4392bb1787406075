//! Who may be connected to: the protection against server-side request forgery.

mod resolve;
#[cfg(test)]
mod tests;

use std::{fmt, io, net::IpAddr, pin::Pin, sync::Arc};

use ipnet::IpNet;
use url::{Host, Url};

use crate::addresses::{is_listed, is_public, translated};

/// Turns a host name into addresses.
pub trait Lookup: Send + Sync + 'static {
    /// All addresses of the name.
    fn lookup(&self, host: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
}

/// Decides which URLs and addresses are allowed. Cheap to clone.
///
/// The public Internet is always allowed; everything else (private, loopback, link-local, carrier-grade NAT,
/// documentation, ...) only where an operator listed its network. A cloud's metadata address must be listed by itself,
/// as `/32` or `/128`. An IPv6 address that a translator turns into an IPv4 address (NAT64, 6to4) must be listed, and
/// so must the IPv4 address unless it is public.
#[derive(Clone)]
pub struct Guard {
    allowed_networks: Arc<[IpNet]>,
    lookup: Arc<dyn Lookup>,
}

/// Why something may not be connected to. It names the host, never the rest of the URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no URL.
    #[error("the URL cannot be read")]
    NoUrl,
    /// Only `http` and `https` are spoken.
    #[error("the URL must begin with http:// or https://")]
    Scheme,
    /// There is no host in the URL.
    #[error("the URL has no host")]
    NoHost,
    /// A user name or password in a URL ends in logs, and makes it look as if it led elsewhere.
    #[error("the URL must not hold a user name or a password")]
    Credentials,
    /// The address is not public and not listed.
    #[error("{host} is at {address}, which is not in allowed_networks")]
    Address {
        /// The host as it was written.
        host: String,
        /// The address that is not allowed.
        address: IpAddr,
    },
    /// The name leads to public addresses and to others at once, as a name made for an attack does.
    #[error("{host} is at public addresses and at {address}, which is not in allowed_networks")]
    Mixed {
        /// The host as it was written.
        host: String,
        /// The address that is not allowed.
        address: IpAddr,
    },
}

impl Guard {
    /// A guard that allows these networks besides the public Internet, and resolves names as the system does.
    pub fn new(allowed_networks: Vec<IpNet>) -> Self {
        Self::with_lookup(allowed_networks, Arc::new(resolve::System))
    }

    /// The same with another way to resolve names.
    pub fn with_lookup(allowed_networks: Vec<IpNet>, lookup: Arc<dyn Lookup>) -> Self {
        Self { allowed_networks: allowed_networks.into(), lookup }
    }

    /// Reads a URL and refuses what can be seen to be wrong without asking a name server.
    ///
    /// # Errors
    /// The URL is unreadable, of another scheme, holds credentials, or names an address that is not allowed.
    pub fn check(&self, url: &str) -> Result<Url, Refusal> {
        let url = Url::parse(url).map_err(|_unreadable| Refusal::NoUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refusal::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Credentials);
        }
        let address: Option<IpAddr> = match url.host() {
            None => return Err(Refusal::NoHost),
            Some(Host::Domain(_)) => None,
            Some(Host::Ipv4(v4)) => Some(v4.into()),
            Some(Host::Ipv6(v6)) => Some(v6.into()),
        };
        if let Some(address) = address.filter(|&address| !self.allows(address)) {
            return Err(Refusal::Address { host: url.host_str().unwrap_or_default().to_owned(), address });
        }
        Ok(url)
    }

    /// Whether the address may be connected to.
    pub fn allows(&self, address: IpAddr) -> bool {
        // ::ffff:10.0.0.1 is 10.0.0.1, for the operating system too.
        let address = address.to_canonical();
        let itself = is_public(address) || is_listed(address, &self.allowed_networks);
        let beyond = translated(address).is_none_or(|v4| self.allows(v4.into()));
        itself && beyond
    }

    /// The addresses that may be connected to, out of those that a name has. At least one, unless there was none to
    /// begin with.
    ///
    /// # Errors
    /// None is allowed, or public ones are mixed with ones that are not allowed.
    pub fn filter(&self, host: &str, addresses: Vec<IpAddr>) -> Result<Vec<IpAddr>, Refusal> {
        let (allowed, refused): (Vec<IpAddr>, Vec<IpAddr>) =
            addresses.into_iter().partition(|&address| self.allows(address));
        let Some(&address) = refused.first() else { return Ok(allowed) };
        let host = host.to_owned();
        if allowed.is_empty() {
            return Err(Refusal::Address { host, address });
        }
        if allowed.iter().any(|&address| is_public(address.to_canonical())) {
            return Err(Refusal::Mixed { host, address });
        }
        Ok(allowed)
    }

    /// What the HTTP client resolves names with.
    pub(crate) fn resolver(&self) -> resolve::Filtered {
        resolve::Filtered(self.clone())
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("allowed_networks", &self.allowed_networks).finish_non_exhaustive()
    }
}
