//! Writes the flat XML of callbacks.

/// A document with the root element `xml`.
#[derive(Debug)]
pub(crate) struct Writer {
    text: String,
}

impl Writer {
    pub(crate) fn new(capacity_bytes: usize) -> Self {
        let mut text = String::with_capacity(capacity_bytes);
        text.push_str("<xml>");
        Self { text }
    }

    pub(crate) fn finish(mut self) -> String {
        self.text.push_str("</xml>");
        self.text
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn open(&mut self, element: &str) {
        self.text.extend(["<", element, ">"]);
    }

    pub(crate) fn close(&mut self, element: &str) {
        self.text.extend(["</", element, ">"]);
    }

    /// An element with its text in a CDATA section. Characters that XML cannot say are left out: the receiver could not
    /// read the message at all.
    pub(crate) fn cdata(&mut self, element: &str, text: &str) {
        self.open(element);
        self.text.push_str("<![CDATA[");
        let sayable: String;
        let text = if text.chars().all(is_sayable) {
            text
        } else {
            sayable = text.chars().filter(|character| is_sayable(*character)).collect();
            &sayable
        };
        for (nth, part) in text.split("]]>").enumerate() {
            if nth > 0 {
                self.text.push_str("]]]]><![CDATA[>");
            }
            self.text.push_str(part);
        }
        self.text.push_str("]]>");
        self.close(element);
    }

    /// An element with a number or a word as its text, written as WeCom writes them: without CDATA.
    pub(crate) fn plain(&mut self, element: &str, text: &str) {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+');
        if text.is_empty() || !text.bytes().all(is_word) {
            return self.cdata(element, text);
        }
        self.open(element);
        self.text.push_str(text);
        self.close(element);
    }
}

/// XML 1.0, production 2.
fn is_sayable(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_in_a_text_it_stays_a_text() {
        let mut xml = Writer::new(0);
        xml.cdata("a", "]]></a><b>&amp;]]>]]");
        xml.cdata("c", "x\u{0}]\u{1}]>\u{ffff}y");
        xml.plain("d", "<e/>");
        xml.plain("f", "-12");
        let text = xml.finish();
        let document = roxmltree::Document::parse(&text).unwrap();
        let read: Vec<_> =
            document.root_element().children().map(|node| (node.tag_name().name(), node.text())).collect();
        assert_eq!(
            read,
            [("a", Some("]]></a><b>&amp;]]>]]")), ("c", Some("x]]>y")), ("d", Some("<e/>")), ("f", Some("-12"))]
        );
        assert!(text.ends_with("<f>-12</f></xml>"));
    }
}
