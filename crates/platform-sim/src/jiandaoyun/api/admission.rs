//! Who is let in: the parallel limit, scripted troubles, keys, addresses, limits, permissions, in this order.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::desk::Good;
use super::faults::Faults;
use super::journal::{Journal, Outcome, Record};
use super::limits::Gauge;
use super::refusal::Refusal;
use super::request::Input;
use super::{ApiOptions, Interface, Trouble};
use crate::jiandaoyun::ids::{draw, is_within};
use crate::jiandaoyun::{FormId, Forms};

/// What happens to the forms right before a call.
pub(super) type Turn = Box<dyn FnOnce(&mut Forms) + Send>;

/// All that the API knows beside the forms.
pub(super) struct State {
    pub(super) options: Arc<ApiOptions>,
    pub(super) faults: Faults,
    pub(super) journal: Journal,
    gauge: Gauge,
    turns: Vec<(Interface, u32, Turn)>,
    /// The last page of each form.
    pages: HashMap<FormId, Good>,
    requests: u64,
}

/// A request as far as it could be read.
pub(super) struct Asked<'a> {
    pub(super) input: &'a Input<'a>,
    pub(super) form: Option<FormId>,
    pub(super) peer: IpAddr,
    pub(super) now_ms: i64,
    /// Calls under way, this one among them where somebody counts it.
    pub(super) under_way: u32,
}

impl Asked<'_> {
    fn interface(&self) -> Interface {
        self.input.route.interface
    }
}

/// What was decided at the door.
pub(super) struct Admission {
    /// The key, where it was a good one.
    pub(super) key: Option<String>,
    pub(super) trouble: Option<Trouble>,
    pub(super) verdict: Result<(), Refusal>,
}

impl State {
    pub(super) fn new(options: ApiOptions) -> Self {
        Self {
            options: Arc::new(options),
            faults: Faults::default(),
            journal: Journal::default(),
            gauge: Gauge::default(),
            turns: Vec::new(),
            pages: HashMap::new(),
            requests: 0,
        }
    }

    /// Something is to happen right before the next call of an interface but so many.
    pub(super) fn schedule(&mut self, interface: Interface, calls: u32, turn: Turn) {
        self.turns.push((interface, calls, turn));
    }

    /// What is to happen before a call that was let in; counts it.
    pub(super) fn due(&mut self, interface: Interface) -> Vec<Turn> {
        let is_due = |turn: &mut (Interface, u32, Turn)| turn.0 == interface && turn.1 == 0;
        let due = self.turns.extract_if(.., is_due).map(|(_interface, _calls, turn)| turn).collect();
        for (_interface, calls, _turn) in self.turns.iter_mut().filter(|turn| turn.0 == interface) {
            *calls -= 1;
        }
        due
    }

    /// Decides about a request; counts it.
    pub(super) fn admit(&mut self, asked: &Asked<'_>) -> Admission {
        self.requests += 1;
        self.journal.arrived(asked.interface(), asked.now_ms);
        let mut admission = Admission { key: None, trouble: None, verdict: Ok(()) };
        admission.verdict = self.decide(asked, &mut admission);
        admission
    }

    /// The page that was answered before of a form.
    pub(super) fn page_before(&self, form: Option<&FormId>) -> Option<Good> {
        self.pages.get(form?).cloned()
    }

    pub(super) fn keep_page(&mut self, form: Option<&FormId>, page: &Good) {
        if let Some(form) = form {
            self.pages.insert(form.clone(), page.clone());
        }
    }

    /// Notes what became of a request.
    pub(super) fn conclude(&mut self, asked: &Asked<'_>, key: Option<String>, rows: usize, outcome: Outcome) {
        let record = Record {
            interface: asked.interface(),
            at_ms: asked.now_ms,
            key,
            peer: asked.peer,
            form: asked.form.clone(),
            record: asked.input.record().map(str::to_owned),
            rows,
            outcome,
        };
        self.journal.answered(record, self.options.keep_records);
    }

    fn decide(&mut self, asked: &Asked<'_>, admission: &mut Admission) -> Result<(), Refusal> {
        let options = Arc::clone(&self.options);
        if options.limits.parallel.is_some_and(|most| asked.under_way > most) {
            return Err(Refusal::PARALLEL);
        }
        let trouble = self.faults.trouble(asked.interface(), asked.form.as_ref(), asked.input.record());
        admission.trouble = trouble;
        match trouble {
            Some(Trouble::Code(code)) => return Err(Refusal::Code(code)),
            Some(Trouble::Status(status)) => return Err(Refusal::Page(status)),
            // It is not done either, and says why in no words.
            Some(Trouble::Cut) => return Err(Refusal::Page(502)),
            _ => {}
        }
        let refuse = |code| Refusal::Key { status: options.bad_key_status, code };
        let key = asked.input.key().and_then(|key| options.key(key)).ok_or(refuse(17018))?;
        if !key.enabled {
            return Err(refuse(8301));
        }
        admission.key = Some(key.key.clone());
        if key.trusted.as_ref().is_some_and(|trusted| !trusted.contains(&asked.peer)) {
            return Err(Refusal::Code(17052));
        }
        self.gauge.admit(&options.limits, asked.interface(), asked.now_ms)?;
        if key.lacks.contains(&asked.interface()) {
            return Err(Refusal::Code(17054));
        }
        if is_within(draw(options.seed, &format!("busy {}", self.requests)), options.busy_share) {
            return Err(Refusal::Page(502));
        }
        Ok(())
    }
}
