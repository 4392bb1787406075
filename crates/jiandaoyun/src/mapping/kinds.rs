//! The kinds of fields that forms have, and what of each can be sent (reference jiandaoyun 7).

use super::path::Path;
use crate::api::Widget;

/// What a kind of field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// One text or number.
    Text,
    /// A moment.
    Moment,
    /// A list of texts.
    Texts,
    /// A thing or a list of things that has a name, an id, a number.
    Thing,
    /// Rows of fields.
    Rows,
    /// What no other system can take: files, links, rich text.
    Nothing,
}

impl Holds {
    /// What a kind of field holds; what is not known holds nothing.
    pub(crate) fn of(kind: &str) -> Self {
        match kind {
            "text" | "textarea" | "radiogroup" | "combo" | "sn" | "number" | "lookup" | "aggregation" => Self::Text,
            "datetime" => Self::Moment,
            "checkboxgroup" | "combocheck" => Self::Texts,
            "phone" | "address" | "location" | "user" | "usergroup" | "dept" | "deptgroup" => Self::Thing,
            "subform" => Self::Rows,
            _ => Self::Nothing,
        }
    }
}

/// What a path leads to in a field; `None` when it leads nowhere.
pub(crate) fn led_to(path: &Path, widget: &Widget) -> Option<Holds> {
    let steps: Vec<&str> = path.steps().collect();
    match (Holds::of(&widget.kind), steps.as_slice()) {
        (holds, []) => Some(holds),
        (Holds::Thing, _) => Some(Holds::Text),
        (Holds::Texts, [place]) => is_place(place).then_some(Holds::Text),
        (Holds::Rows, [place, name, rest @ ..]) if is_place(place) => {
            let item = widget.item(name)?;
            match (Holds::of(&item.kind), rest) {
                (holds, []) => Some(holds),
                (Holds::Thing, _) => Some(Holds::Text),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether a step is a place in a list.
fn is_place(step: &str) -> bool {
    step.bytes().all(|byte| byte.is_ascii_digit())
}
