//! The synchronizer with a real resolver, over a simulated platform on a socket.

#[cfg(test)]
mod answering;
#[cfg(test)]
mod ding_details;
#[cfg(test)]
mod dingtalk;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod pace;
#[cfg(test)]
mod pulling;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod silence;
#[cfg(test)]
mod steps;
