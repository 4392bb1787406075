#![doc = include_str!("../README.md")]

mod clock;
mod eventually;
mod proxy;
mod servers;
mod stage;

pub use clock::TestClock;
pub use eventually::eventually;
pub use proxy::Proxy;
pub use servers::{FreshDatabase, Server, Servers, Shutdown, Vhost};
pub use stage::Stage;
