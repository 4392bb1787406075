//! The promises of the trait, over quorum queues.

use super::site::Site;

broker::suite!(Site::new(4));
