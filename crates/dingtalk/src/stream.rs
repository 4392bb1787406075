//! Stream mode: the texts that are exchanged, as values (reference dingtalk 1). Sockets are the gateway's.

mod ack;
mod frame;
mod open;

pub use self::{
    ack::{ack_echo, ack_later, ack_not_found, ack_success},
    frame::{BadFrame, Frame, FrameKind, LONGEST_FRAME_BYTES},
    open::{EndpointRefused, Opened, connect_url, open_body},
};
