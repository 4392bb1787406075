//! What the API writes, of which no push tells (reference jiandaoyun 7, 8 and 9).

use serde_json::{Map, Value, json};

use super::values::Pen;
use super::{FlowState, FormId, Forms, Illegal, Kind, Widget};
use crate::jiandaoyun::time::{CHINA_MS, iso, parse};

const HOUR_MS: i64 = 3_600_000;
/// A smaller number is taken for seconds, which are refused.
const LEAST_TIMESTAMP_MS: i64 = 100_000_000_000;

/// The code with which a write is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::jiandaoyun) struct Refused(pub(in crate::jiandaoyun) i64);

const PARAMETER: Refused = Refused(17017);
const NOT_WRITABLE: Refused = Refused(17032);

impl From<Illegal> for Refused {
    fn from(illegal: Illegal) -> Self {
        match illegal {
            Illegal::UnknownForm(_) => Self(3000),
            Illegal::UnknownRecord(_) => Self(4001),
            Illegal::FormExists(_) | Illegal::UnknownField(_) | Illegal::NoObject | Illegal::NoWorkflow(_) => PARAMETER,
        }
    }
}

/// In whose name records are created, and whether their workflow begins.
pub(in crate::jiandaoyun) struct Author<'a> {
    /// The company's owner where nobody is named.
    pub(in crate::jiandaoyun) username: Option<&'a str>,
    pub(in crate::jiandaoyun) starts_workflow: bool,
}

/// What was created under a transaction id.
pub(super) struct Batch {
    form: FormId,
    ids: Vec<String>,
    at_ms: i64,
}

type Written = Map<String, Value>;

impl Forms {
    /// Creates records and returns their ids. Under the same transaction id within an hour, they take the place of those
    /// that were created under it before. Either all are created or none.
    pub(in crate::jiandaoyun) fn write_new(
        &mut self,
        form: &FormId,
        records: &[&Map<String, Value>],
        author: &Author<'_>,
        transaction: Option<&str>,
    ) -> Result<Vec<String>, Refused> {
        let by = author.username.unwrap_or(&self.options.owner).to_owned();
        if !self.contacts.knows_person(&by) {
            return Err(Refused(1010));
        }
        let begins = author.starts_workflow && self.form_mut(form)?.workflow;
        let records: Vec<Written> =
            records.iter().map(|record| self.written(form, record)).collect::<Result<_, Refused>>()?;
        let earlier = transaction.map(|transaction| self.earlier(form, transaction)).unwrap_or_default();
        let mut ids = Vec::with_capacity(records.len());
        for (place, values) in records.into_iter().enumerate() {
            let known = earlier.get(place).filter(|id| self.record(form, id.as_str()).is_some());
            if let Some(id) = known {
                self.change(form, id, None, |record, now_ms| {
                    record.values = values;
                    record.updated_ms = now_ms;
                })?;
                ids.push(id.clone());
            } else {
                let record = self.blank(&by, begins.then_some(FlowState::Running), values);
                ids.push(record.id.clone());
                self.keep(form, record, None)?;
            }
        }
        for id in earlier.iter().skip(ids.len()) {
            // Somebody may have deleted it already.
            self.write_off(form, id).ok();
        }
        if let Some(transaction) = transaction {
            let batch = Batch { form: form.clone(), ids: ids.clone(), at_ms: self.now_ms() };
            self.batches.insert(transaction.to_owned(), batch);
        }
        Ok(ids)
    }

    /// Sets fields of a record; the others stay, and a sub-form is replaced as a whole.
    pub(in crate::jiandaoyun) fn write_over(
        &mut self,
        form: &FormId,
        id: &str,
        data: &Map<String, Value>,
    ) -> Result<(), Refused> {
        let values = self.written(form, data)?;
        let by = self.options.owner.clone();
        self.change(form, id, None, |record, now_ms| {
            record.values.extend(values);
            record.updated_ms = now_ms;
            record.updater = by;
        })?;
        Ok(())
    }

    /// Deletes a record.
    pub(in crate::jiandaoyun) fn write_off(&mut self, form: &FormId, id: &str) -> Result<(), Refused> {
        self.change(form, id, None, |record, now_ms| record.removed_ms = Some(now_ms))?;
        Ok(())
    }

    /// What was created under a transaction id within the hour.
    fn earlier(&self, form: &FormId, transaction: &str) -> Vec<String> {
        let lives = |batch: &&Batch| batch.form == *form && self.now_ms().saturating_sub(batch.at_ms) < HOUR_MS;
        self.batches.get(transaction).filter(lives).map(|batch| batch.ids.clone()).unwrap_or_default()
    }

    /// The write form in the read form. Fields that do not exist are ignored.
    fn written(&mut self, form: &FormId, data: &Map<String, Value>) -> Result<Written, Refused> {
        let now_ms = self.now_ms();
        let form = self.forms.get(form).ok_or(Refused(3000))?;
        let mut pen = Pen { contacts: &self.contacts, ids: &mut self.ids, now_ms };
        let mut written = Map::new();
        for (name, wrapped) in data {
            let Some(widget) = form.widget(name) else { continue };
            let value = wrapped.get("value").ok_or(PARAMETER)?;
            written.insert(widget.id.clone(), pen.written(widget, value)?);
        }
        Ok(written)
    }
}

impl Pen<'_> {
    /// A written value in the read form, if its type fits the field.
    fn written(&mut self, widget: &Widget, value: &Value) -> Result<Value, Refused> {
        match widget.kind {
            Kind::Text | Kind::Textarea | Kind::Radio | Kind::Combo | Kind::Lookup => match value {
                Value::Null => Ok(Value::from("")),
                value => keep_if(value, value.is_string()),
            },
            Kind::Number => keep_if(value, value.is_number() || value.is_null()),
            Kind::Datetime => moment(value),
            Kind::Checkboxes | Kind::ComboCheck => {
                keep_if(value, list(value).is_some_and(|list| list.iter().all(Value::is_string)))
            }
            Kind::Address | Kind::Location => keep_if(value, value.is_object()),
            Kind::Phone => {
                let phone = value.get("phone").and_then(Value::as_str).ok_or(PARAMETER)?;
                Ok(json!({ "phone": phone, "verified": false }))
            }
            Kind::User if is_nothing(value) => Ok(json!({})),
            Kind::User => self.known_person(value),
            Kind::UserGroup => list(value).ok_or(PARAMETER)?.iter().map(|person| self.known_person(person)).collect(),
            Kind::Dept if is_nothing(value) => Ok(json!({})),
            Kind::Dept => self.known_department(value),
            Kind::DeptGroup => {
                list(value).ok_or(PARAMETER)?.iter().map(|department| self.known_department(department)).collect()
            }
            Kind::Subform => list(value).ok_or(PARAMETER)?.iter().map(|row| self.written_row(widget, row)).collect(),
            // Files need uploads, which are not here; the others nobody can write.
            Kind::Image
            | Kind::Upload
            | Kind::Signature
            | Kind::LinkData
            | Kind::Sn
            | Kind::Aggregation
            | Kind::Richtext
            | Kind::Other(_) => Err(NOT_WRITABLE),
        }
    }

    fn known_person(&self, value: &Value) -> Result<Value, Refused> {
        let username = value.as_str().ok_or(PARAMETER)?;
        if self.contacts.knows_person(username) { Ok(self.contacts.person(username)) } else { Err(Refused(1010)) }
    }

    fn known_department(&self, value: &Value) -> Result<Value, Refused> {
        let number = value.as_i64().filter(|number| self.contacts.knows_department(*number)).ok_or(PARAMETER)?;
        Ok(self.contacts.department(number))
    }

    /// A row keeps its id only if that is sent.
    fn written_row(&mut self, widget: &Widget, row: &Value) -> Result<Value, Refused> {
        let Value::Object(cells) = row else { return Err(PARAMETER) };
        let mut written = Map::new();
        for (name, wrapped) in cells {
            let value = wrapped.get("value").ok_or(PARAMETER)?;
            if name == "_id" {
                written.insert(name.clone(), keep_if(value, value.is_string())?);
            } else if let Some(item) = widget.items.iter().find(|item| item.name() == name) {
                let refused = |refused: Refused| if refused == NOT_WRITABLE { Refused(17034) } else { refused };
                written.insert(item.id.clone(), self.written(item, value).map_err(refused)?);
            }
        }
        if !written.contains_key("_id") {
            written.insert("_id".to_owned(), self.row_id());
        }
        Ok(Value::Object(written))
    }
}

fn keep_if(value: &Value, fits: bool) -> Result<Value, Refused> {
    if fits { Ok(value.clone()) } else { Err(PARAMETER) }
}

fn list(value: &Value) -> Option<&Vec<Value>> {
    value.as_array()
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

/// Texts in several shapes, and timestamps in milliseconds; no seconds, and nothing is no time.
fn moment(value: &Value) -> Result<Value, Refused> {
    let at_ms = match value {
        Value::String(text) => parse(text, CHINA_MS),
        Value::Number(number) => number.as_i64().filter(|at_ms| *at_ms >= LEAST_TIMESTAMP_MS),
        _ => None,
    };
    at_ms.map(|at_ms| Value::from(iso(at_ms))).ok_or(PARAMETER)
}
