//! What people do to records.

use serde_json::{Map, Value};

use super::values::Pen;
use super::{FlowState, FormId, FormRecord, Forms, Illegal};
use crate::jiandaoyun::Op;

impl Forms {
    /// Somebody submits a record: an object of values in the read form under ids or aliases of widgets; a username or a
    /// number of a department stands for the whole of it. Returns its id.
    ///
    /// # Errors
    /// If the form or one of the fields does not exist.
    pub fn submit(&mut self, form: &FormId, values: Value) -> Result<String, Illegal> {
        self.enter(form, values, Some(Op::Create))
    }

    /// Somebody changes fields of a record; the others stay.
    ///
    /// # Errors
    /// If the form, the record or one of the fields does not exist.
    pub fn edit(&mut self, form: &FormId, id: &str, values: Value) -> Result<(), Illegal> {
        self.rewrite(form, id, values, Some(Op::Update))
    }

    /// The workflow of a record takes a step.
    ///
    /// # Errors
    /// If the form or the record does not exist, or there is no workflow.
    pub fn step(&mut self, form: &FormId, id: &str, state: FlowState) -> Result<(), Illegal> {
        if !self.form_mut(form)?.workflow {
            return Err(Illegal::NoWorkflow(form.clone()));
        }
        let moves = self.options.steps_move_update_time;
        self.change(form, id, Some(Op::Update), |record, now_ms| {
            record.flow_state = Some(state);
            if moves {
                record.updated_ms = now_ms;
            }
        })
    }

    /// Somebody deletes a record.
    ///
    /// # Errors
    /// If the form or the record does not exist.
    pub fn remove(&mut self, form: &FormId, id: &str) -> Result<(), Illegal> {
        self.change(form, id, Some(Op::Remove), |record, now_ms| record.removed_ms = Some(now_ms))
    }

    /// Somebody takes a record out of the bin.
    ///
    /// # Errors
    /// If the form does not exist, or no such record was deleted.
    pub fn recover(&mut self, form: &FormId, id: &str) -> Result<(), Illegal> {
        let unknown = || Illegal::UnknownRecord(id.to_owned());
        let history = self.form_mut(form)?.records.get(id).ok_or_else(unknown)?;
        let mut record = history.newest().clone();
        record.removed_ms.take().ok_or_else(unknown)?;
        record.updated_ms = self.now_ms();
        self.keep(form, record, Some(Op::Recover))
    }

    /// Somebody imports records, of which no push tells. Returns their ids.
    ///
    /// # Errors
    /// If the form or one of the fields does not exist; those before it are imported.
    pub fn import(&mut self, form: &FormId, records: Vec<Value>) -> Result<Vec<String>, Illegal> {
        records.into_iter().map(|values| self.enter(form, values, None)).collect()
    }

    /// Somebody sets fields of many records to the same values, of which no push tells.
    ///
    /// # Errors
    /// If the form, one of the records or one of the fields does not exist; the records before it are changed.
    pub fn edit_many(&mut self, form: &FormId, ids: &[&str], values: &Value) -> Result<(), Illegal> {
        ids.iter().try_for_each(|id| self.rewrite(form, id, values.clone(), None))
    }

    /// Somebody deletes many records, of which no push tells.
    ///
    /// # Errors
    /// If the form or one of the records does not exist; those before it are deleted.
    pub fn remove_many(&mut self, form: &FormId, ids: &[&str]) -> Result<(), Illegal> {
        let gone = |record: &mut FormRecord, now_ms: i64| record.removed_ms = Some(now_ms);
        ids.iter().try_for_each(|id| self.change(form, id, None, gone))
    }

    fn enter(&mut self, form: &FormId, values: Value, told_as: Option<Op>) -> Result<String, Illegal> {
        let values = self.entered(form, values)?;
        let workflow = self.form_mut(form)?.workflow;
        let by = self.options.submitter.clone();
        let record = self.blank(&by, workflow.then_some(FlowState::Running), values);
        let id = record.id.clone();
        self.keep(form, record, told_as)?;
        Ok(id)
    }

    fn rewrite(&mut self, form: &FormId, id: &str, values: Value, told_as: Option<Op>) -> Result<(), Illegal> {
        let values = self.entered(form, values)?;
        let by = self.options.submitter.clone();
        self.change(form, id, told_as, |record, now_ms| {
            record.values.extend(values);
            record.updated_ms = now_ms;
            record.updater = by;
        })
    }

    /// A record that is new.
    pub(super) fn blank(&mut self, by: &str, flow_state: Option<FlowState>, values: Map<String, Value>) -> FormRecord {
        let now_ms = self.now_ms();
        FormRecord {
            id: self.ids.next(now_ms),
            created_ms: now_ms,
            updated_ms: now_ms,
            removed_ms: None,
            creator: by.to_owned(),
            updater: by.to_owned(),
            flow_state,
            values,
        }
    }

    /// Changes a record that was not deleted; the time is that of the change.
    pub(super) fn change(
        &mut self,
        form: &FormId,
        id: &str,
        told_as: Option<Op>,
        change: impl FnOnce(&mut FormRecord, i64),
    ) -> Result<(), Illegal> {
        let now_ms = self.now_ms();
        self.form_mut(form)?;
        let mut record = self.record(form, id).cloned().ok_or_else(|| Illegal::UnknownRecord(id.to_owned()))?;
        change(&mut record, now_ms);
        self.keep(form, record, told_as)
    }

    /// Values under the ids of their widgets.
    fn entered(&mut self, form: &FormId, values: Value) -> Result<Map<String, Value>, Illegal> {
        let Value::Object(values) = values else { return Err(Illegal::NoObject) };
        let now_ms = self.now_ms();
        let form = self.forms.get(form).ok_or_else(|| Illegal::UnknownForm(form.clone()))?;
        let mut pen = Pen { contacts: &self.contacts, ids: &mut self.ids, now_ms };
        let mut entered = Map::new();
        for (name, value) in values {
            let widget = form.widgets.iter().find(|widget| widget.is_called(&name));
            let widget = widget.ok_or(Illegal::UnknownField(name))?;
            entered.insert(widget.id.clone(), pen.entered(widget, value));
        }
        Ok(entered)
    }
}
