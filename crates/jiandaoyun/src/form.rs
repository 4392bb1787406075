//! Which form, and which record of it.

use std::fmt;

use common::onboarding;

/// A form of an application. Both ids are 24 hexadecimal digits (reference jiandaoyun 4), kept as they are written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Form {
    /// The application.
    pub app_id: String,
    /// The form.
    pub entry_id: String,
}

impl Form {
    /// A form by its ids; `None` when one of them is no id.
    pub fn new(app_id: &str, entry_id: &str) -> Option<Self> {
        let are_ids = is_object_id(app_id) && is_object_id(entry_id);
        are_ids.then(|| Self { app_id: app_id.to_owned(), entry_id: entry_id.to_owned() })
    }

    /// Reads `{app_id}/{entry_id}`; `None` when it is something else.
    pub fn read(text: &str) -> Option<Self> {
        let (app_id, entry_id) = text.split_once('/')?;
        Self::new(app_id, entry_id)
    }

    /// The id of the onboarding request that a record of this form is: `{app_id}/{entry_id}/{record_id}`.
    pub fn entity_id(&self, record_id: &str) -> String {
        onboarding::request_id(&self.to_string(), record_id)
    }

    /// The form and the record of an onboarding request; `None` when its id is none of [`Form::entity_id`].
    pub fn of_entity(entity_id: &str) -> Option<(Self, String)> {
        let (form, record_id) = onboarding::split(entity_id)?;
        Some((Self::read(form)?, record_id.to_owned()))
    }
}

/// `{app_id}/{entry_id}`.
impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&onboarding::form_id(&self.app_id, &self.entry_id))
    }
}

/// Whether a text is an ObjectId, as applications, forms and records have it: 24 hexadecimal digits.
pub(crate) fn is_object_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: &str = "64a0c0ffee000000000000aa";
    const ENTRY: &str = "64a0c0ffee000000000000bb";

    #[test]
    fn a_form_is_two_ids_and_nothing_else() {
        assert!(Form::new(APP, ENTRY).is_some());
        for odd in ["", "app", "64a0c0ffee000000000000a", "64a0c0ffee000000000000aaa", "64a0c0ffee00000000000/aa"] {
            assert_eq!((Form::new(odd, ENTRY), Form::new(APP, odd)), (None, None), "{odd}");
        }
    }

    #[test]
    fn an_onboarding_request_tells_its_form_and_record() {
        let form = Form::new(APP, ENTRY).unwrap();
        let id = form.entity_id("69d8ab62d78c62093e724f25");
        assert_eq!(Form::of_entity(&id), Some((form.clone(), "69d8ab62d78c62093e724f25".to_owned())));
        assert_eq!(Form::read(&form.to_string()), Some(form));
        for odd in ["", "/", "//", APP, &format!("{APP}/{ENTRY}"), &format!("{APP}/{ENTRY}/"), &format!("x/{APP}/y")] {
            assert_eq!(Form::of_entity(odd), None, "{odd}");
        }
    }
}
