#![doc = include_str!("../README.md")]

pub mod api;
mod callback;
pub mod china_time;
mod event;
mod failed;
mod relay;
pub mod render;
pub mod stream;

pub use callback::{CallbackKeys, Envelope, Push, Query};
pub use callback_crypto::{DecryptError, KeyError, Refusal};
pub use event::{Wanted, normalise_frame, normalise_http};
pub use failed::{BadPage, FailedPage, failed_entries, normalise_failed};
pub use relay::{Sealed, check_url, is_success, seal};
