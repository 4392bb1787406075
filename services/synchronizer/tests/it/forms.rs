//! Forms of a simulated Jiandaoyun, polled and hinted at, with a real resolver behind.

mod answers;
mod changes;
mod hints;
mod polls;
mod scene;
mod trouble;
