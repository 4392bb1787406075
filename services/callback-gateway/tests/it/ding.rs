//! DingTalk, over callbacks and over Stream connections, against the simulated one.

mod callbacks;
mod keys;
mod refusals;
pub(crate) mod scene;
mod stream;
mod together;
