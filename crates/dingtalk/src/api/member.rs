//! A member as an interface tells it (reference dingtalk 4.5).

use std::collections::{BTreeMap, HashSet};

use common::{Field, Fields};
use serde::Deserialize;
use serde_json::Value;

use super::lenient::{self, as_text, department_id, department_ids, field_text};

/// A member as an interface tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its id, as the platform spells it.
    pub id: String,
    /// What was told. Absent is what was not told, or held back: it says nothing.
    pub fields: Fields,
}

/// A member on the wire.
#[derive(Deserialize)]
pub(super) struct Told {
    #[serde(default, deserialize_with = "lenient::text")]
    userid: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    title: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    telephone: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    job_number: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    work_place: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    extension: Option<String>,
    #[serde(default, deserialize_with = "lenient::flag")]
    active: Option<bool>,
    #[serde(default, deserialize_with = "lenient::text")]
    manager_userid: Option<String>,
    #[serde(default, deserialize_with = "lenient::texts")]
    dept_id_list: Option<Vec<String>>,
    #[serde(default)]
    leader_in_dept: Option<Value>,
    #[serde(default, deserialize_with = "lenient::text")]
    avatar: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    mobile: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    email: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    org_email: Option<String>,
}

impl Told {
    /// As `user/get` tells it, in full; `None` when it does not say who it is.
    pub(super) fn into_member(mut self) -> Option<Member> {
        let manager = self.manager_userid.take().unwrap_or_default().trim().to_owned();
        let leads = self.leader_in_dept.take();
        let departments = self.departments();
        let mut member = self.into_listed()?;
        if let Some(leads) = departments.and_then(|departments| led(leads.as_ref()?, &departments)) {
            member.fields.set(Field::Leads, leads);
        }
        let leaders = if manager.is_empty() { Vec::new() } else { vec![manager] };
        member.fields.set(Field::Leaders, leaders);
        Some(member)
    }

    /// As `user/list` tells it, which knows neither its manager nor what it leads elsewhere; `None` when it does not say
    /// who it is.
    ///
    /// A field without a value is not in the answer (reference dingtalk 4.5), and so it is empty where nothing else can
    /// be the reason. Of a field that needs a permission of its own it says nothing: the mobile number and the mail
    /// addresses, and the portrait.
    pub(super) fn into_listed(self) -> Option<Member> {
        let departments = self.departments();
        let id = self.userid.as_deref().map(str::trim).filter(|id| !id.is_empty())?.to_owned();
        let mut fields = Fields::new();
        for (field, value) in [
            (Field::Title, self.title),
            (Field::Telephone, self.telephone),
            (Field::EmployeeNumber, self.job_number),
            (Field::Address, self.work_place),
        ] {
            fields.set(field, field_text(value.unwrap_or_default()));
        }
        for (field, value) in [
            (Field::Avatar, self.avatar),
            (Field::Mobile, self.mobile),
            (Field::Email, self.email),
            (Field::BizMail, self.org_email),
            // Nobody is without a name: it was held back.
            (Field::Name, self.name),
        ] {
            if let Some(value) = value.filter(|value| !value.trim().is_empty()) {
                fields.set(field, value);
            }
        }
        if let Some(attributes) = attributes(self.extension.as_deref()) {
            fields.set(Field::Attributes, attributes);
        }
        if let Some(active) = self.active {
            fields.set(Field::Status, if active { "active" } else { "inactive" });
        }
        if let Some(departments) = departments {
            fields.set(Field::Departments, departments);
        }
        Some(Member { id, fields })
    }

    /// All of its departments, or none of them.
    fn departments(&self) -> Option<Vec<String>> {
        let ids = department_ids(self.dept_id_list.as_deref()?)?;
        let mut seen = HashSet::new();
        Some(ids.into_iter().filter(|id| seen.insert(id.clone())).collect())
    }
}

#[derive(Deserialize)]
struct Leads {
    #[serde(default, deserialize_with = "lenient::text")]
    dept_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::flag")]
    leader: Option<bool>,
}

/// Those of its departments that a member leads, in their order; `None` when that cannot be read.
fn led(told: &Value, departments: &[String]) -> Option<Vec<String>> {
    let mut led = HashSet::new();
    for row in told.as_array()? {
        let Leads { dept_id, leader } = Leads::deserialize(row).ok()?;
        let id = department_id(&dept_id?);
        if leader? {
            led.extend(id);
        }
    }
    Some(departments.iter().filter(|id| led.contains(*id)).cloned().collect())
}

/// Attributes by name, out of a text that is an object of JSON; no attributes where there is no text, and `None` when it
/// cannot be read.
fn attributes(extension: Option<&str>) -> Option<BTreeMap<String, String>> {
    let Some(text) = extension.map(str::trim).filter(|text| !text.is_empty()) else { return Some(BTreeMap::new()) };
    let told: BTreeMap<String, Value> = serde_json::from_str(text).ok()?;
    let texts = told.into_iter().filter(|(name, _)| !name.trim().is_empty());
    Some(texts.map(|(name, value)| (name, as_text(&value).unwrap_or_default().trim().to_owned())).collect())
}

#[cfg(test)]
mod tests;
