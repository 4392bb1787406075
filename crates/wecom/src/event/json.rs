//! Callbacks in JSON. Contact events are documented in XML only, so these are kept as they came; they are read to be
//! sure that whoever gets them can read them, and in one way only.

use std::{collections::HashSet, fmt};

use common::{Callback, Platform, UnixMillis};
use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor},
};

use super::text;
use crate::{Refusal, xml};

/// Keeps a JSON object. Refused are broken texts, twin keys, numbers that no number type holds, and nesting beyond 128
/// levels.
pub(super) fn read(plaintext: &str, received_at: UnixMillis) -> Result<Callback, Refusal> {
    let json = xml::without_mark(plaintext);
    let broken = Refusal::malformed("json_syntax");
    let mut reader = serde_json::Deserializer::from_str(json);
    Strict.deserialize(&mut reader).and_then(|()| reader.end()).ok().ok_or(broken)?;
    let header: Header = serde_json::from_str(json).ok().ok_or(broken)?;
    let text_of =
        |value: &Option<serde_json::Value>| value.as_ref().and_then(|value| value.as_str().map(str::to_owned));
    let event = text_of(&header.event).or_else(|| text_of(&header.message_type));
    let at = match &header.time {
        Some(serde_json::Value::String(digits)) => text::time(digits.trim()),
        Some(serde_json::Value::Number(number)) => text::time(&number.to_string()),
        _ => None,
    };
    Ok(Callback {
        name: text::callback_name(event.as_deref(), text_of(&header.change_type).as_deref()),
        at: at.unwrap_or(received_at),
        content: plaintext.to_owned(),
        platform: Platform::Wecom,
    })
}

#[derive(Deserialize)]
struct Header {
    #[serde(rename = "MsgType", default)]
    message_type: Option<serde_json::Value>,
    #[serde(rename = "Event", default)]
    event: Option<serde_json::Value>,
    #[serde(rename = "ChangeType", default)]
    change_type: Option<serde_json::Value>,
    #[serde(rename = "CreateTime", default)]
    time: Option<serde_json::Value>,
}

/// Any JSON value without twin keys.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Strict)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if !seen.insert(key) {
                return Err(A::Error::custom("twin keys"));
            }
            entries.next_value_seed(Strict)?;
        }
        Ok(())
    }
}
