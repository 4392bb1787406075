#![doc = include_str!("../README.md")]

pub mod api;
pub mod company;
pub mod crypto;
pub mod dingtalk;
pub mod dispatcher;
pub mod jiandaoyun;
pub mod message;
pub mod oa;
pub mod query;
pub mod sandbox;

mod compare;
mod roster;
mod subject;
mod tree;
mod truth;
mod xml;

pub use api::{Api, ApiOptions, ApiServer};
pub use company::{Callback, Company, CompanyOptions, Illegal, Pace, Profile};
pub use compare::{Difference, compare};
pub use crypto::{AgentId, CryptoError, Keys, Sealed};
pub use dispatcher::{Deliveries, Dispatcher, DispatcherOptions, Order, Script, Stats, VerifyError, WallClock};
pub use oa::{Oa, OaOptions, State, Violation, ViolationKind};
pub use subject::{Act, Subject};
pub use truth::{Department, Gender, Member, ROOT, Snapshot, Status, fold};
