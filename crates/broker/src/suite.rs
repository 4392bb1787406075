//! The promises of [`Broker`] as tests. Whoever implements it writes a [`Fixture`] and says, in a test module of a
//! crate that has tokio: `broker::suite!(MyFixture::new());`

mod durability;
mod failures;
mod flow;
mod support;

use std::sync::Arc;

use async_trait::async_trait;

pub use self::{durability::*, failures::*, flow::*};
use crate::Broker;

/// Where the tests get brokers from; one per test, with data of its own.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// Opens a broker on the data. Called again after the former one was dropped, this is a restart.
    async fn open(&self) -> Arc<dyn Broker>;
}

/// Makes a test out of every promise, each with a fixture of its own.
#[macro_export]
macro_rules! suite {
    ($fixture:expr) => {
        $crate::suite! { @each $fixture;
            documents_come_out_as_they_went_in
            order_is_kept_per_key_among_many_callers
            hops_and_lanes_do_not_mix
            a_waiting_consumer_wakes_up
            two_consumers_at_once_miss_nothing
            partitions_go_on_with_another_consumer
            ok_means_durable
            what_was_handled_does_not_come_again_after_a_restart
            a_batch_that_was_cut_off_comes_again_and_says_so
            stopping_finishes_the_batch_in_hand
            stopping_does_not_wait_for_a_retry
            a_message_that_is_no_json_is_refused_and_nothing_stored
            retry_brings_back_everything_in_order
            retry_waits_as_long_as_it_was_told
            halving_finds_the_poison_and_buries_only_that
            a_panic_is_poison
            a_burial_that_fails_is_tried_again
            an_overrun_deadline_is_a_retry
        }
    };
    (@each $fixture:expr; $($promise:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                $crate::suite::$promise(&$fixture).await;
            }
        )*
    };
}
