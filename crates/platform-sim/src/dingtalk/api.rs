//! The HTTP API of DingTalk over a company: tokens, contacts, attendance, approvals and failed pushes, with limits, the
//! monthly quota, and faults by script (reference dingtalk 4 and 5).
//!
//! What is left out: everything that writes, roles, ISV tokens, `holidays`, and registering callbacks. Addresses that
//! are not served answer as unknown ones do.

mod admission;
mod approvals;
mod attendance;
mod contacts;
mod desk;
mod expected;
mod faults;
mod interface;
mod journal;
mod limits;
mod options;
mod refusal;
mod reply;
mod request;
mod tokens;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Answer, Call, Clock, Company, Delivery, FailedList, Handler};

use admission::{Asked, Permit, State};
use desk::View;
pub use expected::{ApprovalRow, AttendanceRow, truth_of_approvals, truth_of_attendance};
pub use faults::{About, Fault, Trouble};
pub use interface::Interface;
pub use journal::{Outcome, Record, Tally};
use limits::millis;
pub use limits::{AddressLimit, Limits};
pub use options::{ApiOptions, App, Zulu};
use refusal::{Gate, Refusal};
use reply::{Envelope, Good};
use request::Input;

/// The API over one company. Clones are the same API.
///
/// It can be called directly through [`Handler`], or be put on a socket by [`super::Server`]. What it tells of the
/// company is what can be seen at the clock's time: entities and results lag behind their events as the company says.
#[derive(Clone)]
pub struct Api {
    shared: Arc<Shared>,
}

struct Shared {
    company: Arc<Mutex<Company>>,
    failed: FailedList,
    state: Mutex<State>,
    clock: Clock,
}

impl Api {
    /// An API over a company, which others may change meanwhile, and over its list of failed pushes.
    #[must_use]
    pub fn new(company: Arc<Mutex<Company>>, failed: FailedList, options: ApiOptions, clock: Clock) -> Self {
        let corp_id = lock(&company).corp_id().to_owned();
        let state = Mutex::new(State::new(corp_id, options));
        Self { shared: Arc::new(Shared { company, failed, state, clock }) }
    }

    /// The options as they are now.
    #[must_use]
    pub fn options(&self) -> ApiOptions {
        ApiOptions::clone(&self.state().options)
    }

    /// Changes options at once. Another secret makes the tokens of its app invalid.
    pub fn configure(&self, change: impl FnOnce(&mut ApiOptions)) {
        change(Arc::make_mut(&mut self.state().options));
    }

    /// From now on this goes wrong.
    pub fn fail(&self, fault: Fault) {
        self.state().script.add(fault);
    }

    /// Nothing that was scripted goes wrong any more.
    pub fn heal(&self) {
        self.state().script.clear();
    }

    /// Lets the tokens of an app, or of all, die early (40014).
    pub fn kill_tokens(&self, client_id: Option<&str>) {
        self.state().tokens.kill(client_id);
    }

    /// For so long from now on all apps together are too many for an interface (90002).
    pub fn crowd(&self, interface: Interface, pause: Duration) {
        let now_ms = self.shared.clock.now_ms();
        self.state().crowd(interface, now_ms, now_ms.saturating_add(millis(pause)));
    }

    /// Bans an address for so long from now on (status 1111).
    pub fn ban(&self, peer: IpAddr, pause: Duration) {
        let until_ms = self.shared.clock.now_ms().saturating_add(millis(pause));
        self.state().ban(peer, until_ms);
    }

    /// Whether these are the credentials of an app.
    #[must_use]
    pub fn knows(&self, client_id: &str, client_secret: &str) -> bool {
        self.state().options.knows(client_id, client_secret)
    }

    /// How many calls count towards the quota of a month (`yyyy-MM`, China time).
    ///
    /// All calls of counted interfaces do, refused ones too, but those refused for too many calls, those answered with
    /// a bare HTTP status, and those that were cut or never answered. An answer that nobody waited for counts.
    #[must_use]
    pub fn used(&self, month: &str) -> u64 {
        self.state().journal.used(month)
    }

    /// The same by interface; those without calls are not there.
    #[must_use]
    pub fn used_by_interface(&self, month: &str) -> BTreeMap<Interface, u64> {
        self.state().journal.used_by_interface(month)
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

    /// How many different tokens were given out.
    #[must_use]
    pub fn tokens_issued(&self) -> u64 {
        self.state().tokens.issued()
    }

    /// The company, for as long as no call needs it.
    pub fn company(&self) -> MutexGuard<'_, Company> {
        lock(&self.shared.company)
    }

    /// Does what a call that was let in asks for.
    fn work(&self, options: &ApiOptions, client_id: Option<&str>, asked: &Asked<'_>) -> Result<Good, Refusal> {
        if asked.interface == Interface::FailedPushes {
            return Ok(desk::failed(self.shared.failed.take(asked.now_ms)));
        }
        let app = client_id.and_then(|client_id| options.app(client_id)).ok_or(Gate::BadToken)?;
        let company = self.company();
        let view = View { company: &company, options, app, now_ms: asked.now_ms };
        desk::work(asked.interface, view, asked.input)
    }

    fn answer_unknown(&self, call: &Call<'_>, now_ms: i64) -> Answer {
        let mut state = self.state();
        state.journal.unknown += 1;
        let number = state.number();
        let scene = refusal::Scene { peer: call.peer, number, numeric: false };
        let envelope = if state.is_banned(call.peer, now_ms) {
            Refusal::from(Gate::Banned).envelope(Interface::GetToken, scene)
        } else {
            refusal::unknown(call.path, number)
        };
        answer(envelope, Delivery::Now)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared.state)
    }
}

impl Handler for Api {
    fn call(&self, call: &Call<'_>) -> Answer {
        let now_ms = self.shared.clock.now_ms();
        let Some(interface) = Interface::find(call.method, call.path) else {
            return self.answer_unknown(call, now_ms);
        };
        let input = Input::read(call);
        let about = input.about(interface);
        let asked = Asked { interface, input: &input, about: about.as_ref(), peer: call.peer, now_ms };
        let mut state = self.state();
        let admission = state.admit(&asked);
        let options = Arc::clone(&state.options);
        drop(state);

        let (client_id, scene) = (admission.client_id, admission.scene);
        let done = match admission.verdict {
            Ok(Permit::Answered(good)) => Ok(good),
            Ok(Permit::Enter) => self.work(&options, client_id.as_deref(), &asked),
            Err(refusal) => Err(refusal),
        };
        let (envelope, outcome) = match done {
            Ok(good) => (good.envelope(interface.style(), scene.number), Outcome::Good),
            Err(refusal) => (refusal.envelope(interface, scene), refusal.outcome(interface)),
        };
        let late = |pause: Duration| {
            let pause = pause.saturating_add(options.latency);
            if pause.is_zero() { Delivery::Now } else { Delivery::Late(pause) }
        };
        let (envelope, outcome, delivery) = match admission.trouble {
            Some(Trouble::Status(status)) => (Envelope::empty(status), Outcome::Status(status), Delivery::Now),
            Some(Trouble::Cut | Trouble::CutAfter) => (envelope, Outcome::Unanswered, Delivery::Cut),
            Some(Trouble::Never) => (envelope, Outcome::Unanswered, Delivery::Never),
            Some(Trouble::Late(pause)) => (envelope, outcome, late(pause)),
            _ => (envelope, outcome, late(Duration::ZERO)),
        };
        self.state().conclude(&asked, client_id, admission.counted, outcome);
        answer(envelope, delivery)
    }

    fn platform_ms(&self) -> i64 {
        let now_ms = self.shared.clock.now_ms();
        now_ms.saturating_add(self.state().options.skew_ms)
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

fn answer(envelope: Envelope, delivery: Delivery) -> Answer {
    Answer { status: envelope.status, content_type: envelope.content_type, body: envelope.body, delivery }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
