//! The XML around a callback.

use crate::{Refusal, xml};

/// The body of a callback request (reference wecom 1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Corp id or suite id. The signature does not cover it: it may select, it proves nothing. Empty when absent.
    pub to_user_name: String,
    /// The application it is for; contact events have none, or an empty one.
    pub agent_id: Option<String>,
    /// Base64 of the ciphertext, as signed.
    pub encrypt: String,
}

impl Envelope {
    /// Reads a body. The order of the elements, white space, CDATA or plain text, elements of other names and a byte
    /// order mark make no difference.
    ///
    /// # Errors
    /// [`Refusal::Unauthorized`] when it is not UTF-8, not XML within limits, has a document type, or has not
    /// exactly one of each element: nothing in it is signed yet.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(body).ok().ok_or(Refusal::unauthorized("envelope_not_utf8"))?;
        let document = xml::parse(text).map_err(Refusal::unauthorized)?;
        // At any depth: two readers must not disagree on which one counts.
        if document.repeats("Encrypt") {
            return Err(Refusal::unauthorized("doubled_element"));
        }
        let (mut to_user_name, mut agent_id, mut encrypt) = (None, None, None);
        for element in document.root().elements() {
            let slot = match element.name() {
                "ToUserName" => &mut to_user_name,
                "AgentID" => &mut agent_id,
                "Encrypt" => &mut encrypt,
                _ => continue,
            };
            let text = element.text().ok_or(Refusal::unauthorized("misshapen_element"))?;
            if slot.replace(text.trim()).is_some() {
                return Err(Refusal::unauthorized("doubled_element"));
            }
        }
        let encrypt = encrypt.filter(|text| !text.is_empty()).ok_or(Refusal::unauthorized("missing_encrypt"))?;
        Ok(Self {
            to_user_name: to_user_name.unwrap_or_default().to_owned(),
            agent_id: agent_id.map(str::to_owned),
            encrypt: encrypt.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(body: &str) -> &'static str {
        Envelope::parse(body.as_bytes()).unwrap_err().why()
    }

    #[test]
    fn every_way_to_write_it_is_read_alike() {
        let expected = Envelope { to_user_name: "ww1".into(), agent_id: Some("7".into()), encrypt: "QUJD+/==".into() };
        for body in [
            "<xml><ToUserName><![CDATA[ww1]]></ToUserName><AgentID>7</AgentID><Encrypt><![CDATA[QUJD+/==]]>\
                </Encrypt></xml>",
            "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xml>\n  <Encrypt>\n QUJD+/== \n</Encrypt>\r\n\
             <New a='1'><In/></New><AgentID><![CDATA[7]]></AgentID><ToUserName> ww1 </ToUserName>\n</xml>\n",
            "<xml><Encrypt><![CDATA[QUJ]]><![CDATA[D+/]]>==</Encrypt><ToUserName>ww1</ToUserName>\
                <AgentID>7</AgentID></xml>",
        ] {
            assert_eq!(Envelope::parse(body.as_bytes()), Ok(expected.clone()), "{body}");
        }
        let least = Envelope::parse(b"<xml><Encrypt>QQ==</Encrypt></xml>").unwrap();
        assert_eq!((least.to_user_name.as_str(), least.agent_id), ("", None));
    }

    #[test]
    fn what_is_missing_or_doubled_is_refused() {
        assert_eq!(why(""), "xml_syntax");
        assert_eq!(why("{\"encrypt\":\"QQ==\"}"), "xml_syntax");
        assert_eq!(why("<xml/>"), "missing_encrypt");
        assert_eq!(why("<xml><encrypt>QQ==</encrypt></xml>"), "missing_encrypt");
        assert_eq!(why("<xml><Encrypt> </Encrypt></xml>"), "missing_encrypt");
        assert_eq!(why("<xml><a><Encrypt>QQ==</Encrypt></a></xml>"), "missing_encrypt");
        assert_eq!(why("<xml><Encrypt>QQ==<a/></Encrypt></xml>"), "misshapen_element");
        let twin = "<Encrypt>QQ==</Encrypt>";
        assert_eq!(why(&format!("<xml>{twin}{twin}</xml>")), "doubled_element");
        assert_eq!(why(&format!("<xml><a>{twin}</a>{twin}</xml>")), "doubled_element");
        assert_eq!(why(&format!("<xml>{twin}<n:Encrypt xmlns:n='n'>QQ==</n:Encrypt></xml>")), "doubled_element");
        assert_eq!(why(&format!("<xml><AgentID/><AgentID/>{twin}</xml>")), "doubled_element");
        assert_eq!(Envelope::parse(b"<xml>\xff</xml>").unwrap_err().why(), "envelope_not_utf8");
    }
}
