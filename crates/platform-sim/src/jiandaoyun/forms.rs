//! The truth: applications with forms, their records with workflows, and the pushes that people's changes raise.

mod acts;
mod agenda;
mod contacts;
mod history;
mod options;
mod render;
mod values;
mod widgets;
mod written;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Bound;

use serde_json::{Value, json};

use super::ids::ObjectIds;
use super::time::iso;
use super::{Clock, Event, Op};

use agenda::Agenda;
pub(super) use contacts::Contacts;
pub use contacts::{Department, Person};
use history::History;
pub use history::{FlowState, FormRecord, Life};
pub use options::{Empties, FormsOptions, Illegal};
pub(super) use render::Look;
pub(super) use values::is_empty;
pub use widgets::{FormId, Kind, NewForm, Widget};
use written::Batch;
pub(super) use written::{Author, Refused};

/// Forms with what was submitted to them.
///
/// What people do is what the operations are called after; each raises one push where the form has pushes. What the API
/// and people in bulk do raises none. A change can be read from its own time plus a lag on.
pub struct Forms {
    options: FormsOptions,
    clock: Clock,
    /// When things happen, instead of now.
    moment_ms: Option<i64>,
    ids: ObjectIds,
    contacts: Contacts,
    /// Names of applications.
    apps: BTreeMap<String, String>,
    forms: BTreeMap<FormId, Form>,
    agenda: Agenda,
    /// What was created under a transaction id.
    batches: HashMap<String, Batch>,
    events: Vec<Event>,
}

/// A form with its records.
pub(super) struct Form {
    pub(super) id: FormId,
    pub(super) name: String,
    pub(super) workflow: bool,
    pub(super) widgets: Vec<Widget>,
    pushes: bool,
    created_ms: i64,
    /// Under their ids, and so in the order of creation.
    records: BTreeMap<String, History>,
}

impl Forms {
    /// No forms; two people, who submit and who owns the company.
    #[must_use]
    pub fn new(options: FormsOptions, clock: Clock) -> Self {
        let mut contacts = Contacts::default();
        contacts.add_person(Person::new(&options.submitter, "小简"));
        contacts.add_person(Person::new(&options.owner, "管理员"));
        Self {
            ids: ObjectIds::new(options.seed),
            options,
            clock,
            moment_ms: None,
            contacts,
            apps: BTreeMap::new(),
            forms: BTreeMap::new(),
            agenda: Agenda::default(),
            batches: HashMap::new(),
            events: Vec::new(),
        }
    }

    /// Creates a form, and its application where there is none.
    ///
    /// # Errors
    /// If there is a form of those ids.
    pub fn add_form(&mut self, new: NewForm) -> Result<(), Illegal> {
        if self.forms.contains_key(&new.id) {
            return Err(Illegal::FormExists(new.id));
        }
        let NewForm { id, name, workflow, pushes, widgets } = new;
        self.apps.entry(id.app.clone()).or_insert_with(|| "人事".to_owned());
        let created_ms = self.now_ms();
        let form = Form { id: id.clone(), name, workflow, widgets, pushes, created_ms, records: BTreeMap::new() };
        self.forms.insert(id, form);
        Ok(())
    }

    /// Switches the pushes of a form on or off.
    ///
    /// # Errors
    /// If there is no such form.
    pub fn set_pushes(&mut self, id: &FormId, pushes: bool) -> Result<(), Illegal> {
        self.form_mut(id)?.pushes = pushes;
        Ok(())
    }

    /// Gives a form other fields; what records hold in fields that are gone is not seen any more.
    ///
    /// # Errors
    /// If there is no such form.
    pub fn reshape(&mut self, id: &FormId, widgets: Vec<Widget>) -> Result<(), Illegal> {
        let at_ms = self.now_ms();
        let form = self.form_mut(id)?;
        form.widgets = widgets;
        if form.pushes {
            let data = structure(form);
            self.events.push(Event { op: Op::FormUpdate, at_ms, form: id.clone(), record: String::new(), data });
        }
        Ok(())
    }

    /// Somebody whom member fields can name.
    pub fn add_person(&mut self, person: Person) {
        self.contacts.add_person(person);
    }

    /// A department that department fields can name.
    pub fn add_department(&mut self, department: Department) {
        self.contacts.add_department(department);
    }

    /// From now on changes can be read so much later than their own time, in ms.
    pub fn set_lag_ms(&mut self, lag_ms: i64) {
        self.options.lag_ms = lag_ms;
    }

    /// Whether from now on steps of workflows move `updateTime`.
    pub fn set_steps_move_update_time(&mut self, moves: bool) {
        self.options.steps_move_update_time = moves;
    }

    /// Lets things happen at that time (Unix ms), in the past for what is committed late.
    pub fn at<T>(&mut self, at_ms: i64, what: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.moment_ms.replace(at_ms);
        let done = what(self);
        self.moment_ms = before;
        done
    }

    /// When things happen, Unix ms.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.moment_ms.unwrap_or_else(|| self.clock.now_ms())
    }

    /// A record as it is, readable or not; not a deleted one.
    #[must_use]
    pub fn record(&self, form: &FormId, id: &str) -> Option<&FormRecord> {
        let record = self.forms.get(form)?.records.get(id)?.newest();
        record.removed_ms.is_none().then_some(record)
    }

    /// All records as they are, readable or not, in the order of their ids; not the deleted ones.
    #[must_use]
    pub fn records(&self, form: &FormId) -> Vec<&FormRecord> {
        let histories = self.forms.get(form).into_iter().flat_map(|form| form.records.values());
        histories.map(History::newest).filter(|record| record.removed_ms.is_none()).collect()
    }

    /// The pushes that were raised since this was asked last, in order.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Applications: ids and names.
    pub(super) fn apps(&self) -> &BTreeMap<String, String> {
        &self.apps
    }

    /// The forms of an application.
    pub(super) fn forms_of<'a>(&'a self, app: &'a str) -> impl Iterator<Item = &'a Form> {
        self.forms.values().filter(move |form| form.id.app == app)
    }

    pub(super) fn form(&self, id: &FormId) -> Option<&Form> {
        self.forms.get(id)
    }

    pub(super) fn contacts(&self) -> &Contacts {
        &self.contacts
    }

    /// A record as answers tell it.
    pub(super) fn told(&self, form: &Form, record: &FormRecord, look: Look) -> Value {
        render::told(form, record, &self.contacts, self.options.empties, look)
    }

    fn form_mut(&mut self, id: &FormId) -> Result<&mut Form, Illegal> {
        self.forms.get_mut(id).ok_or_else(|| Illegal::UnknownForm(id.clone()))
    }

    /// Keeps a new or changed record, and raises a push where people did it and the form has pushes.
    fn keep(&mut self, id: &FormId, record: FormRecord, told_as: Option<Op>) -> Result<(), Illegal> {
        let (at_ms, clock_ms) = (self.now_ms(), self.clock.now_ms());
        let readable_from_ms = at_ms.saturating_add(self.options.lag_ms);
        let form = self.forms.get_mut(id).ok_or_else(|| Illegal::UnknownForm(id.clone()))?;
        if let Some(op) = told_as.filter(|_op| form.pushes) {
            let data = match op {
                Op::Remove => render::removed(form, &record, &self.contacts),
                _ => render::pushed(form, &record, &self.contacts, self.options.empties),
            };
            self.events.push(Event { op, at_ms, form: id.clone(), record: record.id.clone(), data });
        }
        match form.records.get_mut(&record.id) {
            Some(history) => history.write(record, readable_from_ms, clock_ms),
            None => {
                form.records.insert(record.id.clone(), History::new(record, readable_from_ms));
            }
        }
        Ok(())
    }
}

impl Form {
    /// The field that is read under that name.
    pub(super) fn widget(&self, name: &str) -> Option<&Widget> {
        self.widgets.iter().find(|widget| widget.name() == name)
    }

    /// What can be read at that time after a record, in the order of the ids.
    pub(super) fn readable<'a>(&'a self, after: Option<&str>, now_ms: i64) -> impl Iterator<Item = &'a FormRecord> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let histories = self.records.range::<str, _>((from, Bound::Unbounded));
        let records = histories.filter_map(move |(_id, history)| history.readable(now_ms));
        records.filter(|record| record.removed_ms.is_none())
    }

    /// One record as it can be read at that time.
    pub(super) fn readable_record(&self, id: &str, now_ms: i64) -> Option<&FormRecord> {
        self.records.get(id)?.readable(now_ms).filter(|record| record.removed_ms.is_none())
    }

    /// When anything in it that can be read at that time was last changed, Unix ms.
    pub(super) fn modified_ms(&self, now_ms: i64) -> i64 {
        let records = self.records.values().filter_map(|history| history.readable(now_ms));
        let latest = records.map(|record| record.removed_ms.unwrap_or(i64::MIN).max(record.updated_ms)).max();
        latest.unwrap_or(self.created_ms).max(self.created_ms)
    }
}

/// What a push tells of a form.
fn structure(form: &Form) -> Value {
    let widget = |widget: &Widget| {
        let (label, name) = (&widget.label, widget.name());
        json!({ "label": label, "name": name, "type": widget.kind.name(), "widgetName": widget.id })
    };
    json!({
        "appId": form.id.app,
        "entryId": form.id.entry,
        "name": form.name,
        "createTime": iso(form.created_ms),
        "widgets": form.widgets.iter().map(widget).collect::<Vec<_>>(),
    })
}

impl fmt::Debug for Forms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forms").field("forms", &self.forms.len()).finish_non_exhaustive()
    }
}
