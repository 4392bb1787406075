//! What a field of the request is made of: texts with places for values of the record. There is no more to it than that: no
//! calls, no operators, nothing but the record in reach.

use serde_json::{Map, Value};

use super::{path::Path, plain, reason::Reason};
use crate::api::Widgets;

/// How deep lists and objects may be in each other.
const DEEPEST: usize = 8;

/// What is filled.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Template {
    /// A value as it stands.
    Fixed(Value),
    /// A value of the record, with its type.
    Whole(Path),
    /// A text with values of the record in it.
    Mixed(Vec<Part>),
    /// A list of such.
    List(Vec<Template>),
    /// An object of such.
    Object(Vec<(String, Template)>),
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    /// Characters as they stand.
    Text(String),
    /// The text of a value of the record.
    Place(Path),
}

/// Why a template cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// `{{..}}`: what another platform fills in.
    Foreign(String),
    /// `{..}` around something that is no path.
    NoPath(String),
    /// Lists and objects too deep in each other.
    TooDeep,
}

impl Template {
    /// Reads what stands as the value of a field.
    pub(crate) fn read(value: &Value) -> Result<Self, Unreadable> {
        Self::read_at(value, 0)
    }

    fn read_at(value: &Value, depth: usize) -> Result<Self, Unreadable> {
        if depth > DEEPEST {
            return Err(Unreadable::TooDeep);
        }
        let within = |value: &Value| Self::read_at(value, depth + 1);
        match value {
            Value::String(text) => read_text(text),
            Value::Array(items) if !items.is_empty() => {
                Ok(Self::List(items.iter().map(within).collect::<Result<_, _>>()?))
            }
            Value::Object(map) if !map.is_empty() => {
                let field = |(name, value): (&String, &Value)| Ok((name.clone(), within(value)?));
                Ok(Self::Object(map.iter().map(field).collect::<Result<_, Unreadable>>()?))
            }
            fixed => Ok(Self::Fixed(fixed.clone())),
        }
    }

    /// The value for a record. A text with places for values is empty where all of them are, and `is_identity` says that it is
    /// where one of them is: half an id is another id.
    ///
    /// # Errors
    /// [`Reason::NotUsable`] where a value has no text to stand in a text.
    pub(crate) fn fill(&self, values: &Map<String, Value>, is_identity: bool) -> Result<Value, Reason> {
        match self {
            Self::Fixed(value) => Ok(value.clone()),
            Self::Whole(path) => Ok(path.find(values).cloned().unwrap_or_default()),
            Self::Mixed(parts) => fill_text(parts, values, is_identity),
            Self::List(items) => items.iter().map(|item| item.fill(values, is_identity)).collect(),
            Self::Object(fields) => {
                let field = |(name, template): &(String, Self)| Ok((name.clone(), template.fill(values, is_identity)?));
                Ok(Value::Object(fields.iter().map(field).collect::<Result<_, Reason>>()?))
            }
        }
    }

    /// All paths in it.
    pub(crate) fn paths(&self) -> Vec<&Path> {
        match self {
            Self::Fixed(_) => Vec::new(),
            Self::Whole(path) => vec![path],
            Self::Mixed(parts) => parts
                .iter()
                .filter_map(|part| match part {
                    Part::Place(path) => Some(path),
                    Part::Text(_) => None,
                })
                .collect(),
            Self::List(items) => items.iter().flat_map(Self::paths).collect(),
            Self::Object(fields) => fields.iter().flat_map(|(_, template)| template.paths()).collect(),
        }
    }

    /// The same with the names that records have; paths that the form does not know stay as they are.
    pub(crate) fn bind(&self, widgets: &Widgets) -> Self {
        let bound = |path: &Path| path.bind(widgets).map_or_else(|| path.clone(), |(path, _)| path);
        match self {
            Self::Fixed(value) => Self::Fixed(value.clone()),
            Self::Whole(path) => Self::Whole(bound(path)),
            Self::Mixed(parts) => {
                let part = |part: &Part| match part {
                    Part::Place(path) => Part::Place(bound(path)),
                    Part::Text(text) => Part::Text(text.clone()),
                };
                Self::Mixed(parts.iter().map(part).collect())
            }
            Self::List(items) => Self::List(items.iter().map(|item| item.bind(widgets)).collect()),
            Self::Object(fields) => {
                Self::Object(fields.iter().map(|(name, field)| (name.clone(), field.bind(widgets))).collect())
            }
        }
    }
}

fn read_text(text: &str) -> Result<Template, Unreadable> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once('{') {
        if inside.starts_with('{') {
            return Err(Unreadable::Foreign(inside.to_owned()));
        }
        let (inner, after) = inside.split_once('}').ok_or_else(|| Unreadable::NoPath(inside.to_owned()))?;
        let path = Path::read(inner.trim()).ok_or_else(|| Unreadable::NoPath(inner.to_owned()))?;
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        parts.push(Part::Place(path));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Ok(match parts.as_slice() {
        [] | [Part::Text(_)] => Template::Fixed(Value::from(text)),
        [Part::Place(path)] => Template::Whole(path.clone()),
        _ if is_one_place(&parts) => whole(parts),
        _ => Template::Mixed(parts),
    })
}

/// Whether a text is one place with nothing but blanks around it.
fn is_one_place(parts: &[Part]) -> bool {
    let is_blank = |part: &&Part| matches!(part, Part::Text(text) if text.trim().is_empty());
    parts.iter().filter(|part| !is_blank(part)).count() == 1
}

fn whole(parts: Vec<Part>) -> Template {
    let place = parts.iter().find_map(|part| match part {
        Part::Place(path) => Some(path.clone()),
        Part::Text(_) => None,
    });
    place.map_or_else(|| Template::Mixed(parts), Template::Whole)
}

fn fill_text(parts: &[Part], values: &Map<String, Value>, is_identity: bool) -> Result<Value, Reason> {
    let (mut filled, mut empty, mut places) = (String::new(), 0, 0);
    for part in parts {
        match part {
            Part::Text(text) => filled.push_str(text),
            Part::Place(path) => {
                let value = path.find(values).unwrap_or(&Value::Null);
                let text = if is_identity { plain::id(value)? } else { plain::text(value)? };
                places += 1;
                // A phone without a number still says that it was not verified.
                empty += usize::from(text.trim().is_empty());
                filled.push_str(&text);
            }
        }
    }
    let is_empty = if is_identity { empty > 0 } else { empty == places };
    Ok(if is_empty { Value::Null } else { Value::from(filled) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fill(template: Value, is_identity: bool) -> Result<Value, Reason> {
        let record = json!({
            "name": "张三", "number": 7, "blank": "", "list": ["a", "b"], "phone": {"phone": "138"},
            "none": {"phone": "", "verified": false}, "row": [{"_id": "1", "x": 1}], "who": {"username": "xj", "name": "小简"},
        });
        Template::read(&template).unwrap().fill(record.as_object().unwrap(), is_identity)
    }

    #[test]
    fn a_place_alone_keeps_the_type_and_one_in_a_text_becomes_text() {
        assert_eq!(fill(json!("{number}"), false), Ok(json!(7)));
        assert_eq!(fill(json!(" { number } "), false), Ok(json!(7)));
        assert_eq!(fill(json!("{list}"), false), Ok(json!(["a", "b"])));
        assert_eq!(fill(json!("No. {number}: {name} ({list})"), false), Ok(json!("No. 7: 张三 (a,b)")));
        assert_eq!(fill(json!(["{number}", 1, {"x": "{phone.phone}"}]), false), Ok(json!([7, 1, {"x": "138"}])));
        assert_eq!(fill(json!("{nowhere}"), false), Ok(json!(null)));
        assert_eq!(fill(json!("no place}"), false), Ok(json!("no place}")));
        assert_eq!(fill(json!("{who}-{number}"), true), Ok(json!("xj-7")));
        assert_eq!(fill(json!("{who}-{number}"), false), Ok(json!("小简-7")));
        assert_eq!(fill(json!("a {row}"), false), Err(Reason::NotUsable));
    }

    #[test]
    fn what_is_made_of_nothing_is_nothing_and_half_an_id_is_none() {
        assert_eq!(fill(json!("{blank}{nowhere}"), false), Ok(json!(null)));
        assert_eq!(fill(json!("W-{blank}"), false), Ok(json!(null)));
        assert_eq!(fill(json!("W-{none}"), false), Ok(json!(null)));
        assert_eq!(fill(json!("{name} {blank}"), false), Ok(json!("张三 ")));
        assert_eq!(fill(json!("{name}-{blank}"), true), Ok(json!(null)));
    }

    #[test]
    fn what_another_platform_would_fill_in_and_what_is_no_path_is_refused() {
        for (text, why) in [
            ("{{CURRENT_TIME|datetime}}", Unreadable::Foreign("{CURRENT_TIME|datetime}}".into())),
            ("{姓名}", Unreadable::NoPath("姓名".into())),
            ("{a+b}", Unreadable::NoPath("a+b".into())),
            ("{}", Unreadable::NoPath(String::new())),
            ("{a", Unreadable::NoPath("a".into())),
        ] {
            assert_eq!(Template::read(&json!(text)), Err(why), "{text}");
        }
        let deep = (0..20).fold(json!("x"), |inner, _| json!([inner]));
        assert_eq!(Template::read(&deep), Err(Unreadable::TooDeep));
    }
}
