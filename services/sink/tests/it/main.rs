//! The sink over a real store and queue, with scripted destinations.

#[cfg(test)]
mod delivery;
#[cfg(test)]
mod fakes;
#[cfg(test)]
mod hires;
#[cfg(test)]
mod kinds;
#[cfg(test)]
mod shares;
#[cfg(test)]
mod support;
