//! Planted bugs.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    LostWaitingRow,
    EarlyAcknowledgement,
    NoPositionCheck,
    GapIsSkipped,
}
