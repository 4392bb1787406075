//! Which members bear the id and the numbers by which somebody is known.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use common::{EntityKey, EntityKind, EventKeys, Field, Fields, TenantId, UnixMillis, Value};
use database::Connection;
use store::{links::DecidedBy, records};

/// Members that are read together.
const PAGE: i64 = 1000;
/// What is written between the digits of a number.
const DASHES: [char; 7] = ['-', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{ff0d}'];

/// What DingTalk tells of somebody, as far as it tells who that is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Looks {
    pub(super) mobile: Option<String>,
    pub(super) number: Option<String>,
}

/// The one member that bears something, as long as there is one only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bearer {
    Nobody,
    One(String),
    Several,
}

impl Bearer {
    pub(super) fn add(&mut self, member: &str) {
        *self = match self {
            Self::Nobody => Self::One(member.to_owned()),
            _ => Self::Several,
        };
    }

    pub(super) fn only(&self) -> Option<&String> {
        match self {
            Self::One(member) => Some(member),
            Self::Nobody | Self::Several => None,
        }
    }
}

impl Looks {
    pub(super) fn of(fields: &Fields) -> Self {
        Self {
            mobile: fields.text(Field::Mobile).and_then(plain),
            number: fields.text(Field::EmployeeNumber).and_then(trimmed),
        }
    }
}

/// Who bears the ids and numbers that are looked for.
#[derive(Debug, Default)]
pub(super) struct Bearers {
    /// The mobile numbers of those who have the ids.
    namesakes: BTreeMap<String, Option<String>>,
    mobiles: BTreeMap<String, Bearer>,
    numbers: BTreeMap<String, Bearer>,
}

impl Bearers {
    /// Looks through all members once; what is in memory is what is looked for.
    pub(super) fn among<'a>(
        conn: &mut Connection,
        tenant: &TenantId,
        wanted: impl Iterator<Item = (&'a String, &'a Looks)>,
        attribute: &str,
    ) -> database::Result<Self> {
        let (mut bearers, mut ids) = (Self::default(), BTreeSet::<Arc<str>>::new());
        for (id, looks) in wanted {
            ids.insert(EntityKey::member(id).id);
            bearers.mobiles.extend(looks.mobile.clone().map(|mobile| (mobile, Bearer::Nobody)));
            bearers.numbers.extend(looks.number.clone().map(|number| (number, Bearer::Nobody)));
        }
        if ids.is_empty() {
            return Ok(bearers);
        }
        each_member(conn, tenant, |member, fields| {
            let mobile = fields.text(Field::Mobile).and_then(plain);
            if ids.contains(member) {
                bearers.namesakes.insert(member.to_owned(), mobile.clone());
            }
            if let Some(bearer) = mobile.and_then(|mobile| bearers.mobiles.get_mut(&mobile)) {
                bearer.add(member);
            }
            if let Some(bearer) = number(fields, attribute).and_then(|number| bearers.numbers.get_mut(&number)) {
                bearer.add(member);
            }
        })?;
        Ok(bearers)
    }

    /// Who that is: the one of the same id, of the same mobile number, or of the same employee number.
    pub(super) fn of(&self, id: &str, looks: &Looks) -> Option<(String, DecidedBy)> {
        if let Some(member) = self.namesake(id, looks.mobile.as_deref()) {
            return Some((member, DecidedBy::Id));
        }
        let only = |bearers: &BTreeMap<String, Bearer>, what: &Option<String>| {
            bearers.get(what.as_ref()?).and_then(Bearer::only).cloned()
        };
        let by_mobile = only(&self.mobiles, &looks.mobile).map(|member| (member, DecidedBy::Mobile));
        by_mobile.or_else(|| Some((only(&self.numbers, &looks.number)?, DecidedBy::EmployeeNumber)))
    }

    /// The member of that id, unless their mobile numbers say that the two are not the same.
    fn namesake(&self, id: &str, mobile: Option<&str>) -> Option<String> {
        let (member, known) = self.namesakes.get_key_value(&*EntityKey::member(id).id)?;
        let is_another = known.as_deref().zip(mobile).is_some_and(|(known, told)| known != told);
        (!is_another).then(|| member.clone())
    }
}

/// Goes through all live members, page by page.
pub(super) fn each_member(
    conn: &mut Connection,
    tenant: &TenantId,
    mut look: impl FnMut(&str, &Fields),
) -> database::Result<()> {
    let mut after: Option<EntityKey> = None;
    loop {
        let from = after.as_ref().map(|key| &*key.id);
        let page = records::of_kind_after(conn, tenant, EntityKind::Member, from, PAGE)?;
        for (key, row) in &page {
            if let Some(sent) = &row.record.sent {
                look(&key.id, &sent.entity.fields);
            }
        }
        match page.last() {
            Some((last, _)) if i64::try_from(page.len()).is_ok_and(|rows| rows >= PAGE) => after = Some(last.clone()),
            _ => return Ok(()),
        }
    }
}

/// What a number is remembered by; the number itself is not kept.
pub(super) fn digest(corp_id: &str, mobile: &str) -> String {
    EventKeys::content_hash(corp_id, None, UnixMillis(0), mobile.as_bytes())
}

/// A member's employee number: the field for it, or else an attribute.
fn number(fields: &Fields, attribute: &str) -> Option<String> {
    let in_attributes = || match fields.get(Field::Attributes) {
        Some(Value::Map(attributes)) => attributes.get(attribute).and_then(|number| trimmed(number)),
        _ => None,
    };
    fields.text(Field::EmployeeNumber).and_then(trimmed).or_else(in_attributes)
}

fn trimmed(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A mobile number without blanks, dashes and the prefix of the mainland, which may be left out (reference wecom 3.4).
pub(super) fn plain(mobile: &str) -> Option<String> {
    let number: String = mobile.chars().filter(|c| !c.is_whitespace() && !DASHES.contains(c)).collect();
    trimmed(number.strip_prefix("+86").or_else(|| number.strip_prefix("0086")).unwrap_or(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_several_bear_tells_nothing_and_the_id_and_the_mobile_number_come_first() {
        let bearer = |members: &[&str]| {
            let mut bearer = Bearer::Nobody;
            members.iter().for_each(|member| bearer.add(member));
            bearer
        };
        let bearers = Bearers {
            mobiles: [("1".to_owned(), bearer(&["ann"])), ("2".to_owned(), bearer(&["ann", "bob"]))].into(),
            numbers: [("7".to_owned(), bearer(&["cai"]))].into(),
            namesakes: [("dee".to_owned(), Some("3".to_owned())), ("eve".to_owned(), None)].into(),
        };
        let who = |id: &str, mobile: &str, number: &str| {
            bearers.of(id, &Looks { mobile: trimmed(mobile), number: trimmed(number) })
        };
        let of = |mobile: &str, number: &str| who("m1", mobile, number);
        let found = |member: &str, by| Some((member.to_owned(), by));
        assert_eq!(of("1", "7"), found("ann", DecidedBy::Mobile));
        assert_eq!(of("2", "7"), found("cai", DecidedBy::EmployeeNumber));
        assert_eq!(of("2", ""), None);
        assert_eq!(of("", ""), None);
        assert_eq!(who("Dee", "3", "7"), found("dee", DecidedBy::Id));
        assert_eq!(who("Dee", "", ""), found("dee", DecidedBy::Id));
        assert_eq!(who("Eve", "1", ""), found("eve", DecidedBy::Id));
        assert_eq!(who("Dee", "1", ""), found("ann", DecidedBy::Mobile), "an id may be another's elsewhere");
    }

    #[test]
    fn mobile_numbers_are_compared_without_what_people_write_around_them() {
        for text in ["13900001111", "+86 139-0000-1111", "+86-13900001111", "0086 13900001111", " 139 0000 1111 "] {
            assert_eq!(plain(text).as_deref(), Some("13900001111"), "{text}");
        }
        assert_eq!(plain(" "), None);
    }

    #[test]
    fn an_employee_number_may_be_an_attribute() {
        let attributes = BTreeMap::from([("工号".to_owned(), " A7 ".to_owned())]);
        let fields = Fields::new().with(Field::Attributes, attributes);
        assert_eq!(number(&fields, "工号").as_deref(), Some("A7"));
        assert_eq!(number(&fields, ""), None);
        assert_eq!(number(&fields.with(Field::EmployeeNumber, "B8"), "工号").as_deref(), Some("B8"));
    }
}
