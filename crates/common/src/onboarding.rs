//! Onboarding requests: records of a form, each of which asks for one person to be made a member.
//!
//! What is told of a request is either what it asks for or why that cannot be told, and each says that the other is not so: [`mapped`] and
//! [`refused`]. Of two that are told of one time the mapped one holds, and of two mapped ones the greater. So whoever tells them gives
//! them the later one of two times: when the record was last changed, and when the mapping was.

use serde::{Deserialize, Serialize};

use crate::{Field, Fields};

/// What is wrong with one field of a record. It holds no value of the record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Complaint {
    /// The field of the request; empty where it is about none of them.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Complaint {
    /// About a field.
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }

    /// Several as a JSON list: what [`Field::Refused`] holds.
    pub fn list(complaints: &[Self]) -> String {
        // Texts only: JSON can say every list of complaints.
        serde_json::to_string(complaints).unwrap_or_default()
    }

    /// Several as one text for people.
    pub fn told(complaints: &[Self]) -> String {
        let one = |complaint: &Self| match complaint.field.as_str() {
            "" => complaint.reason.clone(),
            field => format!("{field}: {}", complaint.reason),
        };
        complaints.iter().map(one).collect::<Vec<_>>().join("; ")
    }
}

/// The id of a form, `{app_id}/{entry_id}` (reference jiandaoyun 4).
pub fn form_id(app_id: &str, entry_id: &str) -> String {
    format!("{app_id}/{entry_id}")
}

/// The id of the request that a record of a form is, `{app_id}/{entry_id}/{_id}` (reference jiandaoyun 5.3).
pub fn request_id(form: &str, record: &str) -> String {
    format!("{form}/{record}")
}

/// The form and the record of a request's id; `None` where it is no such id.
pub fn split(id: &str) -> Option<(&str, &str)> {
    let (form, record) = id.rsplit_once('/')?;
    let (app_id, entry_id) = form.split_once('/')?;
    let is_one = |part: &str| !part.is_empty() && !part.contains('/');
    [app_id, entry_id, record].into_iter().all(is_one).then_some((form, record))
}

/// What is told of a record that could be mapped: the request, a JSON object with its keys in order, and all departments that it names.
pub fn mapped(form: &str, request: &str, departments: Vec<String>) -> Fields {
    Fields::new()
        .with(Field::Departments, departments)
        .with(Field::Request, request)
        .with(Field::Form, form)
        .with(Field::Refused, "")
}

/// What is told of a record that could not be mapped: why not, a JSON list of complaints, see [`Complaint::list`].
pub fn refused(form: &str, refusal: impl Into<String>) -> Fields {
    Fields::new()
        .with(Field::Departments, Vec::<String>::new())
        .with(Field::Request, "")
        .with(Field::Form, form)
        .with(Field::Refused, refusal.into())
}

/// What a request asks for, where its record could be mapped.
pub fn request(fields: &Fields) -> Option<&str> {
    let is_refused = refusal(fields).is_some();
    fields.text(Field::Request).filter(|request| !request.is_empty() && !is_refused)
}

/// Why a record could not be mapped, as it was told, where it could not.
pub fn refusal(fields: &Fields) -> Option<&str> {
    fields.text(Field::Refused).filter(|refusal| !refusal.is_empty())
}

/// The complaints of a refusal; one that is none of ours is a complaint of unknown content.
pub fn complaints(refusal: &str) -> Vec<Complaint> {
    serde_json::from_str(refusal).unwrap_or_else(|_| vec![Complaint::new("", "what is wrong cannot be read")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_named_after_its_form_and_record() {
        let id = request_id(&form_id("64a0aa", "64a0bb"), "59e9cc");
        assert_eq!(id, "64a0aa/64a0bb/59e9cc");
        assert_eq!(split(&id), Some(("64a0aa/64a0bb", "59e9cc")));
        for other in ["", "a", "a/b", "a/b/", "/b/c", "a//c", "a/b/c/d"] {
            assert_eq!(split(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_mapped_is_not_refused_and_what_is_refused_asks_for_nothing() {
        let complaints = [Complaint::new("mobile", "is no mobile number"), Complaint::new("", "too old")];
        let (good, bad) = (mapped("a/b", "{}", vec!["2".into()]), refused("a/b", Complaint::list(&complaints)));
        assert_eq!((request(&good), refusal(&good)), (Some("{}"), None));
        assert_eq!(request(&bad), None);
        assert_eq!(super::complaints(refusal(&bad).unwrap()), complaints);
        assert_eq!(Complaint::told(&complaints), "mobile: is no mobile number; too old");
        assert_eq!(super::complaints("[").len(), 1);
        let mut merged = good.clone();
        merged.merge(bad.clone());
        assert_eq!(request(&merged), None, "each takes the place of the other");
        merged.merge(good);
        assert_eq!(request(&merged), Some("{}"));
    }

    #[test]
    fn of_one_time_what_is_mapped_holds() {
        for departments in [vec![], vec!["1".to_owned()]] {
            assert!(refused("a/b", "[]") < mapped("a/b", "{}", departments));
        }
    }
}
