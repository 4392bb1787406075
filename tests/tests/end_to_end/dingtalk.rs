//! The real programs against a simulated DingTalk.

mod approvals;
mod both;
mod failed_list;
mod scene;
mod stream;
