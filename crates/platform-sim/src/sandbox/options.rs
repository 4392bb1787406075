//! What is simulated, and where.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::{Args, ValueEnum};

/// The last of the four ports is a port, too.
const HIGHEST_PORT: i64 = 65_532;

/// The platforms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Platform {
    /// The company.
    Wecom,
    /// Its plant.
    Dingtalk,
}

/// What has a port of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `/healthz` and `/status`.
    Status,
    /// WeCom's API.
    Wecom,
    /// DingTalk's API and Stream gateway.
    Dingtalk,
    /// The OA.
    Oa,
}

impl Part {
    /// How far its port is from the first one.
    const fn offset(self) -> u16 {
        match self {
            Self::Status => 0,
            Self::Wecom => 1,
            Self::Dingtalk => 2,
            Self::Oa => 3,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Status => "status",
            Self::Wecom => "WeCom",
            Self::Dingtalk => "DingTalk",
            Self::Oa => "OA",
        })
    }
}

/// Where it listens.
#[derive(Clone, Copy, Debug, Args)]
pub struct Address {
    /// The address to listen at
    #[arg(long, env = "PLATFORM_SIM_LISTEN", value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub listen: IpAddr,
    /// The first of four ports: status, WeCom, DingTalk, OA; 0 for any free ones
    #[arg(
        long,
        env = "PLATFORM_SIM_PORT",
        value_name = "PORT",
        default_value_t = 9100,
        value_parser = clap::value_parser!(u16).range(0..=HIGHEST_PORT)
    )]
    pub port: u16,
}

impl Address {
    /// Where a part listens.
    #[must_use]
    pub const fn of(&self, part: Part) -> SocketAddr {
        SocketAddr::new(self.listen, self.port_of(part))
    }

    /// Where somebody on the same machine finds a part.
    #[must_use]
    pub const fn from_here(&self, part: Part) -> SocketAddr {
        let address = match self.listen {
            IpAddr::V4(address) if address.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(address) if address.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            address => address,
        };
        SocketAddr::new(address, self.port_of(part))
    }

    /// Any free port stays that.
    const fn port_of(&self, part: Part) -> u16 {
        if self.port == 0 { 0 } else { self.port.saturating_add(part.offset()) }
    }
}

/// What a bridge is told of it.
#[derive(Clone, Args)]
pub struct Site {
    /// Where it listens.
    #[command(flatten)]
    pub address: Address,
    /// The name under which the bridge reaches it
    #[arg(long, env = "PLATFORM_SIM_HOST", value_name = "NAME", default_value = "127.0.0.1")]
    pub host: String,
    /// Tokens and keys follow from it; at least 16 characters
    #[arg(long, env = "PLATFORM_SIM_SECRET", value_name = "TEXT", hide_env_values = true)]
    pub secret: String,
}

impl Site {
    /// The address of a part as the bridge sees it.
    #[must_use]
    pub fn url(&self, part: Part) -> String {
        format!("http://{}:{}", self.host, self.address.port_of(part))
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").field("address", &self.address).field("host", &self.host).finish_non_exhaustive()
    }
}

/// All of it.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// What the bridge is told.
    #[command(flatten)]
    pub site: Site,
    /// Where the bridge's gateway takes callbacks
    #[arg(long, env = "PLATFORM_SIM_GATEWAY", value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub gateway: String,
    /// How many members the company has when it starts
    #[arg(
        long,
        env = "PLATFORM_SIM_MEMBERS",
        value_name = "N",
        default_value_t = 200,
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    pub members: u32,
    /// Seconds between two things that happen at the company; at the plant it is six times as long
    #[arg(long, env = "PLATFORM_SIM_EVERY", value_name = "SECONDS", default_value = "5", value_parser = pause)]
    pub every: Duration,
    /// What happens follows from it
    #[arg(long, env = "PLATFORM_SIM_SEED", value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

fn pause(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse::<u64>().ok().filter(|seconds| (1..=3600).contains(seconds));
    seconds.map(Duration::from_secs).ok_or("from 1 to 3600 seconds")
}
