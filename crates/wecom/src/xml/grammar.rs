//! The parts of XML's grammar that quick-xml does not look at.

use std::{borrow::Cow, iter};

pub(super) const WHITE: [char; 4] = [' ', '\t', '\r', '\n'];

/// Whether there is one of the characters that no document may have (XML 1.0, production 2): control characters, U+FFFE and
/// U+FFFF.
pub(super) fn has_forbidden_character(text: &str) -> bool {
    let (mut has_control, mut has_lead) = (false, false);
    for byte in text.bytes() {
        has_control |= byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
        // What the other two begin with in UTF-8.
        has_lead |= byte == 0xef;
    }
    has_control || (has_lead && (text.contains('\u{fffe}') || text.contains('\u{ffff}')))
}

fn is_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// The character that a reference stands for, which has this between `&` and `;`. Without a document type there are only five
/// names.
pub(super) fn character(reference: &str) -> Option<char> {
    match reference {
        "amp" => Some('&'),
        "apos" => Some('\''),
        "gt" => Some('>'),
        "lt" => Some('<'),
        "quot" => Some('"'),
        _ => {
            let number = reference.strip_prefix('#')?;
            let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
            // Otherwise a sign would be read, too.
            let are_digits = digits.chars().all(|digit| digit.is_digit(radix));
            let code = if are_digits { u32::from_str_radix(digits, radix).ok()? } else { return None };
            char::from_u32(code).filter(|character| is_character(*character))
        }
    }
}

/// Ends lines as XML 1.0 does (section 2.11), in CDATA sections as well.
pub(super) fn with_line_feeds(text: &str) -> Cow<'_, str> {
    if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")) } else { Cow::Borrowed(text) }
}

/// The namespace prefix, if there is one, and the local name of an element or attribute.
pub(super) fn qualified_name(name: &str) -> Option<(Option<&str>, &str)> {
    let (prefix, local) = match name.split_once(':') {
        Some((prefix, local)) => (Some(prefix), local),
        None => (None, name),
    };
    (prefix.is_none_or(is_name) && is_name(local)).then_some((prefix, local))
}

/// Whether this is a name as nearly all are: latin letters and digits, without a prefix.
pub(super) fn is_plain_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric()) && name.starts_with(|first: char| first.is_ascii_alphabetic())
}

fn is_name(name: &str) -> bool {
    name.starts_with(starts_a_name) && name.chars().all(is_in_names)
}

/// XML 1.0, production 4, without the colon.
pub(super) fn starts_a_name(character: char) -> bool {
    matches!(
        character,
        'A'..='Z'
            | 'a'..='z'
            | '_'
            | '\u{c0}'..='\u{d6}'
            | '\u{d8}'..='\u{f6}'
            | '\u{f8}'..='\u{2ff}'
            | '\u{370}'..='\u{37d}'
            | '\u{37f}'..='\u{1fff}'
            | '\u{200c}'..='\u{200d}'
            | '\u{2070}'..='\u{218f}'
            | '\u{2c00}'..='\u{2fef}'
            | '\u{3001}'..='\u{d7ff}'
            | '\u{f900}'..='\u{fdcf}'
            | '\u{fdf0}'..='\u{fffd}'
            | '\u{10000}'..='\u{effff}'
    )
}

/// XML 1.0, production 4a, without the colon.
fn is_in_names(character: char) -> bool {
    starts_a_name(character)
        || matches!(character, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// The names and values of the attributes in a tag, given what stands behind its name. `None` stands for something that is none,
/// and is the last.
pub(super) fn attributes(mut rest: &str) -> impl Iterator<Item = Option<(&str, &str)>> {
    iter::from_fn(move || {
        let text = rest.trim_start_matches(WHITE);
        if text.is_empty() {
            return None;
        }
        let is_apart = text.len() < rest.len();
        let attribute = attribute(text).filter(|_| is_apart);
        rest = attribute.map_or("", |(_, _, after)| after);
        Some(attribute.map(|(name, value, _)| (name, value)))
    })
}

/// Name and value of the attribute that a text begins with, and what comes after it.
fn attribute(text: &str) -> Option<(&str, &str, &str)> {
    let (name, text) = text.split_once('=')?;
    let text = text.trim_start_matches(WHITE);
    let quote = text.chars().next().filter(|character| matches!(character, '"' | '\''))?;
    let (value, after) = text.get(1..)?.split_once(quote)?;
    Some((name.trim_end_matches(WHITE), value, after))
}

/// Whether this may be the value of an attribute.
pub(super) fn is_value(value: &str) -> bool {
    let is_reference = |text: &str| text.split_once(';').is_some_and(|(name, _)| character(name).is_some());
    !value.contains('<') && value.split('&').skip(1).all(is_reference)
}

/// Whether this may stand between `<?xml` and `?>` (XML 1.0, production 23).
pub(super) fn is_declaration(content: &str) -> bool {
    let mut before = "";
    for attribute in attributes(content) {
        let Some((name, value)) = attribute else { return false };
        let is_in_order = matches!(
            (before, name),
            ("", "version") | ("version", "encoding" | "standalone") | ("encoding", "standalone")
        );
        if !is_in_order || !is_value(value) {
            return false;
        }
        before = name;
    }
    !before.is_empty()
}

/// Whether a declaration names an encoding that is not UTF-8.
pub(super) fn declares_other_encoding(content: &str) -> bool {
    let is_utf8 = |value: &str| value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8");
    attributes(content).flatten().any(|(name, value)| name == "encoding" && !is_utf8(value))
}
