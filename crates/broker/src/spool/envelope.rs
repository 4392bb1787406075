//! A message in the spool: a JSON list of its ordering key and its payload, since the queue keeps payloads only.

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::{Error, Outgoing, Result};

/// Messages as the spool keeps them. The key decides nothing there, but tells who looks at a row whose it is.
pub(super) fn seal(messages: &[Outgoing]) -> Result<Vec<Outgoing>> {
    let seal = |(index, message): (usize, &Outgoing)| {
        let payload: &RawValue =
            serde_json::from_slice(&message.payload).map_err(|_syntax| Error::NotJson { index })?;
        let sealed = serde_json::to_vec(&(&message.ordering_key, payload)).map_err(|_text| Error::NotJson { index })?;
        Ok(Outgoing::new(message.ordering_key.clone(), sealed))
    };
    messages.iter().enumerate().map(seal).collect()
}

/// The message in a document of the spool, its payload byte for byte. What [`seal`] did not write goes on as a JSON text: who
/// consumes it cannot read it either, and keeps it as a dead letter where people look.
pub(super) fn open(document: &Bytes) -> Outgoing {
    match serde_json::from_slice::<(String, &RawValue)>(document) {
        Ok((ordering_key, payload)) => Outgoing::new(ordering_key, document.slice_ref(payload.get().as_bytes())),
        Err(_) => {
            let text = String::from_utf8_lossy(document);
            Outgoing::new("", serde_json::Value::String(text.into_owned()).to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_as_they_went_in() {
        for payload in [r#"{"b": 1.00,"a":"\u4f01业"}"#, "[]", "null", "\"a,b]\"", "3"] {
            let message = Outgoing::new("acme/\"企业\"", payload);
            let sealed = seal(std::slice::from_ref(&message)).unwrap();
            assert_eq!(open(&sealed[0].payload), message);
        }
    }

    #[test]
    fn what_is_no_document_is_refused_with_its_place() {
        for bad in ["", "{", "1 2", "1,2", "1],[2", "{},{}", "]"] {
            let messages = [Outgoing::new("acme", "1"), Outgoing::new("acme", bad)];
            assert!(matches!(seal(&messages), Err(Error::NotJson { index: 1 })), "{bad}");
        }
    }

    #[test]
    fn what_is_no_envelope_goes_on_as_a_text() {
        for bad in [&b"rubbish"[..], b"[1,2]", b"[\"acme\"]", b"\xff\"", b""] {
            let opened = open(&Bytes::copy_from_slice(bad));
            assert!(serde_json::from_slice::<String>(&opened.payload).is_ok(), "{opened:?}");
        }
    }
}
