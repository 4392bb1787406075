//! Bytes that are text in almost every case: stored as text then, which is a quarter of the size and can be read.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Stored<T, B> {
    Text(T),
    Bytes(B),
}

pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Stored::<&str, &[u8]>::Text(text),
        Err(_) => Stored::Bytes(bytes),
    }
    .serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    Ok(match Stored::<String, Vec<u8>>::deserialize(deserializer)? {
        Stored::Text(text) => text.into_bytes(),
        Stored::Bytes(bytes) => bytes,
    })
}

#[cfg(test)]
mod tests {
    use crate::Message;

    #[test]
    fn a_message_comes_back_byte_for_byte() {
        for body in ["<xml>企业</xml>".as_bytes().to_vec(), vec![0, 159, 146, 150]] {
            let message = Message { url: "http://oa/?a=b".into(), content_type: "text/xml".into(), body, second: 7 };
            let stored = serde_json::to_string(&message).unwrap();
            assert_eq!(serde_json::from_str::<Message>(&stored).unwrap(), message);
        }
    }
}
