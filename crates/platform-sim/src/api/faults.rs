//! What goes wrong with which calls, by script.

use std::time::Duration;

use super::{Identity, Interface};
use crate::fold;

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is not done, and this return code is the answer (reference wecom 4).
    Code(i64),
    /// It is not done, and this HTTP status is the answer.
    Status(u16),
    /// It is not done, and the connection is cut.
    Cut,
    /// It is done, and the connection is cut instead of an answer.
    CutAfter,
    /// It is done at once, and the answer comes so much later, in real time.
    Late(Duration),
    /// It is done at once, and the answer comes after [`super::Api::release`].
    Held,
}

/// What a call asks about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// A department, or the members in it.
    Department(String),
    /// A member by its folded id.
    Member(String),
    /// A page of `user/list_id`, the first being 1.
    Page(u32),
}

impl About {
    /// A member.
    #[must_use]
    pub fn member(id: &str) -> Self {
        Self::Member(fold(id))
    }

    /// A department.
    #[must_use]
    pub fn department(id: &str) -> Self {
        Self::Department(id.to_owned())
    }

    pub(super) fn id(&self) -> String {
        match self {
            Self::Department(id) | Self::Member(id) => id.clone(),
            Self::Page(page) => page.to_string(),
        }
    }
}

/// A trouble with the calls that it concerns: all of them, for ever, unless it is narrowed down. Of several that
/// concern a call the first that was scripted happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    trouble: Trouble,
    interface: Option<Interface>,
    about: Option<About>,
    identity: Option<Identity>,
    spared: u32,
    times: Option<u32>,
}

impl Fault {
    /// That trouble with every call.
    #[must_use]
    pub const fn new(trouble: Trouble) -> Self {
        Self { trouble, interface: None, about: None, identity: None, spared: 0, times: None }
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

    /// Only with calls of that identity.
    #[must_use]
    pub fn by(self, identity: Identity) -> Self {
        Self { identity: Some(identity), ..self }
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

    fn concerns(&self, interface: Interface, about: Option<&About>, identity: Option<Identity>) -> bool {
        self.interface.is_none_or(|wanted| wanted == interface)
            && self.about.as_ref().is_none_or(|wanted| Some(wanted) == about)
            && self.identity.is_none_or(|wanted| Some(wanted) == identity)
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

    pub(super) fn trouble(
        &mut self,
        interface: Interface,
        about: Option<&About>,
        identity: Option<Identity>,
    ) -> Option<Trouble> {
        let mut concerned = self.0.iter_mut().filter(|fault| fault.concerns(interface, about, identity));
        concerned.find_map(|fault| fault.strikes().then_some(fault.trouble))
    }
}
