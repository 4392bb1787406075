//! The directory of a simulated company, a core product's own rows and an OA, with the real resolver, sink and synchronizer between
//! them in one process: whatever happened before, in the end all of them agree. Time passes when told to.

#[cfg(test)]
mod added;
#[cfg(test)]
mod by_hand;
#[cfg(test)]
mod copy;
#[cfg(test)]
mod first_sync;
#[cfg(test)]
mod invisible;
#[cfg(test)]
mod lost;
#[cfg(test)]
mod naive;
#[cfg(test)]
mod product;
#[cfg(test)]
mod quick;
#[cfg(test)]
mod removals;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod twice;
