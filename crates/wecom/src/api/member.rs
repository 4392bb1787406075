//! A member as an interface tells it (reference wecom 3.4), in the spelling that callbacks have.

mod attributes;

use std::collections::HashSet;

use common::{Field, Fields};
use serde::Deserialize;
use serde_json::Value;

use super::lenient::{self, department_id, field_text, member_ids};

/// A member as an interface tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its id, as the platform spells it.
    pub id: String,
    /// What was told, in the spelling that callbacks have. Absent is what was not told, or held back: it says nothing.
    pub fields: Fields,
}

impl Member {
    /// The fields of which the app's answer is to be believed whatever it may see. Memberships are not among them: it
    /// tells those in departments that it sees (reference wecom 3.4).
    pub fn details(&self) -> Fields {
        let mut fields = self.fields.clone();
        fields.retain(|field, _| !matches!(field, Field::Departments | Field::Leads | Field::MainDepartment));
        fields
    }
}

/// A member on the wire.
#[derive(Deserialize)]
pub(super) struct Told {
    #[serde(default, deserialize_with = "lenient::text")]
    userid: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "lenient::texts")]
    department: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient::texts")]
    is_leader_in_dept: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient::text")]
    main_department: Option<String>,
    #[serde(default, deserialize_with = "lenient::texts")]
    direct_leader: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient::text")]
    position: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    status: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    alias: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    telephone: Option<String>,
    #[serde(default)]
    extattr: Option<Value>,
    #[serde(flatten)]
    restricted: Restricted,
}

/// What apps that were created since June 2022 do not get (reference wecom 3.7).
#[derive(Deserialize)]
struct Restricted {
    #[serde(default, deserialize_with = "lenient::text")]
    avatar: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    gender: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    mobile: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    email: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    biz_mail: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    qr_code: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    address: Option<String>,
}

impl Told {
    /// `None` when it does not say who it is.
    pub(super) fn into_member(self) -> Option<Member> {
        let id = self.userid.as_deref().map(str::trim).filter(|id| !id.is_empty())?.to_owned();
        let mut fields = Fields::new();
        self.restricted.put(&mut fields);
        put_memberships(&mut fields, self.department.as_deref(), self.is_leader_in_dept.as_deref());
        // Nobody is without a name: it was held back.
        put_text(&mut fields, Field::Name, self.name.filter(|name| !name.trim().is_empty()));
        put_text(&mut fields, Field::MainDepartment, self.main_department.as_deref().and_then(department_id));
        put_text(&mut fields, Field::Title, self.position);
        put_text(&mut fields, Field::Alias, self.alias);
        put_text(&mut fields, Field::Telephone, self.telephone);
        if let Some(leaders) = self.direct_leader {
            fields.set(Field::Leaders, member_ids(&leaders));
        }
        if let Some(status) = self.status.as_deref().and_then(status) {
            fields.set(Field::Status, status);
        }
        if let Some(attributes) = self.extattr.as_ref().and_then(attributes::read) {
            fields.set(Field::Attributes, attributes);
        }
        Some(Member { id, fields })
    }
}

impl Restricted {
    /// An app that may not see these might be told empty ones, and a gender of 0, as callbacks are (reference wecom
    /// 2.2). One that may see them is told something: mobile number and e-mail are not both empty (reference wecom
    /// 3.4). So only beside something an empty one means that it was emptied.
    fn put(self, fields: &mut Fields) {
        let is_told = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
        let texts = [&self.avatar, &self.mobile, &self.email, &self.biz_mail, &self.qr_code, &self.address];
        let gender = self.gender.as_deref().and_then(gender);
        if !texts.into_iter().any(is_told) && gender.is_none_or(|gender| gender == "unknown") {
            return;
        }
        put_text(fields, Field::Avatar, self.avatar);
        put_text(fields, Field::Mobile, self.mobile);
        put_text(fields, Field::Email, self.email);
        put_text(fields, Field::BizMail, self.biz_mail);
        put_text(fields, Field::Address, self.address);
        if let Some(gender) = gender {
            fields.set(Field::Gender, gender);
        }
    }
}

fn put_text(fields: &mut Fields, field: Field, text: Option<String>) {
    if let Some(text) = text {
        fields.set(field, field_text(text));
    }
}

/// The departments and, as a row of 0 and 1 for the same departments, those it leads. All of it or none of it.
fn put_memberships(fields: &mut Fields, departments: Option<&[String]>, leads: Option<&[String]>) {
    let ids = departments.and_then(|told| told.iter().map(|id| department_id(id)).collect::<Option<Vec<String>>>());
    let Some(ids) = ids else { return };
    let flags: Vec<&str> = leads.unwrap_or_default().iter().map(|flag| flag.trim()).collect();
    if leads.is_some() && flags.len() == ids.len() && flags.iter().all(|flag| matches!(*flag, "0" | "1")) {
        let led = ids.iter().zip(&flags).filter(|(_, flag)| **flag == "1");
        fields.set(Field::Leads, without_repeats(led.map(|(id, _)| id)));
    }
    fields.set(Field::Departments, without_repeats(ids.iter()));
}

fn without_repeats<'a>(ids: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut seen = HashSet::new();
    ids.filter(|id| seen.insert(*id)).cloned().collect()
}

fn gender(code: &str) -> Option<&'static str> {
    match code.trim() {
        "0" => Some("unknown"),
        "1" => Some("male"),
        "2" => Some("female"),
        _ => None,
    }
}

fn status(code: &str) -> Option<&'static str> {
    match code.trim() {
        "1" => Some("active"),
        "2" => Some("disabled"),
        "4" => Some("inactive"),
        "5" => Some("left"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
