//! Attendance, approvals, failed pushes and quotas of a tenant that has DingTalk, in time that passes when told to.

mod approvals;
mod attendance;
mod company;
mod core_tables;
mod failed;
mod late;
mod people;
mod quota;
mod rows;
mod scene;
mod unreadable;
