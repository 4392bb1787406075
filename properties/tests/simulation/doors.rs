//! The doors of a process: to our database, to the broker, and through which the broker hands messages over. At each a process may
//! die, on either side, and much else may go wrong.

mod carrier;
mod queue;
mod queue_store;
mod tables;

pub(crate) use carrier::Carrier;
pub(crate) use queue::BrokerDoor;
pub(crate) use queue_store::QueueStoreDoor;
pub(crate) use tables::StoreDoor;
