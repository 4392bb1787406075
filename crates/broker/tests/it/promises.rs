//! The promises of the trait, over a file.

use crate::support::Files;

broker::suite!(Files::new());
