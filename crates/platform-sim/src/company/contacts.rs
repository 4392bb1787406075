//! Whose mobile number and whose mail address it is: both are unique within a company (reference wecom 3.4).

use std::collections::HashMap;

use super::Company;
use crate::roster::Roster;
use crate::{Member, fold};

/// Folded ids of members under their numbers and mail addresses.
#[derive(Debug, Default)]
pub(super) struct Contacts(HashMap<String, String>);

impl Contacts {
    fn of(roster: &Roster) -> Self {
        let mut contacts = Self::default();
        for member in roster.all().values() {
            contacts.put(member);
        }
        contacts
    }

    fn put(&mut self, member: &Member) {
        for key in keys(member) {
            self.0.insert(key, fold(&member.id));
        }
    }

    /// An administrator's changes are not checked, so that somebody else may have it by now.
    fn take(&mut self, member: &Member) {
        for key in keys(member) {
            if self.0.get(&key).is_some_and(|holder| *holder == fold(&member.id)) {
                self.0.remove(&key);
            }
        }
    }
}

/// A number and a mail address cannot be mistaken for each other.
fn keys(member: &Member) -> impl Iterator<Item = String> {
    let contacts = [&member.mobile, &member.email];
    contacts.into_iter().filter(|contact| !contact.is_empty()).map(|contact| contact.to_lowercase())
}

impl Company {
    /// The member with that mobile number or mail address.
    pub(crate) fn holder_of(&mut self, contact: &str) -> Option<&Member> {
        let roster = &self.roster;
        let contacts = self.contacts.get_or_insert_with(|| Contacts::of(roster));
        contacts.0.get(&contact.to_lowercase()).and_then(|holder| roster.get(holder))
    }

    pub(super) fn contacts_changed(&mut self, before: Option<&Member>, after: Option<&Member>) {
        let Some(contacts) = &mut self.contacts else { return };
        if let Some(before) = before {
            contacts.take(before);
        }
        if let Some(after) = after {
            contacts.put(after);
        }
    }
}
