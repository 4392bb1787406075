//! Jiandaoyun's data API, version 5: what we call of it (reference jiandaoyun 1 to 9).
//!
//! One identity, a key of the company, in a header of every call. All calls are `POST`, and a failure is HTTP 400 with a
//! number, which becomes what it asks for: [`Meaning`].
//!
//! Every call waits for its turn at the [`outbound::Governor`], and no more than two are on their way at once. Every answer
//! carries the platform's time at which its request began, which is never later than the truth.
//!
//! A filter that the platform does not understand is ignored by it, not refused: whoever filters looks at every record again
//! ([`crate::mapping::Mapping::admits`]).

mod answer;
mod call;
mod client;
mod code;
mod error;
mod filter;
mod lenient;
mod limits;
mod line;
mod observer;
mod record;
mod records;
mod update;
mod widgets;

pub(crate) use self::lenient::as_number;
pub use self::{
    answer::Answer,
    client::{Client, Settings},
    code::{Code, Kind, Meaning},
    error::ApiError,
    filter::{Condition, Filter, Method, Rel},
    limits::Rate,
    observer::{Observer, Unobserved},
    record::Record,
    records::{MOST_RECORDS, Page, Query},
    widgets::{Widget, Widgets},
};
