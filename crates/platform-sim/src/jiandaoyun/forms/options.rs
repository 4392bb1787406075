//! How forms behave, and what they refuse.

use super::FormId;

/// How a field that nobody filled in is read; sources differ (reference jiandaoyun 7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Empties {
    /// By its type: `""`, `null`, `[]` or `{}`.
    #[default]
    Documented,
    /// `null`, whatever its type.
    Null,
    /// Its key is not there.
    Absent,
    /// One of the three, always the same one for the same field of the same record.
    Mixed,
}

/// How forms behave.
#[derive(Clone, Debug)]
pub struct FormsOptions {
    /// Ids follow from it.
    pub seed: u64,
    /// How much later than its own time a change can be read, in ms: records are committed late.
    pub lag_ms: i64,
    /// Whether a step of a workflow moves the record's `updateTime`; not confirmed.
    pub steps_move_update_time: bool,
    /// How empty fields are read.
    pub empties: Empties,
    /// Who submits and changes records.
    pub submitter: String,
    /// The company's creator, in whose name the API writes.
    pub owner: String,
}

impl Default for FormsOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            lag_ms: 0,
            steps_move_update_time: true,
            empties: Empties::Documented,
            submitter: "xiaojian".to_owned(),
            owner: "#admin".to_owned(),
        }
    }
}

/// Why something cannot be done to forms.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// There is no such form.
    #[error("form {0} does not exist")]
    UnknownForm(FormId),
    /// There is a form of those ids.
    #[error("form {0} exists")]
    FormExists(FormId),
    /// There is no such record, or no longer.
    #[error("record {0} does not exist")]
    UnknownRecord(String),
    /// The form has no such field.
    #[error("field {0} does not exist")]
    UnknownField(String),
    /// Values are an object.
    #[error("the values are no object")]
    NoObject,
    /// The form has no workflow.
    #[error("form {0} has no workflow")]
    NoWorkflow(FormId),
}
