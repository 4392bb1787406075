//! The data API over forms: fields, records with filters and pages, writing, with limits, and faults by script (reference
//! jiandaoyun 1 to 9).

mod admission;
mod data;
mod desk;
mod faults;
mod filter;
mod interface;
mod journal;
mod limits;
mod lists;
mod options;
mod refusal;
mod request;
mod writes;

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Clock, Event, Forms};

use admission::{Admission, Asked, State, Turn};
use desk::{Good, View};
pub use faults::{About, Fault, Trouble};
pub use interface::Interface;
use interface::Route;
pub use journal::{Outcome, Record, Tally};
pub use limits::Limits;
pub use options::{ApiKey, ApiOptions, FilterMode, LimitOutside, Zoneless};
use refusal::Refusal;
use request::Input;

const JSON: &str = "application/json; charset=utf-8";
const HTML: &str = "text/html";

/// One request to the API.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// `POST`; there is nothing else.
    pub method: &'a str,
    /// From `/api/` on.
    pub path: &'a str,
    /// The headers; names in lower case.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a [u8],
    /// Who asks.
    pub peer: IpAddr,
}

impl<'a> Call<'a> {
    /// The value of the first header of that name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(known, _value)| known == name).map(|(_name, value)| value.as_str())
    }
}

/// An answer and how it is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// What the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
    /// How it is delivered.
    pub delivery: Delivery,
}

/// How an answer is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// At once.
    Now,
    /// So much later, really.
    Late(Duration),
    /// Half of it: then the connection is cut.
    Half,
    /// Never: the connection is cut.
    Cut,
    /// Never: the connection stays open.
    Never,
}

/// The API over forms. Clones are the same API.
///
/// It can be called directly, or be put on a socket by [`super::Server`].
#[derive(Clone)]
pub struct Api {
    shared: Arc<Shared>,
}

struct Shared {
    forms: Arc<Mutex<Forms>>,
    state: Mutex<State>,
    clock: Clock,
    under_way: AtomicU32,
}

/// A call that is under way for as long as this lives.
pub struct Ticket {
    shared: Arc<Shared>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.shared.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").finish_non_exhaustive()
    }
}

impl Api {
    /// An API over forms, which others may change meanwhile. The clock is that of the forms.
    #[must_use]
    pub fn new(forms: Arc<Mutex<Forms>>, options: ApiOptions, clock: Clock) -> Self {
        let state = Mutex::new(State::new(options));
        Self { shared: Arc::new(Shared { forms, state, clock, under_way: AtomicU32::new(0) }) }
    }

    /// The forms, for as long as no call needs them.
    pub fn forms(&self) -> MutexGuard<'_, Forms> {
        lock(&self.shared.forms)
    }

    /// The pushes that were raised since this was asked last, in order.
    pub fn take_events(&self) -> Vec<Event> {
        self.forms().take_events()
    }

    /// One more call is under way for as long as the ticket lives. Whoever calls through [`super::Server`] has one.
    #[must_use]
    pub fn enter(&self) -> Ticket {
        self.shared.under_way.fetch_add(1, Ordering::SeqCst);
        Ticket { shared: Arc::clone(&self.shared) }
    }

    /// Answers one request. Nothing is waited for: what is to come late says so.
    #[must_use]
    pub fn call(&self, call: &Call<'_>) -> Answer {
        let Some(route) = Route::find(call.method, call.path) else {
            self.state().journal.unknown += 1;
            return answer(Err(Refusal::Page(404)), Delivery::Now);
        };
        let input = Input::read(&route, call);
        let asked = Asked {
            input: &input,
            form: input.form(),
            peer: call.peer,
            now_ms: self.shared.clock.now_ms(),
            under_way: self.shared.under_way.load(Ordering::SeqCst),
        };
        let Admission { key, trouble, verdict } = self.state().admit(&asked);
        let done = verdict.and_then(|()| self.done(&asked, key.as_deref(), trouble));
        let delivery = self.delivery(trouble);
        let outcome = match &done {
            _ if matches!(delivery, Delivery::Cut | Delivery::Half | Delivery::Never) => Outcome::Unanswered,
            Ok(_good) => Outcome::Good,
            Err(refusal) => refusal.outcome(),
        };
        let rows = done.as_ref().map(|good| good.rows).unwrap_or_default();
        self.state().conclude(&asked, key, rows, outcome);
        answer(done, delivery)
    }

    /// The options as they are now.
    #[must_use]
    pub fn options(&self) -> ApiOptions {
        ApiOptions::clone(&self.state().options)
    }

    /// Changes options at once.
    pub fn configure(&self, change: impl FnOnce(&mut ApiOptions)) {
        change(Arc::make_mut(&mut self.state().options));
    }

    /// From now on this goes wrong.
    pub fn fail(&self, fault: Fault) {
        self.state().faults.add(fault);
    }

    /// Nothing that was scripted goes wrong any more.
    pub fn heal(&self) {
        self.state().faults.clear();
    }

    /// Lets something happen to the forms right before a call of an interface that is done: before the next one, or
    /// after so many more. So records are changed, deleted and added between two pages.
    pub fn before(&self, interface: Interface, calls: u32, what: impl FnOnce(&mut Forms) + Send + 'static) {
        self.state().schedule(interface, calls, Box::new(what));
    }

    /// The calls of one interface.
    #[must_use]
    pub fn tally(&self, interface: Interface) -> Tally {
        self.state().journal.tally(interface)
    }

    /// How many calls were too many.
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

    /// What the platform's clock shows, Unix ms: the `Date` of answers.
    #[must_use]
    pub fn platform_ms(&self) -> i64 {
        let now_ms = self.shared.clock.now_ms();
        now_ms.saturating_add(self.state().options.skew_ms)
    }

    /// Does what a call that was let in asks for.
    fn done(&self, asked: &Asked<'_>, key: Option<&str>, trouble: Option<Trouble>) -> Result<Good, Refusal> {
        let interface = asked.input.route.interface;
        let repeats = trouble == Some(Trouble::SamePage) && interface.is_paged();
        let (options, turns, repeated): (_, Vec<Turn>, Option<Good>) = {
            let mut state = self.state();
            let repeated = if repeats { state.page_before(asked.form.as_ref()) } else { None };
            (Arc::clone(&state.options), state.due(interface), repeated)
        };
        let good = {
            let mut forms = self.forms();
            for turn in turns {
                turn(&mut forms);
            }
            forms.catch_up();
            match repeated {
                Some(page) => page,
                None => {
                    let key = key.and_then(|key| options.key(key)).ok_or(Refusal::Code(17018))?;
                    let view = View { options: &options, key, now_ms: asked.now_ms };
                    desk::work(view, &mut forms, asked.input)?
                }
            }
        };
        if interface.is_paged() {
            self.state().keep_page(asked.form.as_ref(), &good);
        }
        Ok(good)
    }

    fn delivery(&self, trouble: Option<Trouble>) -> Delivery {
        let latency = self.state().options.latency;
        let late = |pause: Duration| {
            let pause = pause.saturating_add(latency);
            if pause.is_zero() { Delivery::Now } else { Delivery::Late(pause) }
        };
        match trouble {
            Some(Trouble::Cut | Trouble::CutAfter) => Delivery::Cut,
            Some(Trouble::Half) => Delivery::Half,
            Some(Trouble::Never) => Delivery::Never,
            Some(Trouble::Late(pause)) => late(pause),
            Some(Trouble::Code(_) | Trouble::Status(_) | Trouble::SamePage) | None => late(Duration::ZERO),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared.state)
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

fn answer(done: Result<Good, Refusal>, delivery: Delivery) -> Answer {
    let (status, content_type, body) = match done {
        Ok(good) => (200, JSON, good.body),
        Err(refusal) => refusal.answer(),
    };
    Answer { status, content_type, body, delivery }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
