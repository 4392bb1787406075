//! Everything of DingTalk that a bridge talks to: a company, its events over Stream and HTTP, the list of failed
//! pushes, and the API (reference dingtalk, section 7 above all).
//!
//! [`Company`] is the truth: its operations return the events that they raise. [`Channels`] sends them, as badly as a
//! [`Script`] says. [`Server`] puts the Stream gateway and the API on one socket, so that it stands for all of the
//! platform's hosts.

pub mod api;
pub mod company;
pub mod time;

mod channels;
mod clock;
mod crypto;
mod events;
mod failed;
mod frames;
mod ids;
mod meter;
mod push;
mod server;
mod stream;

pub use api::Api;
pub use channels::{Channels, Itinerary, Route, Script, Sent, itinerary};
pub use clock::{Clock, WallClock};
pub use company::{
    BizAction, CheckResult, CheckType, Company, CompanyOptions, Component, Cover, CoverKind, Day, Department, Illegal,
    Instance, InstanceStatus, LeaveType, LeaveUnit, Matter, Member, NewMember, Operation, Plan, Post, Punch, ROOT,
    Shift, Source, Task, TaskState, TimeResult, Verdict,
};
pub use crypto::{BadReply, open_callback, success};
pub use events::{Dialect, Event};
pub use failed::{FailedList, FailedOptions, FailedPage};
pub use frames::{Fate, Reply};
pub use meter::PushMeter;
pub use push::{Push, PushFate, PushOptions, PushOutcome, Report};
pub use server::{Answer, Call, Delivery, Handler, Server, ServerParts};
pub use stream::{
    Chances, ConnectionInfo, ConnectionState, EventDelivery, OpenFault, Stream, StreamOptions, StreamTally, Told,
};
