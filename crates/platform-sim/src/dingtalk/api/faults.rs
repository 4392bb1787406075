//! What goes wrong with which calls, by script.

use std::time::Duration;

use super::Interface;

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is not done: the platform is busy (-1, or 429 `system.busy`).
    Busy,
    /// It is not done, and an old interface answers with this code, bare. A new one says `systemError`.
    Code(i64),
    /// It is not done, and an old interface answers with a code inside another one: 88, 15 or 22.
    Wrapped {
        /// The outer one.
        errcode: i64,
        /// The inner one.
        sub_code: i64,
    },
    /// It is not done, and a new interface answers with this status and code. An old one says it is busy.
    Word(u16, &'static str),
    /// It is not done, and for so long nobody's call of that interface is: all apps together are too many (90002).
    Crowd(Duration),
    /// It is not done, and from now on the address is banned for so long (status 1111).
    Ban(Duration),
    /// It is not done, and this HTTP status with an empty body is the answer.
    Status(u16),
    /// It is not done, and the connection is cut.
    Cut,
    /// It is done, and the connection is cut instead of an answer.
    CutAfter,
    /// It is done, and no answer ever comes; the connection stays open.
    Never,
    /// It is done at once, and the answer comes so much later, in real time.
    Late(Duration),
}

/// What a call asks about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// A department, or the members in it.
    Department(i64),
    /// A member.
    Member(String),
    /// A member's day.
    Day {
        /// The user id.
        member: String,
        /// The date, `yyyy-MM-dd`.
        date: String,
    },
    /// Members within a range of dates.
    Members {
        /// The user ids, as they were sent.
        members: Vec<String>,
        /// The first day, `yyyy-MM-dd`.
        from: String,
        /// The last day.
        to: String,
    },
    /// An approval.
    Approval(String),
    /// The approvals of a template.
    Template(String),
}

impl About {
    /// A member.
    #[must_use]
    pub fn member(userid: &str) -> Self {
        Self::Member(userid.to_owned())
    }

    /// A member's day.
    #[must_use]
    pub fn day(member: &str, date: &str) -> Self {
        Self::Day { member: member.to_owned(), date: date.to_owned() }
    }

    /// An approval.
    #[must_use]
    pub fn approval(id: &str) -> Self {
        Self::Approval(id.to_owned())
    }
}

/// A trouble with the calls that it concerns: all of them, for ever, unless it is narrowed down. Of several that
/// concern a call the first that was scripted happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    trouble: Trouble,
    interface: Option<Interface>,
    about: Option<About>,
    spared: u32,
    times: Option<u32>,
}

impl Fault {
    /// That trouble with every call.
    #[must_use]
    pub const fn new(trouble: Trouble) -> Self {
        Self { trouble, interface: None, about: None, spared: 0, times: None }
    }

    /// Only with calls of that interface.
    #[must_use]
    pub fn on(self, interface: Interface) -> Self {
        Self { interface: Some(interface), ..self }
    }

    /// Only with calls about exactly that.
    #[must_use]
    pub fn about(self, about: About) -> Self {
        Self { about: Some(about), ..self }
    }

    /// The first so many calls go well.
    #[must_use]
    pub fn after(self, calls: u32) -> Self {
        Self { spared: calls, ..self }
    }

    /// Only so many times.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    fn concerns(&self, interface: Interface, about: Option<&About>) -> bool {
        self.interface.is_none_or(|wanted| wanted == interface)
            && self.about.as_ref().is_none_or(|wanted| Some(wanted) == about)
    }

    /// Whether it happens to a call that it concerns; counts.
    fn strikes(&mut self) -> bool {
        if self.spared > 0 {
            self.spared -= 1;
            return false;
        }
        match &mut self.times {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }
}

/// The faults that were scripted, in order.
#[derive(Default)]
pub(super) struct Script(Vec<Fault>);

impl Script {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn trouble(&mut self, interface: Interface, about: Option<&About>) -> Option<Trouble> {
        let mut concerned = self.0.iter_mut().filter(|fault| fault.concerns(interface, about));
        concerned.find_map(|fault| fault.strikes().then_some(fault.trouble))
    }
}
