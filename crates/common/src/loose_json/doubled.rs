//! Keys that stand in one object of a JSON text more than once: whoever reads it sees the last one only.

use std::{collections::BTreeSet, fmt, iter};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// So many are told.
const MOST: usize = 8;

/// Those of a text, in its order, each with the keys around it; the first few.
///
/// # Errors
/// It is no JSON.
pub(super) fn keys(text: &str) -> serde_json::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut reader = serde_json::Deserializer::from_str(text);
    Search { inside: None, found: &mut found }.deserialize(&mut reader)?;
    Ok(found)
}

/// A key, and the one around it.
#[derive(Clone, Copy)]
struct Place<'a> {
    key: &'a str,
    around: Option<&'a Place<'a>>,
}

/// Looks through one value, which stands under a key.
struct Search<'a> {
    inside: Option<&'a Place<'a>>,
    found: &'a mut Vec<String>,
}

impl Place<'_> {
    fn path(&self) -> String {
        let places = iter::successors(Some(self), |place| place.around);
        let mut keys: Vec<&str> = places.map(|place| place.key).collect();
        keys.reverse();
        keys.join(".")
    }
}

impl<'de> DeserializeSeed<'de> for Search<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Search<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _flag: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _number: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _number: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _number: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _text: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { inside, found } = self;
        while items.next_element_seed(Search { inside, found: &mut *found })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Self { inside, found } = self;
        let mut seen = BTreeSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            let place = Place { key: &key, around: inside };
            if seen.contains(&key) && found.len() < MOST {
                found.push(place.path());
            }
            entries.next_value_seed(Search { inside: Some(&place), found: &mut *found })?;
            seen.insert(key);
        }
        Ok(())
    }
}
