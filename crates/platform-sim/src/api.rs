//! The API of WeCom over a company: two kinds of identity with what each is refused, limits with their blocks, and
//! faults by script (reference wecom 3, 4, 5 and 8).
//!
//! What is left out: asynchronous imports with `media/upload`, `user/batchdelete`, and tags. Addresses that are not served
//! answer 404, as unknown ones do.

mod accounts;
mod admission;
mod chance;
mod crowd;
mod cursor;
pub(crate) mod cutter;
mod desk;
mod faults;
mod interface;
mod journal;
mod limits;
mod options;
mod reads;
mod refusal;
mod reply;
mod request;
mod server;
mod tokens;
mod view;
mod writes;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::Company;

use admission::{Asked, Permit, State};
pub use crowd::Crowd;
pub use faults::{About, Fault, Trouble};
pub use interface::Interface;
pub use journal::{Outcome, Record, Tally};
pub use limits::{Limit, Limits};
pub use options::{ApiOptions, App, Contact, Era, Identity, Outside, Renewal, Scope, UnknownDepartment};
pub use request::Call;
use request::Input;
pub use server::ApiServer;
use view::View;

/// Where Unix milliseconds come from. It is asked while no lock of the API is held.
pub type ApiClock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// An answer and how it is delivered.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status: 200, unless the address is unknown or a fault wants another.
    pub status: u16,
    /// JSON.
    pub body: Vec<u8>,
    /// How it is delivered.
    pub delivery: Delivery,
}

/// How an answer is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// At once.
    Now,
    /// So much later.
    Late(Duration),
    /// After the next [`Api::release`].
    Held,
    /// Never: the connection is cut.
    Cut,
}

/// The API over one company. Clones are the same API.
///
/// It can be called directly, or be put on sockets. Everything random follows from [`ApiOptions::seed`] and from what
/// is asked, so that calls which cross each other do not change what happens to each of them.
#[derive(Clone)]
pub struct Api {
    shared: Arc<Shared>,
}

struct Shared {
    company: Arc<Mutex<Company>>,
    state: Mutex<State>,
    clock: ApiClock,
    released: watch::Sender<()>,
}

impl Api {
    /// An API over a company, which others may change meanwhile.
    #[must_use]
    pub fn new(company: Arc<Mutex<Company>>, options: ApiOptions, clock: ApiClock) -> Self {
        let corp_id = lock(&company).corp_id().to_owned();
        let state = Mutex::new(State::new(corp_id, options));
        Self { shared: Arc::new(Shared { company, state, clock, released: watch::Sender::new(()) }) }
    }

    /// Serves it on a thread of its own.
    ///
    /// # Errors
    /// If the server cannot be set up.
    pub fn listen(&self, listener: TcpListener) -> io::Result<ApiServer> {
        ApiServer::start(listener, Crowd::from(self.clone()))
    }

    /// Answers one request. Nothing is waited for: what is to come late says so.
    #[must_use]
    pub fn call(&self, call: &Call<'_>) -> Answer {
        let now_ms = (self.shared.clock)();
        let Some(interface) = Interface::find(call.method, call.path) else {
            self.state().journal.unknown += 1;
            return Answer { status: 404, body: Vec::new(), delivery: Delivery::Now };
        };
        let input = Input::read(interface, call);
        let mut state = self.state();
        let (cursors, options) = (state.cursors(), Arc::clone(&state.options));
        let about = input.about(interface, cursors);
        let asked = Asked { interface, input: &input, about: about.as_ref(), peer: call.peer, now_ms };
        let admission = state.admit(&asked);
        drop(state);

        let (identity, trouble) = (admission.identity, admission.trouble);
        let delivery = match trouble {
            Some(Trouble::Status(status)) => {
                self.state().conclude(&asked, identity, Outcome::Status(status));
                return Answer { status, body: Vec::new(), delivery: Delivery::Now };
            }
            Some(Trouble::Cut) => {
                self.state().conclude(&asked, identity, Outcome::Cut);
                return Answer { status: 500, body: Vec::new(), delivery: Delivery::Cut };
            }
            Some(Trouble::CutAfter) => Delivery::Cut,
            Some(Trouble::Held) => Delivery::Held,
            Some(Trouble::Late(pause)) => Delivery::Late(pause.saturating_add(options.latency)),
            Some(Trouble::Code(_)) | None if options.latency.is_zero() => Delivery::Now,
            Some(Trouble::Code(_)) | None => Delivery::Late(options.latency),
        };
        let done = match admission.verdict {
            Ok(Permit::Answered(body)) => Ok(body),
            Ok(Permit::Enter(identity)) => {
                let view = View::of(identity, &options);
                desk::work(interface, view, cursors, &input, &mut self.company())
            }
            Err(refusal) => Err(refusal),
        };
        let mut state = self.state();
        let (code, body) = match done {
            Ok(body) => {
                state.note_creation(&asked);
                (0, body)
            }
            Err(refusal) => (refusal.code, state.refuse(&asked, &refusal)),
        };
        state.conclude(&asked, identity, if delivery == Delivery::Cut { Outcome::Cut } else { Outcome::Code(code) });
        Answer { status: 200, body, delivery }
    }

    /// The options as they are now.
    #[must_use]
    pub fn options(&self) -> ApiOptions {
        ApiOptions::clone(&self.state().options)
    }

    /// Changes options at once. Changed limits begin to count anew; another secret makes its tokens invalid.
    pub fn configure(&self, change: impl FnOnce(&mut ApiOptions)) {
        self.state().configure(change);
    }

    /// Changes the addresses that may call with an identity's tokens, as the console does: after a minute. `None` where
    /// nobody has to be listed.
    pub fn trust(&self, identity: Identity, addresses: Option<BTreeSet<IpAddr>>) {
        let now_ms = (self.shared.clock)();
        self.state().trust(identity, addresses, now_ms);
    }

    /// From now on this goes wrong.
    pub fn fail(&self, fault: Fault) {
        self.state().script.add(fault);
    }

    /// Nothing that was scripted goes wrong any more.
    pub fn heal(&self) {
        self.state().script.clear();
    }

    /// Answers that are held are sent.
    pub fn release(&self) {
        self.shared.released.send_replace(());
    }

    /// Lets the tokens of an identity, or of all, die early (40014).
    pub fn kill_tokens(&self, identity: Option<Identity>) {
        self.state().tokens.kill(identity);
    }

    /// All cursors given out so far become invalid (50100).
    pub fn break_cursors(&self) {
        self.state().epoch += 1;
    }

    /// The company, for as long as no call needs it.
    pub fn company(&self) -> MutexGuard<'_, Company> {
        lock(&self.shared.company)
    }

    /// The calls of one interface.
    #[must_use]
    pub fn tally(&self, interface: Interface) -> Tally {
        self.state().journal.tally(interface)
    }

    /// How many calls were one too many, or came during a block.
    #[must_use]
    pub fn throttled(&self) -> u64 {
        self.state().journal.throttled()
    }

    /// All calls in the order in which they were done; without those of unknown addresses.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.state().journal.records.clone()
    }

    /// How many requests asked for what does not exist.
    #[must_use]
    pub fn unknown(&self) -> u64 {
        self.state().journal.unknown
    }

    /// Folded ids of members who were created, in order; also those of whom no answer told.
    #[must_use]
    pub fn created(&self) -> Vec<String> {
        self.state().journal.created.clone()
    }

    /// Folded ids of new members who were sent an invitation, in order.
    #[must_use]
    pub fn invited(&self) -> Vec<String> {
        self.state().journal.invited.clone()
    }

    /// What the platform's clock shows, Unix seconds.
    #[must_use]
    pub fn platform_seconds(&self) -> i64 {
        let now_ms = (self.shared.clock)();
        now_ms.saturating_add(self.state().options.skew_ms).div_euclid(1000)
    }

    /// Tells of the next release.
    fn released(&self) -> watch::Receiver<()> {
        self.shared.released.subscribe()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared.state)
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
