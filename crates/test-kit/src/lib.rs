#![doc = include_str!("../README.md")]

mod clock;
mod eventually;
mod stage;

pub use clock::TestClock;
pub use eventually::eventually;
pub use stage::Stage;
