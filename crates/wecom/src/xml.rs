//! XML from outside, read within limits.
//!
//! quick-xml finds in one pass where tags, texts and the like begin and end, and whether end tags fit. It lets pass much that is
//! no XML; what it does not look at is looked at here. Attributes are only checked: no callback has one.

mod grammar;

use std::{borrow::Cow, iter};

use quick_xml::{events::Event, reader::Reader};

use self::grammar::{
    WHITE, attributes, character, declares_other_encoding, has_forbidden_character, is_declaration, is_plain_name,
    is_value, qualified_name, starts_a_name, with_line_feeds,
};

/// Elements, texts, comments and instructions of a document. The largest known callbacks have some hundred.
const MOST_NODES: usize = 10_000;
/// Attributes and namespace declarations of a document. No callback has one.
const MOST_ATTRIBUTES: usize = 64;
/// Elements within elements. Approval callbacks have about eight.
const DEEPEST: usize = 64;
/// As many as there is room for from the start: the elements of a member with all fields.
const USUAL_ELEMENTS: usize = 40;

const DOCUMENT_TYPE: &str = "xml_document_type";
const ENCODING: &str = "xml_encoding";
const SYNTAX: &str = "xml_syntax";
const TOO_LARGE: &str = "xml_too_large";

/// Reads a document; the error says why not, as a metric label. A byte order mark and white space in front are skipped.
pub(crate) fn parse(text: &str) -> Result<Document<'_>, &'static str> {
    let text = without_mark(text);
    if has_forbidden_character(text) {
        return Err(SYNTAX);
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut builder = Builder::new();
    let mut start = 0;
    loop {
        let event = reader.read_event();
        let end = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let piece = text.get(start..end).unwrap_or_default();
        match event {
            Ok(Event::Start(_)) => builder.open(inside(piece, "<", ">")?, false)?,
            Ok(Event::Empty(_)) => builder.open(inside(piece, "<", "/>")?, true)?,
            Ok(Event::End(_)) => builder.close()?,
            Ok(Event::Text(_)) => builder.plain_text(piece)?,
            Ok(Event::CData(_)) => builder.text(inside(piece, "<![CDATA[", "]]>")?)?,
            Ok(Event::GeneralRef(_)) => builder.reference(inside(piece, "&", ";")?)?,
            Ok(Event::Comment(_)) => builder.count()?,
            Ok(Event::PI(_)) => builder.instruction(inside(piece, "<?", "?>")?)?,
            Ok(Event::Decl(_)) if start == 0 => check_declaration(inside(piece, "<?xml", "?>")?)?,
            Ok(Event::Eof) => return builder.finish(),
            _ => return Err(why_not(text.get(start..).unwrap_or_default())),
        }
        start = end;
    }
}

/// The text without byte order mark and white space in front.
pub(crate) fn without_mark(text: &str) -> &str {
    text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n'])
}

/// A document: its elements in the order of their start tags, so that each is followed by what is in it.
#[derive(Debug)]
pub(crate) struct Document<'a>(Vec<Held<'a>>);

#[derive(Debug)]
struct Held<'a> {
    /// Without a namespace prefix.
    name: &'a str,
    text: Cow<'a, str>,
    /// Itself and the elements in it, at any depth.
    size: usize,
}

/// An element, with those in it behind it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a>(&'a [Held<'a>]);

impl Document<'_> {
    pub(crate) fn root(&self) -> Element<'_> {
        Element(&self.0)
    }

    /// Whether more than one element has this name, at whatever depth.
    pub(crate) fn repeats(&self, name: &str) -> bool {
        self.0.iter().filter(|element| element.name == name).count() > 1
    }
}

impl<'a> Element<'a> {
    /// Its name without a namespace prefix.
    pub(crate) fn name(self) -> &'a str {
        self.0.first().map_or("", |element| element.name)
    }

    /// Its text when it holds nothing else: what stands in it plainly, in CDATA sections, or in a mixture. `None` when it has
    /// elements in it.
    pub(crate) fn text(self) -> Option<&'a str> {
        let [element] = self.0 else { return None };
        Some(&element.text)
    }

    /// The elements directly in it.
    pub(crate) fn elements(self) -> impl Iterator<Item = Self> {
        let mut rest = self.0.get(1..).unwrap_or_default();
        iter::from_fn(move || {
            let (next, others) = rest.split_at_checked(rest.first()?.size)?;
            rest = others;
            Some(Self(next))
        })
    }
}

/// A document of which the first part was read.
struct Builder<'a> {
    elements: Vec<Held<'a>>,
    open: Vec<Open>,
    /// The namespace prefixes that are declared where the reader is.
    prefixes: Vec<&'a str>,
    nodes: usize,
    attributes: usize,
    /// The values of all attributes are as they must be. Told at the end: that there are too many goes before.
    values_are_sound: bool,
    /// What was read last is text. It is one node however it is written.
    in_text: bool,
}

/// An element that is not closed yet.
struct Open {
    at: usize,
    prefixes_outside: usize,
}

impl<'a> Builder<'a> {
    fn new() -> Self {
        Self {
            elements: Vec::with_capacity(USUAL_ELEMENTS),
            open: Vec::new(),
            prefixes: Vec::new(),
            nodes: 0,
            attributes: 0,
            values_are_sound: true,
            in_text: false,
        }
    }

    fn finish(self) -> Result<Document<'a>, &'static str> {
        let is_whole = self.open.is_empty() && !self.elements.is_empty();
        if is_whole && self.values_are_sound { Ok(Document(self.elements)) } else { Err(SYNTAX) }
    }

    fn count(&mut self) -> Result<(), &'static str> {
        self.in_text = false;
        self.nodes += 1;
        if self.nodes > MOST_NODES { Err(TOO_LARGE) } else { Ok(()) }
    }

    /// Takes what stands in a start tag; there is no end tag to it when it `is_empty`.
    fn open(&mut self, tag: &'a str, is_empty: bool) -> Result<(), &'static str> {
        self.count()?;
        let is_second_root = self.open.is_empty() && !self.elements.is_empty();
        let prefixes_outside = self.prefixes.len();
        let name = if is_plain_name(tag) { tag } else { self.name_beside_attributes(tag)? };
        if is_second_root {
            return Err(SYNTAX);
        }
        let at = self.elements.len();
        self.elements.push(Held { name, text: Cow::Borrowed(""), size: 1 });
        if is_empty {
            self.prefixes.truncate(prefixes_outside);
        } else {
            self.open.push(Open { at, prefixes_outside });
        }
        if self.open.len() > DEEPEST { Err(TOO_LARGE) } else { Ok(()) }
    }

    fn name_beside_attributes(&mut self, tag: &'a str) -> Result<&'a str, &'static str> {
        let (name, attributes) = tag.split_at(tag.find(WHITE).unwrap_or(tag.len()));
        self.check_attributes(attributes)?;
        let (prefix, name) = qualified_name(name).ok_or(SYNTAX)?;
        if prefix == Some("xmlns") || !self.is_declared(prefix) { Err(SYNTAX) } else { Ok(name) }
    }

    fn check_attributes(&mut self, rest: &'a str) -> Result<(), &'static str> {
        let mut names = Vec::new();
        for attribute in attributes(rest) {
            let (name, value) = attribute.ok_or(SYNTAX)?;
            self.attributes += 1;
            if self.attributes > MOST_ATTRIBUTES {
                return Err(TOO_LARGE);
            }
            self.values_are_sound &= is_value(value);
            let name = qualified_name(name).ok_or(SYNTAX)?;
            if names.contains(&name) {
                return Err(SYNTAX);
            }
            if let (Some("xmlns"), prefix) = name {
                self.prefixes.push(prefix);
            }
            names.push(name);
        }
        // A prefix may be declared behind its use.
        let are_declared = names.iter().all(|(prefix, _)| *prefix == Some("xmlns") || self.is_declared(*prefix));
        if are_declared { Ok(()) } else { Err(SYNTAX) }
    }

    fn is_declared(&self, prefix: Option<&str>) -> bool {
        prefix.is_none_or(|prefix| prefix == "xml" || self.prefixes.contains(&prefix))
    }

    /// Closes the innermost element. That its name is that of the end tag quick-xml has seen to.
    fn close(&mut self) -> Result<(), &'static str> {
        self.in_text = false;
        let open = self.open.pop().ok_or(SYNTAX)?;
        self.prefixes.truncate(open.prefixes_outside);
        let size = self.elements.len() - open.at;
        if let Some(element) = self.elements.get_mut(open.at) {
            element.size = size;
        }
        Ok(())
    }

    /// Text without references in it, outside of CDATA sections.
    fn plain_text(&mut self, text: &'a str) -> Result<(), &'static str> {
        let is_outside = self.open.is_empty();
        if is_outside && text.trim_start_matches(WHITE).is_empty() {
            return Ok(());
        }
        // Most texts have no bracket at all.
        if text.contains('>') && text.contains("]]>") {
            return Err(SYNTAX);
        }
        self.text(text)
    }

    fn text(&mut self, text: &'a str) -> Result<(), &'static str> {
        let text = with_line_feeds(text);
        match self.text_so_far()? {
            Some(whole) if whole.is_empty() => *whole = text,
            Some(whole) => whole.to_mut().push_str(&text),
            None => {}
        }
        Ok(())
    }

    fn reference(&mut self, name: &str) -> Result<(), &'static str> {
        let character = character(name).ok_or(SYNTAX)?;
        if let Some(whole) = self.text_so_far()? {
            whole.to_mut().push(character);
        }
        Ok(())
    }

    /// The text to which more comes; `None` where it is of no interest, beside elements.
    fn text_so_far(&mut self) -> Result<Option<&mut Cow<'a, str>>, &'static str> {
        let open = self.open.last().ok_or(SYNTAX)?;
        let is_beside_elements = open.at + 1 < self.elements.len();
        if !self.in_text {
            self.count()?;
            self.in_text = true;
        }
        Ok(self.elements.last_mut().filter(|_| !is_beside_elements).map(|element| &mut element.text))
    }

    fn instruction(&mut self, content: &str) -> Result<(), &'static str> {
        if content.starts_with(starts_a_name) { self.count() } else { Err(SYNTAX) }
    }
}

/// What stands between `start` and `end`.
fn inside<'a>(piece: &'a str, start: &str, end: &str) -> Result<&'a str, &'static str> {
    piece.strip_prefix(start).and_then(|rest| rest.strip_suffix(end)).ok_or(SYNTAX)
}

/// The text is UTF-8 by now; a declaration that says otherwise was written for a reader who would see other characters.
fn check_declaration(content: &str) -> Result<(), &'static str> {
    if !is_declaration(content) {
        Err(SYNTAX)
    } else if declares_other_encoding(content) {
        Err(ENCODING)
    } else {
        Ok(())
    }
}

/// Why a document is refused of which this is the first part that cannot be read.
fn why_not(rest: &str) -> &'static str {
    let is_known = rest.starts_with("<!--") || rest.starts_with("<![CDATA[");
    if rest.starts_with("<!") && !is_known { DOCUMENT_TYPE } else { SYNTAX }
}

#[cfg(test)]
mod tests;
