//! RabbitMQ, over a real server: the suite, and what is its own.

mod outages;
mod promises;
mod proxy;
mod queues;
mod shares;
mod site;
