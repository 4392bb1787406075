//! XML from outside, read within limits.
//!
//! roxmltree expands no entities without a document type, and reads nested elements in a loop. What it does not bound
//! is the work for attributes and namespaces, which grows with their square; so a document is looked through first.

use std::borrow::Cow;

use roxmltree::{Document, Node, ParsingOptions};

/// Elements, texts and comments of a document. The largest known callbacks have some hundred.
const MOST_NODES: u32 = 10_000;
/// Attributes and namespace declarations of a document. No callback has one.
const MOST_ATTRIBUTES: usize = 64;
/// Elements within elements. Approval callbacks have about eight.
const DEEPEST: usize = 64;

/// Reads a document; the error says why not, as a metric label. A byte order mark and white space in front are skipped.
pub(crate) fn parse(text: &str) -> Result<Document<'_>, &'static str> {
    let text = without_mark(text);
    check_encoding(text)?;
    check_limits(text)?;
    let options = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::DtdDetected => "xml_document_type",
        roxmltree::Error::NodesLimitReached => "xml_too_large",
        _ => "xml_syntax",
    })
}

/// The text without byte order mark and white space in front.
pub(crate) fn without_mark(text: &str) -> &str {
    text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n'])
}

/// The text of an element that holds nothing else: what stands in it plainly, in CDATA sections, or in a mixture.
/// `None` when it has elements in it.
pub(crate) fn text_of<'a>(element: Node<'a, '_>) -> Option<Cow<'a, str>> {
    let mut whole = Cow::Borrowed("");
    for child in element.children() {
        if child.is_element() {
            return None;
        }
        match child.text() {
            Some(text) if child.is_text() && whole.is_empty() => whole = Cow::Borrowed(text),
            Some(text) if child.is_text() => whole.to_mut().push_str(text),
            _ => {}
        }
    }
    Some(whole)
}

/// The elements directly in an element.
pub(crate) fn elements<'a, 'input>(parent: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    parent.children().filter(Node::is_element)
}

/// The text is UTF-8 by now; a declaration that says otherwise was written for a reader who would see other characters.
fn check_encoding(text: &str) -> Result<(), &'static str> {
    let Some((declaration, _)) = text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")) else {
        return Ok(());
    };
    let Some((_, rest)) = declaration.split_once("encoding") else { return Ok(()) };
    let value = rest.trim_start().strip_prefix('=').unwrap_or_default().trim_start();
    let name = value.get(1..).and_then(|value| value.split(['"', '\'']).next()).unwrap_or_default();
    if name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("utf8") { Ok(()) } else { Err("xml_encoding") }
}

/// Counts attributes and depth in one pass. Where the document is broken it stops: the parser stops there as well.
fn check_limits(text: &str) -> Result<(), &'static str> {
    let (mut rest, mut attributes, mut depth) = (text, 0, 0usize);
    while let Some(start) = rest.find('<') {
        let Some(tag) = rest.get(start..) else { break };
        let after = if tag.starts_with("<![CDATA[") {
            past(tag, "<![CDATA[", "]]>")
        } else if tag.starts_with("<!--") {
            past(tag, "<!--", "-->")
        } else if tag.starts_with("<!") {
            return Err("xml_document_type");
        } else if tag.starts_with("<?") {
            past(tag, "<?", "?>")
        } else if tag.starts_with("</") {
            depth = depth.saturating_sub(1);
            past(tag, "</", ">")
        } else {
            start_tag(tag, &mut attributes).map(|(inside, after)| {
                depth += usize::from(!inside.ends_with('/'));
                after
            })
        };
        if attributes > MOST_ATTRIBUTES || depth > DEEPEST {
            return Err("xml_too_large");
        }
        match after {
            Some(after) => rest = after,
            None => break,
        }
    }
    Ok(())
}

/// What comes after the first `end` behind `start`. The two must not overlap: `<!-->` ends nothing.
fn past<'a>(tag: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let mut at = start.len();
    loop {
        at += tag.get(at..)?.find('>')? + 1;
        if tag.get(start.len()..at)?.ends_with(end) {
            return tag.get(at..);
        }
    }
}

/// Splits after a start tag, whose quoted values may contain `>`, and counts its attributes.
fn start_tag<'a>(tag: &'a str, attributes: &mut usize) -> Option<(&'a str, &'a str)> {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'=') => *attributes += 1,
            (None, b'>') => return Some((tag.get(..at)?, tag.get(at + 1..)?)),
            (None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> Option<&'static str> {
        parse(text).err()
    }

    #[test]
    fn only_utf8_may_be_declared() {
        for good in [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><a/>",
            "\u{feff}<?xml version='1.0' encoding = 'utf-8' standalone='yes'?>\n<a/>",
            " \n<?xml version='1.0'?><a>encoding='GBK'</a>",
            "<a/>",
        ] {
            assert_eq!(why(good), None, "{good}");
        }
        for encoding in ["GBK", "UTF-16", "utf-7", "", "ISO-8859-1"] {
            let text = format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?><a/>");
            assert_eq!(why(&text), Some("xml_encoding"), "{encoding}");
        }
    }

    #[test]
    fn text_is_put_together_and_elements_in_it_are_noticed() {
        let document = parse("<a><b>x<![CDATA[<y>]]>&amp;<!-- no -->z</b><c/><d><e/></d></a>").unwrap();
        let texts: Vec<_> = elements(document.root_element()).map(text_of).collect();
        assert_eq!(texts, [Some("x<y>&z".into()), Some("".into()), None]);
    }

    #[test]
    fn limits_count_what_is_markup_only() {
        let equals = "=".repeat(1000);
        assert_eq!(why(&format!("<a b='{equals}>'>{equals}<![CDATA[<x {equals}>]]><!-- <x {equals}> --></a>")), None);
        let attributes = |count: usize| (0..count).map(|n| format!(" a{n}='>'")).collect::<String>();
        assert_eq!(why(&format!("<a{}/>", attributes(MOST_ATTRIBUTES))), None);
        assert_eq!(why(&format!("<a{}/>", attributes(MOST_ATTRIBUTES + 1))), Some("xml_too_large"));
        let hidden = attributes(MOST_ATTRIBUTES + 1);
        for (start, end) in
            [("<!--> <![CDATA[ -->", "<!-- ]]> -->"), ("<?a <!-- ?>", "<!-- -->"), ("<b c='<!--'/>", "")]
        {
            assert_eq!(why(&format!("<a>{start}<a{hidden}/>{end}</a>")), Some("xml_too_large"), "{start}");
        }
        let nested = |depth: usize| "<a>".repeat(depth) + "<b/>" + &"</a>".repeat(depth);
        assert_eq!(why(&nested(DEEPEST)), None);
        assert_eq!(why(&nested(DEEPEST + 1)), Some("xml_too_large"));
        assert_eq!(why(&format!("<a>{}</a>", "<b/>".repeat(MOST_NODES as usize - 2))), None);
        assert_eq!(why(&format!("<a>{}</a>", "<b/>".repeat(MOST_NODES as usize))), Some("xml_too_large"));
    }
}
