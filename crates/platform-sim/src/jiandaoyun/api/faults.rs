//! What goes wrong with which calls, by script.

use std::time::Duration;

use super::Interface;
use crate::jiandaoyun::FormId;

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is not done, and 400 with this code is the answer (reference jiandaoyun 3).
    Code(i64),
    /// It is not done, and this HTTP status with a page instead of JSON is the answer.
    Status(u16),
    /// It is not done, and the connection is cut.
    Cut,
    /// It is done, and the connection is cut instead of an answer.
    CutAfter,
    /// It is done, and the connection is cut after half of the answer's body.
    Half,
    /// It is done, and no answer ever comes; the connection stays open.
    Never,
    /// It is done at once, and the answer comes so much later, in real time.
    Late(Duration),
    /// A page of records is answered with the page before once more, whatever was asked for; the first one, and what is
    /// no page, goes well.
    SamePage,
}

/// What a call is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// Any call about a form or its records.
    Form(FormId),
    /// One record.
    Record(String),
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

    /// Only with calls about that.
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

    fn concerns(&self, interface: Interface, form: Option<&FormId>, record: Option<&str>) -> bool {
        let about = match &self.about {
            None => true,
            Some(About::Form(wanted)) => form == Some(wanted),
            Some(About::Record(wanted)) => record == Some(wanted.as_str()),
        };
        about && self.interface.is_none_or(|wanted| wanted == interface)
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
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn trouble(
        &mut self,
        interface: Interface,
        form: Option<&FormId>,
        record: Option<&str>,
    ) -> Option<Trouble> {
        let mut concerned = self.0.iter_mut().filter(|fault| fault.concerns(interface, form, record));
        concerned.find_map(|fault| fault.strikes().then_some(fault.trouble))
    }
}
