//! What was told of an entity so far, field by field with its time.

use std::collections::BTreeMap;

use common::{Field, UnixMillis, Value};
use directory::Record;

/// What was told of the present life of an entity.
#[derive(Debug, Default)]
pub(crate) struct Told<'a>(BTreeMap<Field, (UnixMillis, &'a Value)>);

impl<'a> Told<'a> {
    /// Per field the newest value. What somebody inherited from a former id is only in what was last sent.
    pub(crate) fn of(record: &'a Record) -> Self {
        let mut told = BTreeMap::new();
        for fact in record.facts.iter().rev().take_while(|fact| !fact.ends_life()) {
            for (field, value) in fact.fields().into_iter().flat_map(|fields| fields.iter()) {
                told.entry(field).or_insert((fact.at, value));
            }
        }
        if let Some(sent) = record.sent.as_ref().filter(|_| is_renamed(record)) {
            for (field, value) in sent.entity.fields.iter() {
                told.entry(field).or_insert((UnixMillis::default(), value));
            }
        }
        Self(told)
    }

    /// Whether what the source said at that time is news: another value, and none that is newer was told meanwhile.
    pub(crate) fn differs(&self, field: Field, at: UnixMillis, value: &Value) -> bool {
        self.0.get(&field).is_none_or(|(told_at, told)| *told_at < at && !is_same(told, value))
    }

    /// When a field was told last.
    pub(crate) fn at(&self, field: Field) -> Option<UnixMillis> {
        self.0.get(&field).map(|(at, _)| *at)
    }

    /// A list of ids, as it was told last.
    pub(crate) fn list(&self, field: Field) -> &[String] {
        match self.0.get(&field) {
            Some((_, Value::List(list))) => list,
            _ => &[],
        }
    }
}

fn is_renamed(record: &Record) -> bool {
    record.facts.iter().any(|fact| matches!(fact.told, directory::Told::RenamedFrom(..)))
}

/// Lists of ids are sets here: the lists of the platform have no order to rely on.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::List(one), Value::List(other)) => {
            let (mut one, mut other): (Vec<&String>, Vec<&String>) = (one.iter().collect(), other.iter().collect());
            one.sort_unstable();
            other.sort_unstable();
            one == other
        }
        _ => one == other,
    }
}
