//! A tenant whose directory is in DingTalk.

mod answering;
mod hidden;
mod pulling;
mod scene;
mod silence;
