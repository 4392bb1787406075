//! Workflows that go on by themselves.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{FlowState, FormId, Forms, Life};

/// Steps that are to come, by time and in the order in which they were planned.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    steps: BTreeMap<(i64, u64), Planned>,
    planned: u64,
}

#[derive(Debug)]
struct Planned {
    form: FormId,
    record: String,
    state: FlowState,
}

impl Forms {
    /// A step of a record's workflow that is to happen at a time, Unix ms; see [`Forms::catch_up`].
    pub fn plan(&mut self, form: &FormId, id: &str, at_ms: i64, state: FlowState) {
        let agenda = &mut self.agenda;
        agenda.planned += 1;
        let planned = Planned { form: form.clone(), record: id.to_owned(), state };
        agenda.steps.insert((at_ms, agenda.planned), planned);
    }

    /// A whole life of a record: the first step at a time, Unix ms, and the others so much later each.
    pub fn live(&mut self, form: &FormId, id: &str, life: Life, first_ms: i64, every: Duration) {
        let every_ms = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
        let mut at_ms = first_ms;
        for state in life.states() {
            self.plan(form, id, at_ms, *state);
            at_ms = at_ms.saturating_add(every_ms);
        }
    }

    /// Takes the planned steps whose time has come, each at its own time. What is planned for a record that was deleted
    /// meanwhile is dropped. Every call of the API does this first.
    pub fn catch_up(&mut self) {
        let now_ms = self.clock.now_ms();
        while let Some(next) = self.agenda.steps.first_entry().filter(|next| next.key().0 <= now_ms) {
            let ((at_ms, _number), Planned { form, record, state }) = next.remove_entry();
            self.at(at_ms, |forms| forms.step(&form, &record, state)).ok();
        }
    }
}
