//! The sink over a real store and queue, with scripted destinations.

#[cfg(test)]
mod delivery;
#[cfg(test)]
mod fakes;
