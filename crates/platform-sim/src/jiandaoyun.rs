//! Everything of Jiandaoyun that a bridge talks to: forms with their records, the data API over them, and data pushes
//! (reference jiandaoyun, section 13 above all).
//!
//! [`Forms`] is the truth: people submit, change and approve records, and what they do raises pushes. [`Api`] answers
//! for it as loosely as the real one does, [`Server`] puts it on a socket, and [`Push`] sends the pushes, as badly as a
//! [`Script`] says.
//!
//! What is left out: contacts, uploads, the workflow API, and everything of CRM.

pub mod samples;

mod api;
mod events;
mod forms;
mod ids;
mod push;
mod server;
mod time;

pub use crate::dingtalk::{Clock, WallClock};
pub use api::{
    About, Answer, Api, ApiKey, ApiOptions, Call, Delivery, Fault, FilterMode, Interface, LimitOutside, Limits,
    Outcome, Record, Tally, Ticket, Trouble, Zoneless,
};
pub use events::{Event, Op};
pub use forms::{
    Department, Empties, FlowState, FormId, FormRecord, Forms, FormsOptions, Illegal, Kind, Life, NewForm, Person,
    Widget,
};
pub use push::{Push, PushFate, PushOptions, PushOutcome, Report, Script, Sent, Step, plan, signature};
pub use server::Server;
