//! The official Stream SDKs of DingTalk against the simulated platform: what they understand is what DingTalk sends, and what they
//! say is what it hears.
//!
//! `scripts/sdks` installs them into target/sdks; these tests call it, so that they can be run alone.

#[cfg(test)]
mod alone;
#[cfg(test)]
mod sdk;
#[cfg(test)]
mod side_by_side;
